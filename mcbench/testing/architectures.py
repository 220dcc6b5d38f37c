"""Checks of architectures: reproducible, functional, a forward pass without side effects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mcbench.errors import McbenchError, StructureError, reason_of
from mcbench.paths.params import equal
from mcbench.plugins.host import host
from mcbench.problem import soundness
from mcbench.problem.dataset import Data
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import Workshop
from mcbench.structure.permutations import OTHER_OUTPUTS
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.global_generators import seeded
from mcbench.testing.networks import RECIPE, digits
from mcbench.testing.subject import Subject
from mcbench.training.training import train

SHAPES = ((1, 8, 8), (3, 32, 32), (1, 28, 28))
"""(channels, height, width) of digits, CIFAR and MNIST."""


def _data(subject: Subject) -> Data:
    if subject.component.loss != "output":
        return digits()
    data: Data = host().get("dataset", "landscape").read(Path())
    return data


def _problem(subject: Subject) -> Problem:
    return subject.share("problem", lambda: Problem(_data(subject), subject.component, RECIPE))


def _inputs(problem: Problem) -> Tensor:
    return next(problem.batches("test", 16))[0]


@check("architecture", "determinism")
def building_is_reproducible(subject: Subject) -> None:
    """A seed gives the same initial weights every time, another seed different ones."""
    problem = _problem(subject)
    built = []
    for seed, global_seed in ((0, 1), (0, 2), (1, 1)):
        with seeded(global_seed):
            built.append(problem.build(seed))
    if fault := soundness.determinism(built[0], built[1]):
        raise Fault(*fault)
    if equal(built[0].state_dict(), built[2].state_dict()):
        raise Fault("networks of different seeds are the same", "set no seed in 'build'")


@check("architecture", "outputs")
def outputs_are_logits(subject: Subject) -> None:
    """It gives finite outputs, shape (batch, classes), for inputs of the data's shape.

    If it says that its output is the loss, the shape is (batch, 1).
    """
    problem = _problem(subject)
    inputs, classes = _inputs(problem), len(problem.data.classes) or 1
    with torch.no_grad():
        outputs = problem.module(inputs)
    if tuple(outputs.shape) != (len(inputs), classes):
        raise Fault(
            f"the outputs of {len(inputs)} samples have shape {tuple(outputs.shape)}",
            f"give one row of {classes} logits for each sample",
        )
    if not bool(outputs.isfinite().all()):
        raise Fault("it gives outputs that are not finite", "look at its initial weights")


@check("architecture", "input shapes", "use input_shape for sizes, or raise mcbench.UsageError")
def other_shapes_are_refused_clearly(subject: Subject) -> None:
    """For images of other sizes and channels it builds a network that takes them, or refuses
    with a McbenchError of one line."""
    for shape in SHAPES:
        try:
            with seeded(0), torch.no_grad():
                module = subject.component.build(shape, 10)
                module.eval()(torch.zeros(2, *shape))
        except McbenchError as error:
            one_line_or_fault(error, f"for inputs of shape {shape}")
        except Exception as error:
            found = f"for inputs of shape {shape} it raises {reason_of(error)}"
            raise Fault(found) from None


@check("architecture", "forward leaves no trace")
def a_forward_pass_changes_nothing(subject: Subject) -> None:
    """A forward pass in evaluation mode changes no weight, and draws no random numbers."""
    problem = _problem(subject)
    with seeded(1) as used:
        if fault := soundness.stillness(problem.builder, _inputs(problem)):
            raise Fault(*fault)
        if used():
            raise Fault("in evaluation mode it draws random numbers", "draw if self.training")


@check("architecture", "samples are independent")
def samples_are_independent(subject: Subject) -> None:
    """The outputs of a sample do not depend on the rest of the batch, in evaluation mode."""
    problem = _problem(subject)
    if fault := soundness.independence(problem.builder, _inputs(problem)):
        raise Fault(*fault)


@check("architecture", "functional")
def it_works_with_any_parameters(subject: Subject) -> None:
    """Called with the parameters and buffers of a network in training it gives its outputs."""
    problem = _problem(subject)
    if fault := soundness.completeness(problem.builder, _inputs(problem)):
        raise Fault(*fault)


@check("architecture", "training")
def it_trains(subject: Subject) -> None:
    """Every parameter gets a gradient, and one epoch of training changes weights finitely."""
    problem = _problem(subject)
    module, inputs = problem.build(0), _inputs(problem)
    with seeded(0):
        module.train()(inputs).square().sum().backward()
    idle = [name for name, p in module.named_parameters() if p.grad is None]
    if idle:
        raise Fault(f"'{idle[0]}' gets no gradient", "use every parameter, or register a buffer")
    short = Problem(_data(subject), subject.component, replace(RECIPE, epochs=1, lr=1e-3))
    trained = next(iter(train(short, {0: Workshop()})))
    if trained.error is not None:
        raise Fault(f"training fails: {trained.error}", "look at its initial weights")


@check("architecture", "chain", "compute the same where the graph is exported")
def its_chain_is_itself(subject: Subject) -> None:
    """Its chain of affine layers gives its outputs; if it has none, the error says why, in one
    line."""
    try:
        chain = _problem(subject).chain
    except StructureError as error:
        one_line_or_fault(error, "deriving the chain")
        if str(error) == OTHER_OUTPUTS:
            raise Fault("its derived chain gives other outputs than the network") from None
        raise Inapplicable(f"it is no chain: {error}") from None
    if not chain.layers:
        raise Inapplicable("it has no affine layer")
