"""Sharpness: exact against the whole Hessian of small networks and against known matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from mcbench_sharpness.hessian import Hessian
from mcbench_sharpness.lanczos import top, tridiagonal
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

import mcbench
from conftest import Deep
from mcbench import Endpoint, Problem
from mcbench.evaluation.curve import Curve
from mcbench.evaluation.metric import Evaluation
from mcbench.plugins.host import host
from mcbench.store.checkpoint import Workshop
from mcbench.store.store import Store
from mcbench.testing.metrics import evaluation as evaluation_of
from mcbench.testing.networks import trained
from programs import run

SMALL = ("-a", "mlp2[width=6]", "-r", "quick[epochs=3]", "--endpoints", "2", "-m", "linear",
         "--points", "3", "--refine", "0")  # fmt: skip


Loss = Callable[[Tensor], Tensor]


def chosen(problem: Problem, samples: int) -> Tensor:
    """The samples that the metrics take."""
    return problem.rows("train", samples, "hessian", "samples")


def flat(problem: Problem, params: mcbench.Params, rows: Tensor) -> tuple[Loss, Tensor]:
    """The loss as a function of one vector, and the vector of a point, float64."""
    names = [name for name, _ in problem.module.named_parameters()]
    shapes = [params[name].shape for name in names]
    split = problem.splits["train"]
    inputs, targets = split.normalized(split.inputs[rows]).double(), split.targets[rows]
    rest = {n: x.double() if x.is_floating_point() else x for n, x in params.items()}

    def loss(vector: Tensor) -> Tensor:
        parts = vector.split([shape.numel() for shape in shapes])
        weights = {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return problem.loss(rest | weights, inputs, targets)

    return loss, torch.cat([params[name].flatten() for name in names]).double()


def whole(problem: Problem, params: mcbench.Params, rows: Tensor) -> Tensor:
    """The Hessian entry by entry, by autograd."""
    return torch.autograd.functional.hessian(*flat(problem, params, rows), vectorize=True)


@pytest.mark.parametrize("network", ["two-layer", "batch-normalised", "residual"])
def test_products_are_those_of_autograd(network: str) -> None:
    problem = trained(network).problem()
    ends = [trained(network).endpoint(seed, torch.float64).params for seed in (0, 1)]
    rows = chosen(problem, 70)
    problem.batch_size = 32  # Several batches, the last one shorter.
    both = Hessian(problem, ends, rows)
    vectors = torch.stack([both.normal(i)[0] for i in range(2)])
    products = both.times(vectors)
    for i, end in enumerate(ends):
        loss, point = flat(problem, end, rows)
        assert point.shape == (both.size,)
        expected = torch.autograd.functional.hvp(loss, point, vectors[i])[1]
        assert expected.norm() > 0
        assert torch.allclose(products[i], expected, rtol=1e-8, atol=1e-10)
        alone = Hessian(problem, [end], rows).times(vectors[i : i + 1])
        assert torch.allclose(alone[0], products[i], rtol=1e-8, atol=1e-10)
        assert float(both.losses[i]) == pytest.approx(float(loss(point)), rel=1e-9)


def spectrum(values: list[float], size: int) -> Tensor:
    """A symmetric matrix with these eigenvalues, the others 0, in a random basis."""
    draws = torch.Generator().manual_seed(size)
    basis = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=draws)).Q
    diagonal = torch.zeros(size, dtype=torch.float64)
    diagonal[: len(values)] = torch.tensor(values, dtype=torch.float64)
    return basis @ diagonal.diag() @ basis.T


def times(matrices: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda vectors: torch.einsum("mij,mj->mi", matrices.to(vectors), vectors)


def test_the_top_eigenvalue_is_the_algebraically_largest() -> None:
    matrices = torch.stack([spectrum(v, 40) for v in ([3, 1, -50], [-2.0, -3.0] * 20, [0.0])])
    start = torch.randn(3, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for steps in (12, 40, 100):
        values, residuals = top(times(matrices), start, steps).T
        assert values.tolist() == pytest.approx([3, -2, 0], abs=1e-8)
        assert float(residuals.max()) < 1e-6
    single = top(times(matrices), start.float(), 40)[:, 0]
    assert single.tolist() == pytest.approx([3, -2, 0], abs=1e-4)


def test_few_steps_stay_below_and_the_residual_bounds_the_error() -> None:
    matrix = spectrum([i / 30 for i in range(1, 61)], 80)[None]
    start = torch.randn(1, 80, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    before = -1.0
    for steps in (3, 6, 12, 24):
        value, residual = top(times(matrix), start, steps)[0].tolist()
        assert before < value <= 2 + 1e-9
        nearest = (torch.linalg.eigvalsh(matrix[0]) - value).abs().min()
        assert float(nearest) <= residual + 1e-9
        before = value


def test_the_residual_is_measured_and_knows_the_rounding() -> None:
    """With as many steps as dimensions the recurrence's own estimate is 0, the error is not."""
    matrix = spectrum([5.0, 4.99, 4.98, 1.0, -3.0], 24)[None]
    start = torch.randn(1, 24, generator=torch.Generator().manual_seed(5))
    value, residual = top(times(matrix), start, 24)[0].tolist()
    error = float((torch.linalg.eigvalsh(matrix[0]) - value).abs().min())
    assert 0 < error <= residual < 1e-4


