"""Weight adjustment of one point: streamed, against the pseudo-inverse of all features.

The naive way is the papers' code: keep the features of all samples, call numpy.linalg.pinv. Each
way runs in a process of its own, so that its peak memory can be measured: the highest resident
size above the level before the computation (data and networks loaded). Measured is what a point
of the path costs, its features included; A's outputs, which both need once a path, are given.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import Result, problem

from mcbench.endpoint import Endpoint
from mcbench.params import Params, combine
from mcbench.plugins import host
from mcbench.problem import Problem


def point(task: Problem) -> tuple[Endpoint, Params]:
    """Network A, and the middle of the line to network B; both as initialised."""
    a, b = (dict(task.build(seed).state_dict()) for seed in (0, 1))
    return Endpoint(a, 0, "a"), combine(a, b, 0.5, 0.5)


def streamed(task: Problem, a: Endpoint) -> Callable[[Params], np.ndarray]:
    """As mcbench does it."""
    adjust = host().get("adjustment", "wa").prepare(a, task)
    return lambda point: adjust(point)["3.weight"].numpy()


def pseudo_inverse(task: Problem, a: Endpoint) -> Callable[[Params], np.ndarray]:
    """As the papers' code does it, with all features in memory."""
    x = task.splits["train"].inputs.flatten(1).numpy()

    def features(params: Params) -> np.ndarray:
        return np.maximum(x @ params["1.weight"].numpy().T + params["1.bias"].numpy(), 0)

    outputs = features(a.params) @ a.params["3.weight"].numpy().T
    return lambda point: (np.linalg.pinv(features(point)) @ outputs).T


def _status(field: str) -> float:
    """A field of this process's memory in MiB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"this system does not report {field}")


def _measured(way: Callable[..., Any], width: int, data_dir: Path | None, answer: Any) -> None:
    task = problem(width, data_dir)
    a, middle = point(task)
    adjust = way(task, a)
    Path("/proc/self/clear_refs").write_text("5")  # The peak starts anew.
    before = _status("VmRSS")
    began = time.perf_counter()
    weights = adjust(middle)
    seconds = time.perf_counter() - began
    answer.send((seconds, _status("VmHWM") - before, weights))


def _apart(way: Callable[..., Any], width: int, data_dir: Path | None) -> Any:
    context = multiprocessing.get_context("spawn")
    receive, answer = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(way, width, data_dir, answer))
    process.start()
    answer.close()
    measured = receive.recv()
    process.join()
    return measured


def run(width: int = 2000, data_dir: Path | None = None) -> list[Result]:
    """Compare time, memory and outputs."""
    ours, naive = (_apart(way, width, data_dir) for way in (streamed, pseudo_inverse))
    task = problem(width, data_dir)
    _, middle = point(task)
    largest = gap = 0.0
    with torch.inference_mode():
        for inputs, _ in task.batches("train"):
            features = task.chain.features(middle, inputs, 1)
            one, two = (features @ torch.from_numpy(w).T for w in (ours[2], naive[2]))
            largest = max(largest, float(two.abs().max()))
            gap = max(gap, float((one - two).abs().max()))
    title = f"weight adjustment, {len(task.data.train):,} x {width:,}"
    speed, memory, error = naive[0] / ours[0], ours[1] / naive[1], gap / largest
    return [
        Result(title, "seconds", ours[0], naive[0], speed, ">= 10 times faster", speed >= 10),
        Result(title, "peak MiB", ours[1], naive[1], memory, "<= 1/5", memory <= 0.2),
        Result(title, "largest difference of outputs / largest output", gap, largest, error,
               "<= 1e-4", error <= 1e-4),
    ]  # fmt: skip
