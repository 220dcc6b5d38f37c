"""`Statistics`, running statistics of batch norms for networks that were not trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from mcbench.paths.call import call_keeping
from mcbench.paths.params import Params
from mcbench.paths.path import Leg, Path
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe

STEPS = 100
"""Fewest minibatches from which buffers that are no statistics of batch norms are estimated."""


class Statistics:
    """Estimates running statistics for points of a curve and averages of weights.

    One pass over the training data in the minibatches of training, augmented as in training (as
    the published code does): the statistics are the means of those of the batches, each weighted
    by its size (Garipov et al., NeurIPS 2018, appendix A). The draws are the same at all points.
    Dropout is off.

    Other buffers that training changes (vectors of power iterations, codebooks, running means of
    a network's own) go on as in training, from the point's: the modules that own them are in
    training mode, for as many passes as take `STEPS` minibatches.

    Arguments:
        problem: The network and the data.
        recipe: The batch size and the augmentation.
        norms: Whether the statistics of batch norms are estimated too.

    Attributes:
        names: The entries of a network that are estimated; empty if there are none.
        others: Those of them that are no statistics of batch norms.
    """

    def __init__(self, problem: Problem, recipe: Recipe, norms: bool = True) -> None:
        self.problem, self.recipe = problem, recipe
        running = problem.builder.behaviour.running
        means: list[str] = []
        for prefix, module in problem.module.named_modules():
            if getattr(module, "running_mean", None) is not None:
                own = [f"{prefix}.{n}".lstrip(".") for n in ("running_mean", "running_var")]
                means += own if any(n in running for n in own) else []  # Else it is frozen.
        self._means = means if norms else []
        self.others = [n for n in running if n not in means]
        self.names = self._means + self.others
        if self.names:
            self._module = problem.template()
            owners = {name: _owner(self._module, name) for name in self.names}
            for owner in owners.values():
                owner.training = True
            self._norms = list({id(owners[n]): owners[n] for n in self._means}.values())
            self._passes = -(-STEPS // problem.steps(recipe)) if self.others else 1

    def renew(self, params: Params) -> Params:
        """The same network with new running statistics; batch counters stay."""
        if not self.names:
            return params
        # The network may update its buffers in place.
        buffers = {name for name, _ in self._module.named_buffers()}
        state = {n: x.clone() if n in buffers else x for n, x in params.items()}
        for name in self._means:
            state[name].zero_()
        samples = 0
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            if self.others:  # The modules that own them may draw at random in training mode.
                torch.manual_seed(self.problem.generator("statistics", "draws").initial_seed())
            for _ in range(self._passes):
                for inputs, _ in self.problem.shuffled(self.recipe, "statistics"):
                    samples += len(inputs)
                    for norm in self._norms:
                        norm.momentum = len(inputs) / samples
                    _, after = call_keeping(self._module, state, inputs)
                    state |= {name: after[name] for name in self.others}
        return params | {name: state[name] for name in self.names}

    # Paths ---------------------------------------------------------------------------------

    def along(self, path: Path) -> Path:
        """The path with new statistics at every point between the ends of its legs.

        Lengths are measured by chords then. Without statistics it is the path itself, and legs
        that have new ones already stay.
        """
        if not self.names:
            return path

        def renewed(leg: Leg) -> Leg:
            if isinstance(leg.between, _Renewed):
                return leg
            return replace(leg, between=_Renewed(self, leg), length=None, several_between=None)

        return Path([renewed(leg) for leg in path.legs], path.end)

    def throughout(self, path: Path) -> Path:
        """The path with new statistics at every point but its two ends."""
        legs = list(path.legs)
        for i in range(len(legs) - 1 if self.names else 0):
            if not any(isinstance(leg.between, _Renewed) for leg in legs[i : i + 2]):
                joint = self.renew(legs[i].stop)
                legs[i] = replace(legs[i], stop=joint)
                legs[i + 1] = replace(legs[i + 1], start=joint)
        return self.along(Path(legs, path.end)) if self.names else path


def _owner(module: nn.Module, name: str) -> Any:  # Any: batch norms have a momentum, others not.
    """The module that has the buffer of that name."""
    return module.get_submodule(name.rpartition(".")[0])


@dataclass(frozen=True)
class _Renewed:
    statistics: Statistics
    leg: Leg

    def __call__(self, u: float) -> Params:
        return self.statistics.renew(self.leg.between(u))


def parameters_of(path: Path) -> Path:
    """The path without the effect of `Statistics.along`: no point needs a pass over the data."""

    def original(leg: Leg) -> Leg:
        if not isinstance(leg.between, _Renewed):
            return leg
        before = leg.between.leg
        return replace(leg, between=before.between, several_between=before.several_between)

    return Path([original(leg) for leg in path.legs], path.end)
