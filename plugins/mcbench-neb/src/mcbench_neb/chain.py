"""`Chain`, pivots under way between A and B: one step, the forces, the losses along it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mcbench import Params, Problem, Recipe
from mcbench_neb import Band
from mcbench_neb.forces import (
    norms,
    parallel,
    perpendicular,
    redistribute,
    tangents,
    units,
)
from mcbench_neb.pivots import Batch, Pivots

BETWEEN = 9
"""The points on each line at which the loss is measured (Draxler et al., sec. 3.3)."""


class Chain:
    """A, pivots, B as rows, and what momentum has gathered.

    Arguments:
        band: The method: which forces, how large.
        a, b: The ends.
        problem: Network, data and the seed of all draws.
        lanes: See `Pivots`.

    Attributes:
        rows: Shape (n + 2, columns); the ends stay.
        shares: Of the chain's length that its lines are to have, shape (n + 1,), float64.
        velocity: Shape (n, size).
    """

    def __init__(
        self, band: Band, a: Params, b: Params, problem: Problem, lanes: int | None = None
    ) -> None:
        self.band, self.problem = band, problem
        self.recipe: Recipe = band.recipe(problem)
        self.pivots = Pivots(problem, self.recipe, a, lanes)
        self.size = self.pivots.size
        self.rows = torch.stack([self.pivots.flatten(end) for end in (a, b)])
        self.shares = torch.ones(1, dtype=torch.float64, device=self.rows.device)
        self.rest()
        self._ends: Tensor | None = None

    def rest(self) -> None:
        """Forget what momentum has gathered, as the paper does at the start of a cycle."""
        self.velocity = torch.zeros_like(self.rows[1:-1, : self.size])

    # Places --------------------------------------------------------------------------------

    def start(self, count: int) -> None:
        """Pivots at equal distances on the straight line, each ``noise`` times |B - A| beside."""
        a, b = self.rows[0], self.rows[-1]
        between = [torch.lerp(a, b, i / (count + 1)) for i in range(1, count + 1)]
        self.rows = torch.stack([a, *between, b])
        self.shares = torch.full_like(self.shares, 1 / (count + 1)).expand(count + 1).clone()
        draws = self.problem.generator("neb", "noise")
        far = self.band.noise * norms((b - a)[None, : self.size]).to(a.dtype)
        for row in self.rows[1:-1, : self.size]:
            row += far * units(torch.randn(1, self.size, generator=draws).to(row))[0]
        self.rest()

    def insert(self, places: Sequence[tuple[int, float]]) -> None:
        """New pivots at fractions of lines, which they divide; the others keep their places.

        Arguments:
            places: The line's index and the fraction, from the last line to the first.
        """
        for line, fraction in places:
            new = torch.lerp(self.rows[line], self.rows[line + 1], fraction)
            self.rows = torch.cat([self.rows[: line + 1], new[None], self.rows[line + 1 :]])
            whole = self.shares[line]
            parts = torch.stack([fraction * whole, (1 - fraction) * whole])
            self.shares = torch.cat([self.shares[:line], parts, self.shares[line + 1 :]])
        self.rest()

    def place(self) -> None:
        """Put pivots at their places along the chain, if springs are not to pull them there."""
        if self.band.springs == "redistribute":
            self.rows = redistribute(self.rows, self.shares, self.size)

    # Forces --------------------------------------------------------------------------------

    def step(self, rate: float, batches: Sequence[Batch], seeds: Sequence[int]) -> Tensor:
        """Move all pivots once; their losses on their batches, before it.

        Arguments:
            rate: The learning rate.
            batches, seeds: One for each pivot; see `Pivots.gradients`.
        """
        self.place()
        losses, gradients = self.pivots.gradients(self.rows[1:-1], batches, seeds)
        across, along, tangent = self.forces(losses, gradients)
        self.velocity.mul_(self.recipe.momentum).add_(across)
        if self.band.springs == "force":
            self.velocity.add_(along.to(tangent.dtype)[:, None] * tangent)
        self.rows[1:-1, : self.size].add_(self.velocity, alpha=rate)
        return losses

    def forces(self, losses: Tensor, gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The forces across the chain, shape (n, size), those of springs (n,), the tangents."""
        chain = self.rows[:, : self.size]
        first, last = self.ends
        heights = torch.cat([first[None], losses.double(), last[None]])
        tangent = tangents(chain, heights, self.band.tangent)
        across = perpendicular(gradients, tangent)
        return across, parallel(chain, self.shares, self.band.k), tangent

    @property
    def ends(self) -> Tensor:
        """The losses of A and B on the training data, shape (2,)."""
        if self._ends is None:
            self._ends = self.pivots.losses(self.rows[[0, -1]])
        return self._ends

    def strength(self) -> tuple[float, float]:
        """The largest force across the chain and along it, on the whole training data.

        Where pivots are redistributed there is none along it.
        """
        self.place()
        inner = self.rows[1:-1]
        across, along, _ = self.forces(self.pivots.losses(inner), self.pivots.slopes(inner))
        free = self.band.springs == "redistribute"
        return float(norms(across).max()), 0.0 if free else float(along.abs().max())

    # Losses along it -----------------------------------------------------------------------

    def profile(self) -> Tensor:
        """Losses on the training data, shape (lines, 11): a line's ends and 9 points between."""
        fractions = (torch.arange(1, BETWEEN + 1) / (BETWEEN + 1)).to(self.rows)[:, None]
        at_pivots = torch.cat([self.ends[:1], self.pivots.losses(self.rows[1:-1]), self.ends[1:]])
        # So many lines at once as their points go together.
        some = max(1, self.pivots.lanes(self.pivots.measured, training=False) // BETWEEN)
        between = []
        for lines in zip(self.rows[:-1].split(some), self.rows[1:].split(some), strict=True):
            starts, stops = lines
            points = torch.lerp(starts[:, None], stops[:, None], fractions)
            between.append(self.pivots.losses(points.flatten(0, 1)).view(len(starts), BETWEEN))
        inner = torch.cat(between)
        return torch.cat([at_pivots[:-1, None], inner, at_pivots[1:, None]], 1)


def insertions(profile: Tensor, theta: float, most: int) -> list[tuple[int, float]]:
    r"""Where a chain needs pivots: lines and fractions of them, from the last line to the first.

    The residue of a point is its loss above the linear interpolation between the pivots beside it,
    relative to the range of all losses, :math:`\max L - \min L`. A line whose largest residue is
    above ``theta`` gets a pivot there. (The paper's eq. 4 has the sign reversed.)

    Arguments:
        profile: As `Chain.profile` gives it.
        theta: The threshold.
        most: At most so many, where residues are largest.
    """
    fractions = torch.linspace(0, 1, profile.shape[1], dtype=torch.float64)
    profile = profile.cpu()
    line = torch.lerp(profile[:, :1], profile[:, -1:], fractions)
    spread = float(profile.max() - profile.min())
    if spread <= 0:
        return []
    largest, where = ((profile - line) / spread).max(1)
    order = [i for i in largest.argsort(descending=True).tolist() if largest[i] > theta][:most]
    return [(i, float(fractions[where[i]])) for i in sorted(order, reverse=True)]
