"""The global random number generators, which no component may need or disturb."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch

from mcbench.testing.check import Fault

Result = TypeVar("Result")


@contextmanager
def seeded(seed: int) -> Iterator[Callable[[], str]]:
    """Seed all generators, as a program around a plugin may have; restore them at the end.

    Yields a function that names the generators used since, separated by commas.
    """

    def states() -> dict[str, bytes]:
        now = {"torch": torch.get_rng_state().numpy(), "numpy": np.random.get_state()}
        return {n: pickle.dumps(x) for n, x in (now | {"random": random.getstate()}).items()}

    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    seeded_states = states()
    try:
        yield lambda: ", ".join(n for n, x in states().items() if x != seeded_states[n])
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])


def repeated(compute: Callable[[], Result]) -> tuple[Result, Result]:
    """Results of two calls, between which the states of the global generators differ.

    Raises:
        Fault: If a call uses a global generator.
    """
    results = []
    for seed in (1, 2):
        with seeded(seed) as used:
            results.append(compute())
            if names := used():
                raise Fault(f"it used the global generator of {names}")
    return results[0], results[1]
