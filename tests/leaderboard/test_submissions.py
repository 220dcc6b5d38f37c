"""Entries: what is packed, and what is refused of strangers' files."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boards import follow, mend, register, small

import mcbench
from mcbench.experiments.experiment import Experiment
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import LIMIT, Entry, read, sha256_of, write
from mcbench.leaderboard.submission import submission
from mcbench.leaderboard.submission.check import check
from mcbench.leaderboard.table.records import collect
from mcbench.paths.params import fingerprint
from mcbench.plugins.host import Host
from mcbench.store.key import key_of
from mcbench.store.provenance import installed, named
from mcbench.store.store import Store
from programs import run


@pytest.fixture
def board(tmp_path: Path, fresh_host: Host) -> Iterator[Board]:
    board = small(tmp_path / "small")
    register(fresh_host, board)
    yield board


@pytest.fixture(scope="session")
def packed(shared_store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An entry of two methods on three pairs, as a file has it."""
    board = small(tmp_path_factory.mktemp("packed"))
    Experiment(board.plan((0, 1, 2), ("linear", "ot")), shared_store).run()
    records = collect(board, shared_store)
    whole = {"schema": 1, "content": submission.content(board, records, shared_store, "me")}
    return {**whole, "sha256": sha256_of(whole["content"])}


@pytest.fixture
def whole(packed: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(packed)


@pytest.fixture
def home(shared_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))


def test_an_entry_has_all_that_a_reader_needs(packed: dict[str, Any], shared_store: Store) -> None:
    content = packed["content"]
    assert [(i["record"]["method"], *i["record"]["pair"]) for i in content["records"]] == [
        (method, *pair) for method in ("linear", "ot") for pair in ((0, 1), (0, 2), (1, 2))
    ]
    for item in content["records"]:
        assert item["key"] == key_of(item["record"]["run"])
        assert item["record"]["provenance"]["distributions"]["mcbench"]["version"]
    for key, endpoint in content["endpoints"].items():
        known = shared_store.read_tensors("endpoints", key)
        assert known is not None and fingerprint(known[0]) == endpoint["sha256"]
    used = {"mcbench", "mcbench-linear", "mcbench-ot", "mcbench-wa"}
    assert content["distributions"] == installed(used)
    assert content["problem"]["architecture"] == "mlp2[width=16]"


def test_the_same_records_give_the_same_bytes(
    board: Board, packed: dict[str, Any], home: None, tmp_path: Path
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        result = run("leaderboard", "submit", "small", "-o", str(file), "--name", "me")
        assert result.exit_code == 0, result.output
    assert files[0].read_bytes() == files[1].read_bytes()
    assert json.loads(files[0].read_text()) == packed
    assert read(files[0]).content == packed["content"]
    assert run("leaderboard", "check", *map(str, files)).stdout.count("keep to its protocol") == 2


def test_a_part_is_submitted_and_an_unknown_method_refused(
    board: Board, packed: dict[str, Any], home: None, tmp_path: Path
) -> None:
    file = tmp_path / "ot.json"
    assert run("leaderboard", "submit", "small", "-o", str(file), "-m", "ot").exit_code == 0
    assert {item.record.method for item in read(file).records} == {"ot"}
    result = run("leaderboard", "submit", "small", "-m", "liner")
    assert result.exit_code == 2 and "did you mean 'linear'" in result.stderr


def test_a_distributions_hash_is_of_its_code(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "packaged").mkdir()
    code = tmp_path / "sub" / "packaged" / "__init__.py"
    info = tmp_path / "sub" / "packaged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mcbench]\npackaged = packaged\n")
    monkeypatch.syspath_prepend(str(tmp_path / "sub"))
    from mcbench.store import provenance

    def digest(text: str) -> str:
        provenance._installed.cache_clear()
        code.write_text(text)
        return installed(["packaged", "not-there"])["packaged"]["sha256"]

    first = digest("a = 1")
    (code.parent / "__pycache__").mkdir()
    (code.parent / "__pycache__" / "x.pyc").write_text("")
    assert digest("a = 1") == first != digest("a = 2")
    assert named({"distribution": "x", "version": "1", "p": {"distribution": "y"}}) == {
        "x": "1",
        "y": "",
    }


# What is refused ---------------------------------------------------------------------------

Whole = dict[str, Any]


def record(whole: Whole, i: int = 0) -> Whole:
    found: Whole = whole["content"]["records"][i]["record"]
    return found


