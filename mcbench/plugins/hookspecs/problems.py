"""Hooks that provide architectures, data sets and recipes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcbench.plugins.hookspecs.markers import hookspec


@hookspec
def mcbench_architectures() -> Iterable[Any]:  # type: ignore[empty-body]
    """Networks: ``name``, ``summary`` and ``build(input_shape, classes) -> torch.nn.Module``.

    Any module works unchanged. ``input_shape`` is (channels, height, width). ``build`` is called
    under the endpoint's seed, so that its initial weights are reproducible; lazy modules are
    initialised with a batch of zeros. Optional: ``loss = "output"`` declares that the output,
    shape (batch, 1), is the loss itself, a formula of the weights, for data that declare the same.

    Example::

        @dataclass(frozen=True)
        class Perceptron:
            name = "perceptron"
            summary = "one linear layer"
            bias: bool = mcbench.parameter(True, "whether it has a bias")

            def build(self, input_shape, classes):
                from torch import nn

                return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes, bias=self.bias))


        @mcbench.hookimpl
        def mcbench_architectures():
            yield Perceptron()
    """


@hookspec
def mcbench_datasets() -> Iterable[Any]:  # type: ignore[empty-body]
    """Data sets: ``name``, ``summary``, ``find(directory)`` and ``read(directory)``.

    ``find`` returns the data set's files, an empty list if it needs none, or ``None`` if they are
    not there. ``read`` returns `mcbench.Data` with two `mcbench.Split`: inputs of shape
    (samples, channels, height, width), uint8 or float32, class indices as int64, and the value
    that stands for 1 in the inputs (255 for uint8, 1 for floats unless it is given); a run refuses
    data with faults before it trains. Optional: ``recipe``, the name of the default recipe;
    ``download(directory)``; ``layout``, the places of the files, for messages.

    Example::

        class Noise:
            name = "noise"
            summary = "pure noise in two classes"

            def find(self, directory):
                return []

            def read(self, directory):
                import torch

                g = torch.Generator().manual_seed(0)
                x = torch.randint(256, (100, 1, 8, 8), dtype=torch.uint8, generator=g)
                y = torch.arange(100) % 2
                return mcbench.Data(
                    mcbench.Split(x[:80], y[:80]), mcbench.Split(x[80:], y[80:]), ("a", "b")
                )


        @mcbench.hookimpl
        def mcbench_datasets():
            yield Noise()
    """


@hookspec
def mcbench_recipes() -> Iterable[Any]:  # type: ignore[empty-body]
    """Recipes: how endpoints are trained, as `mcbench.Recipe` objects.

    Example::

        @mcbench.hookimpl
        def mcbench_recipes():
            yield mcbench.Recipe("long", "the default, for longer", epochs=200, lr=0.05)
    """
