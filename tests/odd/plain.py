"""Networks in plain PyTorch, with the initial weights and batches of mcbench's seeds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mcbench.problem.recipe import Recipe
from mcbench.seeds import derive, generator

Data = tuple[Tensor, Tensor, Tensor, Tensor]
"""Inputs and targets of the training data and of the test data."""


def train(make: object, data: Data, recipe: Recipe, seed: int) -> nn.Module:
    """A trained network, by a loop as everybody writes it."""
    x, y = data[:2]
    torch.manual_seed(derive(seed, "init"))
    net = make()
    if any(map(torch.nn.parameter.is_lazy, (*net.parameters(), *net.buffers()))):
        torch.manual_seed(derive(seed, "init"))
        net(torch.zeros(2, *x.shape[1:]))
    net.train()
    weights = [w for w in net.parameters() if w.requires_grad]
    sgd = torch.optim.SGD(weights, recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay)
    for epoch in range(recipe.epochs):
        torch.manual_seed(derive(seed, "epoch", epoch))  # For what the network draws.
        order = torch.randperm(len(x), generator=generator(seed, "order", epoch))
        for rows in order.split(recipe.batch_size):
            if len(rows) > 1:
                sgd.zero_grad()
                cross_entropy(net(x[rows]), y[rows]).backward()
                sgd.step()
    return net.eval()


def middle(make: object, a: nn.Module, b: nn.Module) -> nn.Module:
    """The network between two, all its parameters and buffers their means."""
    net = make().eval()
    if any(map(torch.nn.parameter.is_lazy, (*net.parameters(), *net.buffers()))):
        net(torch.zeros(2, 1, 8, 8))
    with torch.no_grad():
        for each in (nn.Module.named_parameters, nn.Module.named_buffers):
            ends = dict(each(a)), dict(each(b))
            for name, x in each(net):
                x.copy_((ends[0][name] + ends[1][name]) / 2)
    return net


def renew(net: nn.Module, data: Data, batch_size: int, steps: int = 100) -> None:
    """Let a network's state go on for some steps in training mode, its parameters fixed."""
    order = torch.randperm(len(data[0]), generator=generator(0, "statistics", "order"))
    batches = order.split(batch_size)
    net.train()
    with torch.no_grad():
        for _ in range(-(-steps // len(batches))):
            for rows in batches:
                net(data[0][rows])
    net.eval()


def losses(net: nn.Module, data: Data) -> tuple[float, float, float]:
    """The mean losses on training and test data, and the test accuracy in percent."""
    x, y, u, v = data
    with torch.no_grad():
        outputs = net(u.clone())
        accuracy = 100 * float((outputs.argmax(1) == v).double().mean())
        return float(cross_entropy(net(x.clone()), y)), float(cross_entropy(outputs, v)), accuracy
