"""From results to tables: one table per file."""

from mcbench.report.budgets import budgets
from mcbench.report.ensembles import ensembles
from mcbench.report.exploration import edges, saddles
from mcbench.report.metrics import metrics
from mcbench.report.notes import notes
from mcbench.report.ranking import ranking
from mcbench.report.reading import by_method, columns_of, end_points, end_values, ends_of

__all__ = [
    "budgets",
    "by_method",
    "columns_of",
    "edges",
    "end_points",
    "end_values",
    "ends_of",
    "ensembles",
    "metrics",
    "notes",
    "ranking",
    "saddles",
]
