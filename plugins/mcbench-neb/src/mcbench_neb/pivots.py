"""`Pivots`, the networks between A and B: one step, the forces, the losses along the band."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from mcbench import Networks, Params, Problem
from mcbench_neb import Band
from mcbench_neb.forces import norms, parallel, perpendicular, redistribute, tangents, units

Batch = tuple[Tensor, Tensor]
"""Inputs and targets."""

BETWEEN = 9
"""The points on each line at which the loss is measured (Draxler et al., sec. 3.3)."""


class Pivots:
    """Pivots between A and B as rows, and what momentum has gathered.

    They start at equal distances along the straight line, ``noise`` |B - A| beside it.

    Arguments:
        band: The method: how many pivots, which forces.
        a, b: The ends.
        problem: Network, data and the seed of all draws.
        lanes: See `mcbench.Networks`.

    Attributes:
        rows: A, the pivots and B, shape (n + 2, columns); the ends stay.
        shares: Shares of the band's length that its lines are to have, shape (n + 1,), float64.
        velocity: Shape (n, size).
    """

    def __init__(
        self, band: Band, a: Params, b: Params, problem: Problem, lanes: int | None = None
    ) -> None:
        self.band, self.problem = band, problem
        self.networks = Networks(problem, band.recipe(problem), a, "neb", lanes)
        self.size = size = self.networks.size
        start, stop = self.networks.flatten(a), self.networks.flatten(b)
        lines = band.first + 1
        self.rows = torch.stack([torch.lerp(start, stop, i / lines) for i in range(lines + 1)])
        self.shares = torch.full((lines,), 1 / lines, dtype=torch.float64, device=start.device)
        draws = problem.generator("neb", "noise")
        radius = band.noise * norms((stop - start)[None, :size]).to(start.dtype)
        for row in self.rows[1:-1, :size]:
            row += radius * units(torch.randn(1, size, generator=draws).to(row))[0]
        self.rest()

    def __len__(self) -> int:
        return len(self.rows) - 2

    def rest(self) -> None:
        """Forget what momentum has gathered, as the paper does at the start of a cycle."""
        self.velocity = torch.zeros_like(self.rows[1:-1, : self.size])

    # Places --------------------------------------------------------------------------------

    def insert(self, places: Sequence[tuple[int, float]]) -> None:
        """Insert pivots at fractions of lines, which they divide; the others keep their places.

        Arguments:
            places: The line's index and the fraction, from the last line to the first.
        """
        for line, fraction in places:
            pivot = torch.lerp(self.rows[line], self.rows[line + 1], fraction)
            self.rows = torch.cat([self.rows[: line + 1], pivot[None], self.rows[line + 1 :]])
            parts = self.shares.new_tensor([fraction, 1 - fraction]) * self.shares[line]
            self.shares = torch.cat([self.shares[:line], parts, self.shares[line + 1 :]])
        self.rest()

    def place(self) -> None:
        """Put pivots at their places along the band, if springs are not to pull them there."""
        if self.band.springs == "redistribute":
            self.rows = redistribute(self.rows, self.shares, self.size)

    # Forces --------------------------------------------------------------------------------

    def step(self, rate: float, batches: Sequence[Batch], draws: torch.Generator) -> Tensor:
        """Move all pivots once; their losses on their batches, before it.

        Arguments:
            rate: The learning rate.
            batches, draws: See `mcbench.Networks.gradients`.
        """
        self.place()
        losses, gradients = self.networks.gradients(self.rows[1:-1], batches, draws)
        across, along, tangent = self.forces(losses, gradients)
        self.velocity.mul_(self.networks.recipe.momentum).add_(across)
        if self.band.springs == "force":
            self.velocity.add_(along.to(tangent.dtype)[:, None] * tangent)
        self.rows[1:-1, : self.size].add_(self.velocity, alpha=rate)
        return losses

    def forces(self, losses: Tensor, gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Forces across the band, shape (n, size), those of springs (n,), the tangents."""
        band = self.rows[:, : self.size]
        tangent = tangents(band, self._with_ends(losses.double()), self.band.tangent)
        across = perpendicular(gradients, tangent)
        return across, parallel(band, self.shares, self.band.k), tangent

    def strength(self) -> tuple[float, float]:
        """The largest force across the band and along it, on the whole training data.

        Where pivots are redistributed there is none along it.
        """
        self.place()
        networks, inner = self.networks, self.rows[1:-1]
        across, along, _ = self.forces(networks.mean_losses(inner), networks.mean_gradients(inner))
        free = self.band.springs == "redistribute"
        return float(norms(across).max()), 0.0 if free else float(along.abs().max())

    # Losses --------------------------------------------------------------------------------

    @cached_property
    def _ends(self) -> Tensor:
        """The losses of A and B on the training data, shape (2,)."""
        return self.networks.mean_losses(self.rows[[0, -1]])

    def _with_ends(self, losses: Tensor) -> Tensor:
        return torch.cat([self._ends[:1], losses, self._ends[1:]])

    def profile(self) -> Tensor:
        """Losses on the training data, shape (lines, 11): a line's ends and 9 points between."""
        networks = self.networks
        fractions = (torch.arange(1, BETWEEN + 1) / (BETWEEN + 1)).to(self.rows)[:, None]
        corners = self._with_ends(networks.mean_losses(self.rows[1:-1]))
        # So many lines at once as their points are batched.
        some = max(1, networks.lanes(networks.measured, training=False) // BETWEEN)
        between = []
        for starts, stops in zip(
            self.rows[:-1].split(some), self.rows[1:].split(some), strict=True
        ):
            points = torch.lerp(starts[:, None], stops[:, None], fractions)
            between.append(networks.mean_losses(points.flatten(0, 1)).view(-1, BETWEEN))
        return torch.cat([corners[:-1, None], torch.cat(between), corners[1:, None]], 1)


def insertions(profile: Tensor, theta: float, most: int) -> list[tuple[int, float]]:
    r"""Places where a band needs pivots: lines and fractions of them, from the last line on.

    The residue of a point is its loss above the linear interpolation between the pivots beside it,
    relative to the range of all losses, :math:`\max L - \min L`. A line whose largest residue is
    above ``theta`` gets a pivot there. (The paper's eq. 4 has the sign reversed.)

    Arguments:
        profile: As `Pivots.profile` gives it.
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
