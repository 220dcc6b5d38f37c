"""What Draxler et al. (ICML 2018, table B.1) say of a path's saddle beside its loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mcbench.builtin.metrics import CurveMetric
from mcbench.errors import StructureError
from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.evaluation.metric import Evaluation

REFERENCE = "Draxler et al., ICML 2018, table B.1"


@dataclass(frozen=True)
class SaddleMetric(CurveMetric):
    """A function of the curve that is measured where it is named."""

    usual: ClassVar[bool] = False


def loss_ratio(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(\psi(t)) / \frac12 (L(0) + L(1))`, with the refined points.

    It does not apply where the loss of both ends is 0.
    """
    loss = curve.loss[split]
    if not loss[0] + loss[-1]:
        raise StructureError("the loss of both ends is 0: nothing is a multiple of it")
    return 2 * max(loss) / (loss[0] + loss[-1])


def accuracy_drop(curve: Curve, split: str) -> float:
    r""":math:`\frac12 (\mathrm{acc}(0) + \mathrm{acc}(1)) - \min_t \mathrm{acc}(\psi(t))`, with
    the refined points: how far the error rises along the path, in percentage points."""
    if not curve.accuracy:
        raise StructureError("the data have no classes, so there are no accuracies")
    accuracy = curve.accuracy[split]
    return (accuracy[0] + accuracy[-1]) / 2 - min(accuracy)


def epochs_below(losses: Sequence[Sequence[float]], saddle: float) -> float | None:
    """The first epoch whose mean training loss is below a saddle's, the mean over endpoints.

    Arguments:
        losses: Of each endpoint, by epoch.
        saddle: The saddle's loss.

    Returns:
        From 1; an endpoint that never fell below it counts with its last epoch. ``None`` if the
        losses of one were not kept.
    """
    if not all(losses):
        return None
    first = [next((i for i, x in enumerate(of, 1) if x < saddle), len(of)) for of in losses]
    return sum(first) / len(first)


class SaddleEpoch:
    r"""When the endpoints' training fell below the loss of the saddle between them.

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
            StructureError: If an endpoint was trained by a version that kept no losses.
        """
        losses = [end.record.get("losses", []) for end in evaluation.ends]
        found = epochs_below(losses, max(evaluation.curve.loss["train"]))
        if found is None:
            raise StructureError(
                "an endpoint was trained by a version of mcbench that kept no loss of each epoch"
            )
        return found


@hookimpl
def mcbench_metrics() -> Iterator[Any]:
    """Ratio, epoch and drop."""
    yield SaddleMetric(
        "loss-ratio",
        "highest loss by the mean of the ends'",
        "",
        "lower",
        loss_ratio,
        reference=REFERENCE,
    )
    yield SaddleMetric(
        "accuracy-drop",
        "mean accuracy of the ends less the lowest",
        "%",
        "lower",
        accuracy_drop,
        reference=REFERENCE,
    )
    yield SaddleEpoch()
