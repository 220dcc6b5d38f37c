"""Check that a path starts at A and ends where it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mcbench.errors import RunError

if TYPE_CHECKING:
    from mcbench.paths.params import Params
    from mcbench.problem.problem import Problem


class Ended(Protocol):
    """Points as a function of t, and where they end: a path, or the submitted points of one."""

    @property
    def end(self) -> str: ...

    def __call__(self, t: float) -> Params: ...


def check_ends(path: Ended, a: Params, b: Params, problem: Problem) -> None:
    """Test that a path starts at A and ends where it says.

    A and B must be met bit for bit; a permuted B must have B's outputs up to rounding. The end of
    a path that stops short is not tested.

    Raises:
        RunError: If it does not.
    """
    import torch

    from mcbench.paths.params import equal

    if not equal(path(0.0), a):
        raise RunError("the path does not start at A: path(0) must be A exactly")
    end = path(1.0)
    if path.end == "short":
        return
    if path.end == "b":
        if not equal(end, b):
            raise RunError(
                "the path does not end at B: path(1) must be B exactly, or the path must declare "
                "end='permuted' or end='short'"
            )
        return
    inputs, _ = next(problem.batches("test"))
    with torch.inference_mode():
        expected, outputs = problem.forward(b, inputs), problem.forward(end, inputs)
    gap = float((expected - outputs).abs().max() / expected.abs().max().clamp_min(1e-30))
    if not gap < 1e-3:
        raise RunError(
            f"the path's end is no permutation of B: outputs differ by {gap:.1e} of the largest, "
            "at most 1e-3 is allowed"
        )
