"""Seeds of independent draws, derived from a run's seed and the purpose of the draw."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, *purpose: object) -> int:
    """A 63-bit seed, the same on every machine and in every process."""
    text = repr((seed, *map(str, purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: object) -> torch.Generator:
    """A generator on the CPU (so that draws do not depend on the device)."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *purpose))
