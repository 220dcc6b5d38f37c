"""Data and problems of MNIST's size, timing and memory, for all benchmarks."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mcbench.paths.params import Params
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data, Split
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import Workshop
from mcbench.store.cost import resident
from mcbench.training import training


def images(samples: int, size: int = 28, channels: int = 1) -> Data:
    """Seeded images, a sixth more of them to test: mixed patterns, two thirds of pixels black."""
    draws = torch.Generator().manual_seed(0)
    patterns = torch.randn(60, channels * size * size, generator=draws) * 20

    def split(count: int) -> Split:
        mixture = torch.randn(count, 60, generator=draws)
        pixels = (mixture @ patterns - 70).clamp(0, 255).to(torch.uint8)
        return Split(pixels.view(count, channels, size, size), mixture[:, :10].argmax(1))

    return Data(split(samples), split(samples // 6), tuple("0123456789"))


def mnist(samples: int, data_dir: Path | None) -> Data:
    """The first samples of MNIST, or as many images of its shape."""
    if data_dir is None:
        return images(samples)
    from mcbench.problem.loading import load
    from mcbench.store.store import Store

    data, _ = load(host().get("dataset", "mnist"), data_dir, Store())

    def first(split: Split, count: int) -> Split:
        return replace(split, inputs=split.inputs[:count], targets=split.targets[:count])

    return Data(first(data.train, samples), first(data.test, samples // 6), data.classes)


def problem(data: Data, width: int, recipe: str) -> Problem:
    """A two-layer network on the data."""
    architecture = host().get("architecture", f"mlp2[width={width}]")
    return Problem(data, architecture, host().get("recipe", recipe))


def trained(task: Problem) -> list[Params]:
    """Networks A and B, trained from seeds 0 and 1."""
    results = training.train(task, dict.fromkeys([0, 1], Workshop()))
    return [result.params for result in results if result.params is not None]


def interleaved(
    ours: Callable[[], Any], naive: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    """Median seconds of both ways, run by turns after a warm-up of each."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for i in range(repeats + 1):
        for way, durations in zip((ours, naive), seconds, strict=True):
            began = time.perf_counter()
            way()
            if i:
                durations.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def repeated(step: Callable[[], Any], count: int) -> Callable[[], None]:
    """A function that takes ``count`` steps, one after another."""

    def steps() -> None:
        for _ in range(count):
            step()

    return steps


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function, called in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def memory(field: str) -> float:
    """VmRSS, the resident memory of this process, or VmHWM, its peak, in MiB."""
    value = resident(field)
    if value is None:
        raise OSError(f"no {field} in /proc/self/status")
    return value
