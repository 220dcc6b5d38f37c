# The public names, each with the module that defines it: read by type checkers, and by
# `__init__.py` when mcbench is imported.

from .ensembles.ensemble import Ensemble as Ensemble
from .ensembles.ensemble import Snapshots as Snapshots
from .errors import McbenchError as McbenchError
from .errors import RunError as RunError
from .errors import StructureError as StructureError
from .errors import UsageError as UsageError
from .evaluation.evaluate import Curve as Curve
from .evaluation.metric import Evaluation as Evaluation
from .evaluation.metric import Metric as Metric
from .evaluation.protocol import Protocol as Protocol
from .evaluation.stacked import outputs as outputs
from .evaluation.stacked import stack as stack
from .evaluation.stacked import together as together
from .evaluation.stacked import unstack as unstack
from .experiments.run import Run as Run
from .leaderboard import Board as Board
from .leaderboard.table.ensembles import EnsembleBoard as EnsembleBoard
from .leaderboard.table.ensembles import EnsembleRow as EnsembleRow
from .methods.composition import Composition as Composition
from .methods.least_squares import Gram as Gram
from .methods.method import Adjustment as Adjustment
from .methods.method import Interpolation as Interpolation
from .methods.method import Matching as Matching
from .methods.method import Method as Method
from .methods.method import Need as Need
from .methods.method import Stage as Stage
from .paths.layout import Layout as Layout
from .paths.params import Params as Params
from .paths.params import combine as combine
from .paths.params import finite as finite
from .paths.path import Leg as Leg
from .paths.path import Path as Path
from .paths.path import join as join
from .paths.path import polyline as polyline
from .paths.path import segment as segment
from .plugins.hookspecs import hookimpl as hookimpl
from .plugins.parameters import parameter as parameter
from .problem.augmentation import augment as augment
from .problem.dataset import Data as Data
from .problem.dataset import Dataset as Dataset
from .problem.dataset import Split as Split
from .problem.endpoint import Endpoint as Endpoint
from .problem.problem import Problem as Problem
from .problem.recipe import Recipe as Recipe
from .store.checkpoint import Workshop as Workshop
from .structure import Chain as Chain
from .structure import Hidden as Hidden
from .training.batch_norm import Statistics as Statistics
from .training.loop import Solver as Solver
from .training.loop import solve as solve
from .training.optimizer_state import optimizer_state as optimizer_state
from .training.optimizer_state import restore_optimizer as restore_optimizer

__all__: list[str]
__version__: str
