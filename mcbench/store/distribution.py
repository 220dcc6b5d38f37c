"""The code of installed distributions by its content, so that a result says what made it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LEFT_OUT = {"__pycache__", "leaderboards"}
"""Folders that are no code: bytecode, and the entries that mcbench itself comes with."""


def named(*identities: Any) -> dict[str, str]:
    """Distributions that identities name, those of parts included, with their versions."""
    found: dict[str, str] = {}
    for identity in identities:
        if isinstance(identity, dict):
            if isinstance(identity.get("distribution"), str):
                found[identity["distribution"]] = str(identity.get("version", ""))
            found |= named(*identity.values())
    return found


def installed(names: Any) -> dict[str, dict[str, str]]:
    """Version and content hash of each distribution that is installed, in order."""
    known = {name: _installed(name) for name in sorted(set(names))}
    return {name: {"version": k[0], "sha256": k[1]} for name, k in known.items() if k}


@cache
def _installed(name: str) -> tuple[str, str] | None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return found.version, _hash(found)


def _hash(found: Distribution) -> str:
    """SHA-256 over the names and contents of the files of its packages.

    The packages are those that its entry points name, where Python finds them: so an editable
    installation has the hash that an installed wheel of the same files has.
    """
    digest = hashlib.sha256()
    for package in sorted({entry.value.partition(":")[0].split(".")[0] for entry in
                           found.entry_points}):  # fmt: skip
        for name, path in _files(package):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _files(package: str) -> Iterator[tuple[str, Path]]:
    """The files of a package or a module, with names below it."""
    spec = find_spec(package)
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        if spec.origin and Path(spec.origin).is_file():
            yield Path(spec.origin).name, Path(spec.origin)
        return
    for root in map(Path, spec.submodule_search_locations):
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not LEFT_OUT & set(name.parts) and path.suffix != ".pyc":
                yield f"{package}/{name.as_posix()}", path
