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

    experiment = options.open_experiment(rest)
    with progress():
        results = experiment.train()
    classes = experiment.problem.data.classes
    quantity = "accuracy (%)" if classes else "loss"
    table = Table(
        "endpoints",
        "Endpoints",
        ["seed", *(f"{split} {quantity}" for split in SPLITS), "seconds", "key"],
    )
    for seed, record in results.endpoints.items():
        endpoint = experiment.endpoint(seed)
        measured = measure(endpoint.params, experiment.problem, Protocol())
        values = measured["accuracy" if classes else "loss"]
        seconds = record["cost"]["seconds"]
        key = endpoint_key(experiment.problem.identity, seed)
        cells = [
            str(seed),
            *(f"{values[split]:.{2 if classes else 4}f}" for split in SPLITS),
            f"{seconds:.1f}",
            key,
        ]
        table.add(
            dict(zip(table.columns, cells, strict=True)),
            {"seed": seed, **values, "seconds": seconds, "key": key},
        )
    if table.rows:
        options.show_tables([table], style)
    options.finish(results, f"Endpoints are stored in {experiment.store.root}")
