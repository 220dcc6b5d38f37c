"""`call`, the outputs of a network with given parameters and buffers in place of its own."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.func import functional_call

from mcbench.paths.params import Params

_TIED: WeakKeyDictionary[nn.Module, dict[str, str]] = WeakKeyDictionary()


def call(module: nn.Module, params: Params, inputs: Tensor) -> Tensor:
    """The outputs of a network with other parameters and buffers; differentiable.

    Tied weights have the value of their first name, though ``params`` may have one for each name.
    Buffers that the network changes in place change in ``params``; for those that it assigns see
    `call_keeping`.
    """
    tied = _TIED.get(module)
    if tied is None:
        tied = _TIED[module] = _tied_names(module)
    if tied:
        own = {name: x for name, x in params.items() if name not in tied}
        params = own | {n: params[first] for n, first in tied.items() if first in params}
    outputs: Tensor = functional_call(module, params, (inputs,), tie_weights=False)
    return outputs


def call_keeping(module: nn.Module, params: Params, inputs: Tensor) -> tuple[Tensor, Params]:
    """The outputs, and the buffers as the forward pass left them."""
    after: Params = {}

    def keep(module: nn.Module, inputs: tuple[Tensor], outputs: Tensor) -> None:
        after.update({name: x.detach() for name, x in module.named_buffers()})

    hook = module.register_forward_hook(keep)
    try:
        return call(module, params, inputs), after
    finally:
        hook.remove()


def _tied_names(module: nn.Module) -> dict[str, str]:
    """The first name of each tied tensor by its other names.

    It is empty for names of a module that has another name: functional_call would set the tensor
    twice there, and restore it only once.
    """
    places = {
        f"{prefix}.{name}" if prefix else name
        for prefix, part in module.named_modules()
        for name in (*part._parameters, *part._buffers)
    }
    tied: dict[str, str] = {}
    for named in (module.named_parameters, module.named_buffers):
        first = {id(x): name for name, x in named()}
        every = ((name, first[id(x)]) for name, x in named(remove_duplicate=False))
        tied |= {n: source if n in places else "" for n, source in every if n != source}
    return tied
