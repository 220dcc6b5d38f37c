"""The table of odd networks: the suite against plain PyTorch, or the line that refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import odd.stateful  # noqa: F401 (its networks add themselves)
from odd import plain
from odd.networks import CLASSES, NETWORKS, SHAPE, Odd
from torch import nn

import mcbench
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import host
from mcbench.store.store import Store

RECIPE = "quick[epochs=4,batch_size=128,schedule=constant,weight_decay=0{}]"


@dataclass(frozen=True)
class Row:
    """A row of the table: worst test accuracy in percent by the suite and by plain PyTorch.

    Where the suite refuses the network, both are empty and the note is its message.
    """

    name: str
    suite: float | None
    plain: float | None
    difference: float
    note: str


class Component:
    """An odd network as an architecture."""

    def __init__(self, network: Odd) -> None:
        self.network, self.name, self.summary = network, network.label, network.name

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        assert input_shape == SHAPE and classes == CLASSES
        return self.network.make()


class Plugin:
    """The odd networks."""

    @mcbench.hookimpl
    def mcbench_architectures(self) -> Iterator[Component]:
        yield from map(Component, NETWORKS.values())


def experiment_of(network: Odd, store: Store, *methods: str) -> Experiment:
    """Two endpoints of an odd network, and paths between them."""
    more = f",{network.recipe}" if network.recipe else ""
    recipe = RECIPE.format(more)
    for name in ("weight_decay=0,", "batch_size=128,"):  # A parameter is given once.
        key = name.partition("=")[0]
        recipe = recipe if recipe.count(key) == 1 else recipe.replace(name, "", 1)
    plan = Plan(
        architecture=network.label, recipe=recipe, methods=methods, seeds=(0, 1),
        protocol=Protocol(points=3, refine=0), metrics=("worst-accuracy",),
    )  # fmt: skip
    return Experiment(plan, store, device="cpu")


def row(network: Odd, store: Store) -> Row:
    """The row of a network; `Plugin` must be registered.

    Raises:
        AssertionError: If the suite fails in another way than by one clear line.
    """
    experiment = experiment_of(network, store, "linear")
    try:
        results = experiment.run()
    except mcbench.UsageError as error:
        return Row(network.name, None, None, 0.0, str(error))
    assert not results.failures, (network.name, results.failures)
    (record,) = results.records.values()
    theirs = [
        (record.curve.loss["train"][i], record.curve.loss["test"][i], accuracy)
        for i, accuracy in enumerate(record.curve.accuracy["test"])
    ]
    ours = plain_values(network, experiment)
    difference = max(
        abs(x - y)
        for one, other in zip(theirs, ours, strict=True)
        for x, y in zip(one[:2], other[:2], strict=True)
    )
    suite, own = (min(each[2] for each in values) for values in (theirs, ours))
    return Row(network.name, suite, own, difference, "")


def plain_values(network: Odd, experiment: Experiment) -> list[tuple[float, float, float]]:
    """The losses and accuracies of A, of the middle and of B, by plain PyTorch."""
    data, recipe = _data(), experiment.problem.recipe
    a, b = (plain.train(network.make, data, recipe, seed) for seed in (0, 1))
    between = plain.middle(network.make, a, b)
    if network.state:
        plain.renew(between, data, recipe.batch_size)
    return [plain.losses(net, data) for net in (a, between, b)]


@cache
def _data() -> plain.Data:
    """Scikit-learn's digits, from its own arrays."""
    splits = host().get("dataset", "digits").read(None)
    tensors = [(s.inputs.float() / s.scale, s.targets) for s in (splits.train, splits.test)]
    (x, y), (u, v) = tensors
    return x, y, u, v


def tables(rows: list[Row]) -> str:
    """The tables of networks that are taken and of those that are refused."""
    taken = [r for r in rows if r.suite is not None]
    lines = [
        f"## {len(taken)} networks that are taken\n",
        f"The largest difference of all losses is {bound(max(r.difference for r in taken))}.\n",
        "| odd is | suite, % | plain PyTorch, % | largest difference of losses |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {r.name} | {r.suite:.2f} | {r.plain:.2f} | {bound(r.difference)} |" for r in taken),
        f"\n## {len(rows) - len(taken)} networks that are refused\n",
        "| odd is | message |",
        "| --- | --- |",
        *(f"| {r.name} | {r.note} |" for r in rows if r.suite is None),
    ]
    return "\n".join(lines)


def insert(page: str, section: str, text: str) -> str:
    """The page with a text between the marks of a section."""
    begin, end = (f"<!-- {mark} {section} -->\n" for mark in ("begin", "end"))
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n\n{end}{after}"


def bound(difference: float) -> str:
    """A difference as the power of ten that it is below; rounding differs between machines."""
    if difference == 0:
        return "0"
    power = next(k for k in range(-6, 9) if difference < 10.0**k)
    return f"below 1e{power}"
