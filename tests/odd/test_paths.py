"""Paths between odd networks: what is frozen stays, what is state is estimated anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
import torch
from odd.networks import NETWORKS
from odd.table import Plugin, experiment_of

import mcbench
from mcbench.experiments.experiment import Experiment
from mcbench.paths.params import equal
from mcbench.plugins.host import Plugin as Provided
from mcbench.plugins.host import host
from mcbench.store.store import Store
from mcbench.structure.neurons import Hidden

TRAINED = ("polychain[epochs=1]", "neb[pivots=1,steps=3]")


@pytest.fixture(autouse=True)
def plugin() -> Iterator[None]:
    """The odd networks as architectures."""
    host.cache_clear()
    host().register(Provided("odd", "odd", "1.0"), Plugin)
    yield
    host.cache_clear()


def run(name: str, store: Store, *methods: str, recipe: str = "") -> Experiment:
    """An experiment on an odd network, with two endpoints."""
    prepared = experiment_of(NETWORKS[name], store, *methods)
    if recipe:
        plan = replace(prepared.plan, recipe=recipe)
        prepared = Experiment(plan, store, device="cpu")
    assert not prepared.train().failures
    return prepared


def paths(prepared: Experiment) -> Iterator[mcbench.Path]:
    """The paths of all runs."""
    for run in prepared.runs([(0, 1)]):
        yield prepared.connector.connect(run)


def test_frozen_parameters_stay_as_they_are(store: Store) -> None:
    """In endpoints, on curves and bands, and in ensembles."""
    prepared = run("a frozen first layer", store, "linear", *TRAINED, "random-direction")
    a, b = (prepared.endpoint(seed).params for seed in (0, 1))
    for seed, params in enumerate((a, b)):
        assert torch.equal(params["below.weight"], prepared.problem.build(seed).below.weight)
    line, *others = paths(prepared)
    for path in others[:-1]:
        frozen, start, stop = (x["below.weight"] for x in (path(0.5), a, b))
        share = float((frozen - start).norm() / (stop - start).norm())
        assert torch.allclose(frozen, torch.lerp(start, stop, share), atol=1e-5)
        assert share == pytest.approx(
            0.5, abs=0.01
        )  # Pivots of a band are kept at equal distances.
        assert not torch.allclose(path(0.5)["above.weight"], line(0.5)["above.weight"])
    assert torch.equal(others[-1](1.0)["below.weight"], a["below.weight"])
    fge = host().get("ensemble", "fge[cycles=1,period=1]")
    for member in fge.collect(prepared.endpoint(0), prepared.problem):
        assert torch.equal(member["below.weight"], a["below.weight"])
        assert not torch.equal(member["above.weight"], a["above.weight"])


@pytest.mark.parametrize("method", ["linear", *TRAINED])
def test_spectral_norm_is_that_of_the_weight_at_every_point(method: str, store: Store) -> None:
    """Plain: divide the first weight by its largest singular value."""
    prepared = run("spectral norm", store, method, recipe="quick[epochs=5]")
    (path,) = paths(prepared)
    test = prepared.problem.splits["test"]
    for t in (0.2, 0.5, 0.9):
        point = path(t)
        weight = point["1.parametrizations.weight.original"]
        x = test.inputs.flatten(1) @ (weight / torch.linalg.matrix_norm(weight, 2)).T
        hidden = (x + point["1.bias"]).relu()
        expected = hidden @ point["3.weight"].T + point["3.bias"]
        outputs = prepared.problem.forward(point, test.inputs)
        assert float((outputs - expected).abs().max() / expected.abs().max()) < 0.02


def test_a_curve_through_networks_with_running_means_is_low(store: Store) -> None:
    """Means of other points of the curve, or of A's and B's mixture, give 59 % and less."""
    prepared = run(
        "a buffer assigned in forward", store, "polychain[epochs=15]", recipe="quick[epochs=15]"
    )
    (record,) = prepared.run().records.values()
    assert min(record.curve.accuracy["train"]) > 70


def test_a_resumed_curve_keeps_the_state_of_its_parts(store: Store) -> None:
    from mcbench_curves.training import Training

    prepared = run("a buffer assigned in forward", store)
    a, b = (prepared.endpoint(seed).params for seed in (0, 1))
    curve = host().get("method", "polychain[epochs=2]")
    whole, first, second = (Training(curve, a, b, prepared.problem) for _ in range(3))
    whole.step()
    first.step()
    second.init({n: x.clone() for n, x in first.tensors().items()}, first.record)
    whole.step()
    second.step()
    assert equal(whole.tensors(), second.tensors())


def test_neurons_of_flattened_rows_are_matched(store: Store) -> None:
    """Each owns eight columns of the layer above: the end is a permutation of B."""
    name, methods = "neurons on the last of three axes", ("ot", "ot[end=permuted]", "ot-wa")
    prepared = run(name, store, *methods, recipe="quick")
    chain, b = prepared.problem.chain, prepared.endpoint(1).params
    hidden = Hidden.of(chain, b, 0)
    assert chain.layers[1].outer == 8 and hidden.block == 8
    weight = b["3.weight"].view(10, 8, 16)
    assert torch.equal(hidden.out_weights(b)[3], weight[:, :, 3].T.flatten())
    assert prod(hidden.columns.shape) == 128 and hidden.columns[3].tolist()[:2] == [3, 19]
    results = prepared.run()
    assert not results.failures
    for record in results.records.values():
        assert min(record.curve.accuracy["test"]) > 90, record.method


def test_a_plan_for_a_network_with_a_layer_of_two_names_runs_all(store: Store) -> None:
    """Its tensors have several names, of which paths may have different values."""
    prepared = run("a layer of two names", store, "linear", *TRAINED)
    before = type(prepared.problem.module.below.weight)
    assert not prepared.run().failures
    assert type(prepared.problem.module.below.weight) is before is torch.nn.Parameter


def test_a_plan_with_a_checkpoint_resumes_assigned_buffers(tmp_path: Path) -> None:
    """A training that goes on from a checkpoint gives the network of one that does not stop."""
    from mcbench.store.checkpoint import Workshop
    from mcbench.training.training import train

    kept = []

    class Kept(Workshop):
        due = True

        def save(self, tensors: object, record: object, final: bool = False) -> None:
            kept.append(({n: x.clone() for n, x in tensors.items()}, dict(record)))

    prepared = experiment_of(NETWORKS["a norm of its own"], Store(tmp_path / "other"))
    (whole,) = train(prepared.problem, {0: Kept()})
    tensors, record = kept[0]
    record = {"epoch": record["epoch"], "losses": record["losses"][: record["epoch"]]}

    class Resumed(Workshop):
        def load(self) -> object:
            return tensors, record

    (resumed,) = train(prepared.problem, {0: Resumed()})
    assert equal(whole.params, resumed.params)
