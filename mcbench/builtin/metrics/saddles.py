"""Metrics of a path's saddle beside its loss, of Draxler et al. (ICML 2018, table B.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcbench.builtin.metrics.curve import METRICS, accuracies, of_accuracy, of_loss
from mcbench.errors import StructureError
from mcbench.plugins.hookspecs import hookimpl
from mcbench.stats.epochs import epochs_below

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.evaluation.metric import Evaluation

REFERENCE = "Draxler et al., ICML 2018, table B.1"


@of_loss("loss-ratio", "highest loss by the mean of the ends'", REFERENCE, unit="", usual=False)
def loss_ratio(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(\psi(t)) / \frac12 (L(0) + L(1))`, with the refined points.

    Raises:
        StructureError: If the loss of both ends is 0.
    """
    loss = curve.loss[split]
    if not loss[0] + loss[-1]:
        raise StructureError("the loss of both ends is 0, so there is no ratio to it")
    return 2 * max(loss) / (loss[0] + loss[-1])


@of_accuracy(
    "accuracy-drop",
    "mean accuracy of the ends less the lowest",
    REFERENCE,
    better="lower",
    usual=False,
)
def accuracy_drop(curve: Curve, split: str) -> float:
    r""":math:`\frac12 (\mathrm{acc}(0) + \mathrm{acc}(1)) - \min_t \mathrm{acc}(\psi(t))`, with
    the refined points: how far the error rises along the path, in percentage points."""
    accuracy = accuracies(curve, split)
    return (accuracy[0] + accuracy[-1]) / 2 - min(accuracy)


class SaddleEpoch:
    r"""Epoch in which the endpoints' training fell below the loss of the saddle between them.

    The first epoch whose mean training loss is below :math:`\max_t L(\psi(t))` on the training
    data, the mean over both endpoints; an endpoint whose training never fell below it counts with
    its last epoch. Later is better: the path is as low as networks that were trained for so long.
    The mean loss of an epoch is over minibatches, augmented as in training, while weights change.
    """

    name = "saddle-epoch"
    summary = "epoch in which training falls below the path's highest training loss"
    unit = "epochs"
    better = "higher"
    splits = False
    usual = False
    reference = REFERENCE

    def measure(self, evaluation: Evaluation, split: None) -> float:
        """The mean over both endpoints, counted from 1.

        Raises:
            StructureError: If an endpoint has no losses of its epochs.
        """
        losses = [end.record.get("losses", []) for end in evaluation.ends]
        epoch = epochs_below(losses, max(evaluation.curve.loss["train"]))
        if epoch is None:
            raise StructureError("the record of an endpoint has no training loss of each epoch")
        return epoch


@hookimpl
def mcbench_metrics() -> Iterator[object]:
    """Loss ratio, accuracy drop and epoch of the saddle."""
    yield from METRICS[__name__]
    yield SaddleEpoch()
