"""`Statistics`, the running statistics of batch norms at points that were not trained."""

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
    """Estimates running statistics anew, as points of a curve and averages of weights need.

    One pass over the training data in the minibatches of training, augmented as in training (as
    the published code does): the statistics are the means of those of the batches, each weighted
    by its size (Garipov et al., NeurIPS 2018, appendix A). The draws are the same at all points.
    Dropout is off.

    Arguments:
        problem: Gives the network and the data.
        recipe: Batch size and augmentation.

    Attributes:
        names: The entries of the state that are running statistics; none if there are no norms.
    """

    def __init__(self, problem: Problem, recipe: Recipe) -> None:
        self.problem, self.recipe = problem, recipe
        self.module = copy.deepcopy(problem.module).eval()
        self.names: list[str] = []
        self._norms = []
        for prefix, module in self.module.named_modules():
            if getattr(module, "running_mean", None) is not None:
                self._norms.append(module.train())
                own = ("running_mean", "running_var")
                self.names += [f"{prefix}.{n}" if prefix else n for n in own]

    def renew(self, params: Params) -> Params:
        """The same point with its own running statistics; counters stay."""
        if not self.names:
            return params
        # The norms update what they are given in place.
        buffers = {name for name, _ in self.module.named_buffers()}
        state = {n: x.clone() if n in buffers else x for n, x in params.items()}
        for name in self.names:
            state[name].zero_()
        seen = 0
        with torch.no_grad():
            for inputs, _ in self.problem.shuffled(self.recipe, "statistics"):
                seen += len(inputs)
                for norm in self._norms:
                    norm.momentum = len(inputs) / seen
                functional_call(self.module, state, (inputs,))
        return params | {name: state[name] for name in self.names}

    def along(self, path: Path) -> Path:
        """The path with statistics of its own at every point between the ends of its legs.

        Lengths are measured by chords then. Without norms it is the path itself.
        """
        if not self.names:
            return path
        legs = [
            replace(x, between=_Renewed(self, x), length=None, several_between=None)
            for x in path.legs
        ]
        return Path(legs, path.end)


@dataclass(frozen=True)
class _Renewed:
    statistics: Statistics
    leg: Leg

    def __call__(self, u: float) -> Params:
        return self.statistics.renew(self.leg.between(u))


def parameters_of(path: Path) -> Path:
    """The path before `Statistics.along`: the same parameters, without passes over the data."""

    def leg_of(leg: Leg) -> Leg:
        if not isinstance(leg.between, _Renewed):
            return leg
        before = leg.between.leg
        return replace(leg, between=before.between, several_between=before.several_between)

    return Path([leg_of(leg) for leg in path.legs], path.end)
