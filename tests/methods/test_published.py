"""The published forms of arc, arc-wa and B-fly, against their formulas in float64 torch.

The formulas are those of Anokhin & Yarotsky's published code: every matrix moves by its rows,
biases move as vectors of their own, and least squares are pseudo-inverses.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import pytest
import torch
from torch import Tensor

import mcbench
from conftest import Deep
from mcbench.errors import UsageError
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import equal
from mcbench.plugins.host import host
from mcbench.store.store import Store

DEEP, TWO = "mlp3[widths=(24,16)]", "mlp2[width=12]"

Move = Callable[[Tensor, Tensor, float], Tensor]


def line(a: Tensor, b: Tensor, t: float) -> Tensor:
    return (1 - t) * a + t * b


def arc(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The arc of rows about the mean of all; of vectors about the middle of the two."""
    mean = torch.stack([a, b]).mean(0) if a.ndim == 1 else torch.cat([a, b]).mean(0)
    return mean + cos(pi * t / 2) * (a - mean) + sin(pi * t / 2) * (b - mean)


def connect(method: str, deep: Deep) -> mcbench.Path:
    problem, pair = deep
    return host().get("method", method).connect(*pair, problem)


def weights(params: mcbench.Params) -> list[Tensor]:
    return [params[name].double() for name in sorted(params)]


def inputs_of(problem: mcbench.Problem) -> Tensor:
    split = problem.splits["train"]
    return split.normalized(split.inputs).flatten(1).double()


def features(matrices: list[Tensor], x: Tensor) -> Tensor:
    """Outputs of hidden layers without biases, shape (samples, n)."""
    for matrix in matrices:
        x = (x @ matrix.T).relu()
    return x


def fitted(own: Tensor, new: Tensor, matrix: Tensor) -> Tensor:
    """Weights that keep a layer's outputs with new features: those nearest to 0."""
    return matrix @ own.T @ torch.linalg.pinv(new.T)


