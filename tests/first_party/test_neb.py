"""Nudged elastic bands: forces, places, insertions, resumed and sharded bands, the ring."""

from __future__ import annotations

import json
from itertools import islice
from math import pi
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from mcbench_neb import NEB, AutoNEB, Band
from mcbench_neb.cycles import Cycle, read
from mcbench_neb.forces import norms, parallel, perpendicular, redistribute, tangents, units
from mcbench_neb.pivots import Pivots, insertions
from mcbench_neb.training import Training, lowest
from networks import Double, Net, linear, problem_of, untrained
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

import mcbench
from killing import Fragile, Killed
from mcbench import Endpoint, RunError, UsageError
from mcbench.cli import main
from mcbench.evaluation.ends import check_ends
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.record import Record
from mcbench.paths.params import Params, combine, equal
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

Layers = tuple[Any, ...]
HALVES = "quick[batch_size=450]"

PLAIN: Layers = (linear(64, 6), nn.Tanh, linear(6, 10))
DROPPING: Layers = (linear(64, 8), nn.ReLU, nn.Dropout, linear(8, 10))
NORMED: Layers = (linear(64, 8), lambda: nn.BatchNorm1d(8), nn.ReLU, linear(8, 10))


def carry_out(training: Training, count: int | None = None) -> None:
    """Take all steps of the cycles, or of so many of them."""
    while len(training.history) < (count or len(training.band.plan)):
        training.step()


def ring(angles: tuple[float, float], radius: float = 1.0) -> tuple[Problem, Endpoint, Endpoint]:
    """The ring, and two points of it."""
    loaded = host().get("dataset", "landscape").read(None)
    recipe = host().get("recipe", "landscape")
    problem = Problem(loaded, host().get("architecture", "ring"), recipe)
    points = radius * torch.tensor([[a, b] for a, b in _circle(angles)])
    a, b = (Endpoint({"w": point}, i, "", {}) for i, point in enumerate(points))
    return problem, a, b


def _circle(angles: tuple[float, float]) -> list[tuple[float, float]]:
    where = torch.tensor(angles, dtype=torch.float64)
    return list(zip(where.cos().tolist(), where.sin().tolist(), strict=True))


def random_rows(count: int = 7, size: int = 40) -> tuple[Tensor, Tensor]:
    """The rows of a band and their losses, in float64."""
    draws = torch.Generator().manual_seed(count)
    rows = torch.randn(count, size, generator=draws, dtype=torch.float64)
    return rows, torch.rand(count, generator=draws, dtype=torch.float64)


# Forces ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["improved", "central", "henkelman"])
def test_the_force_across_the_band_has_no_part_along_it(rule: str) -> None:
    rows, losses = random_rows()
    tangent = tangents(rows, losses, rule)
    assert torch.allclose(norms(tangent), torch.ones(5, dtype=torch.float64))
    gradients = 100 * torch.randn(5, 40, dtype=torch.float64)
    force = perpendicular(gradients, tangent)
    assert float((force * tangent).sum(1).abs().max()) < 1e-6
    # What is taken off is along the tangent, so the rest is the gradient's.
    off = gradients + force
    assert torch.allclose(off, (gradients * tangent).sum(1)[:, None] * tangent)


def test_tangents_at_slopes_and_extrema() -> None:
    rows = torch.tensor([[0.0, 0], [1, 0], [1, 2], [4, 2]], dtype=torch.float64)
    right, up = torch.tensor([1.0, 0]).double(), torch.tensor([0, 1.0]).double()
    rising = torch.tensor([0.0, 1, 2, 3]).double()
    for rule in ("improved", "henkelman"):
        assert torch.equal(tangents(rows, rising, rule), torch.stack([up, right]))
        assert torch.equal(tangents(rows, -rising, rule), torch.stack([right, up]))
    assert torch.equal(tangents(rows, rising, "central"), units(rows[2:] - rows[:-2]))
    # A maximum at w_1 whose higher neighbour is w_2, and a minimum at w_2, higher on its left.
    losses = torch.tensor([0.0, 5, 1, 2]).double()
    assert torch.equal(tangents(rows, losses, "improved"), torch.stack([up, up]))
    mixed = tangents(rows, losses, "henkelman")
    ahead, behind = rows[2] - rows[1], rows[1] - rows[0]
    assert torch.allclose(mixed[0], units((5 * ahead + 4 * behind)[None])[0])
    ahead, behind = rows[3] - rows[2], rows[2] - rows[1]
    assert torch.allclose(mixed[1], units((1 * ahead + 4 * behind)[None])[0])
    flat = torch.zeros(4).double()
    assert torch.equal(tangents(rows, flat, "henkelman"), torch.stack([right, up]))


