"""`Store`, results on disk: content-addressed, atomic, verified.

    endpoints/KEY.safetensors   parameters; the record is in the file's metadata
    runs/KEY.json               a run's record
    ensembles/KEY.json          an ensemble's record
    planes/KEY.json             loss and accuracy at points of a plane; points may be added
    failures/KEY.json           why a run failed; never read as a result
    trained/KEY.safetensors     a method's training: a curve, a flow; finished or under way
    partial/KEY.safetensors     a training or an evaluation under way
    data/KEY.safetensors        decoded data sets
    locks/KEY.lock              held while a key is computed

Every file carries a SHA-256 hash of its content, which is checked when it is read. Writes go to a
temporary file that then replaces the old one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mcbench.errors import DamagedError, UsageError
from mcbench.paths.params import Params
from mcbench.plugins.identity import identity_text, subject
from mcbench.store import tensor_file
from mcbench.store.key import canonical

log = logging.getLogger("mcbench")

T = TypeVar("T")

KINDS = ("endpoints", "trained", "runs", "ensembles", "planes", "failures", "partial", "data")
RECORDS = ("runs", "ensembles", "planes", "failures")
"""The kinds that are JSON; the others are tensors."""


def home() -> Path:
    """The default root: ``MCBENCH_HOME``, else the platform's user data directory."""
    from platformdirs import user_data_path

    folder = os.environ.get("MCBENCH_HOME")
    return Path(folder).expanduser() if folder else user_data_path("mcbench")


def save_seconds() -> float:
    """Least seconds between two saves of work under way: ``MCBENCH_SAVE_SECONDS``, else 10."""
    text = os.environ.get("MCBENCH_SAVE_SECONDS", "10")
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"MCBENCH_SAVE_SECONDS is a number of seconds, not '{text}'") from None


@dataclass(frozen=True)
class Entry:
    """A file of the store."""

    kind: str
    key: str
    path: Path
    bytes: int
    modified: float


class Store:
    """The store below ``root``; nothing is written before the first result."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or home()

    def _path(self, kind: str, key: str) -> Path:
        suffix = ".json" if kind in RECORDS else ".safetensors"
        return self.root / kind / (key + suffix)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is a file, intact or damaged."""
        return self._path(kind, key).exists()

    def intact(self, read: Callable[[str, str], T | None], kind: str, key: str) -> T | None:
        """The result of ``read``; a damaged file is logged and removed, and gives ``None``."""
        try:
            return read(kind, key)
        except DamagedError as error:
            self.discard(kind, key, error)
            return None

    def discard(self, kind: str, key: str, error: DamagedError) -> None:
        """Log and remove a damaged file."""
        log.warning("%s; computing it again", error)
        self.remove(kind, key)

    def write_record(self, kind: str, key: str, record: dict[str, Any]) -> None:
        """Write a JSON record with its hash."""
        digest = hashlib.sha256(canonical(record).encode()).hexdigest()
        text = json.dumps({"sha256": digest, "record": record}, indent=1)
        self._write(self._path(kind, key), lambda file: file.write_text(text + "\n"))

    def read_record(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record, or ``None`` if there is none.

        Raises:
            DamagedError: If the file is truncated or was altered.
        """
        path = self._path(kind, key)
        try:
            content = json.loads(path.read_text())
            record: dict[str, Any] = content["record"]
            digest = content["sha256"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(f"{path} is damaged: {error}") from None
        if hashlib.sha256(canonical(record).encode()).hexdigest() != digest:
            raise DamagedError(f"{path} is damaged: its content does not match its hash")
        return record

    def write_tensors(self, kind: str, key: str, tensors: Params, record: dict[str, Any]) -> None:
        """Write tensors, with a record beside them in the same file."""
        self._write(self._path(kind, key), lambda file: tensor_file.write(file, tensors, record))

    def read_tensors(self, kind: str, key: str) -> tuple[Params, dict[str, Any]] | None:
        """The tensors (on the CPU) and the record, or ``None`` if there are none.

        Raises:
            DamagedError: If the file is truncated or was altered.
        """
        try:
            return tensor_file.read(self._path(kind, key))
        except FileNotFoundError:
            return None

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            try:
                write(temporary)
                with open(temporary, "rb") as file:
                    os.fsync(file.fileno())
                temporary.chmod(0o644)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A context whose errors of the file system say which store cannot be written to."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot write to the store {self.root}: {reason}; "
                "make it writable or name another with --home or MCBENCH_HOME"
            ) from error

    def remove(self, kind: str, key: str) -> None:
        """Delete a file, if it is there."""
        with self._writing():
            self._path(kind, key).unlink(missing_ok=True)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold a key while it is computed; a second process waits, then reads the result."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / "locks" / f"{key}.lock")
        with self._writing():
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=2)
            except Timeout:
                log.info("another process is computing %s; waiting for it", key)
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def entries(self, kind: str) -> Iterator[Entry]:
        """The files of a kind, in the order of their keys."""
        folder = self.root / kind
        if not folder.is_dir():
            return
        for path in sorted(folder.glob("[!.]*")):
            status = path.stat()
            yield Entry(kind, path.stem, path, status.st_size, status.st_mtime)

    def title(self, entry: Entry) -> str:
        """A file's content in a few words.

        Raises:
            DamagedError: If it cannot be read.
        """
        if entry.path.suffix == ".json":
            record = self.read_record(entry.kind, entry.key) or {}
        else:
            record = tensor_file.read(entry.path, only_record=True)[1]
        if "fingerprint" in record:
            return str(record["name"])
        words = ["/".join(subject(record["problem"]))] if "problem" in record else []
        if record.get("to_recipe"):
            words.append(f"to {identity_text('recipe', record['to_recipe'])}")
        return " ".join([*words, _content(record)])

    def check(self, entry: Entry) -> None:
        """Read a file as a user of it would.

        Raises:
            DamagedError: If it is truncated or was altered.
        """
        if entry.path.suffix == ".json":
            self.read_record(entry.kind, entry.key)
        else:
            self.read_tensors(entry.kind, entry.key)

    def garbage(self, age: float = 0.0) -> list[Path]:
        """Files that no result needs: temporary and partial files, failures, locks not held.

        Arguments:
            age: Only files older than this, in seconds.
        """
        paths = [path for kind in KINDS for path in (self.root / kind).glob(".*.tmp")]
        for kind in ("partial", "failures", "locks"):
            paths += (self.root / kind).glob("*")
        newest = time.time() - age
        old = [p for p in sorted(set(paths)) if p.stat().st_mtime <= newest]
        return [p for p in old if p.suffix != ".lock" or _is_free(p)]


def _content(record: dict[str, Any]) -> str:
    """The content of a record, without its problem."""
    if "what" in record:
        return f"{record['what']}: {record['reason']}"
    if "title" in record:
        return str(record["title"])
    if "seed" in record:
        return f"seed {record['seed']}"
    if "budgets" in record:
        return f"ensemble {record['ensemble']} by budget"
    if "ensemble" in record:
        return f"ensemble {record['ensemble']} of 1 to {len(record['sizes'])}"
    a, b = record["pair"]
    protocol = record["run"]["protocol"]
    how = f"{protocol['points']} points, refine {protocol['refine']}"
    return f"{record['method']} pair {a}-{b}, {how}"


def _is_free(lock: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock, timeout=0):
            return True
    except Timeout:
        return False
