"""Entries are evaluated again: confirmed, different, or why neither can be said."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from boards import follow, lie, mend, register, small
from safetensors.torch import load_file, save_file

from mcbench.errors import UsageError
from mcbench.evaluation import shared_layers
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.experiments.experiment import Experiment
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import Entry, read
from mcbench.leaderboard.entry.sources import add, conflicts, of_entry, sources_of
from mcbench.leaderboard.entry.verification import verdicts_of
from mcbench.leaderboard.table.records import collect
from mcbench.leaderboard.table.table import remarks
from mcbench.paths.params import fingerprint
from mcbench.plugins.host import Host, host
from mcbench.store.store import Store
from programs import run

Whole = dict[str, Any]


@pytest.fixture
def board(tmp_path: Path, fresh_host: Host, shared_store: Store) -> Iterator[Board]:
    board = small(tmp_path / "small")
    register(fresh_host, board)
    Experiment(board.plan((0, 1, 2), ("linear", "ot")), shared_store).run()
    yield board


@pytest.fixture
def home(shared_store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    return str(shared_store.root)


@pytest.fixture
def file(board: Board, home: str, tmp_path: Path) -> Path:
    """An entry of three paths by ``linear``."""
    file = tmp_path / "x.json"
    assert run("leaderboard", "submit", "small", "-m", "linear", "-o", str(file)).exit_code == 0
    return file


@pytest.fixture
def sent(board: Board, home: str, tmp_path: Path) -> Path:
    """The same with the paths' points."""
    file = tmp_path / "sent.json"
    arguments = ["-m", "linear", "--with-paths", "-o", str(file)]
    assert run("leaderboard", "submit", "small", *arguments).exit_code == 0
    return file


