"""Peak memory of weight adjustment in a convolutional network, as the number of images grows."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import click
from common import apart, images, memory
from mcbench_wa import stream
from results import Result, report, reporting

from mcbench.methods.method import Stage
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem

COUNTS = (500, 1000, 2000)
FLAT = 1.1
"""Claimed ratio of the peak with the most images to that with the fewest."""
MIB = 2**20


def leg(count: int, channels: int, layer: int) -> tuple[Problem, Stage]:
    """The leg of a layer-wise path that keeps a layer's outputs, with the lower layers of B."""
    architecture = host().get("architecture", f"vgg16[channels={channels}]")
    task = Problem(images(count, 32, 3), architecture, host().get("recipe", "anokhin2020-vgg16"))
    a, b = (dict(task.build(seed).state_dict()) for seed in (0, 1))
    below = {name for part in task.chain.layers[: layer - 1] for name in part.entries}
    start = {name: (b if name in below else a)[name] for name in a}
    return task, Stage(layer, start, a)


def measure(count: int, channels: int, layer: int, points: int, kept: int | None) -> float:
    """Peak MiB while points of the leg are adjusted, beyond data and networks."""
    if kept is not None:
        stream.KEPT_BYTES = kept * MIB
    task, stage = leg(count, channels, layer)
    assert task.splits  # Normalised, before memory is measured.
    weight = task.chain.layers[layer - 1].weight
    Path("/proc/self/clear_refs").write_text("5")  # The peak starts anew.
    before = memory("VmRSS")
    adjust = host().get("adjustment", "wa").prepare(stage, task)
    for i in range(1, points + 1):
        adjust(stage.start | {weight: stage.start[weight] * (1 - i / 10)}, i / 10)
    return memory("VmHWM") - before


def patches(count: int, channels: int, layer: int) -> float:
    """MiB that the patches of all images take in float32, as the layer sees them."""
    task, stage = leg(2, channels, layer)
    inputs = task.splits["train"].inputs[:1]
    seen = task.chain.layers[layer].patches(task.chain.features(stage.a, inputs, layer))
    return count * prod(seen.shape) * seen.element_size() / MIB


def run(
    counts: tuple[int, ...] = COUNTS, channels: int = 32, layer: int = 7, points: int = 2,
    kept: int | None = None,
) -> list[Result]:  # fmt: skip
    """The peak for each number of images, against all patches in memory."""
    results, peaks = [], []
    title = f"adjustment memory, vgg16[channels={channels}], layer {layer}"
    if kept is not None:
        title += f", {kept:,} MiB kept"
    for count in counts:
        peaks.append(apart(measure, count, channels, layer - 1, points, kept))
        naive = patches(count, channels, layer - 1)
        results.append(
            Result(f"{title}, {count:,} images", "peak MiB; naive: computed", peaks[-1], naive)
        )
    title = f"{title}, {counts[-1]:,} / {counts[0]:,} images"
    return [*results, Result(title, "peak MiB of both", peaks[-1], peaks[0], FLAT)]


@click.command()
@click.option("--images", "counts", multiple=True, default=COUNTS, show_default=True,
              type=click.IntRange(6), help="Training images, few to many; repeat it.")  # fmt: skip
@click.option("--channels", default=32, show_default=True, type=click.IntRange(1),
              help="Channels of the network's first block.")  # fmt: skip
@click.option("--layer", default=7, show_default=True, type=click.IntRange(2, 16),
              help="The layer that is adjusted, from 1.")  # fmt: skip
@click.option("--points", default=2, show_default=True, type=click.IntRange(1),
              help="Points of the leg, adjusted one after another.")  # fmt: skip
@click.option("--kept", type=click.IntRange(0), help="MiB to keep at most of what does not "
              "change along the leg; else as the plugin has it.")  # fmt: skip
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Compare the peak memory of weight adjustment in VGG16 between numbers of images.

    OURS: on one leg of the layer-wise path between two networks with their initial weights,
    points are adjusted at all positions of seeded images of CIFAR-10's shape. The peak is the
    highest resident memory (VmHWM, Linux only) minus the resident memory before, each number of
    images in a process of its own; data and networks do not count. The first point also computes
    what all points of the leg share, which the plugin keeps up to a limit. NAIVE: what the patches
    of all images alone would take in float32, at one point. It is COMPUTED, not measured.

    The last row has the peak with the most images as OURS, that with the fewest as NAIVE: a ratio
    of 1 is memory that does not grow with the data.

    \b
    Claim: at most 1.1 times the memory for four times the images. Takes some minutes.
    Try: python benchmarks/adjustment_memory.py --channels 8
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
