"""Properties without which no number of a network means anything, tested before it is trained."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mcbench.errors import UsageError
from mcbench.paths.call import call
from mcbench.paths.params import equal

if TYPE_CHECKING:
    from mcbench.problem.builder import Builder


def check_soundness(builder: Builder) -> None:
    """Test a network on a few samples, in milliseconds.

    Raises:
        UsageError: If a seed does not determine it, evaluation changes it or draws at random, the
            outputs of a sample depend on the others, or parameters and buffers are not all of it.
    """
    inputs = builder.samples(4)
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.no_grad():
        torch.manual_seed(0)
        one, again, other = builder(0), builder(0), builder(1)
        for _ in range(2):
            other.train()(inputs)
        for fault in faults((one.eval(), again.eval(), other.eval()), inputs):
            raise UsageError(f"architecture '{builder.architecture.name}': {fault}")


def faults(networks: tuple[nn.Module, nn.Module, nn.Module], inputs: Tensor) -> Iterator[str]:
    """The faults of an architecture, each with its remedy.

    Arguments:
        networks: Two of one seed, and one of another seed after some steps in training mode; all
            in evaluation mode.
        inputs: A batch.
    """
    one, again, other = networks
    if not equal(one.state_dict(), again.state_dict()):
        yield "two networks of one seed differ: draw weights with torch's global generator alone"
    before, generator = copy.deepcopy(other.state_dict()), torch.get_rng_state()
    outputs = other(inputs)
    if not torch.get_rng_state().equal(generator):
        yield "in evaluation mode it draws random numbers: draw if self.training"
    changed = [n for n, x in other.state_dict().items() if not x.equal(before[n])]
    if changed:
        yield f"in evaluation mode it changes '{changed[0]}': change it if self.training"
    if not close(other(inputs), outputs):
        yield "two passes in evaluation mode differ: keep no state between passes"
    if not close(other(inputs[:2]), outputs[:2]):
        yield (
            "the outputs of a sample depend on its batch: in evaluation mode use statistics that "
            "were gathered in training"
        )
    if not close(call(one, other.state_dict(), inputs), outputs):
        hidden = ", ".join(hidden_state(one, other)) or "an attribute"
        yield (
            f"its parameters and buffers do not determine its outputs, but {hidden}: make it a "
            "buffer (register_buffer)"
        )


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