def verified(file: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    result = run("leaderboard", "verify", str(file), *arguments, "--json")
    assert "Traceback" not in result.output, result.output
    return result.exit_code, json.loads(result.stdout)["verification"]


def first_differs(file: Path, said: str) -> None:
    """The entry passes the check; its first record differs, the others are confirmed."""
    assert run("leaderboard", "check", str(file)).exit_code == 0
    code, rows = verified(file)
    assert code == 1 and rows[0]["state"] == "differs" and said in rows[0]["reason"], rows[0]
    assert {row["state"] for row in rows[1:]} == {"confirmed"}


def altered(file: Path, change: Any) -> Whole:
    whole: Whole = json.loads(file.read_text())
    change(whole)
    file.write_text(json.dumps(whole))
    return whole


def test_what_is_true_is_confirmed_bit_for_bit(board: Board, home: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    run("leaderboard", "submit", "small", "-o", str(file))
    code, rows = verified(file)
    assert code == 0 and len(rows) == 6
    assert all(row["state"] == "confirmed" and row["exact"] for row in rows), rows
    entry = read(file)
    assert [row["points"] for row in rows] == [len(i.record.measured.t) for i in entry.records]
    kept = json.loads(file.with_suffix(".verified.json").read_text())
    assert kept["entry"] == entry.sha256 and kept["provenance"]["packages"]["torch"]
    assert set(kept["records"]) == {item.sha256 for item in entry.records}


def test_a_sample_of_points_is_chosen_by_the_seed(file: Path) -> None:
    code, rows = verified(file, "--points", "2", "--seed", "7")
    assert code == 0 and [row["points"] for row in rows] == [3, 3, 3]
    first = file.with_suffix(".verified.json").read_text()
    verified(file, "--points", "2", "--seed", "7")
    again = json.loads(file.with_suffix(".verified.json").read_text())
    assert again["seed"] == 7 and again["records"] == json.loads(first)["records"]


def test_a_forger_who_mends_all_hashes_passes_check_and_is_caught_by_verify(file: Path) -> None:
    altered(file, lie)
    assert run("leaderboard", "check", str(file)).exit_code == 0
    code, rows = verified(file)
    assert code == 1
    assert [row["state"] for row in rows] == ["differs", "confirmed", "confirmed"]
    assert (
        rows[0]["accuracy"] == pytest.approx(5.0) and "accuracy differs by 5" in rows[0]["reason"]
    )


def forge_loss(whole: Whole) -> None:
    record = whole["content"]["records"][0]["record"]
    for values in record["curve"]["loss"].values():
        values[1:-1] = [v * 0.98 for v in values[1:-1]]
    lie(whole, 0.0)


def forge_length(whole: Whole) -> None:
    curve = whole["content"]["records"][0]["record"]["curve"]
    curve["position"] = [x * 1.1 for x in curve["position"]]
    lie(whole, 0.0)


def forge_ensemble(whole: Whole) -> None:
    whole["content"]["records"][0]["record"]["curve"]["ensembles"]["path"]["test"] = 99.9
    lie(whole, 0.0)


def forge_with_start(whole: Whole) -> None:
    curve = whole["content"]["records"][0]["record"]["curve"]
    curve["with_start"]["test"] = [100.0 for _ in curve["t"]]
    lie(whole, 0.0)


def forge_other_metric(whole: Whole) -> None:
    metrics = whole["content"]["records"][0]["record"]["metrics"]
    metrics["wa-ensemble"]["values"]["test"] += 1.0
    mend(whole)


def forge_end(whole: Whole) -> None:
    whole["content"]["records"][0]["record"]["curve"]["end"] = "permuted"
    mend(whole)


FORGERIES = {
    "loss": (forge_loss, "loss differs by"),
    "length": (forge_length, "position differs by"),
    "ensemble": (forge_ensemble, "test ensemble of the path differs by"),
    "ensemble with A": (forge_with_start, "test ensemble with A differs by"),
    "metric of the endpoints": (forge_other_metric, "test metric wa-ensemble differs by 1"),
    "where it ends": (forge_end, "the path's end is 'permuted' in the entry, 'b' here"),
}


@pytest.mark.parametrize(("change", "said"), FORGERIES.values(), ids=FORGERIES)
def test_whatever_was_measured_is_measured_again(change: Any, said: str, file: Path) -> None:
    altered(file, change)
    first_differs(file, said)


def forge_accuracies(whole: Whole) -> None:
    """Accuracies where there are no classes, which ask for the same refined points as losses."""
    for item in whole["content"]["records"]:
        record = item["record"]
        curve = record["curve"]
        curve["accuracy"] = {s: [100 - x for x in values] for s, values in curve["loss"].items()}
        curve["with_start"] = curve["accuracy"]
        curve["ensembles"] = {name: {"train": 50.0, "test": 50.0} for name in ("ends", "path")}
        for text, entry in record["metrics"].items():
            metric = host().get("metric", text)
            if isinstance(metric, CurveMetric) and entry.pop("inapplicable", None):
                entry["values"] = dict.fromkeys(("train", "test") if metric.splits else ("",), 0.0)
        follow(record)
    mend(whole)


def test_without_classes_entries_have_losses_alone(
    store: Store, fresh_host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = small(tmp_path / "ring", (
        ('"small"', '"ring"'), ("digits", "landscape"), ("mlp2[width=16]", "ring"),
        ("quick[epochs=15]", "landscape"), ("worst-accuracy:test", "highest-loss:test"),
    ))  # fmt: skip
    register(fresh_host, board)
    monkeypatch.setenv("MCBENCH_HOME", str(store.root))
    Experiment(board.plan((0, 1, 2), ("linear",)), store).run()
    file = tmp_path / "x.json"
    assert run("leaderboard", "submit", "ring", "-m", "linear", "-o", str(file)).exit_code == 0
    assert run("leaderboard", "check", str(file)).exit_code == 0
    code, rows = verified(file)
    assert code == 0 and all(row["state"] == "confirmed" and row["exact"] for row in rows), rows
    assert len(rows) == 3 and rows[0]["loss"] == 0
    altered(file, forge_accuracies)
    for verb in ("check", "verify"):
        refused = run("leaderboard", verb, str(file))
        assert refused.exit_code == 1
        assert "has accuracies, but the leaderboard's data have no classes" in refused.stderr
    said = conflicts([*sources_of(board, store), *of_entry(read(file))])
    assert any("one of them has no accuracies" in line for line in said), said


def other_hash(whole: Whole) -> None:
    for endpoint in whole["content"]["endpoints"].values():
        endpoint["sha256"] = "0" * 64
    mend(whole)


def other_code(whole: Whole) -> None:
    record = whole["content"]["records"][0]["record"]
    record["provenance"]["distributions"]["mcbench-linear"]["sha256"] = "0" * 64
    lie(whole)


UNVERIFIABLE = {
    "endpoint of another hash": (other_hash, "is another network than the one that was submitted"),
    "plugin of other code": (other_code, "but another code of mcbench-linear is installed here"),
}


@pytest.mark.parametrize(("change", "said"), UNVERIFIABLE.values(), ids=UNVERIFIABLE)
def test_what_cannot_be_verified_says_why(change: Any, said: str, file: Path) -> None:
    altered(file, change)
    code, rows = verified(file)
    assert code == 1 and rows[0]["state"] == "cannot be verified" and said in rows[0]["reason"]


def test_missing_endpoints_are_trained_when_asked(file: Path, tmp_path: Path) -> None:
    elsewhere = ["--home", str(tmp_path / "elsewhere"), "-m", "linear"]
    code, rows = verified(file, *elsewhere)
    assert code == 1 and {row["state"] for row in rows} == {"cannot be verified"}
    assert "the endpoint of seed 0" in rows[0]["reason"] and "--train" in rows[0]["reason"]
    code, rows = verified(file, *elsewhere, "--train")
    assert code == 0 and all(row["state"] == "confirmed" for row in rows), rows


def test_another_version_of_a_plugin_cannot_verify(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mcbench.leaderboard.submission.verify.installed",
        lambda names: {name: {"version": "9.9", "sha256": "0" * 64} for name in names},
    )
    code, rows = verified(file)
    assert code == 1 and "was run with mcbench-linear 0.1.0; 9.9 is installed" in rows[0]["reason"]


def test_missing_data_are_a_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mcbench.errors import DataNotFoundError

    def missing(*_: object) -> None:
        raise DataNotFoundError("digits are not here")

    monkeypatch.setattr("mcbench.experiments.problems.loading.load", missing)
    code, rows = verified(file)
    assert code == 1 and rows[0]["reason"] == "the data are missing: digits are not here"


# Points that came along --------------------------------------------------------------------


def test_points_that_came_along_are_evaluated(sent: Path) -> None:
    code, rows = verified(sent)
    assert code == 0 and not any(row["rebuilt"] for row in rows)
    assert all(row["state"] == "confirmed" for row in rows), rows
    code, rows = verified(sent, "--rebuild")
    assert code == 0 and all(row["rebuilt"] for row in rows)


def points_of(file: Path) -> Path:
    return Entry(file, "", {}).points


def test_points_that_were_computed_together_are_so_again(
    fresh_host: Host,
    shared_store: Store,
    home: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alone they would differ by rounding, which weight adjustment makes much of."""
    monkeypatch.setattr(shared_layers, "WORTH", 1)
    changes = (
        ("mlp2[width=16]", "mlp[widths=(16,12)]"),
        ("epochs=15", "epochs=3"),
        ("endpoints = 3", "endpoints = 2"),
        ("points = 5\nrefine = 1", "points = 21\nrefine = 2"),
        ('method = "linear"', 'method = "linear-wa"'),
    )
    board = small(tmp_path / "small", changes)
    register(fresh_host, board)
    assert not Experiment(board.plan((0, 1), ("linear-wa",)), shared_store).run().failures
    file, sent = tmp_path / "x.json", tmp_path / "sent.json"
    run("leaderboard", "submit", "small", "-m", "linear-wa", "-o", str(file))
    _, [row] = verified(file)
    assert row["state"] == "confirmed" and row["exact"], row
    code, [row] = verified(file, "--points", "3", "--seed", "0")
    assert code == 0 and row["points"] == 4, row
    run("leaderboard", "submit", "small", "-m", "linear-wa", "--with-paths", "-o", str(sent))
    written = load_file(points_of(sent))
    [item] = read(sent).records
    for i, norm in enumerate(item.record.curve.square):
        point = [x for name, x in written.items() if f"/{i:04d}/" in name]
        total = float(sum(x.square().sum(dtype=torch.float64) for x in point))
        assert total == pytest.approx(norm, rel=1e-12)


def test_points_that_are_missing_or_altered_are_refused(sent: Path) -> None:
    file = points_of(sent)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    result = run("leaderboard", "verify", str(sent))
    assert result.exit_code == 1 and "does not match its hash" in result.stderr
    file.write_bytes(content[:-4])
    assert "does not have" in run("leaderboard", "check", str(sent)).stderr
    file.unlink()
    result = run("leaderboard", "verify", str(sent))
    assert result.exit_code == 1 and "cannot be read" in result.stderr


def repack(sent: Path, change: Any) -> None:
    """Alter the points and mend all hashes."""
    import hashlib

    file, whole = points_of(sent), json.loads(sent.read_text())
    tensors = load_file(file)
    change(tensors, whole["content"]["records"][0]["key"])
    save_file(tensors, file)
    content = file.read_bytes()
    whole["content"]["paths"] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    for item in whole["content"]["records"]:
        prefix = item["key"] + "/"
        own = {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}
        item["path"] = fingerprint(own)
    mend(whole)
    sent.write_text(json.dumps(whole))


def move_middle(tensors: Whole, key: str) -> None:
    for name in tensors:
        if name.startswith(f"{key}/0002/"):
            tensors[name] = tensors[name] + 0.3


def move_start(tensors: Whole, key: str) -> None:
    for name in tensors:
        if name.startswith(f"{key}/0000/"):
            tensors[name] = tensors[name] + 1e-6


def drop_one(tensors: Whole, key: str) -> None:
    del tensors[next(name for name in tensors if name.startswith(f"{key}/0001/"))]


def other_shape(tensors: Whole, key: str) -> None:
    name = next(name for name in tensors if name.startswith(f"{key}/0001/"))
    tensors[name] = torch.zeros(3)


REPACKED = {
    "a point": (move_middle, "differs by"),
    "the start": (move_start, "the path does not start at A"),
    "a tensor left out": (drop_one, "are not those that were evaluated"),
    "another shape": (other_shape, "are of another network"),
}


@pytest.mark.parametrize(("change", "said"), REPACKED.values(), ids=REPACKED)
def test_forged_points_differ(change: Any, said: str, sent: Path) -> None:
    repack(sent, change)
    first_differs(sent, said)


# Merging -----------------------------------------------------------------------------------


def test_an_entry_is_added_once_with_its_verification(board: Board, file: Path) -> None:
    verified(file)
    for _ in range(2):
        assert run("leaderboard", "add", str(file)).exit_code == 0
    assert board.folder is not None
    names = sorted(path.name for path in (board.folder / "entries").iterdir())
    assert names == ["x.json", "x.verified.json"]
    states = {one.record.key: one.state for one in sources_of(board, None)}
    assert set(states.values()) == {"confirmed"}
    assert set(states) == {item.key for item in read(file).records}
    assert len(sources_of(board, None)) == 3
    assert remarks(board, sources_of(board, None)) == ["Records: 3 confirmed"]


def test_the_same_record_of_two_entries_counts_once(
    board: Board, file: Path, tmp_path: Path, shared_store: Store
) -> None:
    add(board, read(file))
    everything = tmp_path / "all.json"
    run("leaderboard", "submit", "small", "-o", str(everything))
    assert add(board, read(everything))[1] == []
    keys = [one.sha256 for one in sources_of(board, shared_store)]
    assert len(keys) == len(set(keys)) >= 6
    assert len(collect(board, None)["linear"]) == 3


def test_conflicts_are_shown_and_the_confirmed_record_counts(
    board: Board, file: Path, tmp_path: Path
) -> None:
    true = read(file).records[0].record
    verified(file)
    run("leaderboard", "add", str(file))
    forged = tmp_path / "forged.json"
    shutil.copy(file, forged)

    def later(whole: Whole) -> None:
        whole["content"]["records"][0]["record"]["provenance"]["time"] = "2999-01-01T00:00:00Z"
        lie(whole)

    altered(forged, later)
    result = run("leaderboard", "add", str(forged))
    assert result.exit_code == 1 and "nothing was added" in result.stderr
    assert "conflict: record linear 0-1 of forged.json differs" in result.stderr
    assert "accuracy by up to 5 points" in result.stderr
    assert run("leaderboard", "add", str(forged), "--force").exit_code == 0
    (line,) = conflicts(sources_of(board, None))
    assert "of forged.json differs from that of x.json, which counts" in line
    assert collect(board, None)["linear"][0, 1] == true
    shown = run("leaderboard", "show", "small", "--home", str(tmp_path / "none"))
    assert line in " ".join(shown.stdout.split())


def test_a_record_that_differs_is_marked(board: Board, file: Path) -> None:
    altered(file, lie)
    verified(file)
    run("leaderboard", "add", str(file))
    states = Counter(one.state for one in sources_of(board, None))
    assert states == {"confirmed": 2, "differs": 1}
    said = "x.json: record linear 0-1 differs when it is evaluated again"
    assert said in remarks(board, sources_of(board, None))


def test_endpoints_that_are_other_networks_are_a_conflict(
    board: Board, file: Path, tmp_path: Path
) -> None:
    add(board, read(file))
    other = tmp_path / "other.json"
    shutil.copy(file, other)
    altered(other, other_hash)
    there, said = add(board, read(other))
    assert there is None and len(said) == 3
    assert all("in other.json is another network than in x.json" in line for line in said)


def test_a_verification_of_another_version_does_not_count(board: Board, file: Path) -> None:
    verified(file)
    altered(file, lambda whole: (whole["content"].update(name="you"), mend(whole)))
    assert verdicts_of(read(file)) == {}
    for content in ("{", "[]", '{"entry": 1}', "[" * 100_000):
        file.with_suffix(".verified.json").write_text(content)
        assert verdicts_of(read(file)) == {}


def test_a_verified_part_is_kept_with_the_next(board: Board, home: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    run("leaderboard", "submit", "small", "-o", str(file))
    verified(file, "-m", "linear", "--points", "1")
    verified(file, "-m", "ot", "--points", "1")
    assert len(verdicts_of(read(file))) == 6


def test_an_entry_cannot_leave_its_folder(board: Board, file: Path) -> None:
    odd = file.with_name("..;rm -rf ~ .json")
    file.rename(odd)
    there, _ = add(board, read(odd))
    assert there is not None and board.folder is not None
    assert there == board.folder / "entries" / "rm--rf.json"
    with pytest.raises(UsageError, match="has no folder"):
        add(replace(board, folder=None), read(odd))
