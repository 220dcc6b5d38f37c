"""Methods that no row of a leaderboard names: they run under its protocol and get rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from boards import mend, small

from mcbench.experiments.experiment import Experiment
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import read, write
from mcbench.leaderboard.entry.sources import add
from mcbench.leaderboard.site.material import gather
from mcbench.leaderboard.submission.check import check
from mcbench.leaderboard.submission.submission import content
from mcbench.leaderboard.table.guests import with_guests, with_methods
from mcbench.leaderboard.table.ranking import ranks_of
from mcbench.leaderboard.table.records import collect
from mcbench.leaderboard.table.table import table
from mcbench.plugins.host import host
from mcbench.store.store import Store

GUEST = "ot[end=permuted]"


@pytest.fixture
def board(tmp_path: Path, shared_store: Store) -> Board:
    """A board with an entry of a method that is on no row."""
    declared = small(tmp_path / "small")
    ran = Experiment(declared.plan((0, 1, 2), ("linear", GUEST)), shared_store).run()
    assert not ran.failures
    own = with_methods(small(tmp_path / "empty"), [GUEST])
    made = tmp_path / "theirs.json"
    write(made, content(own, {GUEST: collect(own, shared_store)[GUEST]}, shared_store, "Them"))
    entry = read(made)
    assert check(entry, declared) == []
    there, said = add(declared, entry)
    assert there is not None and not said
    return declared


def test_an_entry_brings_a_row_along(board: Board, shared_store: Store) -> None:
    joined = with_guests(board)
    assert [row.method for row in joined.rows][-2:] == [GUEST, "endpoints"]
    assert "mcbench-ot" in joined.rows[-2].note
    records = collect(joined, shared_store)
    assert len(records[GUEST]) == 3 and GUEST in ranks_of(joined, records)["test"]
    shown = {row["row"]: row for row in table(joined, records).data}
    assert shown[GUEST]["count"] == 3 and shown["Linear"]["count"] == 3
    assert GUEST in gather(board, None).records
    assert with_guests(small(board.folder or Path(), ())).rows == joined.rows


def test_own_runs_of_other_methods_are_shown_when_they_are_asked_for(
    tmp_path: Path, board: Board, shared_store: Store
) -> None:
    bare = small(tmp_path / "bare")
    assert GUEST not in collect(with_guests(bare), shared_store)
    assert len(collect(with_methods(bare, [GUEST]), shared_store)[GUEST]) == 3


def test_a_method_that_is_not_installed_here_is_shown_all_the_same(
    board: Board, tmp_path: Path
) -> None:
    (file,) = (board.folder or Path()).glob("entries/*.json")
    text = file.read_text().replace('"method":"ot[end=permuted]"', '"method":"theirs"')
    whole = json.loads(text)
    for item in whole["content"]["records"]:
        method = item["record"]["run"]["method"]
        method.update(name="theirs", parameters={})
        item["key"] = _key(item["record"]["run"])
    mend(whole)
    file.write_text(json.dumps(whole))
    assert "theirs" not in host().names("method")
    assert any("no plugin here has it" in line for line in check(read(file), board))
    joined = with_guests(board)
    records = collect(joined, None)
    assert len(records["theirs"]) == 3
    shown = {row["row"]: row for row in table(joined, records).data}
    assert shown["theirs"]["count"] == 3


def _key(run: dict[str, object]) -> str:
    from mcbench.store.key import key_of

    return key_of(run)
