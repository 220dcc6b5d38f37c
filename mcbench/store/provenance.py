"""Versions, hashes, hardware and time of a computation: no part of any key."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PACKAGES = ("mcbench", "torch", "torchvision", "numpy", "scipy")

LEFT_OUT = {"__pycache__", "leaderboards"}
"""Folders that are no code: bytecode, and the entries that mcbench ships."""


def provenance(device: torch.device | str) -> dict[str, Any]:
    """Versions, hardware and the time (UTC)."""
    import torch

    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "python": platform.python_version(),
        "packages": {p: version(p) for p in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "device": f"{device.type}: {name}",
        "threads": torch.get_num_threads(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2] for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0].strip() if names else platform.processor()


def named(*identities: object) -> dict[str, str]:
    """The distributions in identities and their parts, with their versions."""
    versions: dict[str, str] = {}
    for identity in identities:
        if isinstance(identity, dict):
            if isinstance(identity.get("distribution"), str):
                versions[identity["distribution"]] = str(identity.get("version", ""))
            versions |= named(*identity.values())
    return versions


def installed(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Version and content hash of each of these distributions that is installed, by name."""
    return {name: _installed(name) for name in sorted(set(names)) if _installed(name)}


@cache
def _installed(name: str) -> dict[str, str]:
    """Version and SHA-256 over the names and contents of the files of its packages.

    The packages are those of its entry points, where Python finds them: so an editable
    installation has the same hash as an installed wheel of the same files.
    """
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return {}
    digest = hashlib.sha256()
    for package in sorted({entry.module.split(".")[0] for entry in installed.entry_points}):
        for file, path in _files(package):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{file}\0{content}\n".encode())
    return {"version": installed.version, "sha256": digest.hexdigest()}


def _files(package: str) -> Iterator[tuple[str, Path]]:
    """The files of a package or a module, by their names relative to it."""
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