def put(value: Any, *place: Any) -> Callable[[Whole], None]:
    """Put a value at a place of the first record; hashes are left as they are."""

    def change(whole: Whole) -> None:
        inner: Any = record(whole)
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = value

    return change


def forged(change: Callable[[Whole], None]) -> Callable[[Whole], None]:
    """The change with the keys and all hashes made right again."""

    def both(whole: Whole) -> None:
        change(whole)
        for item in whole["content"]["records"]:
            item["key"] = key_of(item["record"]["run"])
        mend(whole)

    return both


def content(name: str, value: Any) -> Callable[[Whole], None]:
    return lambda whole: whole["content"].__setitem__(name, value)


def reversed_pair(whole: Whole) -> None:
    record(whole)["pair"].reverse()
    record(whole)["run"]["endpoints"].reverse()


def without_a_point(whole: Whole) -> None:
    curve = record(whole)["curve"]
    i = curve["grid"].index(False)
    columns = [curve["t"], curve["grid"], curve["position"], curve["square"]]
    columns += [v for n in ("loss", "accuracy", "with_start") for v in curve[n].values()]
    for column in columns:
        del column[i]
    record(whole)["cost"]["evaluations"] -= 1


def of_another_end(whole: Whole) -> None:
    record(whole)["curve"]["accuracy"]["test"][0] += 1
    follow(record(whole))


def without_accuracies(whole: Whole) -> None:
    """All that there would be, had the data no classes."""
    record(whole)["curve"].update(accuracy={}, ensembles={}, with_start={})
    record(whole)["metrics"] = {}


def deep(whole: Whole) -> None:
    inner: Any = {}
    record(whole)["run"]["method"]["parameters"]["x"] = inner
    for _ in range(40):
        inner["x"] = inner = {}


