"""The global random number generators, which no component may need or disturb."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def _states() -> dict[str, Any]:
    state: Any = np.random.get_state()
    name, keys, *rest = state
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (name, keys.tobytes(), *rest),
        "random": random.getstate(),
    }


@contextmanager
def thrown(seed: int) -> Iterator[Callable[[], str]]:
    """The generators as some program around a plugin may have left them; restored at the end.

    It gives a function that names the generator that was used since, or nothing.
    """
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    thrown = _states()

    def used() -> str:
        now = _states()
        return ", ".join(name for name in thrown if thrown[name] != now[name])

    try:
        yield used
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])
