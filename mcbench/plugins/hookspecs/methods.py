"""Hooks that provide connection methods and their parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcbench.plugins.hookspecs.markers import hookspec


@hookspec
def mcbench_methods() -> Iterable[Any]:  # type: ignore[empty-body]
    """Connection methods: ``name`` and ``connect(a, b, problem) -> mcbench.Path``.

    Optional: ``summary``, ``reference``, and ``needs``, a set of ``"data"``, ``"affine-chain"``,
    ``"permutation-groups"``, ``"pool"``; a method with a need that mcbench does not serve fails
    with a message that names it. Six more describe the method: ``explicit``, whether its points
    are a closed formula of A and B; ``learnable``, whether something is trained; ``baseline``,
    whether others are compared with it first; ``route``, the way in a few words; ``use``, when to
    use it; ``statistics``, whether running statistics of batch norms are those of the path
    (``"keep"``) or estimated anew at its points (``"reset"``). See `mcbench.Method`
    for methods fitted on a pool of networks, and `mcbench.Composition` for methods made of parts.

    Example::

        class Linear:
            name = "straight"

            def connect(self, a, b, problem):
                return mcbench.segment(a.params, b.params)


        @mcbench.hookimpl
        def mcbench_methods():
            yield Linear()
    """


@hookspec
def mcbench_matchings() -> Iterable[Any]:  # type: ignore[empty-body]
    """Matchings of hidden neurons, a part of composed methods: ``match(a, b, incoming)``.

    ``a`` and ``b`` are neurons as vectors, shape (n, d): incoming weights, bias if there is one,
    outgoing weights; ``incoming`` is the number of leading coordinates that are incoming weights.
    It returns indices p, shape (n,), int64, on the same device: neuron i of A is matched with
    neuron p[i] of B.

    Example::

        class Reversed:
            name = "reversed"

            def match(self, a, b, incoming):
                import torch

                return torch.arange(len(b) - 1, -1, -1)


        @mcbench.hookimpl
        def mcbench_matchings():
            yield Reversed()
    """


@hookspec
def mcbench_interpolations() -> Iterable[Any]:  # type: ignore[empty-body]
    """Interpolations of matched neurons, a part of composed methods: ``interpolate(a, b, t)``.

    It returns the neurons at 0 < t < 1 from those of A and the matched ones of B, all of shape
    (n, d). It must tend to a for t to 0 and to b for t to 1; it is not called at the ends.

    Example::

        class Smooth:
            name = "smooth"

            def interpolate(self, a, b, t):
                s = t * t * (3 - 2 * t)
                return (1 - s) * a + s * b


        @mcbench.hookimpl
        def mcbench_interpolations():
            yield Smooth()
    """


@hookspec
def mcbench_adjustments() -> Iterable[Any]:  # type: ignore[empty-body]
    """Adjustments of points, a part of composed methods: ``prepare(stage, problem)``.

    It returns a function from a point of a leg and its time u in [0, 1] to the adjusted point, or
    ``None`` for no adjustment. ``stage`` is a `mcbench.Stage`. The function must keep the start
    of the leg and be continuous. With ``along = False`` only the leg's end is adjusted.
    ``several(adjust, move, times)`` is optional: see `mcbench.Adjustment`.

    Example::

        class Keep:
            name = "keep"

            def prepare(self, stage, problem):
                return lambda params, u: params


        @mcbench.hookimpl
        def mcbench_adjustments():
            yield Keep()
    """