def test_pivots_that_lie_on_each_other_have_finite_forces() -> None:
    rows = torch.zeros(4, 3, dtype=torch.float64)
    losses, shares = torch.zeros(4).double(), torch.full((3,), 1 / 3).double()
    for rule in ("improved", "central", "henkelman"):
        assert torch.equal(tangents(rows, losses, rule), torch.zeros(2, 3).double())
    assert torch.equal(redistribute(rows, shares, 3), rows)


def test_springs_pull_to_equal_distances() -> None:
    """The slides' formula; the pull is 0 where lengths are as the shares say."""
    rows, _ = random_rows(5)
    lengths = norms(rows.diff(dim=0))
    equal_shares = torch.full((4,), 0.25, dtype=torch.float64)
    assert torch.allclose(parallel(rows, equal_shares, 3.0), 3 * (lengths[1:] - lengths[:-1]))
    assert torch.allclose(parallel(rows, lengths / lengths.sum(), 3.0), torch.zeros(3).double())


def test_redistributed_pivots_have_their_shares() -> None:
    line = torch.linspace(0, 1, 6, dtype=torch.float64)[:, None] ** 3 * torch.ones(1, 4)
    shares = torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15], dtype=torch.float64)
    moved = redistribute(line, shares, 4)
    assert torch.allclose(norms(moved.diff(dim=0)), 2 * shares)
    assert torch.equal(moved[0], line[0]) and torch.equal(moved[-1], line[-1])
    assert torch.allclose(redistribute(moved, shares, 4), moved)
    # On a band that bends, places are measured along the old band: here twice a corner is cut.
    bent, _ = random_rows(6)
    even = torch.full((5,), 0.2, dtype=torch.float64)
    moved = redistribute(bent, even, 40)
    position = norms(bent.diff(dim=0)).cumsum(0)
    for i, pivot in enumerate(moved[1:-1], start=1):
        at = i / 5 * position[-1]
        line_index = int((position < at).sum())
        start = position[line_index - 1] if line_index else 0.0
        assert norms((pivot - bent[line_index])[None]) == pytest.approx(float(at - start))
    assert norms(moved.diff(dim=0)).sum() <= position[-1]


# Insertions --------------------------------------------------------------------------------


def profile(*lines: dict[int, float], ends: tuple[float, ...]) -> Tensor:
    """Losses on lines: linear between their ends but for what is given by the point's number."""
    rows = []
    for start, stop, bumps in zip(ends[:-1], ends[1:], lines, strict=True):
        row = torch.linspace(start, stop, 11, dtype=torch.float64)
        for point, height in bumps.items():
            row[point] += height
        rows.append(row)
    return torch.stack(rows)


def test_pivots_are_inserted_where_the_loss_departs_most() -> None:
    ends = (0.0, 1.0, 1.0, 0.0)
    bumped = profile({3: 0.5}, {7: 0.9, 2: 0.4}, {5: 0.1}, ends=ends)
    assert insertions(bumped, 0.2, 2) == [(1, pytest.approx(0.7)), (0, pytest.approx(0.3))]
    assert insertions(bumped, 0.2, 1) == [(1, pytest.approx(0.7))]
    assert insertions(bumped, 0.04, 9) == [
        (2, pytest.approx(0.5)), (1, pytest.approx(0.7)), (0, pytest.approx(0.3))
    ]  # fmt: skip
    assert insertions(bumped, 0.6, 9) == []  # 0.9 of a range of 1.9.
    dipping = profile({4: -0.9}, {}, {}, ends=ends)
    assert insertions(dipping, 0.1, 9) == []
    assert insertions(profile({}, ends=(0.5, 0.5)), 0.0, 9) == []


