"""Training: reproducible, resumable, the same in company and alone; divergence is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from networks import Net, problem_of

from mcbench import UsageError
from mcbench.paths.params import Params, equal, finite
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import Workshop
from mcbench.store.store import Store
from mcbench.training import training

State = tuple[Params, dict[str, Any]]


class States(Workshop):
    """All states of one training, in memory."""

    def __init__(self, *states: State) -> None:
        super().__init__()
        self.states = list(states)

    @property
    def due(self) -> bool:
        return True

    def load(self) -> State | None:
        return self.states[-1] if self.states else None

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        copies = {name: x.detach().clone() for name, x in tensors.items()}
        self.states.append((copies, json.loads(json.dumps(record))))


def trained(
    problem: Problem, seeds: list[int], checkpoints: dict[int, Workshop] | None = None
) -> dict[int, training.TrainingResult]:
    results = training.train(problem, checkpoints or dict.fromkeys(seeds, Workshop()))
    return {result.seed: result for result in results}


SMALL, LARGE = "mlp2[width=7]", "mlp2[width=4000]"


@pytest.fixture
def small(shared_store: Store) -> Problem:
    return problem_of(shared_store, SMALL, "quick[epochs=4]")


def test_a_network_trains_the_same_in_company_and_alone(small: Problem) -> None:
    together = trained(small, [0, 1, 2, 3, 4])
    for seed in (0, 3):
        alone = trained(small, [seed])[seed]
        assert equal(alone.params, together[seed].params)
    assert not equal(together[0].params, together[1].params)


def test_large_networks_train_one_by_one(shared_store: Store, small: Problem) -> None:
    assert training.trains_together(small)
    assert not training.trains_together(problem_of(shared_store, LARGE, "quick"))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("together", [True, False])
def test_a_resumed_training_ends_with_the_same_weights(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch, optimizer: str, together: bool
) -> None:
    recipe = f"quick[epochs=5,optimizer={optimizer},lr=0.01,augment=(flip,crop)]"
    problem = problem_of(shared_store, SMALL, recipe)
    if not together:
        monkeypatch.setattr(training, "TOGETHER", 0)
    first, second = States(), States()
    whole = trained(problem, [0, 1], {0: first, 1: second})
    assert [record["epoch"] for _, record in first.states] == [1, 2, 3, 4]
    # Two networks that stopped at different epochs.
    stopped: dict[int, Workshop] = {0: States(first.states[1]), 1: States(second.states[2])}
    resumed = trained(problem, [0, 1], stopped)
    for seed in (0, 1):
        assert equal(resumed[seed].params, whole[seed].params)
        assert resumed[seed].losses == whole[seed].losses


def test_batched_training_gives_what_the_plain_loop_gives(
    small: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = trained(small, [0, 1])
    monkeypatch.setattr(training, "TOGETHER", 0)
    alone = trained(small, [0, 1])
    for seed in (0, 1):
        for name, tensor in alone[seed].params.items():
            assert torch.allclose(tensor, together[seed].params[name], atol=1e-4)


def test_one_step_is_the_recipes_formula(shared_store: Store) -> None:
    """v = g + wd w; w = w - lr v, for the first step of SGD with momentum."""
    recipe = "quick[epochs=1,batch_size=1347,lr=0.05,weight_decay=0.01,schedule=constant]"
    problem = problem_of(shared_store, SMALL, recipe)
    initial = {n: x.clone().requires_grad_() for n, x in problem.build(0).state_dict().items()}
    batch = problem.splits["train"]
    problem.loss(initial, batch.inputs, batch.targets).backward()
    after = trained(problem, [0])[0].params
    for name, weight in initial.items():
        expected = weight - 0.05 * (weight.grad + 0.01 * weight)
        assert torch.allclose(after[name], expected, atol=1e-5)


def test_divergence_is_reported_for_the_seed_and_nothing_is_returned(
    shared_store: Store,
) -> None:
    problem = problem_of(shared_store, SMALL, "quick[epochs=3,lr=1e9]")
    outcomes = trained(problem, [0, 1])
    for seed, outcome in outcomes.items():
        assert outcome.params is None
        assert f"seed {seed}" in str(outcome.error) and "lower learning rate" in str(outcome.error)


def test_a_network_that_diverges_does_not_stop_the_others(
    small: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = small.build

    def sick(seed: int) -> torch.nn.Module:
        module = build(seed)
        if seed == 1:
            with torch.no_grad():
                next(module.parameters()).fill_(float("nan"))
        return module

    monkeypatch.setattr(small, "build", sick)
    outcomes = trained(small, [0, 1, 2])
    assert outcomes[1].params is None and outcomes[1].error is not None
    monkeypatch.undo()
    assert equal(outcomes[0].params, trained(small, [0])[0].params)
    assert finite(outcomes[2].params or {"none": torch.tensor(float("nan"))})


def test_training_learns(small: Problem) -> None:
    params = trained(small, [0])[0].params
    test = small.splits["test"]
    accuracy = (small.forward(params, test.inputs).argmax(1) == test.targets).double().mean()
    assert float(accuracy) > 0.7


def test_state_dicts_are_kept_whole_with_batch_norm(shared_store: Store) -> None:
    class Normed:
        name = "normed"

        def build(self, input_shape: tuple[int, ...], classes: int) -> torch.nn.Module:
            from torch import nn

            return nn.Sequential(
                nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, classes)
            )

    loaded, _ = loading.load(host().get("dataset", "digits"), None, shared_store)
    problem = Problem(loaded, Normed(), host().get("recipe", "quick[epochs=2]"))
    assert not training.trains_together(problem)
    params: Params = trained(problem, [0])[0].params
    assert list(params) == list(problem.module.state_dict())
    assert int(params["2.num_batches_tracked"]) == 2 * 22
    assert float(params["2.running_mean"].abs().sum()) > 0


def test_learning_rates_follow_the_schedule() -> None:
    """The papers' code counts epochs from 1: 15 of 30 at the full rate, 4 at a hundredth."""
    recipe = host().get("recipe", "anokhin2020-mnist")
    rates = [recipe.rate(epoch) for epoch in range(30)]
    assert rates[:15] == [0.01] * 15 and rates[15] < 0.01
    assert rates[20] == pytest.approx(0.01 * (1 - 0.99 * (0.7 - 0.5) / 0.4))
    assert rates[26:] == pytest.approx([1e-4] * 4)
    cosine = host().get("recipe", "quick[schedule=cosine,epochs=10]")
    assert cosine.rate(5) == pytest.approx(cosine.lr / 2)
    step = host().get("recipe", "quick[schedule=step,milestones=(60,120,160),factor=0.2,lr=0.05]")
    rates = [step.rate(epoch) for epoch in (0, 59, 60, 120, 160, 199)]
    assert rates == pytest.approx([0.05, 0.05, 0.01, 0.002, 0.0004, 0.0004])
    linear = host().get("recipe", "quick[schedule=linear,epochs=4,lr=1]")
    assert [linear.rate(epoch) for epoch in range(4)] == pytest.approx([1, 0.75, 0.5, 0.25])


