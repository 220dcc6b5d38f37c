"""Content of an entry, made of the records of a leaderboard in a store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcbench.errors import RunError, UsageError, unknown
from mcbench.evaluation.shared_layers import groups
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, sha256_of, title
from mcbench.leaderboard.entry.files import write_file
from mcbench.leaderboard.table.records import Records
from mcbench.paths.params import Params, fingerprint, size
from mcbench.plugins.host import host
from mcbench.store.provenance import installed, named
from mcbench.store.store import Store

LIMIT = 256 * 2**20
"""The most bytes of points that are written without ``force``."""


def content(
    board: Board, records: Records, store: Store, name: str = "", note: str = ""
) -> dict[str, Any]:
    """Content of an entry: see `mcbench.leaderboard.entry.schema.Content`.

    Arguments:
        records: As `mcbench.leaderboard.table.records.collect` gives them.
        store: The store of the endpoints, which are described by the hash of their tensors.
        name: Who measured.
        note: One line for readers.
    """
    ordered = [one for m in board.methods for _, one in sorted(records.get(m, {}).items())]
    endpoints = {}
    for record in ordered:
        for seed, key in zip(record.pair, record.run.endpoints, strict=True):
            if key not in endpoints:
                endpoints[key] = _endpoint(seed, key, store)
    items = [
        {"key": record.key, "sha256": sha256_of(stored), "record": stored}
        for record in ordered
        for stored in [record.to_json()]
    ]
    texts = {k: getattr(board, k) for k in ("dataset", "architecture", "recipe", "to_recipe")}
    runs = map(Run.of, ordered)
    used = {name for run in runs for name in named(*run.problems, run.identity)}
    used |= {m.version.rpartition(" ")[0] for r in ordered for m in r.metrics.values()}
    return {
        "leaderboard": board.name,
        "name": name,
        "note": note,
        "problem": {k: text for k, text in texts.items() if text},
        "distributions": installed(used),
        "endpoints": endpoints,
        "records": items,
    }


def _endpoint(seed: int, key: str, store: Store) -> dict[str, Any]:
    stored = store.read_tensors("endpoints", key)
    if stored is None:
        return {"seed": seed, "sha256": None}
    params, record = stored
    origin = {str(k): record[k] for k in ("provenance", "cost") if k in record}
    return {"seed": seed, "sha256": fingerprint(params), **origin}


def with_paths(
    content: dict[str, Any], out: Path, experiment: Experiment, force: bool = False
) -> dict[str, Any]:
    """Build the paths again and write their evaluated points beside the entry ``out``.

    Raises:
        UsageError: If they take more than `LIMIT` bytes and ``force`` is not given.
        RunError: If a path cannot be built.
    """
    from safetensors.torch import save

    items = content["records"]
    records = [Record.of(item["record"]) for item in items]
    each = size(experiment.endpoint(records[0].pair[0]).params)[1]
    total = each * sum(len(record.measured.t) for record in records)
    if total > LIMIT and not force:
        raise UsageError(
            f"the points of {len(items)} paths take {total / 2**20:,.0f} MiB, more than "
            f"{LIMIT >> 20}: leave them out (paths are rebuilt to be verified), choose methods "
            "with -m, or give --force"
        )
    tensors: dict[str, Any] = {}
    described = []
    for item, record in zip(items, records, strict=True):
        points = _points(record, experiment)
        named_points = {f"{i:04d}/{n}": x for i, p in enumerate(points) for n, x in p.items()}
        tensors |= {f"{item['key']}/{name}": x for name, x in named_points.items()}
        described.append({**item, "path": fingerprint(named_points)})
    packed = save({name: x.cpu().contiguous().clone() for name, x in tensors.items()})
    write_file(Entry(out, "", {}).points, packed)
    paths = {"sha256": hashlib.sha256(packed).hexdigest(), "bytes": len(packed)}
    return {**content, "records": described, "paths": paths}


def _points(record: Record, experiment: Experiment) -> list[Params]:
    run = Run.of(record)
    if run.method not in experiment.methods:
        raise unknown("method", run.method, experiment.methods)
    try:
        with experiment.threads():
            path = experiment.connector.connect(run)
            batches = groups(path, record.measured.t, experiment.problem)
            return [dict(point) for times in batches for point in path.several(times)]
    except RunError as error:
        raise RunError(f"{title(record)}: its path cannot be built again: {error}") from None


def plan_of(board: Board, records: Sequence[Record]) -> Plan:
    """The plan of an entry's records, with the methods that are installed."""
    seeds = sorted({seed for record in records for seed in record.pair})
    installed_methods = host().names("method")
    texts = [record.method for record in records if record.run.method.name in installed_methods]
    return replace(board.plan(tuple(seeds)), methods=tuple(dict.fromkeys(filter(None, texts))))