def test_the_arc_of_every_matrix_by_its_rows(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(DEEP)
    path = connect("arc[last=rows]", (problem, (a, b)))
    for t in (0.0, 0.2, 0.5, 0.9, 1.0):
        pairs = zip(weights(a.params), weights(b.params), strict=True)
        expected = [arc(one, two, t) for one, two in pairs]
        for ours, wanted in zip(weights(path(t)), expected, strict=True):
            assert torch.allclose(ours, wanted, atol=1e-6)
    plain = connect("arc", (problem, (a, b)))
    first, second, last = plain(0.5)
    assert torch.equal(plain(0.5)[first], path(0.5)[first])
    assert torch.equal(plain(0.5)[second], path(0.5)[second])
    assert not torch.allclose(plain(0.5)[last], path(0.5)[last], atol=1e-3)


@pytest.mark.parametrize(("name", "move"), [("linear", line), ("arc", arc)])
def test_b_fly_has_two_legs_and_undamped_matrices(
    name: str, move: Move, deep: Callable[[str], Deep]
) -> None:
    """Rows of one matrix move with the columns of the next; the last one goes to B's."""
    problem, (a, b) = deep(DEEP)
    method = f"{name}-bfly[last=neurons,nearest=zero,cutoff=1e-14,precision=float64]"
    path = connect(method, (problem, (a, b)))
    assert len(path.legs) == 2 and path.end == "b" and equal(path(1.0), b.params)
    x = inputs_of(problem)
    (a1, a2, a3), (b1, b2, b3) = weights(a.params), weights(b.params)
    middle = fitted(features([a1], x), features([b1], x), a2)
    for t in (0.1, 0.4, 0.5, 0.7, 0.95):
        leg, u = divmod(2 * t, 1)
        if leg == 0:
            expected = [move(a1, b1, u), move(a2.T, middle.T, u).T, a3]
        else:
            expected = [b1, move(middle, b2, u), move(a3.T, b3.T, u).T]
        for ours, wanted in zip(weights(path(t)), expected, strict=True):
            assert torch.allclose(ours, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.slow
def test_damping_keeps_b_fly_low(shared_store: Store) -> None:
    """As the documents say: an undamped matrix is high beside the features on the way to it."""
    plan = Plan(architecture="mlp3[widths=(48,24)]", recipe="quick", seeds=(0, 1))
    prepared = Experiment(plan, shared_store)
    assert not prepared.train().failures
    problem, pair = prepared.problem, (prepared.endpoint(0), prepared.endpoint(1))
    inputs, targets = problem.splits["train"].inputs, problem.splits["train"].targets

    def highest(method: str) -> float:
        path = connect(method, (problem, pair))
        return max(float(problem.loss(path(i / 20), inputs, targets)) for i in range(21))

    damped, published = (
        highest(f"linear-bfly{how}") for how in ("", "[last=neurons,nearest=zero,cutoff=1e-12]")
    )
    assert damped < published / 5


def test_arc_wa_moves_biases_alone_and_ends_on_an_arc(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(TWO)
    method = "arc-wa[last=rows,biases=alone,nearest=zero,cutoff=1e-14,precision=float64]"
    path = connect(method, (problem, (a, b)))
    x = inputs_of(problem)
    (c1, a1, c2, a2), (d1, b1, d2, b2) = weights(a.params), weights(b.params)
    own, last = (x @ a1.T + c1).relu(), (x @ b1.T + d1).relu()
    middle = fitted(own, last, a2)
    for t in (0.2, 0.35, 0.6, 0.9):
        leg, u = divmod(2 * t, 1)
        if leg == 0:
            one, bias = arc(a1, b1, u), arc(c1, d1, u)
            expected = [bias, one, c2, fitted(own, (x @ one.T + bias).relu(), a2)]
        else:
            expected = [d1, b1, arc(c2, d2, u), arc(middle, b2, u)]
        for ours, wanted in zip(weights(path(t)), expected, strict=True):
            assert torch.allclose(ours, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


@pytest.mark.parametrize("method", ["arc", "linear-wa", "arc-wa", "ot-wa", "ot-bfly"])
def test_results_of_the_default_forms_stay_valid(method: str) -> None:
    """What is in the identity of results has not changed."""
    identity = host().identity("method", host().get("method", method))
    assert set(identity["parameters"]) == {"matching", "interpolation", "adjustment", "end"}
    adjustment = identity["parameters"]["adjustment"]["parameters"]
    assert set(adjustment) <= {"cutoff", "precision", "positions"}
    published = host().get("method", f"{method}[last=rows,biases=alone]")
    assert host().identity("method", published)["parameters"]["last"] == "rows"


@pytest.mark.parametrize("text", ["mlp[widths=(9,8,7)]", "conv2fc1[channels=(4,5)]",
                                  "vgg16[channels=2,head=5,norm=true]"])  # fmt: skip
@pytest.mark.parametrize("last", ["neurons", "rows", "straight"])
@pytest.mark.parametrize("method", ["arc", "ot", "arc-wa", "ot-bfly"])
def test_every_form_reaches_b(
    method: str, last: str, text: str, deep: Callable[[str], Deep]
) -> None:
    problem, (a, b) = deep(text)
    path = connect(f"{method}[last={last},biases=alone]", (problem, (a, b)))
    assert equal(path(0.0), a.params) and equal(path(1.0), b.params)
    for one, two in zip(path.legs, path.legs[1:], strict=False):
        assert equal(one.stop, two.start)
    for leg in path.legs:
        for u, end in ((1e-5, leg.start), (1 - 1e-5, leg.stop)):
            near = leg(u)
            assert all(torch.allclose(near[n], x, atol=0.05) for n, x in end.items())


def test_no_leg_of_the_last_layer_to_leave_out(deep: Callable[[str], Deep]) -> None:
    with pytest.raises(UsageError, match="give one of the two"):
        connect("linear-bfly[last=neurons,end=short]", deep(DEEP))
