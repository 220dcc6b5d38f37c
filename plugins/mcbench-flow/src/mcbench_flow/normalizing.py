r"""`Normalizing`, the map :math:`\nu` from neurons to the coordinates in which they are normal."""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any

import torch
from torch import Tensor, nn

from mcbench import Params, RunError

Build = Callable[[int], Any]
"""Makes a flow of `zuko.flows` for a number of features; zuko ships no types."""

CONSTANT = 1e-6
"""Share of the largest deviation that a coordinate's must exceed to count as varying."""

TOLERANCE = 1e-6
"""Accuracy of an autoregressive inverse, in standard deviations."""

BOUND = 1e6
"""Largest standardised coordinate; it keeps the first iterates from overflowing."""


class Normalizing(nn.Module):
    r"""Map :math:`\nu(\theta) = f\big(C^{-1} (\theta - \mu)/\sigma\big)`, and its inverse.

    f is a flow, :math:`\mu` and :math:`\sigma` are the mean and the deviation of each coordinate
    over the neurons of the pool, and C is the Cholesky factor of their correlations, or the
    identity. A coordinate that does not vary (an incoming weight of a pixel that is always 0, if
    all networks start at the same value) has no density: it is shifted by its mean, not scaled,
    and the flow neither sees nor changes it.

    Arguments:
        build: Makes the flow.
        mean, std: :math:`\mu` and :math:`\sigma`, shape (d,).
        varying: The indices of the k coordinates that vary, int64.
        factor: C, lower triangular, shape (k, k); ``None`` for the identity.
    """

    mean: Tensor
    std: Tensor
    varying: Tensor
    factor: Tensor | None

    def __init__(
        self,
        build: Build,
        mean: Tensor,
        std: Tensor,
        varying: Tensor,
        factor: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.register_buffer("varying", varying)
        self.register_buffer("factor", factor)
        self.flow = build(len(varying)).to(mean)
        self._whole = len(varying) == len(mean)

    @staticmethod
    def of(build: Build, neurons: Tensor, seed: int, whiten: bool = False) -> Normalizing:
        """The map that only standardises ``neurons``, shape (n, d): its flow is the identity.

        Arguments:
            build: Makes the flow.
            neurons: The neurons.
            seed: Gives the flow's hidden weights; its last layers are 0.
            whiten: Whether it also removes their correlations; see `cholesky_factor`.

        Raises:
            RunError: If fewer than two coordinates vary, or some are not finite.
        """
        std, mean = (x.to(neurons) for x in torch.std_mean(neurons.double(), dim=0))
        if not (std.isfinite().all() and mean.isfinite().all()):
            raise RunError("the pool's networks have weights that are not finite: train others")
        varies = std > CONSTANT * std.max()
        if int(varies.sum()) < 2:
            raise RunError(
                f"{int(varies.sum())} coordinates of the pool's neurons vary, and a flow needs 2: "
                "train other networks, or more"
            )
        std = torch.where(varies, std, torch.ones_like(std))
        factor = cholesky_factor(((neurons - mean) / std)[:, varies]) if whiten else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            nu = Normalizing(build, mean, std, varies.nonzero().squeeze(1), factor)
        with torch.no_grad():
            for lazy in nu.flow.transform.transforms:
                lazy.hyper[-1].weight.zero_()
                lazy.hyper[-1].bias.zero_()
        return nu

    @staticmethod
    def load(build: Build, fitted: Params) -> Normalizing:
        """The map whose ``state_dict`` is ``fitted``."""
        with torch.random.fork_rng(devices=[]):
            mean, std, varying = (fitted[name] for name in ("mean", "std", "varying"))
            nu = Normalizing(build, mean, std, varying, fitted.get("factor"))
        nu.load_state_dict(fitted)
        return nu

    def forward(self, neurons: Tensor) -> Tensor:
        r"""Coordinates :math:`\nu(\theta)`, shape (n, d)."""
        x = (neurons - self.mean) / self.std
        return self._merge(x, self.flow.transform()(self._whiten(self._split(x))))

    def inverse(self, z: Tensor) -> Tensor:
        r"""Neurons :math:`\nu^{-1}(z)`, shape (n, d).

        Coupling transforms invert in one pass. An autoregressive one, z_i = f(x_i | x_<i), is
        solved for all coordinates at once by the fixed point of x_i = f^-1(z_i | x_<i): pass k
        makes the first k coordinates exact whatever the others are, so d passes always suffice,
        and far fewer if coordinates depend little on each other.
        """
        x = self._split(z)
        for transform in reversed(self.flow.transform().transforms):
            passes = getattr(transform, "passes", 0)
            x = _fixed_point(transform, x, passes) if passes else transform.inv(x)
        if self.factor is not None:
            x = x @ self.factor.T
        return self._merge(z, x) * self.std + self.mean

    def log_density(self, neurons: Tensor) -> Tensor:
        r"""Log-density :math:`\log \rho(\nu(\theta))\,|\det \partial\nu/\partial\theta|`, (n,).

        In nats, over the coordinates that vary; :math:`\rho` is the standard normal density.
        """
        x = self._whiten(self._split((neurons - self.mean) / self.std))
        z, logdet = self.flow.transform().call_and_ladj(x)
        normal = -0.5 * (z.square().sum(1) + z.shape[1] * log(2 * pi))
        density: Tensor = normal + logdet - self.std[self.varying].log().sum()
        return density if self.factor is None else density - self.factor.diagonal().log().sum()

    def _whiten(self, x: Tensor) -> Tensor:
        if self.factor is None:
            return x
        white: Tensor = torch.linalg.solve_triangular(self.factor, x.T, upper=False).T
        return white

    def _split(self, x: Tensor) -> Tensor:
        return x if self._whole else x[:, self.varying]

    def _merge(self, whole: Tensor, part: Tensor) -> Tensor:
        return part if self._whole else whole.index_copy(1, self.varying, part)


def cholesky_factor(x: Tensor) -> Tensor:
    r"""Cholesky factor C of the covariance of standardised neurons x, shape (n, k).

    The covariance is shrunk towards a multiple of the identity, :math:`(1 - s) S + s\,m I` with
    :math:`m = \mathrm{tr}\,S / k` and the s that Ledoit & Wolf (2004) estimate, so that it is
    regular and near the true one even if n < k. In float64.
    """
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(x.double().cpu().numpy())
    factor: Tensor = torch.linalg.cholesky(torch.from_numpy(covariance))
    return factor.to(x)


def _fixed_point(transform: Any, z: Tensor, passes: int) -> Tensor:
    x = z
    for _ in range(passes):
        before, x = x, transform.meta(x).inv(z).nan_to_num(0.0).clamp(-BOUND, BOUND)
        if float((x - before).detach().abs().max()) <= TOLERANCE:
            break
    return x
