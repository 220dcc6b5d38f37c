"""Endpoints that learned nothing, which no method can be compared on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from mcbench.experiments.plan import Results
from mcbench.problem.dataset import Data, Split
from mcbench.report.reading import end_values

LEVEL = 0.01
"""The chance that a network that guesses passes the test of its accuracy."""


@dataclass(frozen=True)
class Untrained:
    """An endpoint that learned nothing.

    Arguments:
        key: Its content key.
        name: Its seed, and its recipe where two recipes trained endpoints.
        reason: How this shows.
    """

    key: str
    name: str
    reason: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.name} learned nothing: {self.reason}."


def untrained(results: Results, data: Data) -> list[Untrained]:
    """The endpoints that learned nothing, by what was measured at the paths' ends."""
    if not data.classes:
        return []
    accuracy, loss = end_values(results), end_values(results, "loss")
    names = {}
    for run in results.runs:
        recipes = results.recipes or ("", "")
        for key, seed, recipe in zip(run.ends, run.pair, recipes, strict=True):
            names[key] = f"seed {seed}" + (f" of {recipe}" if recipe else "")
    reasons = {key: chance(accuracy[key], loss[key]["train"], data) for key in accuracy}
    return [Untrained(k, names[k], reasons[k]) for k in names if reasons.get(k)]


def chance(accuracy: Mapping[str, float], loss: float, data: Data) -> str:
    r"""Why a network learned nothing; empty if it did learn, or if the data have no classes.

    Its accuracy on either split is not above the share of the split's largest class (the accuracy
    of a constant output), by the exact one-sided binomial test at 1 %, or its training loss is not
    below :math:`\log C`, that of equal outputs for C classes.

    Arguments:
        accuracy: Accuracy in percent by split.
        loss: Training loss.
        data: The data.
    """
    if not data.classes:
        return ""
    equal = log(len(data.classes))
    if reason := _chance("train", data.train, accuracy["train"]):
        return reason
    if loss >= equal:
        return (
            f"its training loss, {loss:.4f}, is not below the {equal:.4f} of equal outputs for "
            "all classes"
        )
    return _chance("test", data.test, accuracy["test"])


def _chance(split: str, part: Split, accuracy: float) -> str:
    """Why an accuracy in percent is that of chance; empty if it is better."""
    from scipy.stats import binomtest

    largest = int(part.targets.bincount().max())
    right = round(accuracy / 100 * len(part))
    share = largest / len(part)
    telling = share ** len(part) < LEVEL  # Few samples cannot tell even a perfect network.
    if right > largest and not (
        telling and binomtest(right, len(part), share, "greater").pvalue >= LEVEL
    ):
        return ""
    return (
        f"its {split} accuracy, {accuracy:.2f}%, is not above the {100 * share:.2f}% of always "
        "naming the largest class"
    )
