"""`Points`, the evaluated points of a path that were sent with an entry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path as File
from typing import TYPE_CHECKING

from mcbench.errors import EntryError
from mcbench.paths.params import distance, fingerprint, move

if TYPE_CHECKING:
    import torch

    from mcbench.leaderboard.entry.entry import Entry
    from mcbench.leaderboard.entry.schema import RecordItem
    from mcbench.paths.params import Params
    from mcbench.paths.path import End


class Points:
    """A path given by its evaluated points alone.

    Arguments:
        points: Parameters by t.
        end: The end that its record states.
    """

    def __init__(self, points: dict[float, Params], end: End) -> None:
        self.points, self.end = points, end

    def __call__(self, t: float) -> Params:
        return self.points[t]

    def several(self, times: Sequence[float]) -> list[Params]:
        """See `mcbench.Path.several`."""
        return [self.points[t] for t in times]

    def locate(self, t: float) -> tuple[int, float]:
        """See `mcbench.Path.locate`: points do not say where legs are, so all are on one."""
        return 0, t

    def length(self, t0: float, t1: float) -> float:
        """The chord: a lower bound of the arc length."""
        return distance(self.points[t0], self.points[t1])


def check_file(entry: Entry) -> None:
    """Test the size and the hash of the file of points beside an entry.

    Raises:
        EntryError: If it is missing, or another one than the entry describes.
    """
    described = entry.content["paths"]
    try:
        if entry.points.stat().st_size != described["bytes"]:
            raise EntryError(
                f"{entry.points.name} does not have {described['bytes']} bytes, as the entry says"
            )
        with open(entry.points, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise EntryError(
            f"the points of its paths cannot be read: {error.strerror}: {entry.points.name}"
        ) from None
    if digest.hexdigest() != described["sha256"]:
        raise EntryError(f"{entry.points.name} does not match its hash")


def load(item: RecordItem, file: File, template: Params, device: torch.device | str) -> Points:
    """Load the points of one record onto a device.

    Arguments:
        item: A record of an entry: see `mcbench.leaderboard.entry.schema.RecordItem`.
        file: The file of the entry's points.
        template: Names, shapes and types of the network's parameters.

    Raises:
        EntryError: If they are not those of the record.
    """
    from safetensors import SafetensorError, safe_open

    curve, prefix = item.record.measured, item.key + "/"
    try:
        with safe_open(file, "pt") as opened:
            names = [name for name in opened.keys() if name.startswith(prefix)]  # noqa: SIM118
            if len(names) != len(curve.t) * len(template):
                raise EntryError("the points of its path are not those that were evaluated")
            tensors = {name.removeprefix(prefix): opened.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise EntryError(f"the points of its path cannot be read: {error}") from None
    if fingerprint(tensors) != item.path:
        raise EntryError("the points of its path do not match their hash")
    points, own = {}, {name: (x.shape, x.dtype) for name, x in template.items()}
    for i, t in enumerate(curve.t):
        point = {n: tensors[f"{i:04d}/{n}"] for n in template if f"{i:04d}/{n}" in tensors}
        if {name: (x.shape, x.dtype) for name, x in point.items()} != own:
            raise EntryError("the points of its path are of another network")
        points[t] = move(point, device)
    return Points(points, curve.end)
