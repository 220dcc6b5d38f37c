"""mcbench: the benchmarking suite for mode connectivity.

The names below are the whole public interface; plugins import nothing else. Importing this
package does not import torch: names are resolved when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.ensembles.ensemble import Ensemble, Snapshots
    from mcbench.errors import McbenchError, RunError, StructureError, UsageError
    from mcbench.evaluation.evaluate import Curve
    from mcbench.evaluation.metric import Evaluation, Metric
    from mcbench.evaluation.protocol import Protocol
    from mcbench.evaluation.stacked import outputs, stack, together, unstack
    from mcbench.leaderboard import Board
    from mcbench.leaderboard.table.ensembles import EnsembleBoard, EnsembleRow
    from mcbench.methods.composition import Composition
    from mcbench.methods.least_squares import Gram
    from mcbench.methods.method import Adjustment, Interpolation, Matching, Method, Need, Stage
    from mcbench.paths.layout import Layout
    from mcbench.paths.params import Params, combine, finite
    from mcbench.paths.path import Leg, Path, join, polyline, segment
    from mcbench.plugins.parameters import parameter
    from mcbench.problem.augmentation import augment
    from mcbench.problem.dataset import Data, Dataset, Split
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem
    from mcbench.problem.recipe import Recipe
    from mcbench.store.checkpoint import Workshop
    from mcbench.structure import Chain, Hidden
    from mcbench.training.batch_norm import Statistics
    from mcbench.training.loop import Solver, solve
    from mcbench.training.optimizer_state import optimizer_state, restore_optimizer

_HOME = {
    "Adjustment": "methods.method",
    "Board": "leaderboard",
    "Chain": "structure",
    "Composition": "methods.composition",
    "Curve": "evaluation.evaluate",
    "Data": "problem.dataset",
    "Dataset": "problem.dataset",
    "Endpoint": "problem.endpoint",
    "Ensemble": "ensembles.ensemble",
    "EnsembleBoard": "leaderboard.table.ensembles",
    "EnsembleRow": "leaderboard.table.ensembles",
    "Evaluation": "evaluation.metric",
    "Gram": "methods.least_squares",
    "Hidden": "structure",
    "Interpolation": "methods.method",
    "Layout": "paths.layout",
    "Leg": "paths.path",
    "Matching": "methods.method",
    "McbenchError": "errors",
    "Method": "methods.method",
    "Metric": "evaluation.metric",
    "Need": "methods.method",
    "Params": "paths.params",
    "Path": "paths.path",
    "Problem": "problem.problem",
    "Protocol": "evaluation.protocol",
    "Recipe": "problem.recipe",
    "RunError": "errors",
    "Snapshots": "ensembles.ensemble",
    "Solver": "training.loop",
    "Split": "problem.dataset",
    "Stage": "methods.method",
    "Statistics": "training.batch_norm",
    "StructureError": "errors",
    "UsageError": "errors",
    "Workshop": "store.checkpoint",
    "augment": "problem.augmentation",
    "combine": "paths.params",
    "finite": "paths.params",
    "join": "paths.path",
    "optimizer_state": "training.optimizer_state",
    "outputs": "evaluation.stacked",
    "parameter": "plugins.parameters",
    "polyline": "paths.path",
    "restore_optimizer": "training.optimizer_state",
    "segment": "paths.path",
    "solve": "training.loop",
    "stack": "evaluation.stacked",
    "together": "evaluation.stacked",
    "unstack": "evaluation.stacked",
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
    "Solver",
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
    "solve",
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
