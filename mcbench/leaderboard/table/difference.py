"""Difference between a measured number and a published one."""

from __future__ import annotations

import math

from mcbench.leaderboard.board.board import Published
from mcbench.stats.summary import Summary


def difference(
    summary: Summary | None, published: Published | None
) -> tuple[float | None, float | None]:
    r"""Measured less published, and the combined error bar where both have one.

    The bar is :math:`\sqrt{\sigma_{measured}^2 + \sigma_{published}^2}`.
    """
    if summary is None or published is None:
        return None, None
    bar = math.hypot(summary.std, published.std)
    return summary.mean - published.mean, bar if math.isfinite(bar) else None
