r"""Objectives of a curve: a mean of the loss along it, or nearly its maximum.

A step sees one time t and one minibatch. In bend i it follows

.. math:: a\, c_i(t)\, \nabla L(\phi(t)) + d\, c_i(t)\, \lambda\, \phi(t)
    + b\, c_i'(t)\, \phi'(t) / |\phi'(t)|,

whose mean is the gradient of the objective and of
:math:`\frac{\lambda}{2} \int_0^1 |\phi(t)|^2\, dt`, the same weight decay for all. An objective
says where t is, the weights a and d, and how it pulls at the speed of the curve, b.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from mcbench import Params
from mcbench_curves import TrainedCurve
from mcbench_curves.coefficients import SLOPES, polychain, weighted
from mcbench_curves.route import bezier_length

NODES = 24
"""Times whose losses the table of `Maximum` holds, at least."""

CELLS = 8
"""Cells of constant density between two times of the table."""

SHARE = 0.5
"""Share of the times that are drawn uniformly, so that no entry of the table goes stale."""

RATE = 0.5
"""Share of the difference by which the table follows the loss of a step."""

LONG = 0.98
"""Share of itself that the mean loss by length keeps at a step."""


@dataclass(frozen=True)
class Moment:
    """The time of a step, and the weights of what counts there.

    Arguments:
        t: The time.
        loss: a, the weight of the loss's gradient.
        decay: d, that of weight decay.
        slopes: The derivatives of the coefficients of the bends, shape (bends,), and
        tangent: that of the curve, shape (trained,), where the speed matters.
    """

    t: float = 0.0
    loss: float = 1.0
    decay: float = 1.0
    slopes: Tensor = field(default_factory=lambda: torch.empty(0))
    tangent: Tensor = field(default_factory=lambda: torch.empty(0))


class Uniform:
    r"""Mean loss :math:`\int_0^1 L(\phi(t))\, dt`: a = d = 1, b = 0 (Garipov et al., eq. 2).

    The other objectives replace what differs from it.

    Attributes:
        draws: How many uniform numbers a step needs; with one, it is the time.
    """

    draws = 1

    def begin(self) -> None:
        """Prepare for an epoch."""

    def moment(self, uniform: list[float]) -> Moment:
        """The next step's time and weights, from ``draws`` numbers of [0, 1)."""
        return Moment(uniform[0])

    def learn(self, moment: Moment, loss: Tensor, velocity: Tensor) -> None:
        """Remember the loss of a step, and add what b gives to the gradient in ``velocity``."""

    def state(self) -> Params:
        """The tensors that were learnt from losses."""
        return {}

    def restore(self, state: Params) -> None:
        """Resume from a state."""


class ByLength(Uniform):
    r"""Mean loss by length, :math:`J = \int L |\phi'|\, dt / \int |\phi'|\, dt` (eq. 1).

    With the length :math:`\Lambda = \int |\phi'|\, dt` its gradient is

    .. math:: \nabla_{w_i} J = \frac{1}{\Lambda} \int_0^1 |\phi'|\, c_i\, \nabla L
        + (L - J)\, c_i'\, \phi' / |\phi'| \; dt,

    so that t is uniform, d = 1, :math:`a = |\phi'(t)| / \Lambda` and
    :math:`b = (L - \hat J) / \Lambda`. J is not known: :math:`\hat J` is the mean of the losses
    that steps met before, weighted by speed, of which older ones are forgotten. Were it right the
    estimate would have no bias; an error :math:`\hat J - J` adds as many times
    :math:`-\nabla \Lambda / \Lambda`. The length is measured when an epoch begins: that it is a
    little out of date is a factor of the learning rate and nothing else.

    Arguments:
        shape: The curve's shape.
        control: The control points as rows, parameters alone, shape (bends + 2, trained); they
            move.
    """

    def __init__(self, shape: str, control: Tensor) -> None:
        self.shape, self.control = shape, control
        self.sums = torch.zeros(2, dtype=torch.float64)
        self.begin()

    def begin(self) -> None:
        """Measure the length."""
        steps = self.control.double().diff(dim=0)
        if self.shape == "polychain":
            self.length = float(steps.norm(dim=1).sum())
        else:
            products: np.ndarray = (steps @ steps.T).cpu().numpy()
            self.length = bezier_length(products, 0.0, 1.0)

    def moment(self, uniform: list[float]) -> Moment:
        """The drawn time, with the speed there."""
        t = torch.tensor(uniform, dtype=torch.float64)
        slopes = SLOPES[self.shape](t, len(self.control) - 2)[0].to(self.control.dtype)
        tangent = weighted(slopes, self.control, torch.empty_like(self.control[0]))
        share = float(tangent.norm()) / self.length
        return Moment(uniform[0], share, 1.0, slopes[1:-1].to(tangent.device), tangent)

    def learn(self, moment: Moment, loss: Tensor, velocity: Tensor) -> None:
        """Pull at the speed: up where the loss is below the mean, down where it is above."""
        value = float(loss)
        if self.sums[1] > 0 and moment.loss > 0:
            above = value - float(self.sums[0] / self.sums[1])
            unit = moment.loss * self.length
            velocity.addr_(moment.slopes, moment.tangent, alpha=above / self.length / unit)
        entry = torch.tensor([moment.loss * value, moment.loss], dtype=torch.float64)
        self.sums.mul_(LONG).add_(entry)

    def state(self) -> Params:
        """The two sums whose quotient is the mean."""
        return {"sums": self.sums}

    def restore(self, state: Params) -> None:
        """Resume from the two sums."""
        self.sums = state["sums"].to("cpu", copy=True)


