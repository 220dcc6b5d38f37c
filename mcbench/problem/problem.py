"""`Problem`, a data set + architecture + recipe: endpoints, loss, data and network structure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

from mcbench.errors import StructureError, UsageError
from mcbench.plugins.capabilities import complete
from mcbench.problem.builder import Builder, activation_sizes
from mcbench.problem.shared_property import shared_property
from mcbench.problem.validation import validate_for
from mcbench.seeds import generator
from mcbench.store.checkpoint import Workshop
from mcbench.store.cost import Meter

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from mcbench.paths.params import Params
    from mcbench.problem.dataset import Data, Split
    from mcbench.problem.recipe import Recipe
    from mcbench.structure.affine import Affine
    from mcbench.structure.chain import Chain

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")

_ACTIVATIONS = 2**22
"""The most entries of an activation of a batch: 16 MiB in float32, about a cache's size."""


class Problem:
    """Data set + architecture + recipe, on a device; immutable, see `bind`.

    Arguments:
        data: The data set, as decoded.
        architecture: The plugin's component that builds the network.
        recipe: The training of endpoints; its normalisation applies to the data.
        device: The device of all computations.
        seed: The seed of all draws of methods and metrics.
        identity: Names, parameters, versions and fingerprint, which determine all results.

    Attributes:
        workshop: The stored state of the run's method.
        fitted: The result of the method's ``fit`` on its pool of endpoints.

    Raises:
        UsageError: If the data have a fault, or do not go with recipe or architecture.
    """

    def __init__(
        self,
        data: Data,
        architecture: Any,  # A plugin's object: it inherits nothing.
        recipe: Recipe,
        device: torch.device | str = "cpu",
        seed: int = 0,
        identity: dict[str, Any] | None = None,
    ) -> None:
        import torch

        complete("architecture", architecture)  # It need not come from a plugin.
        validate_for(architecture, recipe, data)
        self.data: Final = data.normalize(recipe.normalize)
        self.architecture: Final = architecture
        self.recipe: Final = recipe
        self.device: Final = torch.device(device)
        self.seed: Final = seed
        self.identity: Final = identity or {}
        self.workshop: Final = Workshop()
        self.fitted: Final[Params] = {}
        self._whole: Problem | None = None
        self._meter = Meter(self.device, len(self.data.train))

    def bind(self, workshop: Workshop | None = None, fitted: Params | None = None) -> Problem:
        """A view of this problem for one run, with the same data, network and chain.

        Arguments:
            workshop: The stored state of the run's method; its meter, if it has one, counts the
                samples that the view gives.
            fitted: The result of the method's ``fit`` on its pool of endpoints.
        """
        view, workshop = copy.copy(self), workshop or Workshop()
        vars(view).update(workshop=workshop, fitted=fitted or {}, _whole=self._whole or self)
        view._meter = workshop.meter or Meter(self.device, len(self.data.train))
        return view

    @property
    def samples_seen(self) -> int:
        """Training samples that went through the network, or a part of it, in this run so far.

        The generators below count theirs; add samples that you take otherwise or use again.
        """
        return self._meter.seen

    @samples_seen.setter
    def samples_seen(self, samples: int) -> None:
        self._meter.seen = samples

    @shared_property
    def splits(self) -> dict[str, Split]:
        """Train and test data on the device, normalised if memory allows."""
        import torch

        with torch.inference_mode(False):  # First use may be in inference mode, then training.
            return {n: getattr(self.data, n).to(self.device).ready() for n in SPLITS}

    @shared_property
    def _raw(self) -> Split:
        import torch

        with torch.inference_mode(False):  # As for `splits`.
            return self.data.train.to(self.device)

    def training_data(self, recipe: Recipe) -> Split:
        """The training data on the device, as decoded if the recipe augments them."""
        return self._raw if recipe.augment else self.splits["train"]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, height, width)."""
        return tuple(self.data.train.inputs.shape[1:])

    @shared_property
    def builder(self) -> Builder:
        """The builder of the network."""
        return Builder(self.architecture, self.data, self.recipe.init_variance)

    def build(self, seed: int) -> nn.Module:
        """A network with the initial weights of ``seed``, on the CPU.

        Raises:
            UsageError: If the network cannot be built, or cannot be used; see `Builder`.
        """
        return self.builder(seed)

    def template(self) -> nn.Module:
        """A new network on the device, in evaluation mode, whose own weights mean nothing."""
        import torch

        with torch.inference_mode(False):  # Its graph may be derived, or its weights trained.
            return self.build(self.seed).to(self.device).eval()

    @shared_property
    def module(self) -> nn.Module:
        """The `template` that is shared by all who only call it."""
        return self.template()

    @property
    def _example(self) -> Tensor:
        import torch

        return torch.zeros(2, *self.input_shape, device=self.device)

    @shared_property
    def chain(self) -> Chain:
        """The network as a chain of affine layers.

        Raises:
            StructureError: If it is no chain; the message names the operation in the way.
        """
        from mcbench.structure.derivation import derive_chain

        if self.data.loss == "output":
            raise StructureError(f"'{self.architecture.name}' is a landscape, which has no layers")
        return derive_chain(self.module, self._example)

    @shared_property
    def chain_or_none(self) -> Chain | None:
        """The network as a chain, or ``None`` if it is none."""
        try:
            return self.chain
        except StructureError:
            return None

    @shared_property
    def activations(self) -> list[int]:
        """Entries per sample of the inputs and outputs of all modules, the network included."""
        return activation_sizes(self.module, self._example)

    @shared_property
    def batch_size(self) -> int:
        """Samples per batch of an evaluation, so that activations stay in cache."""
        return max(64, min(8192, _ACTIVATIONS // max(self.activations)))

    def positions(self, layer: Affine, x: Tensor, count: int, batch: int = 0) -> Tensor | None:
        """Random positions of a convolution's output, shape (samples, count).

        They are drawn with replacement by the run's seed and the number of the batch; ``None``
        stands for all positions, if ``count`` is 0 or there are not more.
        """
        import torch

        if count == 0 or (places := layer.places(x)) <= count:
            return None
        draws = self.generator("positions", layer.weight, len(x), batch)
        return torch.randint(places, (len(x), count), generator=draws).to(x.device)

    def forward(self, params: Params, inputs: Tensor) -> Tensor:
        """The network's outputs (logits), shape (batch, classes)."""
        from mcbench.paths.call import call

        return call(self.module, params, inputs)

    def loss(self, params: Params, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of a batch, without weight decay; differentiable."""
        return self.criterion(self.forward(params, inputs), targets)

    def criterion(
        self, outputs: Tensor, targets: Tensor, reduction: Literal["mean", "sum"] = "mean"
    ) -> Tensor:
        """The loss of a network's outputs: cross-entropy, or the output (see `mcbench.Data`)."""
        from torch.nn.functional import cross_entropy

        if self.data.loss == "output":
            return outputs.mean() if reduction == "mean" else outputs.sum()
        return cross_entropy(outputs, targets, reduction=reduction)

    def batches(
        self, split: SplitName, size: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised inputs and targets in order, not augmented."""
        for inputs, targets in self.splits[split].batches(size or self.batch_size):
            self.samples_seen += len(targets) if split == "train" else 0
            yield inputs, targets

    def rows(self, split: SplitName, samples: int, *purpose: object) -> Tensor:
        """Indices of random samples of a split, without replacement, ascending.

        The same ``purpose`` gives the same draws. All are taken if ``samples`` is 0 or too large.
        """
        import torch

        count = len(self.splits[split])
        if samples == 0 or samples >= count:
            return torch.arange(count, device=self.device)
        order = torch.randperm(count, generator=self.generator(*purpose))
        return order[:samples].sort().values.to(self.device)

    def augmented(self, purpose: str, size: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training data in order, augmented by the recipe.

        The same ``purpose`` gives the same draws.

        Raises:
            UsageError: If the recipe has no augmentation.
        """
        import torch

        if not self.recipe.augment:
            raise UsageError(f"recipe '{self.recipe.name}' has no augmentation to evaluate on")
        order = torch.arange(len(self._raw), device=self.device)
        draws = self.generator("augmented", purpose)
        return self._augmented(self.recipe, order.split(size or self.batch_size), draws)

    def steps(self, recipe: Recipe) -> int:
        """The number of minibatches in a pass over the training data."""
        import torch

        order = torch.arange(len(self.data.train))
        return len(self.builder.minibatches(order, recipe.batch_size))

    def shuffled(self, recipe: Recipe, *purpose: object) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training data in minibatches in random order, normalised.

        The same ``purpose`` gives the same draws.

        Arguments:
            recipe: The batch size and the augmentation.
            purpose: The purpose of the draws.
        """
        import torch

        order = torch.randperm(len(self.data.train), generator=self.generator(*purpose, "order"))
        draws = self.generator(*purpose, "augment")
        batches = self.builder.minibatches(order.to(self.device), recipe.batch_size)
        return self._augmented(recipe, batches, draws)

    def _augmented(
        self, recipe: Recipe, batches: Iterable[Tensor], draws: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        from mcbench.problem.augmentation import augment

        raw = self.training_data(recipe)
        for rows in batches:
            inputs = augment(raw.inputs[rows], recipe.augment, draws)
            self.samples_seen += len(rows)
            yield raw.normalized(inputs), raw.targets[rows]

    def generator(self, *purpose: object) -> torch.Generator:
        """A generator of the draws of one purpose, seeded by the run's seed."""
        return generator(self.seed, *purpose)
