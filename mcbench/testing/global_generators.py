"""The global random number generators, which no component may need or disturb."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch

from mcbench.testing.check import Fault

Result = TypeVar("Result")


def _states() -> dict[str, Any]:
    state: Any = np.random.get_state()  # A tuple here, though its type allows a dict.
    name, keys, *rest = state
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (name, keys.tobytes(), *rest),
        "random": random.getstate(),
    }


@contextmanager
def seeded(seed: int) -> Iterator[Callable[[], str]]:
    """Seed all generators, as a program around a plugin may have; restore them at the end.

    Yields a function that names the generators used since, separated by commas.
    """
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    states = _states()

    def used() -> str:
        now = _states()
        return ", ".join(name for name in states if states[name] != now[name])

    try:
        yield used
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])


def repeated(compute: Callable[[], Result], fix: str) -> tuple[Result, Result]:
    """Results of two calls, between which the states of the global generators differ.

    Raises:
        Fault: If a call uses a global generator; ``fix`` says what to use instead.
    """
    results = []
    for seed in (1, 2):
        with seeded(seed) as used:
            results.append(compute())
            if names := used():
                raise Fault(f"it used the global generator of {names}", fix)
    return results[0], results[1]
