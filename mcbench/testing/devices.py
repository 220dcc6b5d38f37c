"""Checks of methods in double precision and on a GPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from mcbench.errors import StructureError
from mcbench.paths.params import equal
from mcbench.paths.path import Path
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.methods import TIMES, connect, paths
from mcbench.testing.networks import Trained, on_each
from mcbench.testing.paths import unlike
from mcbench.testing.subject import Subject

GPU = "cuda"


FIX = "take dtype and device from the endpoints: torch.zeros_like(x), y.to(x)"


@check("method", "float64", FIX)
@on_each(paths)
def float64_endpoints_work(subject: Subject, network: Trained, path: Path) -> None:
    """Between endpoints in float64 all points are in float64."""
    _works(subject, network, dtype=torch.float64)


@check("method", "GPU", FIX)
@on_each(paths)
def it_works_on_a_gpu(subject: Subject, network: Trained, path: Path) -> None:
    """Between endpoints on a GPU all points are on it."""
    if not torch.cuda.is_available():
        raise Inapplicable("there is no CUDA device")
    _works(subject, network, device=GPU)


def _works(subject: Subject, network: Trained, **where: Any) -> None:  # dtype or device.
    """Test a path whose endpoints and data have another dtype or device."""
    what = " ".join(map(str, where.values()))
    ends = [network.endpoint(seed, **where).params for seed in (0, 1)]
    problem = network.problem(**where)
    again = replace(subject, shared={})  # The method is fitted anew there.
    try:
        path = connect(again, network, problem, **where)
        for t in TIMES:
            point = path(t)
            if difference := unlike(point, *ends):
                raise Fault(f"in {what} at t = {t:g} {difference}")
            inputs, _ = next(problem.batches("test"))
            with torch.no_grad():
                problem.forward(point, inputs)
        if not equal(path(0.0), ends[0]):
            raise Fault(f"in {what} path(0) is not A", "start with a.params itself")
    except (Fault, StructureError):
        raise
    except Exception as error:
        raise Fault(f"in {what} it raises {type(error).__name__}: {error}") from error
