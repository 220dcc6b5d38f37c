"""Comparison of an entry's curve with that measured here."""

from __future__ import annotations

from collections.abc import Mapping

from mcbench.evaluation.curve import Curve, Scan
from mcbench.leaderboard.entry.gaps import Gaps


def compare_points(gaps: Gaps, stated: Curve, ours: Curve) -> None:
    """Compare the points that were measured here, and where the path ends."""
    times = set(ours.t)

    def at(values: list[float]) -> list[float]:
        return [x for t, x in zip(stated.t, values, strict=True) if t in times]

    for split in ours.loss:
        gaps.compare("loss", split, at(stated.loss[split]), ours.loss[split])
        if ours.accuracy:
            gaps.compare("accuracy", split, at(stated.accuracy[split]), ours.accuracy[split], "%")
        if stated.with_start:
            there = at(stated.with_start[split])
            gaps.compare("ensemble with A", split, there, ours.with_start[split], "%")
    if stated.square:
        gaps.compare("squared norm", "", at(stated.square), ours.square)
    gaps.end(stated.end, ours.end)
    gaps.compare("distance of the ends", "", [stated.straight], [ours.straight])


def compare_wholes(gaps: Gaps, stated: Curve, ours: Curve, rebuilt: bool) -> None:
    """Compare what needs all points: ensembles, and lengths, of which sent points have chords."""
    for name, of_split in ours.ensembles.items():
        for split, value in of_split.items():
            gaps.compare(
                f"ensemble of the {name}", split, [stated.ensembles[name][split]], [value], "%"
            )
    if rebuilt:
        gaps.compare("position", "", stated.position, ours.position)
    else:
        gaps.at_least(stated.on_grid(stated.position), ours.on_grid(ours.position))


def compare_scans(gaps: Gaps, stated: Scan, ours: Scan, samples: Mapping[str, int]) -> None:
    """Compare the times of the scan that were measured here.

    Arguments:
        samples: The number of samples of each split that a scan measures.
    """
    places = [stated.t.index(t) for t in ours.t]
    for split, size in samples.items():
        where = f"scan's {split}"
        gaps.sample[where] = 100 / size
        gaps.compare("loss", where, [stated.loss[split][i] for i in places], ours.loss[split])
        if ours.accuracy:
            there = [stated.accuracy[split][i] for i in places]
            gaps.compare("accuracy", where, there, ours.accuracy[split], "%")
