"""Loading of data sets: found or downloaded, decoded once, stored as tensors."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcbench.errors import DataNotFoundError, McbenchError, UsageError, reason_of
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data, Split
from mcbench.problem.validation import absent_classes, validate
from mcbench.store.key import key_of
from mcbench.store.store import Store

log = logging.getLogger("mcbench")

DOWNLOAD_SECONDS = 30.0
"""Seconds without an answer after which a download fails."""


def directories(directory: Path | None, store: Store) -> list[Path]:
    """The folders searched for data: ``directory``, else ``MCBENCH_DATA``; then downloads."""
    first = directory or os.environ.get("MCBENCH_DATA")
    return [*([Path(first).expanduser()] if first else []), store.root / "downloads"]


def load(dataset: Any, directory: Path | None, store: Store) -> tuple[Data, str]:
    """A data set and its fingerprint.

    Arguments:
        dataset: A `Dataset`, completed by the host with its optional attributes (so `Any`).
        directory: The folder searched first; see `directories`.
        store: The store of decoded data.

    Raises:
        DataNotFoundError: If it is in no directory and cannot be downloaded.
        UsageError: If it cannot be read, or has a fault; see `mcbench.problem.validation`.
    """
    places = directories(directory, store)
    present = ((p, found) for p in places if (found := find(dataset, p)) is not None)
    place, files = next(present, None) or _download(dataset, places)
    key = _key(dataset, files)
    decoded = store.intact(store.read_tensors, "data", key)
    if decoded is None:
        data = _read(dataset, place)
        fingerprint = data.fingerprint()
        with store.lock(key):
            store.write_tensors("data", key, *_pack(data, dataset.name, fingerprint))
    else:
        data, fingerprint = _unpack(*decoded), decoded[1]["fingerprint"]
    for split, names in absent_classes(data).items():
        if names:  # No fault: some samples of a large set, for trials, may lack a class.
            more = f", nor of {len(names) - 1} more" if names[1:] else ""
            title = f"data set '{dataset.name}'"
            log.warning("%s: no %s sample is of class '%s'%s", title, split, names[0], more)
    return data, fingerprint


def _download(dataset: Any, places: list[Path]) -> tuple[Path, list[Path]]:
    folders = " and ".join(map(str, places))
    help = f"; put it there as {dataset.layout}, and name DIR with --data-dir or MCBENCH_DATA"
    help = help if dataset.layout else ""
    if dataset.download is None:
        raise DataNotFoundError(f"data set '{dataset.name}' is not in {folders}{help}")
    place = places[-1]
    log.info("downloading %s to %s", dataset.name, place)
    timeout = socket.getdefaulttimeout()
    try:
        place.mkdir(parents=True, exist_ok=True)
        socket.setdefaulttimeout(DOWNLOAD_SECONDS)
        dataset.download(place)
        files = dataset.find(place)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(": ")
        raise DataNotFoundError(
            f"data set '{dataset.name}' is not in {folders} "
            f"and cannot be downloaded ({reason}){help}"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    if files is None:
        raise DataNotFoundError(
            f"data set '{dataset.name}' was downloaded but is incomplete{help}"
        )
    return place, files


def find(dataset: Any, place: Path) -> list[Path] | None:
    """The files of a data set in a folder, an empty list if it needs none; ``None`` if not there.

    Raises:
        UsageError: If they cannot be looked for.
    """
    with _blamed(dataset, place):
        files = dataset.find(place)
        return None if files is None else [Path(file) for file in files]


@contextmanager
def _blamed(dataset: Any, place: Path) -> Iterator[None]:
    """An error of a plugin's data set becomes a `UsageError` of one line."""
    try:
        yield
    except McbenchError:
        raise
    except Exception as error:
        raise UsageError(
            f"data set '{dataset.name}' in {place} cannot be read: {reason_of(error)}"
        ) from error


def _read(dataset: Any, place: Path) -> Data:
    """The data, decoded and without fault."""
    with _blamed(dataset, place):
        data: Data = dataset.read(place)
    validate(data, dataset.name)
    if data.train.mean or data.test.mean:
        raise UsageError(
            f"data set '{dataset.name}': its splits have a mean, which is lost when they are "
            "stored: leave normalisation to recipes, or give normalised float32 inputs"
        )
    return data


def _key(dataset: Any, files: list[Path]) -> str:
    """The key of the decoded set, which changes if one of its files is changed or replaced.

    Files are told apart by place, size, times and inode: the time of the last change of status
    and the inode differ even where a copy keeps name, size and time of change. The module that
    defines the data set counts as one of its files.
    """
    module = getattr(sys.modules.get(type(dataset).__module__), "__file__", None)
    code = [module] if module and os.path.exists(module) else []
    manifest = []
    for file in [*files, *code]:
        try:
            s = os.stat(file)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None
        status = [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino]
        manifest.append([os.path.abspath(file), *status])
    return key_of({"dataset": host().identity("dataset", dataset), "files": sorted(manifest)})


def _pack(data: Data, name: str, fingerprint: str) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors = {
        f"{split}.{part}": getattr(getattr(data, split), part)
        for split in ("train", "test")
        for part in ("inputs", "targets")
    }
    record = {
        "name": name,
        "classes": list(data.classes),
        "scale": data.train.scale,
        "fingerprint": fingerprint,
        "loss": data.loss,
    }
    return tensors, record


def _unpack(tensors: dict[str, Any], record: dict[str, Any]) -> Data:
    train, test = (
        Split(tensors[f"{split}.inputs"], tensors[f"{split}.targets"], record["scale"])
        for split in ("train", "test")
    )
    return Data(train, test, tuple(record["classes"]), record["loss"])
