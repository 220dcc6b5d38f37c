"""An entry made of your records of a leaderboard."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcbench.errors import RunError, UsageError, unknown
from mcbench.evaluation.shared_layers import groups
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.run import Run
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, sha256_of, title, write
from mcbench.leaderboard.table.standing import Records
from mcbench.paths.params import fingerprint, size
from mcbench.plugins.host import host
from mcbench.store.distribution import installed, named
from mcbench.store.store import Store, key_of

LIMIT = 256 * 2**20
"""The most bytes of points that are written unasked."""


def content(
    board: Board, records: Records, store: Store, name: str = "", note: str = ""
) -> dict[str, Any]:
    """What an entry has: see `mcbench.leaderboard.entry.schema.Content`.

    Arguments:
        records: As `mcbench.leaderboard.table.standing.collect` gives them.
        store: Where the endpoints are, which are described with the hash of their tensors.
        name: Who measured.
        note: One line for readers.
    """
    chosen = [records[m][pair] for m in board.methods if m in records for pair in
              sorted(records[m])]  # fmt: skip
    endpoints = {}
    for record in chosen:
        for seed, key in zip(record["pair"], record["run"]["endpoints"], strict=True):
            if key not in endpoints:
                endpoints[key] = _endpoint(seed, key, store)
    items = [{"key": key_of(r["run"]), "sha256": sha256_of(r), "record": r} for r in chosen]
    used = {name for r in chosen for name in named(*Run.of(r).problems, r["run"]["method"])}
    used |= {m["version"].rpartition(" ")[0] for r in chosen for m in r["metrics"].values()}
    return {
        "leaderboard": board.name,
        "name": name,
        "note": note,
        "problem": _problem(board),
        "distributions": installed(used),
        "endpoints": endpoints,
        "records": items,
    }


def _problem(board: Board) -> dict[str, str]:
    texts = {k: getattr(board, k) for k in ("dataset", "architecture", "recipe", "to_recipe")}
    return {k: text for k, text in texts.items() if text}


def _endpoint(seed: int, key: str, store: Store) -> dict[str, Any]:
    known = store.read_tensors("endpoints", key)
    if known is None:
        return {"seed": seed, "sha256": None}
    params, record = known
    made = {str(k): record[k] for k in ("provenance", "cost") if k in record}
    return {"seed": seed, "sha256": fingerprint(params), **made}


def with_paths(
    content: dict[str, Any], out: Path, experiment: Experiment, force: bool = False
) -> dict[str, Any]:
    """Build the paths again and write their evaluated points beside the entry ``out``.

    Raises:
        UsageError: If they take more than `LIMIT` bytes and it is not forced.
        RunError: If a path cannot be built.
    """
    from safetensors.torch import save

    items = content["records"]
    seed = items[0]["record"]["pair"][0]
    each = size(experiment.endpoint(seed).params)[1]
    total = each * sum(len(item["record"]["curve"]["t"]) for item in items)
    if total > LIMIT and not force:
        raise UsageError(
            f"the points of {len(items)} paths take {total / 2**20:,.0f} MiB, more than "
            f"{LIMIT >> 20}: leave them out (paths are rebuilt to be verified), choose methods "
            "with -m, or give --force"
        )
    tensors: dict[str, Any] = {}
    described = []
    for item in items:
        points = _points(item["record"], experiment)
        named_points = {f"{i:04d}/{n}": x for i, p in enumerate(points) for n, x in p.items()}
        tensors |= {f"{item['key']}/{name}": x for name, x in named_points.items()}
        described.append({**item, "path": fingerprint(named_points)})
    packed = save({name: x.cpu().contiguous().clone() for name, x in tensors.items()})
    file = Entry(out, "", {}).points
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(packed)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}") from None
    paths = {"sha256": hashlib.sha256(packed).hexdigest(), "bytes": len(packed)}
    return {**content, "records": described, "paths": paths}


def _points(record: dict[str, Any], experiment: Experiment) -> list[Any]:
    run = Run.of(record)
    if run.method not in experiment.methods:
        raise unknown("method", run.method, experiment.methods)
    try:
        with experiment.threads():
            path = experiment.connector.connect(run)
            together = groups(path, record["curve"]["t"], experiment.problem)
            return [dict(point) for group in together for point in path.several(group)]
    except RunError as error:
        raise RunError(f"{title(record)}: its path cannot be built again: {error}") from None


def _text(record: dict[str, Any]) -> str:
    """The method, if it is installed."""
    return record["method"] if record["run"]["method"]["name"] in host().names("method") else ""


def plan_of(board: Board, content: dict[str, Any]) -> Any:
    """The experiment that an entry's records are of, as far as methods are installed."""
    records = [item["record"] for item in content["records"]]
    seeds = sorted({seed for record in records for seed in record["pair"]})
    methods = tuple(dict.fromkeys(text for text in map(_text, records) if text))
    return replace(board.plan(tuple(seeds)), methods=methods)


__all__ = ["content", "plan_of", "with_paths", "write"]
