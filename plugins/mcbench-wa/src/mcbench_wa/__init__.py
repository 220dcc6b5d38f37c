"""Weight adjustment: keep the next layer's output by least squares; and WA-ensembles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import mcbench
from mcbench import Endpoint, Params, Problem

REFERENCE = "Anokhin & Yarotsky, ICML 2020 (connections using weight adjustment)"


@dataclass(frozen=True)
class WeightAdjustment:
    r"""Adjusts the last layer so that the outputs stay those of A.

    At a point with features F(t) and outgoing weights W(t), the adjusted weights are
    :math:`W(t) + R\,F^\top (F F^\top + \lambda I)^{-1}` with the residual
    :math:`R = W^A F^A - W(t) F(t)`: of all least-squares solutions of
    :math:`\min_W |W F(t) - W^A F^A|^2` the one nearest to W(t), for
    :math:`\lambda \to 0` (the published code takes the pseudo-inverse instead, which is the
    solution nearest to 0, and is not continuous where the features' rank changes). The output
    bias is A's. Moments are streamed over the un-augmented training data: see `mcbench.Gram`.
    """

    name = "wa"
    summary = "weight adjustment: the last layer keeps A's outputs by least squares"
    reference = REFERENCE
    cutoff: float = mcbench.parameter(
        1e-12, "lambda relative to the trace of the features' moments", gt=0, lt=1
    )
    precision: Literal["float32", "float64"] = mcbench.parameter(
        "float32", "of the products of features; sums and solutions are float64"
    )

    def prepare(self, a: Endpoint, problem: Problem) -> Callable[[Params], Params]:
        """The function that adjusts a point of the path."""
        import torch

        last = problem.chain.layers[-1]
        dtype = getattr(torch, self.precision)
        targets = [
            _products(a.params, features, last.weight)
            for features in hidden_features(a.params, problem)
        ]

        def adjust(params: Params) -> Params:
            """The point with its last layer adjusted."""
            if last.bias is not None:
                params = params | {last.bias: a.params[last.bias]}
            weight = params[last.weight]
            gram = mcbench.Gram(weight.shape[1], weight.shape[0], weight.device)
            for features, target in zip(hidden_features(params, problem), targets, strict=True):
                residual = target - _products(params, features, last.weight)
                gram.add(features.to(dtype), residual)
            change = gram.solve(self.cutoff).to(weight)
            return params | {last.weight: weight + change}

        return adjust


def hidden_features(params: Params, problem: Problem) -> Iterator[Any]:
    """The inputs of the last layer on the training data, in batches of shape (batch, n)."""
    last = len(problem.chain.layers) - 1
    for inputs, _ in problem.batches("train"):
        yield problem.chain.features(params, inputs, last)


def _products(params: Params, features: Any, weight: str) -> Any:
    return features @ params[weight].T


@mcbench.hookimpl
def mcbench_adjustments() -> Iterator[WeightAdjustment]:
    """Weight adjustment as a part of composed methods."""
    yield WeightAdjustment()


@mcbench.hookimpl
def mcbench_methods() -> Iterator[mcbench.Composition]:
    """Weight adjustment after each of the known connections of the hidden layer."""
    for base, matching, interpolation in (
        ("linear", "identity", "linear"),
        ("arc", "identity", "arc"),
        ("ot", "ot", "linear"),
    ):
        yield mcbench.Composition(
            f"{base}-wa",
            f"{base} connection of the hidden layer, last layer adjusted by least squares",
            REFERENCE,
            matching=matching,
            interpolation=interpolation,
            adjustment="wa",
        )


@mcbench.hookimpl
def mcbench_metrics() -> Iterator[Any]:
    """WA-ensembles."""
    from mcbench_wa.ensemble import WAEnsemble, WAStorage

    yield WAEnsemble()
    yield WAStorage()