def test_inserted_pivots_keep_their_places() -> None:
    problem, a, b = ring((0.0, 2.0))
    pivots = Pivots(AutoNEB(pivots=2, noise=0.0), a.params, b.params, problem)
    before = pivots.rows
    pivots.insert([(2, 0.5), (0, 0.3)])
    assert torch.allclose(pivots.shares, torch.tensor([0.3, 0.7, 1, 0.5, 0.5]).double() / 3)
    assert torch.equal(pivots.rows[[0, 2, 3, 5]], before)
    assert torch.allclose(pivots.rows[1], torch.lerp(before[0], before[1], 0.3))
    pivots.place()
    assert torch.allclose(pivots.rows[[0, 2, 3, 5]], before, atol=1e-6)
    assert pivots.velocity.shape == (4, 2) and not pivots.velocity.any()


def test_cycles_are_read_as_they_are_written() -> None:
    paper = read(("4*1000", "2*2000", "4*1000@0.1", "4*1000@0.01"))
    assert [c.steps for c in paper] == [1000] * 4 + [2000] * 2 + [1000] * 8
    assert [c.factor for c in paper] == [1.0] * 6 + [0.1] * 4 + [0.01] * 4
    assert read(("7@1e-3",)) == (Cycle(7, 1e-3),)
    for wrong in ("x", "0", "3*0", "0*3", "5@0", "5@-1", "5@", "*5", "5*", ""):
        with pytest.raises(UsageError, match="STEPS"):
            read((wrong,))
    with pytest.raises(UsageError, match="at least one"):
        AutoNEB(cycles=())
    assert lowest([{"maximum": 3.0}, {"maximum": 1.0}, {"maximum": 2.0}]) == 1
    assert lowest([{"maximum": 1.0}, {"maximum": 1.0}]) == 1


# The ring ----------------------------------------------------------------------------------

BANDS = [
    NEB(steps=400),
    NEB(steps=400, springs="force", k=4.0, lr=0.05),
    AutoNEB(cycles=("4*100",), insert=4),
]


def highest(path: Any, problem: Problem) -> float:
    curve = evaluate(path, problem, Protocol(41, 3))
    return max(curve.loss["train"])


@pytest.mark.parametrize("band", BANDS, ids=["redistribute", "force", "autoneb"])
@pytest.mark.parametrize("angle", [2.0, pi], ids=["an arc", "opposite"])
def test_bands_find_the_arc_of_the_ring(band: Band, angle: float) -> None:
    """Also from opposite minima, whose straight line goes over the top, where nothing pushes."""
    problem, a, b = ring((0.5, 0.5 + angle))
    path = band.connect(a, b, problem)
    check_ends(path, a.params, b.params, problem)
    assert path(0.0) is a.params and path(1.0) is b.params
    # A chord is lower than the circle by up to sin(w / 4)^4, w its angle.
    assert highest(path, problem) < 5e-4
    assert path.length(0, 1) == pytest.approx(angle, rel=0.01)
    assert "stopped at the tolerance" in problem.workshop.notes


def test_without_noise_nothing_leaves_the_top() -> None:
    problem, a, b = ring((0.0, pi))
    path = NEB(steps=40, noise=0.0, pivots=3).connect(a, b, problem)
    assert highest(path, problem) > 0.9


@pytest.mark.parametrize("springs", ["redistribute", "force"])
def test_springs_keep_pivots_at_equal_distances(springs: Any) -> None:
    problem, a, b = ring((0.0, 2.5))
    band = NEB(steps=600, springs=springs, k=6.0, lr=0.05)
    training = Training(Pivots(band, a.params, b.params, problem))
    rows = training.pivots.rows
    fractions = torch.linspace(0, 1, 13)[1:-1, None] ** 2
    rows[1:-1] = rows[0] + fractions * (rows[-1] - rows[0])
    uneven = norms(rows.diff(dim=0))
    carry_out(training)
    lengths = norms(training.best.diff(dim=0))
    assert float(uneven.max() / uneven.min()) > 20
    assert float(lengths.max() / lengths.min()) < 1.01


# Steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 2, 9])
def test_a_step_is_the_formula(shared_store: Store, lanes: int) -> None:
    """Against autograd on whole networks, with momentum and weight decay, two steps."""
    problem = problem_of(shared_store, Net(Double), HALVES)
    a, b = (untrained(problem, seed).params for seed in (0, 1))
    band = NEB(pivots=3, springs="force", k=0.7, momentum=0.5, weight_decay=0.1, noise=0.0)
    pivots = Pivots(band, a, b, problem, lanes)
    trained = [n for n, _ in problem.module.named_parameters()]
    networks = [combine(a, b, 1 - i / 4, i / 4) for i in range(5)]
    train = problem.splits["train"]

    def flat(params: Params) -> Tensor:
        return torch.cat([params[n].flatten() for n in trained])

    def mean_loss(params: Params, x: Tensor, y: Tensor) -> Tensor:
        state = {n: params[n] for n in [*trained, "1.shift"]}
        return cross_entropy(functional_call(problem.module, state, (x,)), y)

    velocity = [torch.zeros(len(flat(a)), dtype=torch.float64) for _ in range(3)]
    for k in range(2):
        batches = [(train.inputs[j : j + 50], train.targets[j : j + 50])
                   for j in range(k * 150, k * 150 + 150, 50)]  # fmt: skip
        points = torch.stack([flat(n) for n in networks])
        losses = [float(mean_loss(n, train.inputs, train.targets)) for n in networks]
        gradients = []
        for i, (x, y) in enumerate(batches, start=1):
            leaves = {n: p.clone().requires_grad_(n in trained) if p.is_floating_point() else p
                      for n, p in networks[i].items()}  # fmt: skip
            loss = mean_loss(leaves, x, y)
            losses[i] = loss.item()
            loss.backward()
            gradients.append(
                torch.cat([leaves[n].grad.flatten() for n in trained]) + 0.1 * points[i]
            )
        for i, gradient in enumerate(gradients, start=1):
            ahead, behind = points[i + 1] - points[i], points[i] - points[i - 1]
            tau = ahead if losses[i + 1] > losses[i - 1] else behind
            tau = tau / tau.norm()
            force = -(gradient - gradient.dot(tau) * tau)
            force = force + 0.7 * (ahead.norm() - behind.norm()) * tau
            velocity[i - 1] = 0.5 * velocity[i - 1] + force
            moved = points[i] + 0.2 * velocity[i - 1]
            pieces = moved.split([networks[i][n].numel() for n in trained])
            for n, piece in zip(trained, pieces, strict=True):
                networks[i][n] = piece.view(networks[i][n].shape)
        measured = pivots.step(0.2, batches, torch.Generator())
        assert torch.allclose(measured, torch.tensor(losses[1:-1], dtype=torch.float64))
        for row, expected in zip(pivots.rows, networks, strict=True):
            reached = pivots.networks.unflatten(row)
            assert reached.keys() == a.keys() and int(reached["1.count"]) == 3
            for n in [*trained, "1.shift"]:
                assert torch.allclose(reached[n], expected[n], rtol=1e-10, atol=1e-12)
            assert torch.equal(reached["1.again.weight"], reached["1.below.weight"])


@pytest.mark.parametrize("layers", [PLAIN, NORMED], ids=["plain", "normed"])
def test_sharded_pivots_give_the_same_numbers(shared_store: Store, layers: Layers) -> None:
    problem = problem_of(shared_store, Net(*layers), HALVES)
    a, b = (untrained(problem, seed).params for seed in (0, 1))
    results = []
    for lanes in (None, 2, 1):
        training = Training(Pivots(NEB(pivots=5, steps=6), a, b, problem, lanes))
        assert training.networks.lanes(450, training=True) == (lanes or 5) or lanes is None
        carry_out(training)
        results.append((training.best, training.pivots.profile(), training.history[0]["across"]))
    for rows, losses, across in results[1:]:
        assert torch.allclose(rows, results[0][0], atol=1e-5)
        assert torch.allclose(losses, results[0][1], atol=1e-5)
        assert across == pytest.approx(results[0][2], rel=1e-3)
    assert not torch.equal(results[0][0][1:-1], Pivots(NEB(), a, b, problem).rows[:1])


