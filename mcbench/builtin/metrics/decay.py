"""Loss with weight decay along a path, which training minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcbench.builtin.metrics.formulas import integral

if TYPE_CHECKING:
    from mcbench.evaluation.metric import Evaluation
    from mcbench.problem.problem import SplitName


class LossWithDecay:
    r""":math:`L(\psi(t)) + \frac{\lambda}{2} |\psi(t)|^2` along the path, as in Garipov's table 2.

    :math:`\lambda` is the weight decay of the endpoints' recipe, and the norm is over all
    parameters, biases and those of normalisations too. Four values, all on the grid and without
    refined points: ``lowest``, ``mean`` over t, ``by-length`` (their "int"), ``highest``. The
    means are by the trapezoidal rule; the published code's mean is that of the points.

    If the curve has no norms, the path is built again.
    """

    name = "loss-with-decay"
    summary = "loss with weight decay: lowest, mean, mean by length, highest on the grid"
    reference = "Garipov et al., NeurIPS 2018, table 2 and published code"
    unit = "nats"
    better = "lower"
    splits = True
    usual = False
    of_network = True

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> dict[str, float]:
        """The four values by name."""
        from mcbench.evaluation.losses import square

        curve, problem = evaluation.curve, evaluation.problem
        times, positions = curve.on_grid(curve.t), curve.on_grid(curve.position)
        squares = curve.on_grid(curve.square) if curve.square else [
            square(evaluation.path(t), problem) for t in times
        ]  # fmt: skip
        decay = problem.recipe.weight_decay / 2
        losses = curve.on_grid(curve.loss[split or ""])
        total = [loss + decay * n for loss, n in zip(losses, squares, strict=True)]
        return {
            "lowest": min(total),
            "mean": integral(times, total),
            "by-length": integral(positions if positions[-1] else times, total),
            "highest": max(total),
        }