CHANGES: dict[str, tuple[Callable[[Whole], None], str]] = {
    # Altered, and the hashes left as they were.
    "number": (put(99.0, "curve", "accuracy", "test", 2), "does not match its hash"),
    "metric": (put(99.0, "metrics", "worst-accuracy", "values", "test"), "not match its hash"),
    "name of the sender": (content("name", "you"), "content does not match its hash"),
    "hash of a record": (
        lambda w: w["content"]["records"][0].update(sha256="0" * 64),
        "does not match its hash",
    ),
    "hash of the whole": (lambda w: w.update(sha256="0" * 64), "does not match its hash"),
    # Altered, and the hashes made right.
    "forged metric": (
        forged(put(99.0, "metrics", "worst-accuracy", "values", "test")),
        "its worst-accuracy test is 99, but its curve gives",
    ),
    "forged accuracy": (
        forged(put(0.0, "curve", "accuracy", "test", 2)),
        "but its curve gives",
    ),
    "forged end": (forged(of_another_end), "has another accuracy than in"),
    "forged protocol": (
        forged(put(9, "run", "protocol", "points")),
        "its protocol is another one: points is 9, not 5",
    ),
    "forged seed of the run": (
        forged(put(1, "run", "protocol", "seed")),
        "its protocol is another one: seed is 1, not 0",
    ),
    "forged problem": (
        forged(put(32, "problem", "architecture", "parameters", "width")),
        "the key of its endpoint is not that of seed 0",
    ),
    "forged method": (
        forged(lambda w: record(w).update(method="ot")),
        "its method 'ot' is not what was run",
    ),
    "forged parameters of the method": (
        forged(lambda w: (put("incoming", "run", "method", "parameters", "x")(w), None)[1]),
        "is not what was run",
    ),
    "forged key": (
        lambda w: (w["content"]["records"][0].update(key="0" * 32), mend(w))[1],
        "its key is not the hash of what was run",
    ),
    "forged seed of an endpoint": (
        forged(put([0, 2], "pair")),
        "the key of its endpoint is not that of seed 2",
    ),
    "pair the other way": (forged(reversed_pair), "the lower one first"),
    "endpoint left out": (
        forged(lambda w: w["content"]["endpoints"].popitem() and None),
        "is not among the entry's endpoints",
    ),
    "endpoint of no record": (
        forged(
            lambda w: w["content"]["endpoints"].update({"0" * 32: {"seed": 9, "sha256": None}})
        ),
        "is in no record",
    ),
    "distribution left out": (
        forged(lambda w: w["content"]["distributions"].pop("mcbench-linear") and None),
        "'mcbench-linear' is not described",
    ),
    "no version of torch": (
        forged(put("", "provenance", "packages", "torch")),
        "has no version of torch",
    ),
    "record twice": (
        forged(lambda w: w["content"]["records"].append(w["content"]["records"][0])),
        "another record of the entry has the same key",
    ),
    "other leaderboard": (forged(content("leaderboard", "smal")), "no leaderboard 'smal' here"),
    "other recipe": (
        forged(lambda w: w["content"]["problem"].update(recipe="quick")),
        "its recipe is 'quick', but the leaderboard's 'quick[epochs=15]'",
    ),
    # The curve is none.
    "time out of order": (
        forged(lambda w: record(w)["curve"]["t"].sort(reverse=True)),
        "are not in order",
    ),
    "time off the grid": (forged(put(0.01, "curve", "t", 1)), "not on the grid of 5 points"),
    "refined point left out": (forged(without_a_point), "1 rounds of refinement"),
    "list too short": (
        forged(lambda w: record(w)["curve"]["loss"]["test"].pop() and None),
        "values of loss on test",
    ),
    "position goes back": (forged(put(1e9, "curve", "position", 1)), "do not grow from 0"),
    "shorter than straight": (forged(put(1e9, "curve", "straight")), "shorter than the straight"),
    "accuracy above 100": (
        forged(put(100.5, "curve", "accuracy", "test", 2)),
        "less than or equal to 100",
    ),
    "negative length": (forged(put(-1.0, "curve", "straight")), "greater than or equal to 0"),
    "accuracies left out": (
        forged(without_accuracies),
        "its curve has no accuracies, but the leaderboard's data have classes",
    ),
    "accuracies in one place": (
        forged(put({}, "curve", "accuracy")),
        "of points or of ensembles, but not both",
    ),
    # The schema.
    "other schema": (lambda w: w.update(schema=2), "its schema is 2, not 1"),
    "schema is true": (lambda w: w.update(schema=True), "its schema is True, not 1"),
    "field too many": (
        forged(lambda w: record(w).update(extra=1)),
        "content.records.0.record.extra: Extra inputs are not permitted",
    ),
    "field missing": (forged(lambda w: record(w).pop("cost") and None), "cost: Field required"),
    "wrong type": (forged(put("98", "curve", "accuracy", "test", 2)), "valid number"),
    "true for a number": (forged(put(True, "curve", "loss", "test", 2)), "valid number"),
    "no records": (forged(content("records", [])), "at least 1 item"),
    "path of a machine": (
        forged(lambda w: w["content"].update(note="see /home/me/x")),
        "has a path of a machine",
    ),
    "way out of the folder": (forged(content("name", "../../x")), "has a path of a machine"),
    "control character": (
        forged(content("name", "a\x1b[31m")),
        r"control characters: 'a\x1b[31m'",
    ),
    "right to left": (forged(content("name", "a\u202eb")), "has control characters"),
    "lone surrogate": (forged(content("name", "\ud800")), "has control characters"),
    "long text": (forged(content("note", "x" * 2000)), "longer than 1000 characters"),
    "huge number": (forged(put(10**30, "provenance", "threads")), "the number is too large"),
    "deep": (forged(deep), "nested deeper than"),
    "paths that did not come": (
        forged(content("paths", {"sha256": "0" * 64, "bytes": 1})),
        "hashes without a file",
    ),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_what_was_altered_or_is_malformed_is_refused(
    change: Any, said: str, board: Board, whole: Whole, tmp_path: Path
) -> None:
    change(whole)
    refused(tmp_path, json.dumps(whole).encode(), said)


def refused(tmp_path: Path, content: bytes, said: str) -> None:
    """One line on standard error, exit code 1, and no verification either."""
    file = tmp_path / "theirs.json"
    file.write_bytes(content)
    for verb in ("check", "verify", "add"):
        result = run("leaderboard", verb, str(file))
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"mcbench: {file}: ") and said in line
        assert result.exit_code == 1 and result.stdout == ""
        assert line.isprintable() and len(line) < 400
    assert not (tmp_path / "theirs.verified.json").exists()


BYTES = {
    "empty": (b"", "it is no JSON"),
    "not JSON": (b"PK\x03\x04", "it is no JSON"),
    "not UTF-8": (b'{"schema": "\xff"}', "it is no JSON"),
    "a list": (b"[]", "it has no field 'schema'"),
    "null": (b"null", "it has no field 'schema'"),
    "NaN": (b'{"schema": NaN}', "NaN is no finite number"),
    "infinite": (b'{"schema": 1, "x": 1e999}', "inf is no finite number"),
    "a field twice": (b'{"schema": 1, "schema": 1}', "the field 'schema' more than once"),
    "brackets": (b"[" * 200_000, "nested too deeply"),
    "objects": (b'{"schema":' * 50_000, "nested too deeply"),
    "digits": (b'{"schema": ' + b"9" * 10_000 + b"}", "it is no JSON"),
    "nothing in it": (b'{"schema": 1}', "sha256: Field required"),
    "huge": (b" " * (LIMIT + 1), "it is larger than 64 MiB"),
}


