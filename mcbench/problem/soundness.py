"""Properties without which no number of a network means anything, tested before it is trained.

The conformance kit tests the same ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mcbench.errors import UsageError
from mcbench.paths.call import call
from mcbench.paths.params import equal
from mcbench.problem.builder import SAMPLES, Builder

Fault = tuple[str, str]
"""What was found, and what mends it."""


def check_soundness(builder: Builder) -> None:
    """Test a network on a few samples, in milliseconds.

    Raises:
        UsageError: If a seed does not determine it, evaluation changes it or draws at random, the
            outputs of a sample depend on the others, or parameters and buffers are not all of it.
    """
    inputs = builder.samples(SAMPLES)
    one, again = builder(0), builder(0)
    faults = (
        determinism(one, again),
        *(test(builder, inputs) for test in (stillness, independence, completeness)),
    )
    for found, fix in filter(None, faults):
        raise UsageError(f"architecture '{builder.architecture.name}': {found}: {fix}")


def determinism(one: nn.Module, again: nn.Module) -> Fault | None:
    """The fault of two networks of one seed that differ."""
    if equal(one.state_dict(), again.state_dict()):
        return None
    fix = "draw weights with torch's own generator, which mcbench seeds: no seeds of your own"
    return "two networks of one seed differ", fix


def stillness(builder: Builder, inputs: Tensor) -> Fault | None:
    """The fault of a network that a pass in evaluation mode changes."""
    module = builder(0).eval()
    before = copy.deepcopy(module.state_dict())
    with _trying():
        generator = torch.get_rng_state()
        first = module(inputs)
        if not torch.get_rng_state().equal(generator):
            return "in evaluation mode it draws random numbers", "draw if self.training"
        changed = [n for n, x in module.state_dict().items() if not x.equal(before[n])]
        if changed:
            return f"in evaluation mode it changes '{changed[0]}'", "change it if self.training"
        if not module(inputs).equal(first):
            return "two forward passes differ", "keep no state between forward passes"
    return None


def independence(builder: Builder, inputs: Tensor) -> Fault | None:
    """The fault of a network whose outputs of a sample depend on the others."""
    module = builder(0).eval()
    with _trying():
        whole, part = module(inputs)[:3], module(inputs[:3])
    if close(whole, part):
        return None
    change = float((whole - part).abs().max())
    found = f"the outputs of a sample change by {change:.1e} with its batch"
    return found, "use running statistics in evaluation mode"


def completeness(builder: Builder, inputs: Tensor) -> Fault | None:
    """The fault of a network that is more than its parameters and buffers, after two steps."""
    one, other = builder(0), builder(1)
    with _trying():
        for _ in range(2):
            other.train()(inputs)
        outputs = other.eval()(inputs)
        if close(call(one.eval(), other.state_dict(), inputs), outputs):
            return None
    hidden = ", ".join(hidden_state(one, other)) or "other state"
    return (
        f"its outputs depend on {hidden}, which is neither parameter nor buffer",
        "keep it as a buffer (register_buffer), and read it in 'forward'",
    )


@contextmanager
def _trying() -> Iterator[None]:
    """Without gradients, with torch's generator seeded, and restored at the end."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.no_grad():
        torch.manual_seed(0)
        yield


def hidden_state(one: nn.Module, other: nn.Module) -> Iterator[str]:
    """The attributes of two networks that are neither parameters nor buffers, and differ."""
    for prefix, part in one.named_modules():
        theirs = vars(other.get_submodule(prefix))
        for name, value in vars(part).items():
            if name.startswith("_") or not isinstance(value, (Tensor, int, float)):
                continue
            alike = name in theirs and type(theirs[name]) is type(value)
            if not alike or not torch.equal(*map(torch.as_tensor, (value, theirs[name]))):
                yield f"'{prefix}.{name}'" if prefix else f"'{name}'"


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two outputs are equal but for rounding."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)
