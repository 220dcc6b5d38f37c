"""`Cost`, what it takes to compute something, and the `Meter` that measures it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """What something took.

    Arguments:
        seconds: Wall-clock time.
        passes: Training samples that went through the network or a part of it, as a share of the
            training data.
        memory: The most memory it held at once, in MiB, above what was in use when it began: the
            device's on CUDA, else the process's; ``None`` where that cannot be told.
    """

    seconds: float = 0.0
    passes: float = 0.0
    memory: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """One after the other."""
        known = [m for m in (self.memory, other.memory) if m is not None]
        return Cost(
            self.seconds + other.seconds,
            self.passes + other.passes,
            max(known) if known else None,
        )


@dataclass
class Tally:
    """A count of training samples that went through a network, or a part of it."""

    samples: int = 0


class Meter:
    """Adds up the cost of what runs under it.

    Arguments:
        device: Its memory is looked at.
        samples: The training data have so many.

    Attributes:
        tally: Whoever passes training samples through the network counts them here.
    """

    def __init__(self, device: torch.device, samples: int) -> None:
        self.device, self.samples = device, samples
        self.tally = Tally()
        self._done = Cost()
        self._since: tuple[float, int, float | None] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """What happens inside is counted."""
        self._since = time.perf_counter(), self.tally.samples, _reset(self.device)
        try:
            yield
        finally:
            self._done, self._since = self.total, None

    def add(self, cost: Cost) -> None:
        """Count what was spent before, by a computation that is gone on with."""
        self._done += cost

    @property
    def total(self) -> Cost:
        """All until now."""
        if self._since is None:
            return self._done
        began, seen, before = self._since
        peak = _peak(self.device)
        return self._done + Cost(
            time.perf_counter() - began,
            (self.tally.samples - seen) / self.samples,
            None if before is None or peak is None else max(0.0, peak - before),
        )


def _reset(device: torch.device) -> float | None:
    """The memory in use, in MiB, from which the peak is counted anew."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device) / MIB
    _trim()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak is what is in use now.
    except OSError:
        return None
    return resident("VmRSS")


def _trim() -> None:
    """Give freed memory back to the system: used again, it would not show in the peak."""
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Only glibc has it.
    if trim is not None:
        trim(0)


def _peak(device: torch.device) -> float | None:
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    return resident("VmHWM")


def resident(field: str) -> float | None:
    """``VmRSS``, this process's resident memory, or ``VmHWM``, its peak, in MiB; Linux alone."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith(field)), None)
