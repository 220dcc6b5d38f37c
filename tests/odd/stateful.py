"""Odd networks with state that is no parameter: buffers, running statistics, attributes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from odd.networks import CLASSES, Two, add, flat, norm, odd, parametrized
from torch import Tensor, nn
from torch.nn.utils import parametrizations

# Buffers -----------------------------------------------------------------------------------


@odd("a buffer assigned in forward", state=True)
class Assigned(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("m", torch.zeros(12))

    def between(self, x: Tensor) -> Tensor:
        if self.training:
            self.m = 0.9 * self.m + 0.1 * x.detach().mean(0)
        return (x - self.m).relu()


@odd("a buffer changed in place", state=True)
class Changed(Assigned):
    def between(self, x: Tensor) -> Tensor:
        if self.training:
            self.m.lerp_(x.detach().mean(0), 0.1)
        return (x - self.m).relu()


@odd("a norm of its own", state=True)
class OwnNorm(Assigned):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("v", torch.ones(12), persistent=False)

    def between(self, x: Tensor) -> Tensor:
        mean, var = x.mean(0), x.var(0)
        if self.training:
            self.m = 0.9 * self.m + 0.1 * mean.detach()
            self.v = 0.9 * self.v + 0.1 * var.detach()
        else:
            mean, var = self.m, self.v
        return ((x - mean) / (var + 1e-5).sqrt()).relu()


@odd("an EMA codebook", state=True)
class Codebook(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codes", torch.randn(32, 12))
        self.register_buffer("sizes", torch.ones(32))

    def between(self, x: Tensor) -> Tensor:
        nearest = torch.cdist(x.detach(), self.codes).argmin(1)
        if self.training:
            hits = F.one_hot(nearest, 32).float()
            self.sizes.mul_(0.9).add_(hits.sum(0), alpha=0.1)
            means = hits.T @ x.detach() / self.sizes.clamp_min(1e-3)[:, None]
            self.codes.lerp_(means, 0.1)
        return x + (self.codes[nearest] - x).detach()


@odd("a quantiser's scale", state=True)
class Quantised(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(1.0))

    def between(self, x: Tensor) -> Tensor:
        if self.training:
            self.scale = 0.9 * self.scale + 0.1 * x.detach().abs().max() / 7
        levels = (x / self.scale).round().clamp(-7, 7) * self.scale
        return (x + (levels - x).detach()).relu()


@odd("random features")
class RandomFeatures(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w", torch.randn(64, 64) / 4)

    def first(self, x: Tensor) -> Tensor:
        return torch.cos(x @ self.w)


@odd("random features that are not stored")
class Unstored(RandomFeatures):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w", self.w, persistent=False)


@odd("a constant that is not stored")
class Constant(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", (torch.arange(64) % 3 > 0).float(), persistent=False)

    def first(self, x: Tensor) -> Tensor:
        return x * self.mask


@odd("a counter in an attribute")
class Counting(Two):
    calls = 0

    def between(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = x.detach()
        return x.relu()


# Batch norms -------------------------------------------------------------------------------


@odd("a batch norm that is frozen", recipe="lr=0.01")
class FrozenNorm(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(*norm(nn.BatchNorm1d(12)))

    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        self[2].eval()
        return self


add("batch norm, a last batch of one", lambda: norm(nn.BatchNorm1d(12)), recipe="batch_size=673")
add("batch norm over all batches", lambda: norm(nn.BatchNorm1d(12, momentum=None)))
add("a lazy batch norm without weights", lambda: norm(nn.LazyBatchNorm1d(affine=False)))
add(
    "instance norm with running statistics",
    lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.InstanceNorm2d(4, track_running_stats=True),
        nn.Flatten(),
        nn.Linear(144, CLASSES),
    ),
)
add("spectral norm", parametrized(parametrizations.spectral_norm), state=True)

# Refused -----------------------------------------------------------------------------------


@odd("outputs in a tuple", refused="its output is a tuple")
class Tuple(Two):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        outputs = super().forward(x)
        return outputs, outputs.softmax(1)


@odd("outputs in a dictionary", refused="its output is a dict")
class Dictionary(Two):
    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        return {"logits": super().forward(x)}


@odd("one output for each row", refused="shape")
class PerRow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.above = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(x[:, 0])


@odd("extra state", refused="get_extra_state")
class Extra(Two):
    def get_extra_state(self) -> dict[str, int]:
        return {"version": 1}

    def set_extra_state(self, state: dict[str, int]) -> None:
        pass


@odd("a running mean in an attribute", refused="'m'")
class Attribute(Two):
    def __init__(self) -> None:
        super().__init__()
        self.m = torch.zeros(12)

    def between(self, x: Tensor) -> Tensor:
        if self.training:
            self.m = 0.9 * self.m + 0.1 * x.detach().mean(0)
        return (x - self.m).relu()


@odd("random features in an attribute", refused="'w'")
class Loose(Two):
    def __init__(self) -> None:
        super().__init__()
        self.w = torch.randn(64, 64) / 4

    def first(self, x: Tensor) -> Tensor:
        return torch.cos(x @ self.w)


@odd("a buffer that begins as None", refused="'m' begins as None")
class Late(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("m", None)

    def between(self, x: Tensor) -> Tensor:
        if self.training or self.m is None:
            self.m = x.detach().mean(0)
        return (x - self.m).relu()


@odd("a buffer changed in evaluation", refused="in evaluation mode it changes 'm'")
class Observer(Assigned):
    def between(self, x: Tensor) -> Tensor:
        self.m = 0.9 * self.m + 0.1 * x.detach().mean(0)
        return (x - self.m).relu()


@odd("weights of numpy's generator", refused="two networks of one seed differ")
class Unseeded(Two):
    def __init__(self) -> None:
        import numpy as np

        super().__init__()
        with torch.no_grad():
            self.below.weight.copy_(torch.from_numpy(np.random.randn(12, 64)))


@odd("no trained parameter", refused="no parameter to train")
class Nothing(Two):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)


@odd("a complex weight", refused="'phase' is complex")
class Complex(Two):
    def __init__(self) -> None:
        super().__init__()
        self.phase = nn.Parameter(torch.randn(12, dtype=torch.complex64))

    def between(self, x: Tensor) -> Tensor:
        return (x * self.phase).abs()


@odd("an if on the mean of a batch", refused="with its batch")
class BatchBranch(Two):
    def between(self, x: Tensor) -> Tensor:
        return x.relu() if x.mean() > 0 else F.leaky_relu(x, 0.1)


@odd("a memory of the graph", refused="backward")
class Graph(Assigned):
    def between(self, x: Tensor) -> Tensor:
        if self.training:
            self.m = 0.9 * self.m + 0.1 * x.mean(0)
        return (x - self.m).relu()


add("DataParallel", lambda: nn.DataParallel(Two()), refused="DataParallel")
add(
    "layers of other sizes",
    lambda: flat(nn.Linear(32, CLASSES)),
    refused="steps of training on inputs",
)
add(
    "batch norm without statistics",
    lambda: norm(nn.BatchNorm1d(12, track_running_stats=False)),
    refused="with its batch",
)
