"""`Chain`, a network as affine layers one after another, with functions between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from mcbench.paths.params import Params
from mcbench.structure.affine import Affine, Function
from mcbench.structure.span import Span


@dataclass(frozen=True)
class Chain:
    """A network as affine layers with functions of the activations between them.

    Arguments:
        layers: n of them, in order.
        between: n + 1 groups of functions; group k stands before layer k, the last one at the end.
    """

    layers: tuple[Affine, ...]
    between: tuple[tuple[Function, ...], ...]

    def through(self, group: int, x: Tensor) -> Tensor:
        """The output of the functions of a group: ``through(0, inputs)`` enters layer 0."""
        for function in self.between[group]:
            x = function(x)
        return x

    def run(self, params: Params, x: Tensor, start: int, stop: int) -> Tensor:
        """The input of layer ``stop`` from that of layer ``start``; n is the network's output."""
        for k in range(start, stop):
            x = self.through(k + 1, self.layers[k].apply(params, x))
        return x

    def common(
        self,
        points: Sequence[Params],
        alike: Callable[[Tensor, Tensor], bool] = lambda x, y: x is y or x.equal(y),
    ) -> int:
        """The number of layers, from the bottom, that are the same at all points.

        Arguments:
            points: At least one.
            alike: Whether two entries are the same; by default, if their values are.
        """
        first, *others = points
        for k, layer in enumerate(self.layers):
            if not all(alike(p[name], first[name]) for name in layer.entries for p in others):
                return k
        return len(self.layers)

    def across(
        self, points: Sequence[Params], layer: int, anchors: Sequence[Params] = ()
    ) -> Callable[[Tensor], Iterator[Tensor]]:
        """A function from the input of a layer to that of the next one, at point after point.

        Products that points share are computed once (`Span`).

        Arguments:
            points: The points.
            layer: The layer's index.
            anchors: The basis of the shared products, so that the output at a point does not
                depend on the others. Without anchors it is some of the points, if that is less
                work.
        """
        affine = self.layers[layer]
        span = Span.of(affine, anchors or points)
        few = bool(anchors) or 3 * len(span.basis) <= 2 * len(points)
        weights = [span.coefficients(p) if few else None for p in points]

        def run(x: Tensor) -> Iterator[Tensor]:
            products = span.products(x, points, weights)
            for point, y in zip(points, products, strict=True):
                yield self.through(layer + 1, affine.normed(point, y))

        return run

    def features(self, params: Params, inputs: Tensor, layer: int) -> Tensor:
        """The input of a layer, shape (batch, in), or (batch, c, h, w) for a convolution."""
        return self.run(params, self.through(0, inputs), 0, layer)