@pytest.mark.parametrize("name", BYTES)
def test_no_bytes_are_a_traceback(name: str, board: Board, tmp_path: Path) -> None:
    refused(tmp_path, *BYTES[name])


def test_an_old_export_is_refused(board: Board, tmp_path: Path) -> None:
    refused(tmp_path, b'{"leaderboard": "small", "records": []}', "it has no field 'schema'")


@pytest.mark.parametrize("verb", ["check", "verify", "add"])
def test_a_file_that_is_not_there_is_wrong_usage(verb: str, tmp_path: Path) -> None:
    result = run("leaderboard", verb, str(tmp_path / "none.json"))
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert "cannot read" in result.stderr


@pytest.mark.slow
def test_any_field_may_be_of_any_type(board: Board, packed: Whole, tmp_path: Path) -> None:
    """Each part of an entry replaced by other kinds of value: refused or read, no traceback."""
    places: list[tuple[Any, ...]] = []

    def walk(value: Any, place: tuple[Any, ...]) -> None:
        places.append(place)
        if len(place) > 1 and place[-2:] == ("records", 1):
            return
        items = value.items() if isinstance(value, dict) else enumerate(value[:2])
        for name, inner in items:
            if isinstance(inner, dict | list):
                walk(inner, (*place, name))
            else:
                places.append((*place, name))

    packed = copy.deepcopy(packed)
    del packed["content"]["records"][1:]
    walk(packed, ())
    tried = 0
    for place in places[1:]:
        for value in ([], -1, {"name": "x"}):
            whole = copy.deepcopy(packed)
            inner: Any = whole
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = value
            if place[0] == "content":
                try:
                    mend(whole)
                except (TypeError, KeyError):
                    continue
            file = tmp_path / "theirs.json"
            file.write_text(json.dumps(whole))
            try:
                check(read(file), board)
            except mcbench.McbenchError as error:
                assert "\n" not in str(error)
            tried += 1
    assert tried > 200


def test_a_method_that_is_not_installed_is_said_not_refused(
    whole: Whole, tmp_path: Path, fresh_host: Host
) -> None:
    board = small(tmp_path / "small", (('method = "arc"', 'method = "their-way"'),))
    register(fresh_host, board)
    theirs = record(whole)
    theirs["method"] = theirs["run"]["method"]["name"] = "their-way"
    theirs["run"]["method"]["distribution"] = "mcbench-theirs"
    theirs["provenance"].pop("distributions")
    whole["content"]["distributions"]["mcbench-theirs"] = {"version": "1", "sha256": "0" * 64}
    forged(lambda w: None)(whole)
    entry = write(tmp_path / "x.json", whole["content"])
    assert check(entry, board) == [
        "method 'their-way': no plugin here has it (it is of 'mcbench-theirs')"
    ]


def test_points_come_along_up_to_a_limit(
    board: Board, packed: Whole, home: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["leaderboard", "submit", "small", "-m", "linear", "--with-paths", "-o"]
    file = tmp_path / "x.json"
    monkeypatch.setattr(submission, "LIMIT", 1000)
    result = run(*arguments, str(file))
    assert result.exit_code == 2 and "MiB, more than" in result.stderr and not file.exists()
    assert run(*arguments, str(file), "--force").exit_code == 0
    first = Entry(file, "", {}).points.read_bytes()
    assert run(*arguments, str(file), "--force").exit_code == 0
    assert Entry(file, "", {}).points.read_bytes() == first
    described = read(file).content["paths"]
    assert described["bytes"] == len(first)


def test_nothing_to_submit_is_wrong_usage(board: Board) -> None:
    result = run("leaderboard", "submit", "small")
    assert result.exit_code == 2 and "no run of 'small' is stored" in result.stderr


def test_an_endpoint_that_is_gone_has_no_hash(
    board: Board, packed: Whole, shared_store: Store, store: Store
) -> None:
    records = collect(replace(board, folder=None), shared_store)
    content = submission.content(board, records, store)
    assert [e["sha256"] for e in content["endpoints"].values()] == [None] * 3