def test_networks_that_cannot_be_batched_go_one_by_one(shared_store: Store) -> None:
    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.detach().sum().item() > 0 else -x

    for layers in (DROPPING, (linear(64, 10), Branching)):
        problem = problem_of(shared_store, Net(*layers), HALVES)
        a = untrained(problem, 0).params
        networks = mcbench.Networks(problem, problem.recipe, a, "neb")
        networks.module.train()
        assert networks.lanes(450, training=True) == 1
        NEB(pivots=2, steps=2).connect(untrained(problem, 0), untrained(problem, 1), problem)


def test_each_pivot_has_its_own_batches_and_all_samples_are_counted(shared_store: Store) -> None:
    problem = problem_of(shared_store, Net(*PLAIN), "quick[batch_size=449]")
    a, b = (untrained(problem, seed).params for seed in (0, 1))
    training = Training(Pivots(NEB(pivots=3, steps=3), a, b, problem))
    seen = [list(zip(*step, strict=True)) for step in islice(training.batches, 3)]
    inputs = [torch.cat([step[0][i] for step in seen]) for i in range(3)]
    assert not torch.equal(inputs[0], inputs[1]) and not torch.equal(inputs[1], inputs[2])
    for each in inputs:  # A pass has every sample once.
        assert torch.allclose(each.sum(0), problem.splits["train"].inputs.sum(0))
    assert problem.samples_seen == 3 * 1347


# States ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [PLAIN, DROPPING, NORMED], ids=["plain", "dropout", "normed"])
@pytest.mark.parametrize(
    "band", [NEB(pivots=3, steps=9), AutoNEB(pivots=2, cycles=("2*5",), theta=0.0)]
)
def test_a_resumed_band_ends_with_the_same_numbers(
    shared_store: Store, store: Store, monkeypatch: pytest.MonkeyPatch, layers: Layers, band: Band
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    problem = problem_of(shared_store, Net(*layers), "quick[batch_size=450,augment=(flip,crop)]")
    a, b = untrained(problem, 0), untrained(problem, 1)
    before = torch.get_rng_state()
    whole = band.connect(a, b, problem)
    assert torch.equal(torch.get_rng_state(), before)
    notes, counted = problem.workshop.notes, problem.samples_seen
    seen = 0
    for last in (2, 4, 1):  # Killed three times, once in the second cycle.
        killed = Fragile(store, "key")
        killed.last = last
        view = problem.bind(killed)
        with pytest.raises(Killed):
            band.connect(a, b, view)
        seen += view.samples_seen
    resumed = Fragile(store, "key")
    view = problem.bind(resumed)
    path = band.connect(a, b, view)
    assert resumed.notes == notes
    assert resumed.saves > 1
    # The ends are measured anew, and where the norms are: nothing else is computed twice.
    seen += view.samples_seen
    assert seen <= counted + 3 * 2 * 1347 + 3 * 1347
    done = Fragile(store, "key")
    again = band.connect(a, b, problem.bind(done))
    assert done.saves == 0 and done.notes == notes
    for t in (0.0, 0.2, 0.5, 1.0):
        assert equal(whole(t), path(t)) and equal(whole(t), again(t))


def test_notes_have_the_stop_and_the_cycle() -> None:
    problem, a, b = ring((0.0, 1.0))
    NEB(steps=400).connect(a, b, problem)
    (note,) = problem.workshop.notes.items()
    assert note[0] == "stopped at the tolerance"
    assert "after 320 steps of 11 pivots" in note[1]  # Measured every 10 passes of 32 steps.
    problem = problem.bind()
    NEB(steps=5).connect(a, b, problem)
    assert list(problem.workshop.notes) == ["stopped at the step limit"]
    problem = problem.bind()
    NEB(steps=400, tolerance=0.0).connect(a, b, problem)
    assert "after 400 steps" in problem.workshop.notes["stopped at the step limit"]
    problem = problem.bind()
    AutoNEB(cycles=("3*40",)).connect(a, b, problem)
    assert "kept cycle 3 of 3" in problem.workshop.notes


def test_notes_are_stored_with_the_run_and_shown(store: Store) -> None:
    arguments = ["run", "-a", "mlp2[width=4]", "-r", "quick[epochs=1]", "-m",
                 "neb[steps=8,pivots=2]", "-m", "linear", "--endpoints", "3", "--points", "3",
                 "--refine", "0", "--metric", "length", "--home", str(store.root)]  # fmt: skip
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    assert "%, stopped at the step limit" in done.stderr
    (row,) = json.loads(done.stdout)["notes"]
    assert row["says"] == "stopped at the step limit"
    assert list(row["details"]) == ["0-1", "0-2", "1-2"]
    again = CliRunner().invoke(main, arguments)
    assert "stopped at the step limit   3 of 3" in again.stdout
    records = [store.read_record("runs", entry.key) or {} for entry in store.entries("runs")]
    assert sorted("notes" in record for record in records) == [False] * 3 + [True] * 3
    for record in records:  # As leaderboards take them.
        Record.of(record)


def test_the_best_cycle_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, a, b = ring((0.0, 2.0))
    heights = iter([0.5, 0.2, 0.4])

    def measured(pivots: Pivots) -> Tensor:
        height = next(heights)
        return torch.full((len(pivots.rows) - 1, 11), height, dtype=torch.float64)

    monkeypatch.setattr(Pivots, "profile", measured)
    training = Training(Pivots(AutoNEB(cycles=("3*5",)), a.params, b.params, problem))
    after = []
    while len(training.history) < 3:
        carry_out(training, len(training.history) + 1)
        after.append(training.pivots.rows.clone())
    assert torch.equal(training.best, after[1]) and not torch.equal(training.best, after[2])


# Networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["neb[steps=150]", "autoneb[cycles=(3*60,2*60@0.1)]", "neb[steps=300,springs=force]"]
)
def test_bands_are_far_lower_than_the_line(
    problem: Problem, pair: tuple[Endpoint, Endpoint], method: str
) -> None:
    path = host().get("method", method).connect(*pair, problem)
    check_ends(path, pair[0].params, pair[1].params, problem)
    train = problem.splits["train"]

    def worst(point: Any) -> float:
        return max(
            float(problem.loss(point(i / 24), train.inputs, train.targets)) for i in range(25)
        )

    line = worst(lambda t: combine(pair[0].params, pair[1].params, 1 - t, t))
    assert worst(path) < 0.4 * line


