"""Path through the network that is 0, and the check that a network allows it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from mcbench import Chain, Leg, Params, Path, Problem, StructureError

SCALES = (2.0**-12, 2.0, 2.0**12)
"""Powers of two, by which homogeneous functions scale to the last bit."""


def origin(a: Params, b: Params, problem: Problem) -> Path:
    """Path from A to 0 and on to B.

    Raises:
        StructureError: If the network is no chain of affine layers, or logits would not scale.
    """
    powers = depths(problem.chain)
    check(problem, a)
    zero = {n: torch.zeros_like(x) if x.is_floating_point() else x for n, x in a.items()}
    return Path([_ray(a, zero, powers, down=True), _ray(b, zero, powers, down=False)])


def depths(chain: Chain) -> dict[str, int]:
    """Depth i of the layer of every bias, counted from 1, by name."""
    return {layer.bias: i for i, layer in enumerate(chain.layers, 1) if layer.bias is not None}


def check(problem: Problem, params: Params) -> None:
    r"""Check that functions behind layers are positively homogeneous, :math:`f(cx) = c f(x)`.

    Each group of functions is tried on outputs of A's layer for some inputs, and on noise.

    Raises:
        StructureError: If not, or if a layer is normalised.
    """
    chain = problem.chain
    inputs = next(problem.batches("train"))[0][:16]
    with torch.inference_mode():
        x = chain.through(0, inputs)
        for k, layer in enumerate(chain.layers):
            if layer.norm is not None:
                raise StructureError(
                    f"the normalisation behind '{layer.weight}' undoes the factor of the path "
                    "through 0: take a network without normalisation"
                )
            y = layer.apply(params, x)
            noise = torch.randn(y.shape, generator=problem.generator("homogeneous", k))
            for z in (y, noise.to(y)):
                plain = chain.through(k + 1, z)
                if any(not chain.through(k + 1, c * z).equal(c * plain) for c in SCALES):
                    raise StructureError(
                        f"the functions behind '{layer.weight}' are not positively homogeneous, "
                        "as ReLU and pooling are: the path through 0 would change predictions"
                    )
            x = chain.through(k + 1, y)


def _ray(end: Params, zero: Params, powers: Mapping[str, int], down: bool) -> Leg:
    """Leg from ``end`` down to 0, or from 0 up to it."""

    def between(u: float) -> Params:
        s = 1 - u if down else u
        return {
            name: s ** powers.get(name, 1) * x if x.is_floating_point() else x
            for name, x in end.items()
        }

    squares = np.zeros(1 + max(powers.values(), default=1))
    for name, x in end.items():
        if x.is_floating_point():
            squares[powers.get(name, 1)] += float(x.double().square().sum())

    def length(u: float, v: float) -> float:
        return _length(squares, 1 - v, 1 - u) if down else _length(squares, u, v)

    return Leg(end, zero, between, length) if down else Leg(zero, end, between, length)


def _length(squares: np.ndarray, u: float, v: float) -> float:
    r"""Length :math:`\int_u^v \sqrt{\sum_i i^2 s^{2(i-1)} n_i}\, ds` by Gauss's rule.

    Arguments:
        squares: :math:`n_i`, the squared norm of the entries that scale with :math:`s^i`, by i.
        u, v: The scale s at both ends.
    """
    nodes, weights = np.polynomial.legendre.leggauss(32)
    s = u + (v - u) * (nodes + 1) / 2
    speed = sum(i**2 * s ** (2 * i - 2) * n for i, n in enumerate(squares) if i)
    return float((v - u) / 2 * weights @ np.sqrt(speed))
