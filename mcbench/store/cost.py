"""`Cost`, the time, data and memory of a computation, and the `Meter` that measures it."""

from __future__ import annotations

import ctypes
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
    """Time, data and memory of a computation.

    Arguments:
        seconds: Wall-clock time.
        passes: Training samples that went through the network or a part of it, as a share of the
            training data.
        memory: Peak memory in MiB above what was in use at the start: the device's on CUDA, else
            the process's; ``None`` if it cannot be measured.
    """

    seconds: float = 0.0
    passes: float = 0.0
    memory: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """The cost of one after the other: times and passes add up, the larger peak counts."""
        peaks = [m for m in (self.memory, other.memory) if m is not None]
        memory = max(peaks, default=None)
        return Cost(self.seconds + other.seconds, self.passes + other.passes, memory)


class Meter:
    """Measures the cost of computations.

    Arguments:
        device: The device whose memory is measured.
        samples: The number of training samples.

    Attributes:
        seen: The count of training samples that went through the network, or a part of it.
    """

    def __init__(self, device: torch.device, samples: int) -> None:
        self.device, self.samples = device, samples
        self.seen = 0
        self._done = Cost()
        self._since: tuple[float, int, float | None] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context manager that adds the cost of its body."""
        self._since = time.perf_counter(), self.seen, _reset(self.device)
        try:
            yield
        finally:
            self._done, self._since = self.total, None

    def add(self, cost: Cost) -> None:
        """Add the cost of the earlier part of a resumed computation."""
        self._done += cost

    @property
    def total(self) -> Cost:
        """The cost so far."""
        if self._since is None:
            return self._done
        start, seen, before = self._since
        peak = _peak(self.device)
        return self._done + Cost(
            time.perf_counter() - start,
            (self.seen - seen) / self.samples,
            None if before is None or peak is None else max(0.0, peak - before),
        )


def _reset(device: torch.device) -> float | None:
    """Reset the peak; the memory in use, in MiB."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device) / MIB
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Only glibc has it.
    if trim is not None:
        trim(0)  # If freed memory were used again, the peak would not show it.
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak is what is in use now.
    except OSError:
        return None
    return resident("VmRSS")


def _peak(device: torch.device) -> float | None:
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    return resident("VmHWM")


def resident(field: str) -> float | None:
    """This process's resident memory (``VmRSS``) or its peak (``VmHWM``) in MiB; Linux only."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith(field)), None)