def test_the_basis_stays_orthogonal_and_exhausted_spaces_are_left() -> None:
    # Two distinct eigenvalues: the Krylov space has two dimensions, the iteration goes on.
    matrix = spectrum([5.0] * 10, 30)[None]
    start = torch.randn(1, 30, generator=torch.Generator().manual_seed(3))
    alpha, beta, _ = tridiagonal(times(matrix), start, 30)
    t = alpha[0].diag() + beta[0, :-1].diag(1) + beta[0, :-1].diag(-1)
    values = torch.linalg.eigvalsh(t)
    assert torch.allclose(values, torch.linalg.eigvalsh(matrix[0]), atol=1e-4)


class Quadratic(torch.nn.Module):
    """The loss itself: the quadratic form of a matrix in the only parameter."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(len(matrix)))
        self.matrix = matrix

    def forward(self, inputs: Tensor) -> Tensor:
        return (self.w @ self.matrix @ self.w / 2).expand(len(inputs), 1)


class Form:
    """An architecture that is a quadratic form."""

    name, loss = "form", "output"

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix

    def build(self, input_shape: tuple[int, ...], classes: int) -> torch.nn.Module:
        return Quadratic(self.matrix)


def quadratic(problem: Problem, matrix: Tensor) -> Evaluation:
    """A path in the landscape of a quadratic form, whose Hessian is its matrix everywhere."""
    data = replace(problem.data, loss="output")
    task = Problem(data, Form(matrix.float()), problem.recipe)
    ends = [{"w": torch.full((len(matrix),), float(i))} for i in (0, 1)]
    points = [Endpoint(end, seed, str(seed)) for seed, end in enumerate(ends)]
    path = mcbench.segment(*ends)
    return Evaluation(task, Curve(), lambda: (points[0], points[1]), lambda: path)


def test_metrics_of_a_quadratic_form_are_its_matrix(problem: Problem) -> None:
    matrix = spectrum([4.0, 1.5, -6.0], 12)
    evaluation = quadratic(problem, matrix)
    values = host().get("metric", "hessian-top[points=3]").measure(evaluation, None)
    for name in ("start", "end", "max", "mean"):
        assert values[name] == pytest.approx(4.0, rel=1e-4)
    assert values["residual"] < 1e-3
    traced = host().get("metric", "hessian-trace[points=3,vectors=400]")
    values = traced.measure(evaluation, None)
    assert 0 < values["error"] < 1
    assert abs(values["mean"] - float(matrix.trace())) < 4 * values["error"]
    # Where the matrix is diagonal, signs give the trace exactly.
    diagonal = torch.arange(1.0, 6.0).diag()
    signs = host().get("metric", "hessian-trace[points=2]")
    exact = signs.measure(quadratic(problem, diagonal), None)
    assert exact["start"] == pytest.approx(15.0, rel=1e-6) and exact["error"] < 1e-5


def test_metrics_agree_with_the_whole_hessian_along_a_path() -> None:
    evaluation = evaluation_of("two-layer")
    problem = evaluation.problem
    rows = chosen(problem, 50)
    metric = host().get("metric", "hessian-top[points=3,steps=60,samples=50,each=true]")
    values = metric.measure(evaluation, None)
    matrices = [whole(problem, evaluation.path(t), rows) for t in (0, 0.5, 1)]
    tops = [float(torch.linalg.eigvalsh(m)[-1]) for m in matrices]
    assert [values[n] for n in ("t=0", "t=0.5", "t=1")] == pytest.approx(tops, rel=1e-3)
    assert values["max"] == max(values[n] for n in ("t=0", "t=0.5", "t=1"))
    assert values["mean"] == pytest.approx((tops[0] + 2 * tops[1] + tops[2]) / 4, rel=1e-3)
    trace = host().get("metric", "hessian-trace[points=3,vectors=300,samples=50]")
    traced = trace.measure(evaluation, None)
    for name, matrix in (("start", matrices[0]), ("end", matrices[2])):
        assert abs(traced[name] - float(matrix.trace())) < 5 * traced[f"{name}-error"]


class Attention(torch.nn.Module):
    """A transformer layer on the rows of an image."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.enter = torch.nn.Linear(8, 8)
        self.layer = torch.nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        self.leave = torch.nn.Linear(8, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden: Tensor = self.layer(self.enter(inputs[:, 0]))
        return self.leave(hidden.mean(1))


class Transformer:
    """An architecture with attention."""

    name = "transformer"

    def build(self, input_shape: tuple[int, ...], classes: int) -> torch.nn.Module:
        return Attention(classes)


@pytest.mark.parametrize("points", [1, 2])
def test_attention_has_the_hessian_of_plain_torch(problem: Problem, points: int) -> None:
    task = Problem(problem.data, Transformer(), problem.recipe)
    ends = [dict(task.build(seed).state_dict()) for seed in range(points)]
    rows = torch.arange(30)
    hessian = Hessian(task, ends, rows)
    values = top(hessian.times, hessian.normal("start"), 60)
    for end, (value, residual) in zip(ends, values.tolist(), strict=True):
        with sdpa_kernel(SDPBackend.MATH):
            matrix = whole(task, end, rows)
        assert value == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-4)
        assert residual < 1e-3


