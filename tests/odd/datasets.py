"""The table of odd data sets: the suite against ten lines of plain PyTorch, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from odd.images import CASES, Tensors
from odd.refused import PATTERNS, REFUSED, REFUSED_DATA
from odd.tensors import GIVEN, Given, Regressor, regression
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

import mcbench
from mcbench import McbenchError, Protocol
from mcbench.evaluation.losses import measure
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.seeds import derive, generator
from mcbench.store.store import Store

EPOCHS, WIDTH = 8, 16
RECIPE = f"quick[epochs={EPOCHS},schedule=constant{{}}]"


@dataclass(frozen=True)
class Row:
    """A row of the table: test accuracy in percent by the suite and by plain PyTorch.

    Where the suite refuses the data, both are empty and the note is its message.
    """

    name: str
    suite: float | None
    plain: float | None
    difference: float
    note: str


def plain_accuracy(data: Tensors) -> float:
    """Ten lines of plain PyTorch."""
    x, y, u, v = data
    torch.manual_seed(derive(0, "init"))
    hidden = nn.Linear(x[0].numel(), WIDTH)
    net = nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), nn.Linear(WIDTH, len(y.unique())))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=generator(0, "order", epoch)).split(64):
            sgd.zero_grad()
            cross_entropy(net(x[rows]), y[rows]).backward()
            sgd.step()
    return 100 * float((net(u).argmax(1) == v).double().mean())


def suite_accuracy(dataset: str, folder: Path, more: str = "") -> float:
    """The same number by the suite, with a store beside the folder."""
    plan = Plan(dataset=dataset, architecture=f"mlp2[width={WIDTH}]", recipe=RECIPE.format(more))
    experiment = Experiment(plan, Store(folder.parent / "store"), folder, "cpu")
    experiment.train([0])
    values = measure(experiment.endpoint(0).params, experiment.problem, Protocol())
    return float(values["accuracy"]["test"])


class Plugin:
    """The data sets of tensors, those that are refused, and a network for a regression."""

    @mcbench.hookimpl
    def mcbench_datasets(self) -> Iterator[Given]:
        for name, read in (GIVEN | REFUSED_DATA).items():
            yield Given(name, read)

    @mcbench.hookimpl
    def mcbench_architectures(self) -> Iterator[Regressor]:
        yield Regressor()


def measured(name: str, folder: Path) -> Row:
    """The row of a case, whose files are written below an empty folder."""
    case = CASES[name](folder)
    suite, plain = suite_accuracy(case.dataset, folder, case.more), plain_accuracy(case.plain)
    return Row(name, suite, plain, abs(suite - plain), case.note)


def measured_regression(folder: Path) -> Row:
    """The row of a regression: mean squared errors instead of accuracies."""
    experiment = Experiment(
        Plan(dataset="regression", architecture="regressor", recipe=RECIPE.format(",lr=0.01")),
        Store(folder.parent / "store"),
        folder,
        "cpu",
    )
    experiment.train([0])
    values = measure(experiment.endpoint(0).params, experiment.problem, Protocol())
    suite, (x, y, u, v) = float(values["loss"]["test"]), regression()
    torch.manual_seed(derive(0, "init"))
    net = nn.Linear(x.shape[1], 1)
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=generator(0, "order", epoch)).split(64):
            sgd.zero_grad()
            mse_loss(net(x[rows])[:, 0], y[rows]).backward()
            sgd.step()
    plain = float(mse_loss(net(u)[:, 0], v).detach())
    note = "the output of the network is its loss; the inputs hold the target"
    return Row("a regression (mean squared error)", suite, plain, abs(suite - plain), note)


def refused(name: str, dataset: str, folder: Path) -> Row:
    """The row of a data set that the suite refuses."""
    try:
        suite = suite_accuracy(dataset, folder)
    except McbenchError as error:
        return Row(name, None, None, 0.0, str(error).replace(str(folder), "DIR"))
    raise AssertionError(f"{name}: not refused, accuracy {suite}")


def rows(folder: Path) -> Iterator[Row]:
    """All rows of the table; `Plugin` must be registered."""
    for i, name in enumerate(CASES):
        yield measured(name, folder / f"case{i}" / "data")
    yield measured_regression(folder / "regression" / "data")
    for i, (title, (make, _)) in enumerate(REFUSED.items()):
        place = folder / f"refused{i}" / "data"
        make(place / "odd")
        yield refused(title, "imagefolder[folder=odd]", place)
    for title, (name, _) in PATTERNS.items():
        yield refused(title, name, folder / name / "data")
