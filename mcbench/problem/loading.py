"""Loading of data sets: found or downloaded, decoded once, stored as tensors."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Any

from mcbench.errors import DataNotFoundError
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data, Split
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
    """
    places = directories(directory, store)
    searched = ((place, dataset.find(place)) for place in places)
    present = next((pair for pair in searched if pair[1] is not None), None)
    place, files = present or _download(dataset, places)
    key = _key(dataset, place, files)
    decoded = store.intact(store.read_tensors, "data", key)
    if decoded is not None:
        tensors, record = decoded
        train, test = (
            Split(tensors[f"{split}.inputs"], tensors[f"{split}.targets"], record["scale"])
            for split in ("train", "test")
        )
        data = Data(train, test, tuple(record["classes"]), record["loss"])
        return data, record["fingerprint"]
    data = dataset.read(place)
    fingerprint = data.fingerprint()
    tensors = {
        f"{split}.{part}": getattr(getattr(data, split), part)
        for split in ("train", "test")
        for part in ("inputs", "targets")
    }
    record = {
        "name": dataset.name,
        "classes": list(data.classes),
        "scale": data.train.scale,
        "fingerprint": fingerprint,
        "loss": data.loss,
    }
    with store.lock(key):
        store.write_tensors("data", key, tensors, record)
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


def _key(dataset: Any, place: Path, files: list[Path]) -> str:
    """The key of the decoded set, which changes if one of its files does."""
    stats = {str(file.relative_to(place)): file.stat() for file in files}
    manifest = [[name, s.st_size, s.st_mtime_ns] for name, s in sorted(stats.items())]
    return key_of({"dataset": host().identity("dataset", dataset), "files": manifest})