def test_points_together_or_one_by_one_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = host().get("metric", "hessian-top[points=4,steps=10,samples=60]")
    together = metric.measure(evaluation_of("two-layer"), None)
    monkeypatch.setattr(mcbench, "together", lambda *given, **named: 1)
    assert metric.measure(evaluation_of("two-layer"), None) == pytest.approx(
        together, rel=1e-3, abs=1e-4
    )


def test_a_measurement_that_was_killed_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    monkeypatch.setattr(mcbench, "together", lambda *given, **named: 4)
    metric = host().get("metric", "hessian-trace[points=5,vectors=3,samples=60]")
    counted: list[int] = []
    real = Hessian.__init__

    def count(self: Hessian, problem: Problem, points: Any, rows: Tensor) -> None:
        counted.append(len(points))
        if len(counted) == 3:
            raise KeyboardInterrupt
        real(self, problem, points, rows)

    monkeypatch.setattr(Hessian, "__init__", count)
    workshop = Workshop(store, "0" * 32, "a metric", kind="partial")
    evaluation = evaluation_of("two-layer").bind(workshop)
    with pytest.raises(KeyboardInterrupt):
        metric.measure(evaluation, None)
    resumed = metric.measure(evaluation, None)
    assert counted == [2, 2, 1, 1]
    assert resumed == metric.measure(evaluation_of("two-layer"), None)


def test_samples_are_drawn_without_replacement(problem: Problem) -> None:
    rows = chosen(problem, 100)
    assert len(set(rows.tolist())) == 100 and rows.tolist() == sorted(rows.tolist())
    assert rows.tolist() == chosen(problem, 100).tolist()
    count = len(problem.splits["train"])
    assert chosen(problem, 0).tolist() == chosen(problem, count + 1).tolist() == list(range(count))


def test_the_command_measures_where_named_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    usual = run("run", *SMALL, "--json")
    assert usual.exit_code == 0 and "hessian" not in usual.stdout
    named = run("run", *SMALL, "--metric", "hessian-top[points=3,samples=100]")
    assert named.exit_code == 0 and "hessian-top[points=3,samples=100] residual" in named.stdout
    assert "hessian-top[points=3,samples=100] of linear 0-1: 3/3" in named.stderr
    assert "partial" not in run("store", "list").stdout
    wrong = run("run", *SMALL, "--metric", "hessian-top[steps=0]")
    assert wrong.exit_code == 2 and "greater than 0, not '0'" in wrong.stderr


def test_convolutions_and_pooling_have_products(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep("conv2fc1[channels=(4,5)]")
    rows = chosen(problem, 40)
    hessian = Hessian(problem, [a.params, b.params], rows)
    u, v = hessian.normal(1), hessian.normal(2)
    # The Hessian is symmetric.
    left, right = (u * hessian.times(v)).sum(1), (v * hessian.times(u)).sum(1)
    assert torch.allclose(left, right, rtol=1e-3, atol=1e-3)
    x = problem.splits["train"].inputs[rows]
    assert functional_call(problem.module, a.params, (x,)).isfinite().all()
