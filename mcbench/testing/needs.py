"""Checks that methods use what they declare in ``needs``, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import torch

from mcbench.errors import StructureError
from mcbench.methods import method
from mcbench.paths.params import equal
from mcbench.paths.path import Path
from mcbench.problem.problem import SplitName
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.methods import TIMES, any_network, attempts, connect, fit, points
from mcbench.testing.networks import digits
from mcbench.testing.subject import Subject


@check("method", "needs are served")
def needs_are_served(subject: Subject) -> None:
    """It needs only what this version of mcbench serves."""
    unserved = method.needs(subject.component) - method.SUPPORTED
    if unserved:
        raise Fault(
            f"it needs {', '.join(sorted(unserved))}: every run would fail",
            f"name only {', '.join(sorted(method.SUPPORTED))} in 'needs'",
        )


@check("method", "needs a chain as it says")
def a_chain_is_needed_as_declared(subject: Subject) -> None:
    """With the need `affine-chain` it refuses a network without one by a StructureError; without
    that need it connects such a network."""
    result = attempts(subject)["residual"]
    if "affine-chain" in method.needs(subject.component):
        if isinstance(result, Path):
            raise Fault(
                "it connects a network that is no chain, though it says it needs one",
                "take 'affine-chain' out of 'needs'",
            )
        if not isinstance(result, StructureError):
            raise Fault(
                f"on a network that is no chain it raises {type(result).__name__}: {result}",
                "raise mcbench.StructureError; problem.chain does",
            )
    elif not isinstance(result, Path):
        raise Fault(
            f"it does not connect a network that is no chain: {type(result).__name__}: {result}",
            "add 'affine-chain' to 'needs', if it needs one",
        )


@check("method", "needs data as it says", "add 'data' to 'needs'")
def data_are_used_as_declared(subject: Subject) -> None:
    """Without the need `data` its path is the same whatever the training data are."""
    if "data" in method.needs(subject.component):
        raise Inapplicable("it declares that it uses the training data")
    _same_path_with_other(subject, "train")


@check("method", "test data unused", "use the split 'train' alone")
def test_data_are_not_used(subject: Subject) -> None:
    """Its path is the same whatever the test data are: they are for measuring alone."""
    _same_path_with_other(subject, "test")


def _same_path_with_other(subject: Subject, name: SplitName) -> None:
    """Test that a path stays when a split's images are inverted and mirrored, its targets moved.

    Raises:
        Fault: If it does not.
    """
    network, split = any_network(subject), getattr(digits(), name)
    own = points(connect(subject, network))
    inputs = (split.scale - split.inputs.double()).to(split.inputs.dtype).flip(3)
    changed = replace(split, inputs=inputs, targets=split.targets.roll(1))
    problem = network.problem(replace(digits(), **{name: changed}))
    if "pool" in method.needs(subject.component):
        subject = replace(subject, shared={})  # It is fitted anew, to the other data.
    for t, one, two in zip(TIMES, own, points(connect(subject, network, problem)), strict=True):
        if not equal(one, two):
            raise Fault(f"with other {name} data its point at t = {t:g} is another one")


@check("method", "needs a pool as it says")
def a_pool_is_fitted(subject: Subject) -> None:
    """With the need `pool` it has `pool` and `fit`, which gives the same tensors every time."""
    if "pool" not in method.needs(subject.component):
        if subject.component.fit is not None:
            raise Fault("it has 'fit', which no run calls", "add 'pool' to 'needs'")
        raise Inapplicable("it needs no pool")
    size = subject.component.pool
    if not isinstance(size, int) or size < 1:
        raise Fault(f"its 'pool' is {size!r}", "say how many endpoints it is fitted on")
    network = any_network(subject)
    one, two = (fit(subject, network, network.problem()) for _ in range(2))
    for name, x in one.items():
        if not isinstance(name, str) or not isinstance(x, torch.Tensor):
            raise Fault(f"'fit' returns {name!r}: {type(x).__name__}", "return tensors by name")
    if not equal(one, two):
        raise Fault(
            "two fits on the same pool differ", "take every draw from problem.generator(purpose)"
        )
