"""The store: whole files or none, damage found, two processes at once, results never lost."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mcbench.errors import DamagedError, UsageError
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import equal
from mcbench.store.key import key_of
from mcbench.store.store import Store, save_seconds

KEY = key_of({"some": "key"})
TENSORS = {
    "w": torch.arange(6.0).view(2, 3),
    "n": torch.tensor(3),
    "b": torch.ones(2, dtype=torch.float64),
}


def test_what_is_written_is_read(store: Store) -> None:
    store.write_tensors("endpoints", KEY, TENSORS, {"seed": 3, "x": [1.5, None, "é"]})
    found = store.read_tensors("endpoints", KEY)
    assert found is not None
    assert equal(found[0], TENSORS) and found[1] == {"seed": 3, "x": [1.5, None, "é"]}
    store.write_record("runs", KEY, {"a": float("nan"), "t": [0.1, 1 / 3]})
    assert str(store.read_record("runs", KEY)) == str({"a": float("nan"), "t": [0.1, 1 / 3]})


def test_tensors_that_share_memory_are_written_too(store: Store) -> None:
    w = torch.arange(6.0)
    store.write_tensors("partial", KEY, {"a": w, "b": w, "c": w[2:4]}, {})
    found = store.read_tensors("partial", KEY)
    assert found is not None and equal(found[0], {"a": w, "b": w, "c": w[2:4]})


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.read_record("runs", KEY) is None
    assert store.read_tensors("endpoints", KEY) is None
    assert not store.root.exists()


def test_keys_depend_on_content_alone() -> None:
    assert key_of({"a": 1, "b": (2, 3)}) == key_of({"b": [2, 3], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})
    assert len(KEY) == 32


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_files_are_found_out(store: Store, keep: int) -> None:
    store.write_tensors("endpoints", KEY, TENSORS, {})
    store.write_record("runs", KEY, {"a": 1})
    for path in store.root.rglob(f"{KEY}.*"):
        path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedError, match=r"is damaged"):
        store.read_tensors("endpoints", KEY)
    if keep != -1:  # Without its last line break, a record is whole.
        with pytest.raises(DamagedError, match=r"is damaged"):
            store.read_record("runs", KEY)


def test_every_altered_byte_is_found_out(store: Store) -> None:
    store.write_tensors("endpoints", KEY, TENSORS, {"seed": 1})
    (path,) = store.root.rglob("*.safetensors")
    whole = path.read_bytes()
    for i in range(8, len(whole), 7):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        try:
            found = store.read_tensors("endpoints", KEY)
        except DamagedError:
            continue
        # Bytes of padding carry nothing.
        assert found is not None and equal(found[0], TENSORS) and found[1] == {"seed": 1}


def test_an_altered_record_is_found_out(store: Store) -> None:
    store.write_record("runs", KEY, {"accuracy": 90.5})
    (path,) = store.root.rglob("*.json")
    path.write_text(path.read_text().replace("90.5", "99.5"))
    with pytest.raises(DamagedError, match="does not match its hash"):
        store.read_record("runs", KEY)


def test_a_store_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file")
    with pytest.raises(UsageError, match=r"cannot write to the store .* --home or MCBENCH_HOME"):
        store.write_record("runs", KEY, {})
    with pytest.raises(UsageError, match="cannot write"), store.lock(KEY):
        pass


def test_a_failing_write_leaves_the_old_file_and_no_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_record("runs", KEY, {"a": 1})

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        store.write_record("runs", KEY, {"a": 2})
    assert store.read_record("runs", KEY) == {"a": 1}
    assert [p.name for p in (store.root / "runs").iterdir()] == [f"{KEY}.json"]


def test_only_one_holds_a_key(store: Store) -> None:
    log: list[str] = []

    def hold(name: str) -> None:
        with store.lock(KEY):
            log.append(f"{name} in")
            time.sleep(0.1)
            log.append(f"{name} out")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hold, "ab"))
    assert log in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


def test_a_lock_that_is_held_is_no_garbage(store: Store) -> None:
    with store.lock(KEY):
        assert store.garbage() == []
    assert [p.name for p in store.garbage()] in ([], [f"{KEY}.lock"])


def test_how_often_to_save_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "often")
    with pytest.raises(UsageError, match="not 'often'"):
        save_seconds()


def test_garbage_is_what_no_result_needs(store: Store) -> None:
    store.write_record("runs", KEY, {})
    store.write_record("failures", KEY, {})
    store.write_tensors("partial", KEY, TENSORS, {})
    (store.root / "runs" / ".x.tmp").write_text("")
    with store.lock(KEY):
        pass
    names = {str(p.relative_to(store.root)) for p in store.garbage()}
    assert names >= {f"failures/{KEY}.json", f"partial/{KEY}.safetensors", "runs/.x.tmp"}
    assert f"runs/{KEY}.json" not in names
    assert store.garbage(age=3600) == []


PLAN = Plan(
    architecture="mlp2[width=6]",
    recipe="quick[epochs=2]",
    methods=("linear",),
    seeds=(0, 1),
    protocol=Protocol(3, 0),
)


def test_everything_is_computed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Experiment(PLAN, store).run()
    assert not first.failures and len(first.records) == 1

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("mcbench.training.training.train", never)
    monkeypatch.setattr("mcbench.experiments.runner.measure_points", never)
    again = Experiment(PLAN, store).run()
    assert again.records == first.records and again.endpoints == first.endpoints


@pytest.mark.parametrize("kind", ["endpoints", "runs", "data"])
def test_damaged_files_are_named_and_computed_again(
    store: Store, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = Experiment(PLAN, store).run()
    path = sorted((store.root / kind).iterdir())[0]
    path.write_bytes(path.read_bytes()[:-40])
    with caplog.at_level("INFO", "mcbench"):
        again = Experiment(PLAN, store).run()
    assert path.name in caplog.text and "damaged" in caplog.text
    for key, record in first.records.items():
        assert again.records[key].curve == record.curve
        assert again.records[key].metrics == record.metrics
    assert all(store.check(e) is None for e in store.entries(kind))


def test_a_metric_of_the_endpoints_alone_is_measured_once_a_pair(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcbench_wa.ensemble import WAEnsemble

    measured: list[str] = []
    measure = WAEnsemble.measure

    def counted(self: WAEnsemble, evaluation: Any, split: Any) -> float:
        measured.append(split)
        return measure(self, evaluation, split)

    monkeypatch.setattr(WAEnsemble, "measure", counted)
    plan = replace(PLAN, methods=("linear", "arc", "ot"), seeds=(0, 1, 2))
    results = Experiment(plan, store).run()
    assert len(results.records) == 9 and measured == ["train", "test"] * 3
    values = [r.metrics["wa-ensemble"].values for r in results.records.values()]
    assert values[:3] == values[3:6] == values[6:]
    assert len({str(v) for v in values[:3]}) > 1


def test_a_failed_run_is_recorded_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr("mcbench.experiments.runner.measure_points", fail)
    failed = Experiment(PLAN, store).run()
    assert failed.records == {}
    assert list(failed.failures.values()) == ["MemoryError: too large"]
    assert [e.key for e in store.entries("failures")] == list(failed.failures)
    assert list(store.entries("runs")) == []
    monkeypatch.undo()
    monkeypatch.setenv("MCBENCH_HOME", str(store.root))
    done = Experiment(PLAN, store).run()
    assert list(done.records) == list(failed.failures)
    assert list(store.entries("failures")) == []
