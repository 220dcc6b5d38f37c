"""mcbench: the benchmarking suite for mode connectivity.

The names below are the whole public interface; plugins import nothing else. Importing this
package does not import torch: names are resolved when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.augmentation import augment
    from mcbench.batchnorm import Statistics
    from mcbench.composition import Composition
    from mcbench.dataset import Data, Dataset, Split
    from mcbench.endpoint import Endpoint
    from mcbench.ensemble import Ensemble, Snapshots
    from mcbench.errors import McbenchError, RunError, StructureError, UsageError
    from mcbench.evaluation import Curve
    from mcbench.layout import Layout
    from mcbench.leaderboard import Board
    from mcbench.leaderboard.ensembles import EnsembleBoard, EnsembleRow
    from mcbench.leastsquares import Gram
    from mcbench.method import Adjustment, Interpolation, Matching, Method, Need, Stage
    from mcbench.metric import Evaluation, Metric
    from mcbench.optimizing import optimizer_state, restore_optimizer
    from mcbench.params import Params, combine, finite
    from mcbench.path import Leg, Path, join, polyline, segment
    from mcbench.problem import Problem
    from mcbench.protocol import Protocol
    from mcbench.recipe import Recipe
    from mcbench.spec import parameter
    from mcbench.stacking import outputs, stack, together, unstack
    from mcbench.structure import Chain, Hidden
    from mcbench.workshop import Workshop

_HOME = {
    "Adjustment": "method",
    "Board": "leaderboard",
    "Chain": "structure",
    "Composition": "composition",
    "Curve": "evaluation",
    "Data": "dataset",
    "Dataset": "dataset",
    "Endpoint": "endpoint",
    "Ensemble": "ensemble",
    "EnsembleBoard": "leaderboard.ensembles",
    "EnsembleRow": "leaderboard.ensembles",
    "Evaluation": "metric",
    "Gram": "leastsquares",
    "Hidden": "structure",
    "Interpolation": "method",
    "Layout": "layout",
    "Leg": "path",
    "Matching": "method",
    "McbenchError": "errors",
    "Method": "method",
    "Metric": "metric",
    "Need": "method",
    "Params": "params",
    "Path": "path",
    "Problem": "problem",
    "Protocol": "protocol",
    "Recipe": "recipe",
    "RunError": "errors",
    "Snapshots": "ensemble",
    "Split": "dataset",
    "Stage": "method",
    "Statistics": "batchnorm",
    "StructureError": "errors",
    "UsageError": "errors",
    "Workshop": "workshop",
    "augment": "augmentation",
    "combine": "params",
    "finite": "params",
    "join": "path",
    "optimizer_state": "optimizing",
    "outputs": "stacking",
    "parameter": "spec",
    "polyline": "path",
    "restore_optimizer": "optimizing",
    "segment": "path",
    "stack": "stacking",
    "together": "stacking",
    "unstack": "stacking",
}

__all__ = [
    "Adjustment",
    "Board",
    "Chain",
    "Composition",
    "Curve",
    "Data",
    "Dataset",
    "Endpoint",
    "Ensemble",
    "EnsembleBoard",
    "EnsembleRow",
    "Evaluation",
    "Gram",
    "Hidden",
    "Interpolation",
    "Layout",
    "Leg",
    "Matching",
    "McbenchError",
    "Method",
    "Metric",
    "Need",
    "Params",
    "Path",
    "Problem",
    "Protocol",
    "Recipe",
    "RunError",
    "Snapshots",
    "Split",
    "Stage",
    "Statistics",
    "StructureError",
    "UsageError",
    "Workshop",
    "augment",
    "combine",
    "finite",
    "hookimpl",
    "join",
    "optimizer_state",
    "outputs",
    "parameter",
    "polyline",
    "restore_optimizer",
    "segment",
    "stack",
    "together",
    "unstack",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mcbench' has no attribute '{name}'")
    value = getattr(import_module(f"mcbench.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
