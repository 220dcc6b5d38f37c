"""Loading of data sets: found or downloaded, decoded once, kept as tensors."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcbench.errors import DamagedError, DataNotFoundError
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data, Split
from mcbench.store.key import key_of
from mcbench.store.store import Store

log = logging.getLogger("mcbench")

DOWNLOAD_SECONDS = 30.0
"""How long a download may stay silent."""


def directories(chosen: Path | None, store: Store) -> list[Path]:
    """Where data are looked for: the chosen directory, else ``MCBENCH_DATA``; then downloads."""
    named = chosen or (
        Path(os.environ["MCBENCH_DATA"]) if os.environ.get("MCBENCH_DATA") else None
    )
    return [*([named.expanduser()] if named else []), store.root / "downloads"]


def load(dataset: Any, chosen: Path | None, store: Store) -> tuple[Data, str]:
    """A data set and its fingerprint.

    Raises:
        DataNotFoundError: If it is in no directory and cannot be downloaded.
    """
    places = directories(chosen, store)
    place, files = _find(dataset, places) or _download(dataset, places)
    index = _index(dataset, place, files)
    try:
        known = store.read_tensors("data", index)
    except DamagedError as error:
        log.warning("%s; decoding it again", error)
        known = None
    if known is not None:
        return _unpack(*known), known[1]["fingerprint"]
    data = dataset.read(place)
    fingerprint = data.fingerprint()
    with store.lock(index):
        store.write_tensors("data", index, *_pack(data, dataset.name, fingerprint))
    return data, fingerprint


def _find(dataset: Any, places: list[Path]) -> tuple[Path, list[Path]] | None:
    for place in places:
        files = dataset.find(place)
        if files is not None:
            return place, files
    return None


def _download(dataset: Any, places: list[Path]) -> tuple[Path, list[Path]]:
    looked = " and ".join(map(str, places))
    help = (
        f"; put it there as {dataset.layout}, and name DIR with --data-dir or MCBENCH_DATA"
        if dataset.layout
        else ""
    )
    if dataset.download is None:
        raise DataNotFoundError(f"data set '{dataset.name}' is not in {looked}{help}")
    place = places[-1]
    log.info("downloading %s to %s", dataset.name, place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _patience(DOWNLOAD_SECONDS):
            dataset.download(place)
        files = dataset.find(place)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(": ")
        raise DataNotFoundError(
            f"data set '{dataset.name}' is not in {looked} "
            f"and cannot be downloaded ({reason}){help}"
        ) from error
    if files is None:
        raise DataNotFoundError(
            f"data set '{dataset.name}' was downloaded but is incomplete{help}"
        )
    return place, files


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _index(dataset: Any, place: Path, files: list[Path]) -> str:
    """Under what the decoded set is kept: it changes when a file does."""
    manifest = []
    for file in files:
        status = file.stat()
        manifest.append([str(file.relative_to(place)), status.st_size, status.st_mtime_ns])
    identity = host().identity("dataset", dataset)
    return key_of({"dataset": identity, "files": sorted(manifest)})


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
