"""Endpoints that learned nothing are named, and their pairs barred from ranks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import PLAN
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import CurveFields
from mcbench.report.ranking import ranking
from mcbench.report.untrained import untrained
from mcbench.store.store import Store
from programs import run

METHODS = ("linear", "ot-wa", "arc")


@pytest.fixture(scope="module")
def connected(shared_store: Store) -> tuple[Experiment, Results]:
    """Three methods on the pairs of four endpoints."""
    experiment = Experiment(replace(PLAN, methods=METHODS, seeds=(0, 1, 2, 3)), shared_store)
    return experiment, experiment.run()


def altered(results: Results, seed: int, **values: Any) -> Results:
    """The results as if an endpoint had other values: ``accuracy=..., loss=...`` by split."""
    records = {}
    for key, record in results.records.items():
        curve = record.curve
        for side, one in zip((0, -1), record.pair, strict=True):
            for name, by_split in values.items() if one == seed else ():
                for split, value in by_split.items():
                    getattr(curve, name)[split][side] = value
        fields = CurveFields.of(curve.to_dict())
        records[key] = record.model_copy(update={"measured": fields})
    return replace(results, records=records)


def test_trained_endpoints_are_not_named(connected: tuple[Experiment, Results]) -> None:
    experiment, results = connected
    assert untrained(results, experiment.problem.data) == []


def test_a_constant_output_is_named(connected: tuple[Experiment, Results]) -> None:
    """The accuracy of a constant output is the share of a class, and its loss is log C."""
    experiment, results = connected
    targets = experiment.problem.data.test.targets
    share = 100 * float((targets == targets.mode().values).double().mean())
    flat = altered(results, 2, accuracy={"test": share})
    (one,) = untrained(flat, experiment.problem.data)
    assert one.name == "seed 2" and one.key == experiment.endpoint(2).key
    assert f"its test accuracy, {share:.2f}%, is not above the {share:.2f}%" in one.reason
    better = altered(results, 2, accuracy={"test": share + 5})
    assert untrained(better, experiment.problem.data) == []
    equal = float(torch.nn.functional.cross_entropy(torch.zeros(1, 10), torch.zeros(1).long()))
    lossy = altered(results, 2, loss={"train": equal + 1e-6})
    (one,) = untrained(lossy, experiment.problem.data)
    assert f"its training loss, {equal:.4f}, is not below the {equal:.4f}" in one.reason


def test_pairs_with_them_do_not_count_for_ranks(connected: tuple[Experiment, Results]) -> None:
    experiment, results = connected
    flat = altered(results, 3, accuracy={"test": 5.0})
    part = replace(PLAN, methods=METHODS, seeds=(0, 1, 2))
    kept = {k: r for k, r in results.records.items() if 3 not in r.pair}
    runs = [one for one in results.runs if 3 not in one.pair]
    alone = ranking(Experiment(part, experiment.store), replace(results, records=kept, runs=runs))
    barred, counted = ranking(experiment, flat), ranking(experiment, flat, rank_untrained=True)
    ranks = [{row["method"]: row.get("rank") for row in t.rows} for t in (barred, alone, counted)]
    assert ranks[0] == ranks[1] and ranks[0]["ot-wa"]
    assert "seed 3 learned nothing: its test accuracy, 5.00%" in barred.note
    assert "--rank-untrained" in barred.note and "--rank-untrained" not in counted.note


def test_without_any_other_pair_there_are_no_ranks(tmp_path: Path, shared_store: Store) -> None:
    words = ("-m", "linear", "-m", "arc", "-a", PLAN.architecture, "-r", "quick[epochs=1,lr=1e-9]",
             "--endpoints", "3", "--points", "3", "--home", str(shared_store.root))  # fmt: skip
    done = run("run", *words)
    assert done.exit_code == 0, done.output
    assert done.stdout.count(" learned nothing: its train accuracy") == 3
    assert "the places a method may have" not in done.stdout
    for verb in (("plot", "-o", str(tmp_path / "plot")), ("explore", "-m", "linear")):
        methods = ("-m", "linear") if verb[0] == "plot" else ()
        other = run(*verb, *methods, *words[4:])
        assert other.stderr.count(" learned nothing: its train accuracy") == 3, other.output
    trained = run("train", *words[4:8], "--endpoints", "3", "--home", str(shared_store.root))
    assert trained.stdout.count(" learned nothing: its train accuracy") == 3, trained.output
    asked = run("run", *words, "--rank-untrained").stdout
    assert "the places a method may have" in asked and " learned nothing: " in asked
