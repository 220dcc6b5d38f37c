"""`Params`, the parameters and buffers of a network by their ``state_dict`` names.

Arithmetic on floating-point entries; others (such as a batch norm's counter) are taken from the
first argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import torch

Params: TypeAlias = "dict[str, torch.Tensor]"


def combine(a: Params, b: Params, weight_a: float, weight_b: float) -> Params:
    """``weight_a * a + weight_b * b``, entry by entry."""
    return {
        name: weight_a * x + weight_b * b[name] if x.is_floating_point() else x
        for name, x in a.items()
    }


def distance(a: Params, b: Params) -> float:
    """Euclidean distance over all floating-point entries, accumulated in float64."""
    total = 0.0
    for name, x in a.items():
        if x.is_floating_point() and x is not b[name]:
            total += float((x - b[name]).double().square().sum())
    return float(total**0.5)


def equal(a: Params, b: Params) -> bool:
    """Whether both have the same names and the same values, bit for bit."""
    return a.keys() == b.keys() and all(x.equal(b[name]) for name, x in a.items())


def size(a: Params) -> tuple[int, int]:
    """The number of entries and of bytes."""
    return sum(x.numel() for x in a.values()), sum(x.nbytes for x in a.values())


def move(a: Params, device: torch.device | str) -> Params:
    """The same network on another device."""
    return {name: x.to(device) for name, x in a.items()}


def pack(networks: Iterable[Params], first: int = 1) -> Params:
    """Several networks as one: entry ``n`` of network i = first, first + 1, ... is ``i.n``."""
    numbered = enumerate(networks, start=first)
    return {f"{i}.{name}": x for i, network in numbered for name, x in network.items()}


def unpack(packed: Params, like: Params, first: int = 1) -> list[Params]:
    """The networks that `pack` made one of, with the names and on the devices of ``like``."""
    networks: list[Params] = []
    while f"{first}.{next(iter(like))}" in packed:
        networks.append({n: packed[f"{first}.{n}"].to(x.device) for n, x in like.items()})
        first += 1
    return networks


def finite(a: Params) -> bool:
    """Whether no entry is NaN or infinite."""
    return all(bool(x.isfinite().all()) for x in a.values() if x.is_floating_point())


def feed(digest: hashlib._Hash, a: Params) -> None:
    """Add names, shapes, dtypes and values, in the order of the names, to a hash."""
    import torch

    for name in sorted(a):
        x = a[name].detach().cpu().contiguous()
        digest.update(repr((name, tuple(x.shape), str(x.dtype))).encode())
        digest.update(x.flatten().view(torch.uint8).numpy().data)


def fingerprint(a: Params) -> str:
    """The SHA-256 hash of names, shapes, dtypes and values; of a file's metadata none counts."""
    digest = hashlib.sha256()
    feed(digest, a)
    return digest.hexdigest()
