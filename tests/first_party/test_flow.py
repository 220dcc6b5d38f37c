"""Flow and bijection: the map and its inverse, the paths, and the fits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import mcbench
from mcbench.errors import RunError, StructureError
from mcbench.evaluation.ends import check_ends
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.connector import POOL
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import distance, equal
from mcbench.plugins.host import Host, Plugin
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import Workshop
from mcbench.store.store import Store

pytest.importorskip("zuko")
mcbench_flow = pytest.importorskip("mcbench_flow")

from mcbench_flow.bijection import RealNVPBijection  # noqa: E402
from mcbench_flow.connection import arc, initial, path_loss, pooled  # noqa: E402
from mcbench_flow.flow import IAFFlow  # noqa: E402
from mcbench_flow.normalizing import Normalizing  # noqa: E402

FLOW = IAFFlow(steps=100, lr=1e-3)
BIJECTION = RealNVPBijection(steps=300, hidden=64)
METHODS = [FLOW, BIJECTION]
TIMES = [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
Fitted = dict[str, mcbench.Params]


@pytest.fixture(scope="module")
def pool(shared_store: Store) -> list[Endpoint]:
    """Networks that none of the pairs is of."""
    seeds = tuple(range(POOL, POOL + 8))
    plan = Plan(architecture="mlp2[width=16]", recipe="quick[epochs=15]", seeds=seeds)
    prepared = Experiment(plan, shared_store)
    assert not prepared.train().failures
    return [prepared.endpoint(seed) for seed in seeds]


@pytest.fixture(scope="module")
def fitted(pool: list[Endpoint], problem: Problem) -> Fitted:
    """Fitted tensors by the method's name."""
    return {method.name: method.fit(pool, problem) for method in METHODS}


def normalizing(method: Any, fitted: Fitted) -> Normalizing:
    tensors = {n: x for n, x in fitted[method.name].items() if n not in method.facts}
    return Normalizing.load(method.build, tensors).double()


