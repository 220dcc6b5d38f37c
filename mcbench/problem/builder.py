"""`Builder`, which builds the networks of an architecture and knows how they behave."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcbench.errors import McbenchError, UsageError, reason_of
from mcbench.problem.behaviour import Behaviour, try_out
from mcbench.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mcbench.problem.dataset import Data

SAMPLES = 4
"""Training samples on which a network is tried."""


class Builder:
    """Builds networks of an architecture for a data set, on the CPU.

    Arguments:
        architecture: A plugin's component.
        data: The data, normalised.
        variance: A factor on the variance of initial weights; biases are left out.
    """

    # The architecture is a plugin's object: it inherits nothing.
    def __init__(self, architecture: Any, data: Data, variance: float = 1.0) -> None:
        self.architecture, self.data, self.variance = architecture, data, variance

    def __call__(self, seed: int) -> nn.Module:
        """A network with the initial weights of a seed, in training mode.

        Buffers that are not in its ``state_dict`` but tell networks apart become a part of it, and
        a network that changes its inputs in place gets a copy of them: see `Behaviour`.

        Raises:
            UsageError: If the network cannot be built, or cannot be used.
        """
        return self.behaviour.adapt(self._initial(seed))

    @property
    def _sizes(self) -> tuple[tuple[int, ...], int]:
        """The shape of an input, and the number of classes."""
        return tuple(self.data.train.inputs.shape[1:]), len(self.data.classes)

    def _initial(self, seed: int) -> nn.Module:
        """The network as the architecture gives it, lazy modules initialised by zeros."""
        import torch

        def lazy(module: nn.Module) -> bool:
            return any(map(torch.nn.parameter.is_lazy, (*module.parameters(), *module.buffers())))

        shape, classes = self._sizes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "init"))
            try:
                module: nn.Module = self.architecture.build(shape, classes)
                with torch.no_grad():
                    if lazy(module):
                        torch.manual_seed(derive(seed, "init"))
                        module(torch.zeros(2, *shape))
            except McbenchError:
                raise
            except Exception as error:
                raise self._error(
                    f"no network for inputs of {shape}: {reason_of(error)}"
                ) from error
        with torch.no_grad():
            for weight in module.parameters():
                if weight.dim() > 1:
                    weight.mul_(self.variance**0.5)
        return module

    def _error(self, reason: object) -> UsageError:
        return UsageError(f"architecture '{self.architecture.name}': {reason}")

    @property
    def builtin(self) -> bool:
        """Whether the architecture is one of mcbench's own."""
        return type(self.architecture).__module__.startswith("mcbench.builtin")

    @cached_property
    def behaviour(self) -> Behaviour:
        """The networks' behaviour in a forward pass beside giving outputs.

        That of built-in ones is known, which saves two steps of large networks at every start.

        Raises:
            UsageError: If they cannot be used.
        """
        if self.builtin:
            return self._declared
        network = self._initial(0)
        try:
            classes = 0 if self.data.loss == "output" else len(self.data.classes)
            return try_out(network, self._initial, self.samples(SAMPLES), classes)
        except UsageError as error:
            raise self._error(error) from error

    @property
    def _declared(self) -> Behaviour:
        """The behaviour of a built-in network: its buffers are statistics of batch norms."""
        import torch

        with torch.device("meta"):
            module = self.architecture.build(*self._sizes)
        return Behaviour(tuple(n for n, x in module.named_buffers() if x.is_floating_point()))

    def samples(self, count: int) -> Tensor:
        """The first training samples, normalised, in memory of their own.

        Inputs of another precision than float32 are converted to the network's: what it is called
        with may be cast, as its parameters.
        """
        import torch

        with torch.inference_mode(False):
            inputs = self.data.train.normalized(self.data.train.inputs[:count]).clone()
            if inputs.dtype == torch.float32:
                return inputs
            return inputs.to(next(self._initial(0).parameters(), inputs).dtype)

    @cached_property
    def refuses_one(self) -> bool:
        """Whether a network in training mode fails on a batch of one sample, as batch norms do."""
        import torch

        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                self(0).train()(self.samples(1))
        except Exception:
            return True
        return False

    def minibatches(self, order: Tensor, size: int) -> tuple[Tensor, ...]:
        """Indices of samples in batches; one sample alone at the end is left out if refused."""
        batches: tuple[Tensor, ...] = order.split(size)
        if len(batches) > 1 and len(batches[-1]) == 1 < size and self.refuses_one:
            batches = batches[:-1]
        return batches

    @cached_property
    def stacks_in_training(self) -> bool:
        """Whether networks in training mode can be computed at once, with their gradients."""
        return self._stack_alike(True)

    @cached_property
    def stacks_in_evaluation(self) -> bool:
        """Whether networks in evaluation mode can be computed at once."""
        return self._stack_alike(False)

    def _stack_alike(self, training: bool) -> bool:
        import torch

        from mcbench.problem.stacking import stack_alike

        inputs = self.samples(SAMPLES)
        networks = [self(seed).train(training) for seed in (0, 1)]
        return stack_alike(networks, torch.stack([inputs, inputs]), gradients=training)


def activation_sizes(network: nn.Module, example: Tensor) -> list[int]:
    """Entries per sample of the inputs and outputs of all modules; the example is two inputs."""
    import torch

    sizes = [1]

    # Inputs and outputs of a module may be anything.
    def measure(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        tensors = [x for x in (*inputs, output) if isinstance(x, torch.Tensor) and len(x) == 2]
        sizes.extend(x[0].numel() for x in tensors)

    hooks = [module.register_forward_hook(measure) for module in network.modules()]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    return sizes
