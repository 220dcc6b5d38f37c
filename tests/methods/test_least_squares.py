"""Streamed least squares: the optimum, to float64's accuracy, in any batches."""

from __future__ import annotations

import pytest
import torch

from mcbench.errors import RunError
from mcbench.methods.least_squares import Gram


def problem(samples: int = 400, features: int = 30, targets: int = 5):  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(0)
    f = torch.randn(samples, features, generator=generator).relu()
    y = torch.randn(samples, targets, generator=generator)
    return f, y


def streamed(f: torch.Tensor, y: torch.Tensor, batch: int) -> Gram:
    gram = Gram(f.shape[1], y.shape[1])
    for start in range(0, len(f), batch):
        gram.add(f[start : start + batch], y[start : start + batch])
    return gram


@pytest.mark.parametrize("batch", [1, 7, 400])
def test_the_solution_is_the_pseudo_inverses(batch: int) -> None:
    f, y = problem()
    gram = streamed(f.double(), y, batch)
    expected = y.double().T @ torch.linalg.pinv(f.double()).T
    assert torch.allclose(gram.solve(), expected, atol=1e-9)
    assert gram.samples == len(f)


def test_the_residual_is_orthogonal_to_the_features() -> None:
    f, y = problem()
    w = streamed(f, y, 64).solve()
    residual = y.double() - f.double() @ w.T
    assert float((residual.T @ f.double()).abs().max()) < 1e-8 * float(f.double().square().sum())


def test_blocks_beyond_the_first_are_filled() -> None:
    f, _ = problem(samples=50, features=1100)
    gram = Gram(1100)
    gram.add(f.double())
    full = gram.damped() @ gram.damped().T
    assert torch.allclose(full, f.double().T @ f.double(), atol=1e-6)


def test_dead_and_repeated_features_are_left_alone_and_nothing_blows_up() -> None:
    f, y = problem()
    f[:, 3] = 0
    f[:, 5] = f[:, 4]
    w = streamed(f, y, 64).solve()
    assert float(w[:, 3].abs().max()) == 0.0
    assert torch.allclose(w[:, 4], w[:, 5], rtol=1e-4)
    alive = f[:, [i for i in range(30) if i not in (3, 5)]].double()
    best = y.double() - alive @ (torch.linalg.pinv(alive) @ y.double())
    ours = y.double() - f.double() @ w.T
    assert float(ours.norm()) == pytest.approx(float(best.norm()), rel=1e-9)


def test_ill_conditioned_features_keep_their_small_directions() -> None:
    """Features in float64 keep the direction that is 1e-4 as long as the others."""
    f, _ = problem()
    f[:, 1] = f[:, 0] + 1e-4 * f[:, 1]
    w = torch.zeros(1, 30)
    w[0, 0], w[0, 1] = -1.0, 1.0
    y = (f.double() @ w.double().T).float()
    solved = streamed(f.double(), y, 64).solve()
    error = (f.double() @ solved.T - y.double()).norm() / y.double().norm()
    assert float(error) < 1e-2


def test_features_that_are_not_finite_are_an_error() -> None:
    f, y = problem()
    f[0, 0] = float("nan")
    with pytest.raises(RunError, match="not finite"):
        streamed(f, y, 64).solve()


def test_all_zero_features_give_zero() -> None:
    gram = Gram(3, 2)
    gram.add(torch.zeros(4, 3), torch.ones(4, 2))
    assert float(gram.solve().abs().max()) == 0.0
