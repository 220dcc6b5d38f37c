"""Odd networks, as people have them; `NETWORKS` holds them by what is odd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

SHAPE, CLASSES = (1, 8, 8), 10


@dataclass(frozen=True)
class Odd:
    """An odd network on the 8x8 images of digits.

    Arguments:
        name: The oddity in a few words.
        make: Gives the network.
        recipe: Parameters of the recipe, ``quick[...]``.
        state: Whether it has state that is neither parameter nor statistics of a batch norm.
        refused: A part of the line by which the suite refuses it; empty if it takes it.
    """

    name: str
    make: Callable[[], nn.Module]
    recipe: str = ""
    state: bool = False
    refused: str = ""

    @property
    def label(self) -> str:
        """Its name as a component."""
        return "odd-" + "".join(c if c.isalnum() else "-" for c in self.name.lower())


NETWORKS: dict[str, Odd] = {}


def add(name: str, make: Callable[[], nn.Module], **traits: object) -> None:
    """Add a network."""
    NETWORKS[name] = Odd(name, make, **traits)  # type: ignore[arg-type]


def odd(name: str, **traits: object) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Add a class of networks."""

    def decorate(make: type[nn.Module]) -> type[nn.Module]:
        add(name, make, **traits)
        return make

    return decorate


class Two(nn.Module):
    """Two linear layers; a subclass changes what stands between."""

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(64, 12), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(self.between(self.below(self.first(x.flatten(1)))))

    def first(self, x: Tensor) -> Tensor:
        return x

    def between(self, x: Tensor) -> Tensor:
        return x.relu()


def flat(*layers: nn.Module) -> nn.Module:
    """Layers on flattened images."""
    return nn.Sequential(nn.Flatten(), *layers)


def norm(layer: nn.Module) -> nn.Module:
    """A network with a normalisation between two linear layers."""
    return flat(nn.Linear(64, 12), layer, nn.ReLU(), nn.Linear(12, CLASSES))


# Parameters --------------------------------------------------------------------------------


@odd("a frozen first layer")
class Frozen(Two):
    def __init__(self) -> None:
        super().__init__()
        self.below.requires_grad_(False)


@odd("frozen biases and head", recipe="weight_decay=0.01")
class FrozenHead(Two):
    def __init__(self) -> None:
        super().__init__()
        self.above.requires_grad_(False)
        self.below.bias.requires_grad_(False)


@odd("one weight in two layers")
class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.below, self.inner = nn.Linear(64, 12), nn.Linear(12, 12)
        self.again, self.above = nn.Linear(12, 12), nn.Linear(12, CLASSES)
        self.again.weight = self.inner.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.below(x.flatten(1)).relu()
        return self.above(self.again(self.inner(x).relu()).relu())


@odd("a layer of two names")
class Alias(Two):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = self.below

    def first(self, x: Tensor) -> Tensor:
        return x / 2


@odd("one layer used twice")
class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.above = nn.Linear(64, 64), nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(self.inner(self.inner(x.flatten(1)).relu()).relu())


@odd("a weight and its transpose")
class Transposed(Two):
    def first(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(x, self.below.weight), self.below.weight.T)


@odd("parameters without use", recipe="weight_decay=0.01")
class Unused(Two):
    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Linear(64, 3)
        self.more = nn.ParameterList([nn.Parameter(torch.randn(4)) for _ in range(2)])


@odd("a parameter without dimensions")
class Temperature(Two):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5))

    def between(self, x: Tensor) -> Tensor:
        return x.relu() * self.scale


@odd("float64")
class Double(Two):
    def __init__(self) -> None:
        super().__init__()
        self.double()

    def first(self, x: Tensor) -> Tensor:
        return x.double()


def parametrized(how: Callable[[nn.Module], nn.Module]) -> Callable[[], nn.Module]:
    """A network whose first layer has a parametrisation."""
    return lambda: flat(how(nn.Linear(64, 12)), nn.ReLU(), nn.Linear(12, CLASSES))


def old_weight_norm(layer: nn.Module) -> nn.Module:
    """The normalisation by a hook, which PyTorch had before parametrisations."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(layer)


add("weight norm", parametrized(parametrizations.weight_norm))
add("weight norm by a hook", parametrized(old_weight_norm))
add("an orthogonal weight", parametrized(parametrizations.orthogonal))
add("lazy layers", lambda: flat(nn.LazyLinear(12), nn.ReLU(), nn.LazyLinear(CLASSES)))
add("more logits than classes", lambda: flat(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 15)))
add(
    "neurons on the last of three axes",
    lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Flatten(), nn.Linear(128, CLASSES)),
)
add(
    "layer norm and group norm",
    lambda: flat(nn.Linear(64, 12), nn.LayerNorm(12), nn.GroupNorm(3, 12), nn.Linear(12, CLASSES)),
)

# Random numbers, recurrence, branches ------------------------------------------------------


@odd("dropout as a function")
class Dropout(Two):
    def between(self, x: Tensor) -> Tensor:
        return F.dropout(x.relu(), 0.2, self.training)


@odd("noise in training")
class Noise(Two):
    def between(self, x: Tensor) -> Tensor:
        return (x + torch.randn_like(x) / 4 if self.training else x).relu()


@odd("an if on a value")
class Branch(Two):
    def between(self, x: Tensor) -> Tensor:
        if not x.isfinite().all():
            raise ValueError("activations are not finite")
        return x.relu()


@odd("an LSTM over rows")
class Rows(nn.Module):
    kind: type[nn.RNNBase] = nn.LSTM

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.above = self.kind(8, 12, batch_first=True), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(self.rnn(x[:, 0])[0][:, -1])


@odd("a GRU over rows")
class Gated(Rows):
    kind = nn.GRU


@odd("attention over rows")
class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.above = nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(self.layer(x[:, 0]).flatten(1))


@odd("an embedding of grey levels")
class Embedded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.levels, self.above = nn.Embedding(17, 2), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.above(self.levels((16 * x).round().long().flatten(1).clamp(0, 16)).flatten(1))


@odd("experts by the largest weight")
class Experts(Two):
    def between(self, x: Tensor) -> Tensor:
        top = x.topk(4, dim=1)
        return torch.zeros_like(x).scatter(1, top.indices, top.values.relu())


@odd("a checkpointed layer")
class Checkpointed(Two):
    def between(self, x: Tensor) -> Tensor:
        from torch.utils.checkpoint import checkpoint

        return checkpoint(torch.relu, x, use_reentrant=False)


add("RReLU", lambda: flat(nn.Linear(64, 12), nn.RReLU(), nn.Linear(12, CLASSES)))
add("alpha dropout", lambda: norm(nn.AlphaDropout(0.1)))

# Inputs ------------------------------------------------------------------------------------


@odd("in-place operations on the input")
class InPlace(Two):
    def forward(self, x: Tensor) -> Tensor:
        x.sub_(0.5)
        x.mul_(2)
        return super().forward(x)


@odd("in-place functions on the input")
class InPlaceFunction(Two):
    def first(self, x: Tensor) -> Tensor:
        return F.relu_(x.sub_(0.3))


@odd("a column of zeros written into the input")
class Masked(Two):
    def first(self, x: Tensor) -> Tensor:
        x[:, ::8] = 0
        return x