def connect(
    method: Any, fitted: Fitted, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> mcbench.Path:
    path: mcbench.Path = method.connect(*pair, problem.bind(fitted=fitted[method.name]))
    return path


def mean_loss(problem: Problem, path: Callable[[float], mcbench.Params]) -> float:
    """On the training data, over the inner points."""
    split = problem.splits["train"]
    with torch.no_grad():
        losses = [problem.loss(path(t), split.inputs, split.targets) for t in TIMES]
    return float(sum(losses)) / len(losses)


@each_method
def test_map_and_inverse_agree(
    method: Any, fitted: Fitted, pool: list[Endpoint], problem: Problem
) -> None:
    """For the pool's neurons, and for coordinates that no neuron has."""
    nu = normalizing(method, fitted)
    neurons = pooled(pool, problem).flatten(0, 1).double()
    z = torch.randn(100, neurons.shape[1], generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        assert torch.allclose(nu.inverse(nu(neurons)), neurons, atol=1e-4)
        assert torch.allclose(nu(nu.inverse(z)), z, atol=1e-4)
        assert not torch.allclose(nu(neurons), (neurons - nu.mean) / nu.std, atol=0.05)


@each_method
def test_ends_are_exact_and_limits(
    method: Any, fitted: Fitted, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a, b = (end.params for end in pair)
    path = connect(method, fitted, pair, problem)
    check_ends(path, a, b, problem)
    assert equal(path(0.0), a) and equal(path(1.0), b) and path.end == "b"
    whole = distance(a, path(0.5)) + distance(path(0.5), b)
    assert distance(a, path(1e-5)) < 1e-3 * whole
    assert distance(path(1 - 1e-5), b) < 1e-3 * whole
    assert distance(path(0.5), path(0.5001)) < 0.01 * whole


@each_method
def test_the_output_bias_moves_straight(
    method: Any, fitted: Fitted, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a, b = (end.params["3.bias"] for end in pair)
    point = connect(method, fitted, pair, problem)(0.25)
    assert torch.allclose(point["3.bias"], 0.75 * a + 0.25 * b, atol=1e-6)


@each_method
def test_an_unfitted_path_is_an_arc_of_standardised_neurons(
    method: Any, pool: list[Endpoint], pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    neurons = pooled(pool, problem).flatten(0, 1)
    nu = initial(method.build, neurons, problem, method.name)
    a, b = pooled(list(pair), problem)
    mean = neurons.mean(0)
    with torch.no_grad():
        point = nu.inverse(arc(nu(a), nu(b), 0.3))
    assert torch.allclose(point, mean + arc(a - mean, b - mean, 0.3), atol=1e-4)


def test_the_flow_makes_neurons_likelier(
    fitted: Fitted, pool: list[Endpoint], pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    """Both the pool's neurons and those of networks outside of it."""
    used = pooled(pool, problem).flatten(0, 1).double()
    nu = normalizing(FLOW, fitted)
    start = initial(FLOW.build, used, problem, FLOW.name)
    with torch.no_grad():
        for neurons in (used, pooled(list(pair), problem).flatten(0, 1).double()):
            assert nu.log_density(neurons).mean() > start.log_density(neurons).mean() + 1


def test_the_log_density_is_that_of_the_map(fitted: Fitted, pool: list[Endpoint]) -> None:
    r""":math:`\log|\det|` against the Jacobian of the map."""
    nu = normalizing(FLOW, fitted)
    neuron = nu.mean + 0.3 * nu.std
    with torch.no_grad():
        jacobian = torch.autograd.functional.jacobian(lambda x: nu(x[None])[0], neuron)
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(nu(neuron[None])).sum()
        density = nu.log_density(neuron[None])[0]
    assert density == pytest.approx(float(normal + jacobian.slogdet().logabsdet), abs=1e-3)


def test_a_flow_keeps_a_distribution_that_an_arc_does_not(problem: Problem) -> None:
    """Neurons on a parabola, y = x^2: points of the path stay near it."""
    draws = torch.Generator().manual_seed(2)
    x = torch.randn(4000, 1, generator=draws)
    neurons = torch.cat([x, x.square() + 0.1 * torch.randn(4000, 1, generator=draws)], 1)
    method = IAFFlow(steps=400, lr=1e-2, hidden=64)
    nu = initial(method.build, neurons, problem, "parabola")
    a, b = neurons.chunk(2)
    with torch.no_grad():
        start = nu.inverse(arc(nu(a), nu(b), 0.5))
    adam = torch.optim.Adam(nu.parameters(), lr=method.lr)
    for _ in range(method.steps):
        loss = -nu.log_density(neurons[torch.randint(4000, (256,), generator=draws)]).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        point = nu.inverse(arc(nu(a), nu(b), 0.5))
    off = [float((p[:, 1] - p[:, 0].square()).abs().median()) for p in (start, point)]
    assert off[1] < 0.3 * off[0]


def test_the_bijection_lowers_the_loss_along_paths(
    fitted: Fitted, pool: list[Endpoint], pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    """On a pair of the pool and on one outside of it: below the arc it starts from, and linear."""
    neurons = pooled(pool, problem).flatten(0, 1)
    start = initial(BIJECTION.build, neurons, problem, BIJECTION.name)
    arcs = {BIJECTION.name: dict(start.state_dict())}
    for ends, share in (((pool[0], pool[1]), 0.5), (pair, 0.9)):
        reached = mean_loss(problem, connect(BIJECTION, fitted, ends, problem))
        assert reached < share * mean_loss(problem, connect(BIJECTION, arcs, ends, problem))
        straight = mcbench.segment(ends[0].params, ends[1].params)
        assert reached < share * mean_loss(problem, straight)


@each_method
def test_gradients_flow_through_the_map_and_through_its_inverse(
    method: Any, fitted: Fitted, pool: list[Endpoint], problem: Problem
) -> None:
    nu = normalizing(method, fitted)
    neurons = pooled(pool, problem)[0].double()
    for term in (nu(neurons), nu.inverse(torch.ones_like(neurons))):
        grads = torch.autograd.grad(term.square().sum(), list(nu.parameters()))
        assert all(bool(g.isfinite().all()) and float(g.abs().max()) > 0 for g in grads)


def test_the_gradient_of_the_path_loss_is_the_slope_of_its_values(
    fitted: Fitted, pool: list[Endpoint], problem: Problem
) -> None:
    nu = normalizing(BIJECTION, fitted)
    a, b = ({n: x.double() for n, x in end.params.items()} for end in pool[:2])
    split = problem.splits["train"]
    batch = split.inputs[:64].double(), split.targets[:64]
    weights = list(nu.parameters())
    value = lambda: path_loss(nu, a, b, [0.3, 0.6], problem, batch)  # noqa: E731
    grads = torch.autograd.grad(value(), weights)
    norm = float(sum(g.square().sum() for g in grads)) ** 0.5
    step = 1e-5
    with torch.no_grad():
        ends = []
        for sign in (1, -2):
            for w, g in zip(weights, grads, strict=True):
                w += sign * step * g / norm
            ends.append(float(value()))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(norm, rel=1e-3)


def test_coordinates_that_do_not_vary_are_only_shifted(problem: Problem) -> None:
    neurons = torch.randn(200, 5, generator=torch.Generator().manual_seed(3))
    neurons[:, 1], neurons[:, 4] = 0.25, 0.0
    nu = initial(FLOW.build, neurons, problem, "constant")
    for weight in nu.parameters():
        torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(4))
    other = neurons.clone()
    other[:, 1] += 0.5
    with torch.no_grad():
        assert torch.allclose(nu(other) - nu(neurons), torch.tensor([0, 0.5, 0, 0, 0]), atol=1e-6)
        assert torch.allclose(nu.inverse(nu(other)), other, atol=1e-4)
        assert bool(nu.log_density(neurons).isfinite().all())
    with pytest.raises(RunError, match="0 coordinates of the pool's neurons vary"):
        initial(FLOW.build, torch.ones(20, 5), problem, "constant")


@each_method
def test_an_interrupted_fit_ends_bit_for_bit_as_another(
    method: Any,
    fitted: Fitted,
    pool: list[Endpoint],
    problem: Problem,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same seed gives the same map, whether or not the fit was killed halfway."""
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    done: list[int] = []

    class Killed(Exception):
        pass

    class Watched(Workshop):
        def report(self, step: int, steps: int, loss: float) -> None:
            done.append(step)
            if len(done) == 20:
                raise Killed

    watched = problem.bind(Watched(store, "fit"))
    with pytest.raises(Killed):
        method.fit(pool, watched)
    halfway = done[-1]
    again = method.fit(pool, watched)
    assert done[20] < halfway + 2 * max(1, method.steps // 100)
    assert equal(again, fitted[method.name])


@each_method
def test_a_loss_that_is_not_finite_is_a_run_error(
    method: Any, pool: list[Endpoint], problem: Problem
) -> None:
    sick = {n: x.clone() for n, x in pool[1].params.items()}
    sick["1.bias"][0] = torch.nan
    with pytest.raises(RunError, match="not finite") as caught:
        method.fit([pool[0], Endpoint(sick, 9, "sick")], problem)
    assert "\n" not in str(caught.value)


def test_a_fit_that_diverges_is_a_run_error(pool: list[Endpoint], problem: Problem) -> None:
    with pytest.raises(RunError, match="lower learning rate"):
        IAFFlow(steps=30, lr=1e30).fit(pool, problem)


@each_method
def test_deeper_networks_are_refused(method: Any, shared_store: Store) -> None:
    plan = Plan(architecture="mlp[widths=(8,8)]", recipe="quick[epochs=1]", seeds=(0, 1))
    experiment = Experiment(plan, shared_store)
    experiment.train()
    pair = [experiment.endpoint(0), experiment.endpoint(1)]
    for refused in (
        lambda: method.fit(pair, experiment.problem),
        lambda: method.connect(*pair, experiment.problem),
    ):
        with pytest.raises(
            StructureError, match="two affine layers, as of mlp2; this network has 3"
        ) as caught:
            refused()
        assert "\n" not in str(caught.value)


def test_no_pool_is_trained_for_a_network_that_is_refused(store: Store) -> None:
    methods = ("iaf-flow", "realnvp-bijection")
    plan = Plan(
        architecture="mlp[widths=(8,8)]",
        recipe="quick[epochs=1]",
        methods=methods,
        seeds=(0, 1),
    )
    results = Experiment(plan, store).run()
    assert len(results.failures) == 2
    assert all("this network has 3" in reason for reason in results.failures.values())
    assert len(list(store.entries("endpoints"))) == 2


def test_from_endpoints_to_tables(
    fresh_host: Host, store: Store, coarse: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the host: trains a pool of its own, fits once, connects pairs outside of it."""
    if "flow" not in fresh_host.plugins:
        fresh_host.register(Plugin("flow", "mcbench-flow", "0.1.0"), lambda: mcbench_flow)
    plan = Plan(
        architecture="mlp2[width=6]",
        recipe="quick[epochs=3]",
        methods=("iaf-flow[pool=3,steps=20]", "realnvp-bijection[pool=3,steps=20,hidden=8]"),
        seeds=(0, 1, 2),
        protocol=coarse,
        metrics=("worst-accuracy",),
    )
    fits: list[list[int]] = []
    for kind in (IAFFlow, RealNVPBijection):
        whole = kind.fit

        def counted(self: Any, pool: Any, problem: Any, whole: Any = whole) -> Any:
            fits.append([end.seed for end in pool])
            return whole(self, pool, problem)

        monkeypatch.setattr(kind, "fit", counted)
    results = Experiment(plan, store).run()
    assert not results.failures
    assert len(results.records) == 6
    assert fits == [[POOL, POOL + 1, POOL + 2]] * 2
    assert not set(plan.seeds) & set(fits[0])
    again = Experiment(plan, store).run()
    assert len(fits) == 2 and again.records == results.records


def test_importing_the_plugin_imports_neither_torch_nor_zuko() -> None:
    source = str(Path(mcbench_flow.__file__).parents[1])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import mcbench_flow;"
        "list(mcbench_flow.mcbench_methods());"
        "assert not {'torch', 'zuko'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, source], check=True)


def test_networks_of_the_pool_are_not_connected(store: Store, coarse: Protocol) -> None:
    plan = Plan(
        architecture="mlp2[width=6]",
        recipe="quick[epochs=1]",
        methods=("iaf-flow[pool=3,steps=5]",),
        seeds=(0, POOL + 2),
        protocol=coarse,
    )
    (reason,) = Experiment(plan, store).run().failures.values()
    assert "seed 1002 is in the pool that 'iaf-flow' is fitted on" in reason
