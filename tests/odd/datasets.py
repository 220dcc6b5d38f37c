"""The table of odd data sets: the suite against ten lines of plain PyTorch, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import torch
from odd.images import CASES, Tensors
from odd.refused import PATTERNS, REFUSED, REFUSED_DATA
from odd.tensors import GIVEN, Given, Regressor, regression
from torch import Tensor, nn
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


Values = tuple[float, float, float]
"""Loss on training and test data, and the test accuracy in percent."""


@dataclass(frozen=True)
class Row:
    """A row of the table: test accuracy in percent by the suite and by plain PyTorch.

    The difference is the larger one of the losses on training and test data. Where the suite
    refuses the data, suite and plain are empty, and the note is its message.
    """

    name: str
    suite: float | None
    plain: float | None
    difference: float
    note: str


def plain_values(data: Tensors) -> Values:
    """Ten lines of plain PyTorch."""
    x, y, u, v = data
    torch.manual_seed(derive(0, "init"))
    hidden = nn.Linear(x[0].numel(), WIDTH)
    net = nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), nn.Linear(WIDTH, len(y.unique())))
    _fit(net, cross_entropy, data)
    with torch.no_grad():
        accuracy = 100 * float((net(u).argmax(1) == v).double().mean())
        return float(cross_entropy(net(x), y)), float(cross_entropy(net(u), v)), accuracy


def _fit(net: nn.Module, loss: Callable[..., Tensor], data: Tensors) -> None:
    x, y = data[:2]
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=generator(0, "order", epoch)).split(64):
            sgd.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            sgd.step()


def suite_values(
    dataset: str, folder: Path, more: str = "", architecture: str = f"mlp2[width={WIDTH}]"
) -> Values:
    """The same numbers by the suite, with a store beside the folder; no accuracy is NaN."""
    plan = Plan(dataset=dataset, architecture=architecture, recipe=RECIPE.format(more))
    experiment = Experiment(plan, Store(folder.parent / "store"), folder, "cpu")
    experiment.train([0])
    values = measure(experiment.endpoint(0).params, experiment.problem, Protocol())
    loss: dict[str, float] = values["loss"]
    return loss["train"], loss["test"], values["accuracy"].get("test", nan)


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
    suite, plain = suite_values(case.dataset, folder, case.more), plain_values(case.plain)
    return Row(name, suite[2], plain[2], _difference(suite, plain), case.note)


def measured_regression(folder: Path) -> Row:
    """The row of a regression: the explained share of the variance instead of accuracies."""
    suite = suite_values("regression", folder, "", "regressor")
    x, y, u, v = data = regression()
    torch.manual_seed(derive(0, "init"))
    net = nn.Sequential(nn.Linear(x.shape[1], 1), nn.Flatten(0))
    _fit(net, mse_loss, data)
    with torch.no_grad():
        plain = float(mse_loss(net(x), y)), float(mse_loss(net(u), v))
    explained = [100 * (1 - loss / float(v.var(correction=0))) for loss in (suite[1], plain[1])]
    note = "data and network say that the output is the loss; the inputs hold the target"
    name = "a regression (explained variance)"
    return Row(name, *explained, _difference(suite, plain), note)


def _difference(suite: Sequence[float], plain: Sequence[float]) -> float:
    """The larger difference of two losses."""
    return max(abs(x - y) for x, y in zip(suite[:2], plain[:2], strict=True))


def refused(name: str, dataset: str, folder: Path) -> Row:
    """The row of a data set that the suite refuses.

    Raises:
        AssertionError: If it does not.
    """
    try:
        values = suite_values(dataset, folder)
    except McbenchError as error:
        return Row(name, None, None, 0.0, str(error).replace(str(folder), "DIR"))
    raise AssertionError(f"{name}: not refused, {values}")


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


def table(rows: Sequence[Row]) -> str:
    """The tables of data sets that are read and of those that are refused, in Markdown."""
    read = [r for r in rows if r.suite is not None]
    lines = [
        f"## {len(read)} data sets that are read\n",
        f"The largest difference of all losses is {_bound(max(r.difference for r in read))}.\n",
        "| odd is | what is read | suite, % | plain PyTorch, % | difference of losses |",
        "| --- | --- | ---: | ---: | ---: |",
        *(
            f"| {r.name} | {r.note} | {r.suite:.2f} | {r.plain:.2f} | {_bound(r.difference)} |"
            for r in read
        ),
        f"\n## {len(rows) - len(read)} data sets that are refused\n",
        "| odd is | message |",
        "| --- | --- |",
        *(f"| {r.name} | {_brief(r.note)} |" for r in rows if r.suite is None),
    ]
    return "\n".join(lines)


def _bound(difference: float) -> str:
    """The power of ten that a difference is below; rounding differs between machines."""
    return f"below 1e{next(k for k in range(-6, 9) if difference < 10.0**k)}"


def _brief(message: str) -> str:
    """A message without the reasons of Pillow, which differ between its versions."""
    return re.sub("(cannot be read as an image: ).*", r"\1...", message)
