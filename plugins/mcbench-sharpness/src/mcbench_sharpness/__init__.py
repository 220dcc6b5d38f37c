"""Sharpness along a path: the top eigenvalue and the trace of the loss's Hessian."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import mcbench
from mcbench import Evaluation

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench_sharpness.hessian import Hessian


@dataclass(frozen=True)
class Sharpness:
    """Number of the Hessian at points of the path, reduced to a few numbers of the path."""

    unit: ClassVar[str] = ""
    better: ClassVar[str] = "lower"
    splits: ClassVar[bool] = False
    usual: ClassVar[bool] = False
    points: int = mcbench.parameter(11, "points of the uniform grid on [0, 1]", ge=2)
    samples: int = mcbench.parameter(
        1000, "of the training data, drawn by the run's seed, the same at all points; 0: all", ge=0
    )
    each: bool = mcbench.parameter(False, "whether the value at each point is given too")

    def rows(self, evaluation: Evaluation) -> Tensor:
        """Numbers of `describe` at each point of the grid, shape (points, columns), float64."""
        from mcbench_sharpness.along import along

        return along(evaluation, self.points, self.samples, self.describe)

    def describe(self, hessian: Hessian) -> Tensor:
        """Numbers of the Hessian at its points, shape (points, columns), float64."""
        raise NotImplementedError

    def reduced(self, values: Tensor) -> dict[str, float]:
        """Values at the ends, the largest and the mean over t, from those at all points."""
        shown = {"start": values[0], "end": values[-1], "max": values.max()}
        shown["mean"] = (values[1:] + values[:-1]).sum() / 2 / (len(values) - 1)
        if self.each:
            shown |= {f"t={i / (self.points - 1):.4g}": value for i, value in enumerate(values)}
        return {name: float(value) for name, value in shown.items()}


@dataclass(frozen=True)
class HessianTop(Sharpness):
    r"""The largest eigenvalue of the Hessian of the training loss along the path.

    :math:`\lambda_{\max}(\nabla^2 L(\psi(t)))`, the algebraically largest eigenvalue: where the
    loss curves downwards more than upwards it is not the largest in absolute value, and where it
    curves downwards in all directions it is negative. L is the mean loss of the samples, without
    weight decay, which would add its :math:`\lambda`. Derivatives are in all parameters; the
    network is in evaluation mode, batch norms with the statistics of the point.

    It comes from a Lanczos iteration on exact Hessian-vector products, with full
    reorthogonalisation, from the same random vector at all points: the largest eigenvalue of the
    tridiagonal matrix, solved in float64. With few steps it is too low rather than too high.
    ``residual`` is :math:`\max_t |H x - \theta x|`, measured, of the unit vectors x of the values
    :math:`\theta`: so near to each is an eigenvalue. ``start``, ``end``, ``max`` and ``mean`` are
    of the points, the mean by the trapezoidal rule, uniform in t.

    Sharpness is no property of the function alone: layers of a ReLU network, and weights before a
    batch norm, can be scaled so that the function stays and the Hessian does not (Dinh et al.,
    ICML 2017).
    """

    name = "hessian-top"
    summary = "largest eigenvalue of the training loss's Hessian along the path"
    reference = "Lanczos, J. Res. Nat. Bur. Standards 1950; Golub & Van Loan, Matrix Computations"
    trial: ClassVar[dict[str, object]] = {"points": 3, "steps": 8, "samples": 60}
    steps: int = mcbench.parameter(
        30, "Lanczos steps at each point, one Hessian-vector product each", gt=0
    )

    def measure(self, evaluation: Evaluation, split: None) -> dict[str, float]:
        """The eigenvalue at the ends, its maximum and mean, and the largest residual."""
        rows = self.rows(evaluation)
        return self.reduced(rows[:, 0]) | {"residual": float(rows[:, 1].max())}

    def describe(self, hessian: Hessian) -> Tensor:
        """The eigenvalue and its residual at each point."""
        from mcbench_sharpness.lanczos import top

        return top(hessian.times, hessian.normal("start"), self.steps)


@dataclass(frozen=True)
class HessianTrace(Sharpness):
    r"""The trace of the Hessian of the training loss along the path.

    :math:`\mathrm{tr}\,\nabla^2 L(\psi(t)) \approx \frac1m \sum_i v_i^\top \nabla^2 L(\psi(t))\,
    v_i` with m vectors of random signs, the same at all points: an unbiased estimate. ``error`` is
    the standard error of the mean over t, ``start-error``, ``end-error`` and ``max-error`` are
    those of the others, each the sample standard deviation over the vectors by :math:`\sqrt m`.
    Loss and network are those of ``hessian-top``; weight decay would add its
    :math:`\lambda` times the number of parameters.
    """

    name = "hessian-trace"
    summary = "trace of the training loss's Hessian along the path"
    reference = "Hutchinson, Communications in Statistics 1990"
    trial: ClassVar[dict[str, object]] = {"points": 3, "vectors": 3, "samples": 60}
    vectors: int = mcbench.parameter(20, "m, Hessian-vector products at each point", ge=2)

    def measure(self, evaluation: Evaluation, split: None) -> dict[str, float]:
        """The trace at the ends, its maximum and mean, each with its standard error."""
        rows = self.rows(evaluation)
        means = rows.mean(1)
        errors = rows.std(1) / self.vectors**0.5
        along = (rows[1:] + rows[:-1]).sum(0) / 2 / (len(rows) - 1)
        return self.reduced(means) | {
            "error": float(along.std()) / self.vectors**0.5,
            "start-error": float(errors[0]),
            "end-error": float(errors[-1]),
            "max-error": float(errors[means.argmax()]),
        }

    def describe(self, hessian: Hessian) -> Tensor:
        """Products of each vector with its image, at each point."""
        import torch

        products = []
        for i in range(self.vectors):
            vector = hessian.signs(i)
            products.append((vector * hessian.times(vector)).sum(1, dtype=torch.float64))
        return torch.stack(products, dim=1)


@mcbench.hookimpl
def mcbench_metrics() -> Iterator[Sharpness]:
    """The top eigenvalue and the trace."""
    yield HessianTop()
    yield HessianTrace()
