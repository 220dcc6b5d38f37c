r"""`Gram`, least squares streamed over batches of data.

A fit of :math:`W F \approx Y` needs only :math:`G = F F^\top` and :math:`C = Y F^\top`: memory
grows with the number of features n, not with the number of samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcbench.errors import RunError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CUTOFF = 1e-12
"""Default relative cutoff of `Gram.solve`."""

_BLOCK = 512


class Gram:
    r"""The second moments :math:`G = F F^\top` (n, n) and :math:`C = Y F^\top` (m, n).

    Products are taken a batch at a time in the features' own dtype, and summed in float64. With
    float32 features G is known to about 1e-8 of its trace: give float64 where smaller directions
    count, at twice the time.

    Arguments:
        features: n, the number of features.
        targets: m, the number of rows to fit (0 for G alone).
        device: The device of the sums (the CPU, if the device has no float64).

    Example:
        >>> import torch
        >>> f, w = torch.randn(100, 3), torch.randn(2, 3)
        >>> gram = Gram(3, 2)
        >>> gram.add(f, f @ w.T)
        >>> bool(torch.allclose(gram.solve().float(), w, atol=1e-4))
        True
    """

    def __init__(
        self, features: int, targets: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        import torch

        device = "cpu" if torch.device(device).type == "mps" else device
        self.moments = torch.zeros(features, features, dtype=torch.float64, device=device)
        self.cross = torch.zeros(targets, features, dtype=torch.float64, device=device)
        self.samples = 0

    def add(self, features: Tensor, targets: Tensor | None = None) -> None:
        """Add a batch: features of shape (batch, n), targets of shape (batch, m)."""
        n = features.shape[1]
        features = features.to(self.moments.device)
        for start in range(0, n, _BLOCK):
            # G is symmetric: only its upper blocks are computed.
            rows = slice(start, min(start + _BLOCK, n))
            self.moments[rows, start:] += features[:, rows].T @ features[:, start:]
        if targets is not None:
            self.cross += targets.to(features).T @ features
        self.samples += len(features)

    def damped(self, cutoff: float = CUTOFF) -> Tensor:
        r"""The lower Cholesky factor of :math:`G + \lambda I`, :math:`\lambda` = cutoff x trace G.

        The trace bounds the largest eigenvalue. Directions with eigenvalues far above
        :math:`\lambda` are fitted exactly, those far below are left alone; between them the
        solution changes smoothly, which a truncated pseudo-inverse does not.

        Raises:
            RunError: If the moments are not finite.
        """
        import torch

        upper = self.moments.triu()
        full = upper + upper.triu(1).T
        if not bool(full.isfinite().all()):
            raise RunError(
                "the features for weight adjustment are not finite: the network diverged"
            )
        trace = float(full.diagonal().sum()) or 1.0
        identity = torch.eye(len(full), dtype=full.dtype, device=full.device)
        # Rounding may leave G slightly indefinite, so the damping may have to grow: by powers of
        # ten, until the factor exists.
        while True:
            factor: Tensor
            factor, failed = torch.linalg.cholesky_ex(full + cutoff * trace * identity)
            if not int(failed):
                return factor
            cutoff *= 10

    def solve(self, cutoff: float = CUTOFF) -> Tensor:
        r""":math:`C\,(G + \lambda I)^{-1}`, shape (m, n), float64: see `damped`."""
        import torch

        return torch.cholesky_solve(self.cross.T, self.damped(cutoff)).T
