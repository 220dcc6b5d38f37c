"""Fully connected networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from mcbench.errors import UsageError
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.parameters import parameter

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class MLP:
    """A fully connected ReLU network: flatten, then affine layers with ReLU between them.

    Arguments:
        hidden: Number of hidden layers that ``widths`` must have; 0: any.
    """

    name: str = "mlp"
    summary: str = "fully connected ReLU network of any depth"
    reference: str = ""
    hidden: int = 0
    widths: tuple[int, ...] = parameter((128, 64), "hidden units per layer, as (128,64)")
    bias: bool = parameter(True, "whether layers have biases")

    @property
    def trial(self) -> dict[str, object]:
        """Narrow layers."""
        return {"widths": (8, 6, 5, 5, 4, 4)[: self.hidden or 2]}

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network with PyTorch's default initial weights."""
        from torch import nn

        if self.hidden and len(self.widths) != self.hidden:
            raise UsageError(
                f"architecture '{self.name}' has {self.hidden} hidden layers, not "
                f"{len(self.widths)}: give {self.hidden} widths, or take 'mlp' for any depth"
            )
        if any(width < 1 for width in self.widths):
            raise UsageError(
                f"architecture '{self.name}': widths must be positive, not {self.widths}"
            )
        sizes = [prod(input_shape), *self.widths, classes]
        layers: list[nn.Module] = [nn.Flatten()]
        for i in range(len(sizes) - 1):
            layers += [nn.ReLU()] if i else []
            layers.append(nn.Linear(sizes[i], sizes[i + 1], bias=self.bias))
        return nn.Sequential(*layers)


@dataclass(frozen=True)
class MLP2:
    """The two-layer ReLU network with biases of Anokhin & Yarotsky (ICML 2020)."""

    name = "mlp2"
    summary = "two-layer ReLU network with biases"
    reference = "Anokhin & Yarotsky, ICML 2020 (width 2000)"
    width: int = parameter(32, "hidden units", gt=0)

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network with PyTorch's default initial weights."""
        return MLP(widths=(self.width,)).build(input_shape, classes)


@hookimpl
def mcbench_architectures() -> Iterator[object]:
    """Fully connected networks."""
    yield MLP2()
    yield MLP()
    for widths in ((6144, 2000), (6144, 2000, 1000, 1000), (6144, 2000, *[1000] * 4)):
        count = len(widths) + 1
        summary = f"fully connected ReLU network of {count} layers without biases"
        reference = "Anokhin & Yarotsky, ICML 2020"
        yield MLP(f"mlp{count}", summary, reference, len(widths), widths=widths, bias=False)
