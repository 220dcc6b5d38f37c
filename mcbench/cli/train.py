"""``mcbench train``: train and store endpoints."""

from __future__ import annotations

from typing import Any

import click

from mcbench.cli import options


@click.command("train")
@options.problem
@options.formats
def command(style: str, **rest: Any) -> None:
    """Train the endpoints that the store does not have yet.

    \b
      mcbench train -d mnist -a 'mlp2[width=2000]' --endpoints 10
      mcbench train -r 'quick[epochs=200,lr=0.05]' --seed 7 --seed 8

    A training that was killed goes on from its last checkpoint; one that diverges is named and
    does not stop the others.

    Exit code 0: all done; 1: a training failed; 2: wrong usage.
    """
    from mcbench.cli.progress import progress
    from mcbench.evaluation.losses import measure
    from mcbench.evaluation.protocol import Protocol
    from mcbench.experiments.run import endpoint_key
    from mcbench.problem.problem import SPLITS
    from mcbench.report.tables import Table
    from mcbench.report.untrained import chance

    experiment = options.open_experiment(rest)
    with progress():
        results = experiment.train()
    data, lines = experiment.problem.data, list[str]()
    quantity, unit, digits = ("accuracy", " (%)", 2) if data.classes else ("loss", "", 4)
    heads = {split: f"{split} {quantity}{unit}" for split in SPLITS}
    table = Table("endpoints", "Endpoints", ["seed", *heads.values(), "seconds", "key"])
    for seed, record in results.endpoints.items():
        params = experiment.endpoint(seed).params
        measured = measure(params, experiment.problem, Protocol())
        values = measured[quantity]
        if reason := chance(measured["accuracy"], measured["loss"]["train"], data):
            lines.append(f"Seed {seed} learned nothing: {reason}.")
        seconds = record["cost"]["seconds"]
        key = endpoint_key(experiment.problem.identity, seed)
        cells = {heads[split]: f"{value:.{digits}f}" for split, value in values.items()}
        cells |= {"seed": str(seed), "seconds": f"{seconds:.1f}", "key": key}
        table.add(cells, {"seed": seed, **values, "seconds": seconds, "key": key})
    table.note = "\n".join(lines)
    if table.rows:
        options.show_tables([table], style)
    options.finish(results, f"Endpoints are stored in {experiment.store.root}")
