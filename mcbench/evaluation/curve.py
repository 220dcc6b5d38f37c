"""`Curve`, the losses and accuracies along a path."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Scan:
    """Losses and accuracies on a random sample of the data, at many times; see `Curve`.

    Arguments:
        t: The values of t.
        loss, accuracy: As in `Curve`, of the sample.
    """

    t: list[float]
    loss: dict[str, list[float]]
    accuracy: dict[str, list[float]]


@dataclass
class Curve:
    """Losses and accuracies along a path, in the order of t.

    Arguments:
        t: The values of t.
        grid: Whether the point is on the grid (else it was added by the refinement).
        position: Arc length from A.
        loss: Mean loss by split: cross-entropy, or the data's own.
        accuracy: Accuracy in percent by split; this and all other accuracies are empty where the
            data have no classes.
        straight: The distance from A to the path's end.
        ensembles: Accuracy in percent of averaged softmax outputs: of the path's two ends
            (``ends``) and of all points of the grid (``path``), by split.
        with_start: Accuracy in percent of the ensemble of A and the point, by split; empty in
            published records that lack it.
        end: Where the path ends: ``b``, ``permuted`` or ``short``.
        square: The squared Euclidean norm of the point's parameters, without buffers; empty in
            published records that lack it.
        scan: The values on a sample of the data by which the worst points were looked for;
            ``None`` if the protocol has no search.
    """

    t: list[float] = field(default_factory=list)
    grid: list[bool] = field(default_factory=list)
    position: list[float] = field(default_factory=list)
    loss: dict[str, list[float]] = field(default_factory=dict)
    accuracy: dict[str, list[float]] = field(default_factory=dict)
    straight: float = 0.0
    ensembles: dict[str, dict[str, float]] = field(default_factory=dict)
    with_start: dict[str, list[float]] = field(default_factory=dict)
    end: str = "b"
    square: list[float] = field(default_factory=list)
    scan: Scan | None = None

    def on_grid(self, values: list[float]) -> list[float]:
        """The part of ``values`` that was measured on the grid."""
        return [v for v, on_grid in zip(values, self.grid, strict=True) if on_grid]

    def evenly(self, values: list[float]) -> list[float]:
        """The part of ``values`` for integrals: all after a search, else those of the grid.

        Rounds of refinement add points at the worst places only, and no mean is taken over them;
        after a search, lines between the points follow the curve everywhere.
        """
        return values if self.scan else self.on_grid(values)

    def staying(self, i: int) -> Curve:
        """The curve of a path that stays at point i, for metrics of a single network."""
        loss, accuracy = (
            {split: [values[i]] * 2 for split, values in measured.items()}
            for measured in (self.loss, self.accuracy)
        )
        square = [self.square[i]] * 2 if self.square else []
        return Curve(
            [0.0, 1.0], [True, True], [0.0, 0.0], loss, accuracy, end=self.end, square=square
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON, without ``scan`` if there is none."""
        fields = asdict(self)
        return fields if self.scan else {n: x for n, x in fields.items() if n != "scan"}

    @staticmethod
    def of(stored: dict[str, Any]) -> Curve:
        """The curve of a `to_dict`."""
        scan = stored.get("scan")
        return Curve(**{**stored, "scan": Scan(**scan) if scan else None})


def values_by_t(curve: Curve | Scan) -> dict[float, dict[str, dict[str, float]]]:
    """Losses and accuracies by t; those of each point by ``loss`` or ``accuracy``, and split."""
    return {
        t: {
            name: {split: column[i] for split, column in by_split.items()}
            for name, by_split in (("loss", curve.loss), ("accuracy", curve.accuracy))
        }
        for i, t in enumerate(curve.t)
    }