class Maximum(Uniform):
    r"""Smooth maximum, :math:`J = \frac{1}{\beta} \log \int_0^1 e^{\beta L(\phi(t))}\, dt`.

    It lies between the mean and the maximum, and tends to the maximum with :math:`\beta`. Its
    gradient is :math:`\int p(t)\, \nabla L(\phi(t))\, dt` with the density
    :math:`p = e^{\beta L} / \int e^{\beta L}`. The losses in p are those of a table: it has, at
    equidistant times, a polygonal chain's corners among them, a running mean of the losses that
    steps met nearby, and is linear between these times. [0, 1] is cut into K cells; cell k, with
    the share :math:`p_k` of p, is drawn with probability :math:`q_k = (p_k + 1/K) / 2` and a time
    in it uniformly; :math:`a = p_k / q_k \le 2`, :math:`d = 1 / (K q_k) \le 2` and b = 0.

    If the shares were those of L, the estimate would have no bias. But the table lags behind the
    curve, and what is left in it of the noise of minibatches makes p sharper by chance. (Weights
    from the minibatch's own loss would be worse: the mean of the exponential is above the
    exponential of the mean.)

    Arguments:
        sharpness: :math:`\beta`.
        bends: How many bends the curve has.
    """

    draws = 2

    def __init__(self, sharpness: float, bends: int) -> None:
        self.sharpness = sharpness
        self.intervals = (bends + 1) * -(-NODES // (bends + 1))
        self.cells = CELLS * self.intervals
        middles = (torch.arange(self.cells, dtype=torch.float64) + 0.5) / self.cells
        self._hats = self._near(middles)
        self.table = torch.empty(0, dtype=torch.float64)

    def _near(self, times: Tensor) -> Tensor:
        """The weights of the table's entries at some times, shape (times, entries)."""
        return polychain(times, self.intervals - 1)

    def shares(self) -> Tensor:
        """Probability p of each cell, shape (cells,); uniform as long as no loss is known."""
        if not len(self.table):
            return torch.full((self.cells,), 1 / self.cells, dtype=torch.float64)
        return (self.sharpness * (self._hats @ self.table)).softmax(0)

    def moment(self, uniform: list[float]) -> Moment:
        """A time in a cell that is drawn by its loss."""
        p = self.shares()
        q = (1 - SHARE) * p + SHARE / self.cells
        k = min(int(torch.searchsorted(q.cumsum(0), uniform[0], right=True)), self.cells - 1)
        t = (k + uniform[1]) / self.cells
        return Moment(t, float(p[k] / q[k]), float(1 / (self.cells * q[k])))

    def learn(self, moment: Moment, loss: Tensor, velocity: Tensor) -> None:
        """Move the entries beside the time towards the loss."""
        value = float(loss)
        if not len(self.table):
            self.table = torch.full((self.intervals + 1,), value, dtype=torch.float64)
        near = self._near(torch.tensor([moment.t], dtype=torch.float64))[0]
        self.table += RATE * (value - float(near @ self.table)) * near

    def state(self) -> Params:
        """The table."""
        return {"table": self.table}

    def restore(self, state: Params) -> None:
        """Resume from the table."""
        self.table = state["table"].to("cpu", copy=True)


def objective(curve: TrainedCurve, control: Tensor) -> Uniform:
    """The objective of a curve; ``control`` are its control points' parameters as rows."""
    if curve.objective == "max":
        return Maximum(curve.sharpness, curve.bends)
    return ByLength(curve.shape, control) if curve.objective == "length" else Uniform()