def test_running_statistics_are_estimated_anew(shared_store: Store) -> None:
    problem = problem_of(shared_store, Net(*NORMED), "quick[batch_size=449]")
    a, b = untrained(problem, 0), untrained(problem, 1)
    path = NEB(pivots=3, steps=4).connect(a, b, problem)
    inputs = problem.splits["train"].inputs.flatten(1)
    for t in (0.1, 0.25, 0.5, 0.9):  # Between pivots, and at two of them.
        point = path(t)
        hidden = inputs @ point["1.weight"].T + point["1.bias"]
        assert torch.allclose(point["2.running_mean"], hidden.mean(0), atol=1e-5)
        assert torch.allclose(point["2.running_var"], hidden.var(0), rtol=0.02)
    assert equal(path(0.0), a.params) and equal(path(1.0), b.params)


def test_adam_without_a_rate_and_divergence_are_errors(shared_store: Store) -> None:
    adam = problem_of(shared_store, Net(*PLAIN), "quick[optimizer=adam]")
    a, b = untrained(adam, 0), untrained(adam, 1)
    with pytest.raises(RunError, match=r"neb\[lr="):
        NEB().connect(a, b, adam)
    NEB(lr=0.1, pivots=1, steps=1).connect(a, b, adam)
    with pytest.raises(RunError, match="lower learning rate"):
        NEB(lr=1e9, steps=50).connect(a, b, problem_of(shared_store, Net(*PLAIN), HALVES))


@pytest.mark.parametrize("steps", [1, 60], ids=["in the last step", "before"])
def test_divergence_is_reported(steps: int, shared_store: Store) -> None:
    problem = problem_of(shared_store, Net(linear(64, 6), nn.ReLU, linear(6, 10)), HALVES)
    a, b = untrained(problem, 0), untrained(problem, 1)
    with pytest.raises(RunError, match=r"band diverged: .* lower learning rate .*neb\[lr="):
        NEB(pivots=2, steps=steps, lr=1e30).connect(a, b, problem)
