"""Checks of the parts of composed methods: matchings, interpolations, adjustments."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from mcbench.methods.method import Stage
from mcbench.paths.params import distance, equal
from mcbench.structure.neurons import Hidden
from mcbench.testing.check import Fault, check
from mcbench.testing.global_generators import seeded
from mcbench.testing.networks import trained
from mcbench.testing.paths import unlike
from mcbench.testing.subject import Subject


def _neurons() -> tuple[Tensor, Tensor, int]:
    """Hidden neurons of two networks, shape (8, 75), and the number of incoming weights."""
    network = trained("two-layer")
    chain = network.problem().chain
    a, b = (network.endpoint(seed).params for seed in (0, 1))
    hidden = Hidden.of(chain, a, 0)
    return hidden.pack(a), hidden.pack(b), hidden.incoming


def _pure(function: Callable[..., Tensor], *arguments: Tensor | float) -> Tensor:
    """The result of a function; two calls must give the same and leave the arguments alone."""
    results, before = [], copy.deepcopy(arguments)
    for seed in (1, 2):
        with seeded(seed):
            results.append(function(*arguments))
    after = zip(map(torch.as_tensor, arguments), map(torch.as_tensor, before), strict=True)
    if not all(x.equal(y) for x, y in after):
        raise Fault("it changed the neurons it was given", "clone before changing in place")
    if not results[0].equal(results[1]):
        raise Fault("called again it gives something else", "draw no global random numbers")
    return results[0]


@check("matching", "permutation", "give p (n,) int64: neuron i of A goes with neuron p[i] of B")
def it_gives_a_permutation(subject: Subject) -> None:
    """It gives the indices 0 ... n - 1 in some order, int64, the same every time."""
    a, b, incoming = _neurons()
    order = _pure(subject.component.match, a, b, incoming)
    whole = order.dtype == torch.int64 and order.sort().values.tolist() == list(range(len(a)))
    if not whole:
        raise Fault(f"for {len(a)} neurons it gives {order.tolist()}, {order.dtype}")


@check("interpolation", "limits")
def it_tends_to_both_ends(subject: Subject) -> None:
    """It tends to A for t to 0 and to B for t to 1, keeps shape and dtype, and repeats itself."""
    a, b, _ = _neurons()
    whole = float((a - b).norm())
    for t, end in ((1e-4, a), (1 - 1e-4, b), (0.5, None)):
        point = _pure(subject.component.interpolate, a, b, t)
        if (point.shape, point.dtype) != (a.shape, a.dtype):
            raise Fault(
                f"at t = {t:g} it gives {tuple(point.shape)} {point.dtype}", "keep shape and dtype"
            )
        share = 0.0 if end is None else float((point - end).norm()) / whole
        if share > 0.02:
            raise Fault(
                f"at t = {t:g} its distance from the end is {share:.1%} of that from A to B",
                "make it tend to a for t to 0, and to b for t to 1",
            )


@check("adjustment", "start of a leg")
def it_leaves_the_start(subject: Subject) -> None:
    """At u = 0 it leaves the start of a leg unchanged; elsewhere it gives a network, the same
    every time."""
    network = trained("two-layer")
    a, b = (network.endpoint(seed).params for seed in (0, 1))
    problem = network.problem()
    adjust = subject.component.prepare(Stage(1, a, a), problem)
    if adjust is None:
        return
    if subject.component.along and not distance(adjust(a, 0.0), a) < 1e-3 * distance(a, b):
        raise Fault(
            f"at u = 0 it moves the start by {distance(adjust(a, 0.0), a):.1e}",
            "return the start of the leg unchanged",
        )
    hidden = problem.chain.layers[0].entries
    middle = a | {n: (a[n] + b[n]) / 2 for n in hidden}
    one, two = adjust(middle, 0.5), adjust(middle, 0.5)
    difference = unlike(one, a, b)
    if difference or not equal(one, two):
        raise Fault(
            difference or "called again it gives something else", "give a network's entries"
        )
