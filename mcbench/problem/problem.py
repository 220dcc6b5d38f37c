"""`Problem`, what a pair of endpoints is drawn from: data set + architecture + recipe.

It gives a method the loss, the data and the network's structure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

from mcbench.errors import StructureError, UsageError
from mcbench.plugins.capabilities import complete
from mcbench.problem.shared_property import shared_property
from mcbench.seeds import derive, generator
from mcbench.store.checkpoint import Workshop
from mcbench.store.cost import Tally

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from mcbench.paths.params import Params
    from mcbench.problem.dataset import Data, Split
    from mcbench.problem.recipe import Recipe
    from mcbench.structure import Affine, Chain

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")

_ACTIVATIONS = 2**22
"""The entries of the widest activation in a batch: 16 MiB in float32, about a cache's size."""


class Problem:
    """Data set + architecture + recipe, on a device. It does not change; see `bind`.

    Arguments:
        data: The data set, as decoded.
        architecture: Builds the network.
        recipe: How endpoints are trained; its normalisation applies to the data.
        device: Where everything is computed.
        seed: The seed of all draws of methods and metrics.
        identity: What determines the results: names, parameters, versions, fingerprint.

    Raises:
        UsageError: If the architecture is a landscape and the data have classes, or the reverse.
    """

    def __init__(
        self,
        data: Data,
        architecture: Any,
        recipe: Recipe,
        device: torch.device | str = "cpu",
        seed: int = 0,
        identity: dict[str, Any] | None = None,
    ) -> None:
        import torch

        complete("architecture", architecture)  # It need not come from a plugin.
        _check_loss(data, architecture)
        self.data: Final = data.normalize(recipe.normalize)
        self.architecture: Final = architecture
        self.recipe: Final = recipe
        self.device: Final = torch.device(device)
        self.seed: Final = seed
        self.identity: Final = identity or {}
        self._whole: Problem | None = None
        self._workshop, self._tally = Workshop(), Tally()
        self._fitted: Params = {}

    def bind(self, workshop: Workshop | None = None, fitted: Params | None = None) -> Problem:
        """A view of this problem for one run; data, network and chain are shared with it.

        Arguments:
            workshop: Where the method of the run keeps its state; its meter, if it has one, is
                told of the view's samples.
            fitted: What the method was fitted to on its pool of endpoints.
        """
        view = copy.copy(self)
        view._whole = self._whole or self
        view._workshop, view._fitted = workshop or Workshop(), fitted or {}
        meter = view._workshop.meter
        view._tally = meter.tally if meter else Tally()
        return view

    @property
    def workshop(self) -> Workshop:
        """Where the method that is at work keeps its state."""
        return self._workshop

    @property
    def fitted(self) -> Params:
        """What the method that is at work was fitted to on its pool of endpoints."""
        return self._fitted

    @property
    def samples_seen(self) -> int:
        """Training samples that went through the network, or a part of it, in this run so far.

        What the methods below hand out is counted; a method that takes samples otherwise, or uses
        some again, adds them.
        """
        return self._tally.samples

    @samples_seen.setter
    def samples_seen(self, samples: int) -> None:
        self._tally.samples = samples

    @shared_property
    def splits(self) -> dict[str, Split]:
        """Train and test on the device, normalised where memory allows."""
        import torch

        with torch.inference_mode(False):  # They may be asked for there, and trained on later.
            return {n: getattr(self.data, n).to(self.device).ready() for n in SPLITS}

    @shared_property
    def _raw(self) -> Split:
        """The training data on the device, as decoded: what is augmented."""
        import torch

        with torch.inference_mode(False):  # As for `splits`: copies on a GPU are trained on.
            return self.data.train.to(self.device)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, height, width)."""
        return tuple(self.data.train.inputs.shape[1:])

    def build(self, seed: int) -> nn.Module:
        """A network with the initial weights that ``seed`` gives, on the CPU."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "init"))
            module: nn.Module = self.architecture.build(self.input_shape, len(self.data.classes))
        if any(isinstance(p, torch.nn.UninitializedParameter) for p in module.parameters()):
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                torch.manual_seed(derive(seed, "init"))
                module(torch.zeros(2, *self.input_shape))
        if self.recipe.init_variance != 1:
            with torch.no_grad():
                for weight in module.parameters():
                    if weight.dim() > 1:
                        weight.mul_(self.recipe.init_variance**0.5)
        return module

    @shared_property
    def module(self) -> nn.Module:
        """The network in evaluation mode, as a template: its own weights mean nothing."""
        import torch

        with torch.inference_mode(False):  # Its graph may be derived later.
            return self.build(self.seed).to(self.device).eval()

    @shared_property
    def chain(self) -> Chain:
        """The network as a chain of affine layers.

        Raises:
            StructureError: If it is none, naming the operation that stands in the way.
        """
        import torch

        from mcbench.structure import derive_chain

        if self.data.loss == "output":
            raise StructureError(f"'{self.architecture.name}' is a landscape, which has no layers")
        return derive_chain(self.module, torch.zeros(2, *self.input_shape, device=self.device))

    @shared_property
    def chain_or_none(self) -> Chain | None:
        """The same, and ``None`` where there is none."""
        try:
            return self.chain
        except StructureError:
            return None

    @shared_property
    def activations(self) -> list[int]:
        """Entries per sample of what goes into and comes out of every module, the whole too."""
        import torch

        sizes = [1]

        def see(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            seen = [x for x in (*inputs, output) if isinstance(x, torch.Tensor) and len(x) == 2]
            sizes.extend(x[0].numel() for x in seen)

        hooks = [module.register_forward_hook(see) for module in self.module.modules()]
        with torch.inference_mode():
            self.module(torch.zeros(2, *self.input_shape, device=self.device))
        for hook in hooks:
            hook.remove()
        return sizes

    @shared_property
    def batch_size(self) -> int:
        """Samples per batch of an evaluation, such that activations stay in cache."""
        return max(64, min(8192, _ACTIVATIONS // max(self.activations)))

    def positions(self, layer: Affine, x: Tensor, count: int, batch: int = 0) -> Tensor | None:
        """Positions of a convolution's output to sample, shape (samples, count).

        They are drawn with replacement by the run's seed, for each batch by its number; ``None``
        stands for all, where ``count`` is 0 or there are no more than that.
        """
        import torch

        places = layer.places(x)
        if count == 0 or places <= count:
            return None
        draws = self.generator("positions", layer.weight, len(x), batch)
        return torch.randint(places, (len(x), count), generator=draws).to(x.device)

    def forward(self, params: Params, inputs: Tensor) -> Tensor:
        """The network's outputs (logits), shape (batch, classes)."""
        from torch.func import functional_call

        outputs: Tensor = functional_call(self.module, params, (inputs,))
        return outputs

    def loss(self, params: Params, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of a batch, without weight decay; differentiable."""
        return self.criterion(self.forward(params, inputs), targets)

    def criterion(
        self, outputs: Tensor, targets: Tensor, reduction: Literal["mean", "sum"] = "mean"
    ) -> Tensor:
        """The loss of a network's outputs: cross-entropy, or as the data say (`mcbench.Data`)."""
        from torch.nn.functional import cross_entropy

        if self.data.loss == "output":
            return outputs.mean() if reduction == "mean" else outputs.sum()
        return cross_entropy(outputs, targets, reduction=reduction)

    def batches(
        self, split: SplitName, size: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised inputs and targets in order, un-augmented."""
        for inputs, targets in self.splits[split].batches(size or self.batch_size):
            self.samples_seen += len(targets) if split == "train" else 0
            yield inputs, targets

    def chosen(self, split: SplitName, samples: int, *purpose: object) -> Tensor:
        """Indices of samples of a split, drawn without replacement, in order.

        The same ``purpose`` gives the same draws; 0 stands for all, and so does what is too many.
        """
        import torch

        count = len(self.splits[split])
        if samples == 0 or samples >= count:
            rows = torch.arange(count)
        else:
            draws = self.generator(*purpose)
            rows = torch.randperm(count, generator=draws)[:samples].sort().values
        return rows.to(self.device)

    def augmented(self, purpose: str, size: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training data, augmented as the recipe says, in order.

        The same ``purpose`` gives the same draws.

        Raises:
            UsageError: If the recipe has no augmentation.
        """
        from mcbench.problem.augmentation import augment

        if not self.recipe.augment:
            raise UsageError(f"recipe '{self.recipe.name}' has no augmentation to evaluate on")
        raw = self._raw
        draws = self.generator("augmented", purpose)
        size = size or self.batch_size
        for start in range(0, len(raw), size):
            inputs = augment(raw.inputs[start : start + size], self.recipe.augment, draws)
            self.samples_seen += len(inputs)
            yield raw.normalized(inputs), raw.targets[start : start + size]

    def shuffled(self, recipe: Recipe, *purpose: object) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training data in minibatches in random order, normalised.

        The same ``purpose`` gives the same draws.

        Arguments:
            recipe: Says how large batches are and how they are augmented.
            purpose: What the draws are for.
        """
        import torch

        from mcbench.problem.augmentation import augment

        raw = self._raw if recipe.augment else self.splits["train"]
        order = torch.randperm(len(raw), generator=self.generator(*purpose, "order"))
        draws = self.generator(*purpose, "augment")
        for rows in order.to(self.device).split(recipe.batch_size):
            inputs = raw.inputs[rows]
            if recipe.augment:
                inputs = augment(inputs, recipe.augment, draws)
            self.samples_seen += len(rows)
            yield raw.normalized(inputs), raw.targets[rows]

    def generator(self, *purpose: object) -> torch.Generator:
        """A generator for the draws of one purpose, seeded by the run's seed."""
        return generator(self.seed, *purpose)


def _check_loss(data: Data, architecture: Any) -> None:
    if architecture.loss == data.loss:
        return
    name = architecture.name
    if architecture.loss == "output":
        raise UsageError(f"architecture '{name}' is a landscape, for data without classes: "
                         "use -d landscape")  # fmt: skip
    raise UsageError(
        f"architecture '{name}' is for data with classes, and these have none: use one whose "
        "output is the loss, as ring; see 'mcbench list architectures'"
    )
