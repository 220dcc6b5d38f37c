"""`Stream`, the training data as one layer sees them along a leg of a layer-wise path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from mcbench import Params, Problem, Stage

KEPT_BYTES = 2**26
"""Bytes up to which batches that do not change along a leg are kept in memory."""

Fixed = tuple[Tensor, Tensor, Tensor, Tensor | None]


class Stream:
    """Batches of a layer's patches with its target outputs.

    The inputs of the layer below and the target outputs do not change along the leg. They are
    kept if they fit, else computed again in every pass: memory does not grow with the data.

    Arguments:
        stage: The leg.
        problem: Gives the chain and the training data.
        positions: Positions per image of a convolution; 0 for all.
    """

    def __init__(self, stage: Stage, problem: Problem, positions: int) -> None:
        self.stage, self.problem, self.positions = stage, problem, positions
        self._kept: list[Fixed] | None = None

    def batches(
        self, points: Sequence[Params], anchors: Sequence[Params] = ()
    ) -> Iterator[tuple[Iterator[Tensor], Tensor, Tensor]]:
        """Patches at every point, outputs at the leg's start, and A's outputs, as rows.

        Outputs are without the layer's bias: shapes (rows, features), (rows, out), (rows, out).
        The points' patches are to be taken one after another before the next batch. For the
        anchors see `mcbench.Chain.across`.
        """
        chain, k = self.problem.chain, self.stage.layer
        across = chain.across(points, k - 1, anchors)
        for x, before, after, positions in self._fixed():
            patches = (chain.layers[k].patches(y, positions) for y in across(x))
            yield patches, before, after

    def _fixed(self) -> Iterator[Fixed]:
        if self._kept is not None:
            for batch in self._kept:
                self.problem.samples_seen += len(batch[0])
                yield batch
            return
        keeping: list[Fixed] | None = []
        total = 0
        for batch in self._computed():
            if keeping is not None:
                keeping.append(batch)
                total += self._own(batch)
                if total > KEPT_BYTES:
                    keeping = None
            yield batch
        self._kept = keeping

    def _own(self, batch: Fixed) -> int:
        """Bytes that a batch takes in addition to the training data, of which it may be a view."""
        storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes()
                    for x in batch if x is not None}  # fmt: skip
        storages.pop(self.problem.splits["train"].inputs.untyped_storage().data_ptr(), None)
        return sum(storages.values())

    def _computed(self) -> Iterator[Fixed]:
        chain, k = self.problem.chain, self.stage.layer
        start, a = self.stage.start, self.stage.a
        layer = chain.layers[k]
        for batch, (inputs, _) in enumerate(self.problem.batches("train")):
            x = chain.features(start, inputs, k - 1)
            features = chain.run(start, x, k - 1, k)
            positions = self.problem.positions(layer, features, self.positions, batch)
            before = layer.patches(features, positions) @ layer.matrix(start).T
            after = before
            if start is not a:
                own = chain.features(a, inputs, k)
                after = layer.patches(own, positions) @ layer.matrix(a).T
            yield x, before, after, positions
