"""Records of a board by method and pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcbench.errors import UsageError
from mcbench.experiments.record import Record, RunFields
from mcbench.leaderboard.board.board import SEEDS, Board, identity_of, unversioned
from mcbench.leaderboard.entry.sources import Sourced, sources_of
from mcbench.store.key import canonical
from mcbench.store.store import Store

Records = dict[str, dict[tuple[int, int], Record]]
"""Records by method and pair."""


def method_finder(board: Board) -> Callable[[RunFields], str | None]:
    """A function from a record, or a failure, to the board's method that it is of.

    It gives ``None`` if the problem, the protocol or the method is none of the board's. A method
    that is not installed here is known by its text alone.
    """
    fitting = problem_filter(board)
    methods, absent = {}, set()
    for text in board.methods:
        try:
            methods[canonical(identity_of("method", text))] = text
        except UsageError:
            absent.add(text)

    def method_of(record: RunFields) -> str | None:
        if not fitting(record):
            return None
        if record.method in absent:
            return record.method
        try:
            return methods.get(canonical(unversioned("method", record.run.method.to_json())))
        except (UsageError, KeyError, TypeError, AttributeError):
            return None  # Its parameters are none that a component here could have.

    return method_of


def problem_filter(board: Board) -> Callable[[RunFields], bool]:
    """A function that says whether a record is of the board's problem and protocol."""
    signature = board.signature()

    def fitting(record: RunFields) -> bool:
        try:
            return signature_of(record) == signature
        except (UsageError, KeyError, TypeError, AttributeError):
            return False

    return fitting


def collect(board: Board, store: Store | None) -> Records:
    """All records that were computed on the board's problem under its protocol.

    Of several records for one run, a confirmed one counts, then the latest; of several runs for
    one method and pair, as with several versions of a plugin, the latest.
    """
    return records_of(board, sources_of(board, store))


def records_of(board: Board, sources: Sequence[Sourced]) -> Records:
    """The board's records among ``sources``, which are ordered as by `sources_of`."""
    method_of = method_finder(board)
    of_runs = {one.record.key: one.record for one in sources}
    records: Records = {}
    for record in sorted(of_runs.values(), key=lambda r: r.provenance.time):
        method = method_of(record)
        if method:
            records.setdefault(method, {})[record.pair] = record
    return records


def signature_of(record: RunFields) -> dict[str, Any]:
    """Problem, protocol and kind of pairs of a record, as `Board.signature` gives them."""
    a, b = record.pair
    other = record.to_recipe
    return {
        **{kind: unversioned(kind, part) for kind, part in record.problem.to_json().items()},
        "to_recipe": unversioned("recipe", other.to_json()) if other else None,
        "protocol": record.run.protocol.to_json(),
        "pairs": SEEDS[a == b],
    }
