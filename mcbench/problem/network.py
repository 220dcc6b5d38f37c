"""Networks of an architecture: initial weights, and sizes of activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcbench.errors import UsageError
from mcbench.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mcbench.problem.dataset import Data
    from mcbench.problem.recipe import Recipe


def initial_network(architecture: Any, data: Data, recipe: Recipe, seed: int) -> nn.Module:
    """A network with the initial weights of a seed, on the CPU."""
    import torch

    shape = tuple(data.train.inputs.shape[1:])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "init"))
        module: nn.Module = architecture.build(shape, len(data.classes))
        with torch.no_grad():
            if any(isinstance(p, torch.nn.UninitializedParameter) for p in module.parameters()):
                torch.manual_seed(derive(seed, "init"))
                module(torch.zeros(2, *shape))
            for weight in module.parameters():
                if weight.dim() > 1:
                    weight.mul_(recipe.init_variance**0.5)
    return module


def activation_sizes(network: nn.Module, example: Tensor) -> list[int]:
    """Entries per sample of the inputs and outputs of all modules, the network itself included.

    Arguments:
        network: The network.
        example: Two inputs.
    """
    import torch

    sizes = [1]

    def measure(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        tensors = [x for x in (*inputs, output) if isinstance(x, torch.Tensor) and len(x) == 2]
        sizes.extend(x[0].numel() for x in tensors)

    hooks = [module.register_forward_hook(measure) for module in network.modules()]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    return sizes


def check_loss(data: Data, architecture: Any) -> None:
    """Test that the loss of the data is that of the architecture.

    Raises:
        UsageError: If the architecture is a landscape and the data have classes, or the reverse.
    """
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
