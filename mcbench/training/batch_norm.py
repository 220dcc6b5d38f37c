"""`Statistics`, running statistics of batch norms for networks that were not trained."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch.func import functional_call

from mcbench.paths.params import Params
from mcbench.paths.path import Leg, Path
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe


class Statistics:
    """Estimates running statistics for points of a curve and averages of weights.

    One pass over the training data in the minibatches of training, augmented as in training (as
    the published code does): the statistics are the means of those of the batches, each weighted
    by its size (Garipov et al., NeurIPS 2018, appendix A). The draws are the same at all points.
    Dropout is off.

    Arguments:
        problem: The network and the data.
        recipe: The batch size and the augmentation.

    Attributes:
        names: The entries of a network that are running statistics; empty without batch norms.
    """

    def __init__(self, problem: Problem, recipe: Recipe) -> None:
        self.problem, self.recipe = problem, recipe
        self.module = copy.deepcopy(problem.module).eval()
        self.names: list[str] = []
        self._norms = []
        for prefix, module in self.module.named_modules():
            if getattr(module, "running_mean", None) is not None:
                self._norms.append(module.train())
                entries = ("running_mean", "running_var")
                self.names += [f"{prefix}.{n}" if prefix else n for n in entries]

    def renew(self, params: Params) -> Params:
        """The same network with new running statistics; batch counters stay."""
        if not self.names:
            return params
        # The norms update their buffers in place.
        buffers = {name for name, _ in self.module.named_buffers()}
        state = {n: x.clone() if n in buffers else x for n, x in params.items()}
        for name in self.names:
            state[name].zero_()
        samples = 0
        with torch.no_grad():
            for inputs, _ in self.problem.shuffled(self.recipe, "statistics"):
                samples += len(inputs)
                for norm in self._norms:
                    norm.momentum = len(inputs) / samples
                functional_call(self.module, state, (inputs,))
        return params | {name: state[name] for name in self.names}

    def along(self, path: Path) -> Path:
        """The path with new statistics at every point between the ends of its legs.

        Lengths are measured by chords then. Without batch norms it is the path itself.
        """
        if not self.names:
            return path

        def renewed(leg: Leg) -> Leg:
            return replace(leg, between=_Renewed(self, leg), length=None, several_between=None)

        return Path([renewed(leg) for leg in path.legs], path.end)


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
