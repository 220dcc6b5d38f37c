"""`CurveMetric`: a metric that is a function of the curve alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mcbench.evaluation.curve import Curve
    from mcbench.evaluation.metric import Evaluation
    from mcbench.problem.problem import SplitName


@dataclass(frozen=True)
class CurveMetric:
    """A metric that is a function of the curve alone.

    Arguments:
        name: The metric's name.
        summary: One line.
        unit: Unit of the value.
        better: Which direction is better.
        formula: Function of the curve and a split that gives the value.
        splits: Whether train and test have values of their own.
        reference: The source of the definition.
        usual: Whether it is measured where no metric is named.
        of_network: Whether a single network has a value: that of the path which stays at it.
    """

    name: str
    summary: str
    unit: str
    better: Literal["higher", "lower", ""]
    formula: Callable[[Curve, Any], float]  # Any: a split, or None without `splits`.
    splits: bool = True
    reference: str = ""
    usual: bool = True
    of_network: bool = False

    @property
    def description(self) -> str:
        """The docstring of the formula."""
        return self.formula.__doc__ or ""

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> float:
        """The value of the formula."""
        return self.formula(evaluation.curve, split)