def test_learning_rates_that_swing_change_with_every_step() -> None:
    """Restarts come after 10, 30, 70 and 150 epochs if cycles double; a cyclic rate is lowest in
    the middle of its cycle, as Garipov et al. give it step by step."""
    text = "quick[schedule=restarts,period=10,growth=2,lr=0.05,floor=1e-6,epochs=200]"
    restarts = host().get("recipe", text)
    assert [restarts.rate(e) for e in (0, 10, 30, 70, 150)] == pytest.approx([0.05] * 5)
    assert restarts.rate(29, 99, 100) == pytest.approx(1e-6, rel=0.1)
    assert restarts.rate(20) == pytest.approx((0.05 + 1e-6) / 2)
    cyclic = host().get("recipe", "quick[schedule=cyclic,period=2,lr=0.01,floor=5e-4]")
    steps, c = 5, 10
    for i in range(1, 31):
        t = ((i - 1) % c + 1) / c
        down, up = (1 - 2 * t) * 0.01 + 2 * t * 5e-4, (2 - 2 * t) * 5e-4 + (2 * t - 1) * 0.01
        rate = cyclic.rate((i - 1) // steps, (i - 1) % steps, steps)
        assert rate == pytest.approx(down if t <= 0.5 else up)


def test_training_that_stops_early_is_the_beginning_of_the_whole(shared_store: Store) -> None:
    """An iterate is what the whole training had by then: the schedule is that of the whole."""
    checkpoint = States()
    whole = problem_of(shared_store, SMALL, "quick[epochs=4]")
    trained(whole, [0], {0: checkpoint})
    part = trained(problem_of(shared_store, SMALL, "quick[epochs=4,stop=2]"), [0])[0]
    tensors, record = checkpoint.states[1]
    assert part.losses == record["losses"] and len(part.losses) == 2
    assert part.params is not None
    for name, value in part.params.items():
        assert torch.equal(value, tensors[f"network.{name}"])
    with pytest.raises(UsageError, match="stop = 5 is beyond its 4 epochs"):
        host().get("recipe", "quick[epochs=4,stop=5]")


def test_initial_weights_take_a_variance(shared_store: Store) -> None:
    plain, wide = (
        problem_of(shared_store, SMALL, recipe).build(3).state_dict()
        for recipe in ("quick", "quick[init_variance=4]")
    )
    for name, x in plain.items():
        assert torch.equal(wide[name], 2 * x if x.dim() > 1 else x)


def test_augmentation_is_seeded_and_does_what_it_says() -> None:
    from mcbench.problem.augmentation import augment
    from mcbench.seeds import generator

    images = torch.arange(200 * 3 * 8 * 8, dtype=torch.float32).view(200, 3, 8, 8) + 1
    one = augment(images, ("flip", "crop"), generator(0, "x"))
    two = augment(images, ("flip", "crop"), generator(0, "x"))
    assert torch.equal(one, two)
    assert not torch.equal(one, augment(images, ("flip", "crop"), generator(1, "x")))
    flipped = augment(images, ("flip",), generator(0, "y"))
    mirrored = [torch.equal(f, i.flip(2)) for f, i in zip(flipped, images, strict=True)]
    assert 60 < sum(mirrored) < 140
    assert all(m or torch.equal(f, i) for m, f, i in zip(mirrored, flipped, images, strict=True))
    cropped = augment(images, ("crop",), generator(0, "z"))
    shifted = torch.nn.functional.pad(images, (4, 4, 4, 4))
    assert any(torch.equal(cropped[0], shifted[0, :, i : i + 8, j : j + 8])
               for i in range(9) for j in range(9))  # fmt: skip


def test_an_error_of_the_networks_code_is_the_failure_of_its_seed(shared_store: Store) -> None:
    class Failing(torch.nn.Linear):
        steps = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.steps += self.training
            if self.steps > 30:
                raise ValueError("30 steps\nare enough")
            return super().forward(x)

    problem = problem_of(shared_store, Net(lambda: Failing(64, 10)), "quick[epochs=2]")
    error = trained(problem, [0])[0].error
    assert str(error) == "training of seed 0 failed: ValueError: 30 steps are enough"
