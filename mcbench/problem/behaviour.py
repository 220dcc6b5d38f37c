"""`Behaviour`, what a network does in a forward pass beside giving outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcbench.errors import UsageError, reason_of

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Behaviour:
    """What a network does in a forward pass beside giving outputs, found by trying it.

    Arguments:
        running: The floating-point buffers that a pass in training mode changes: running
            statistics, vectors of power iterations, codebooks.
        kept: The buffers that are not in its ``state_dict`` but tell trained networks apart: drawn
            at random, or changed in training.
        overwrites: Whether it changes its inputs in place.
    """

    running: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    overwrites: bool = False

    def adapt(self, module: nn.Module) -> nn.Module:
        """The network, changed so that its ``state_dict`` is complete and its inputs stay."""
        for name in self.kept:
            owner, _, last = name.rpartition(".")
            part = module.get_submodule(owner)
            part.register_buffer(last, part.get_buffer(last), persistent=True)
        if self.overwrites:
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].clone(),))
        return module


def try_out(
    module: nn.Module, build: Callable[[int], nn.Module], inputs: Tensor, classes: int
) -> Behaviour:
    """Try a network on a few samples, two steps in training mode and one pass in evaluation mode.

    Arguments:
        module: The network of seed 0, which is changed.
        build: Gives the network of a seed.
        inputs: The samples, at least two.
        classes: The number of classes; 0 if the output is the loss.

    Raises:
        UsageError: If it cannot be used: it fails, or its outputs are no logits.
    """
    import torch

    check_state(module)
    before = {name: x.clone() for name, x in module.named_buffers()}
    version = inputs._version
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(0)
        try:
            for training in (True, True, False):
                outputs = module.train(training)(inputs)
                check_outputs(outputs, len(inputs), classes)
                if training and outputs.requires_grad:
                    outputs.sum().backward()
        except UsageError:
            raise
        except Exception as error:
            reason = reason_of(error).partition(". ")[0]
            raise UsageError(
                f"two steps of training on inputs of shape {tuple(inputs.shape)} fail: {reason}"
            ) from error
    after = dict(module.named_buffers())
    changed = [n for n, x in after.items() if n not in before or not _same(x, before[n])]
    appeared = [name for name in changed if name not in before]
    if appeared:
        raise UsageError(f"its buffer '{appeared[0]}' begins as None: register it with a tensor")
    running = tuple(n for n in changed if after[n].is_floating_point())
    hidden = after.keys() - module.state_dict().keys()
    drawn = {n for n, x in build(1).named_buffers() if not _same(x, before[n])} if hidden else {}
    kept = tuple(n for n in after if n in hidden and (n in changed or n in drawn))
    return Behaviour(running, kept, inputs._version != version)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.equal(other)


def check_state(module: nn.Module) -> None:
    """Test that a network can be trained, stored and called with other parameters.

    Raises:
        UsageError: If it cannot.
    """
    import torch

    parallel = torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel
    for name, part in module.named_modules():
        if isinstance(part, parallel):
            where = f"its module '{name}'" if name else "it"
            raise UsageError(
                f"{where} is {type(part).__name__}: give the network in it, '.module'"
            )
    for name, x in module.state_dict().items():
        if not isinstance(x, torch.Tensor):
            raise UsageError(
                f"its state has '{name}', a {type(x).__name__}: keep state in parameters and "
                "buffers, not in get_extra_state"
            )
    for name, x in module.state_dict().items():
        if x.is_complex():
            raise UsageError(f"'{name}' is complex: keep two real tensors (torch.view_as_real)")
    if not any(x.requires_grad for x in module.parameters()):
        raise UsageError("it has no parameter to train: none has requires_grad")


def check_outputs(outputs: object, samples: int, classes: int) -> None:
    """Test that outputs are logits, shape (samples, classes); or losses, if there are no classes.

    Raises:
        UsageError: If they are not.
    """
    import torch

    if not isinstance(outputs, torch.Tensor):
        kind = type(outputs).__name__
        raise UsageError(f"its output is a {kind}: return the logits alone, one tensor")
    shape = tuple(outputs.shape)
    if classes and (len(shape) != 2 or shape[0] != samples or shape[1] < classes):
        raise UsageError(
            f"its outputs for {samples} samples have shape {shape}: give one row of {classes} "
            "logits for each sample"
        )
