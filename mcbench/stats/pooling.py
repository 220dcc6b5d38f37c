"""`pool`, variances of several comparisons drawn towards their common size."""

from __future__ import annotations

from collections.abc import Sequence

TRUST = 0.5
"""The share of the estimated prior degrees of freedom that is used.

Comparisons share methods and endpoints, so their variances look more alike than they are.
"""


def pool(variances: Sequence[float], freedom: int, most: int) -> tuple[list[float], float]:
    r"""Variances drawn towards a common one, the more the less they differ (empirical Bayes).

    With few endpoints each variance :math:`s^2` alone is known badly. If they come from a scaled
    inverse chi-square prior :math:`(s_0^2, d_0)`, that of one comparison is best estimated by

    .. math:: \tilde s^2 = \frac{d_0 s_0^2 + d\,s^2}{d_0 + d},

    whose degrees of freedom are :math:`d_0 + d`. The prior is fitted to the mean and variance of
    :math:`\log s^2`: where variances are equal it weighs much, where they differ it weighs little.

    Source: Smyth, Statistical Applications in Genetics and Molecular Biology 2004, sec. 6.

    Arguments:
        variances: The estimated variances; those that are 0 stay 0.
        freedom: The degrees of freedom d of each.
        most: The largest degrees of freedom of the result: those of all data.

    Returns:
        The variances, and their degrees of freedom.
    """
    import numpy as np
    from scipy.special import digamma, polygamma

    s2 = np.asarray(variances, dtype=np.float64)
    positive = s2[s2 > 0]
    if len(positive) < 2 or most <= freedom:
        return s2.tolist(), float(freedom)
    e = np.log(positive) - digamma(freedom / 2) + np.log(freedom / 2)
    spread = float(e.var(ddof=1) - polygamma(1, freedom / 2))
    if spread > 0:
        prior = 2 * _trigamma_inverse(spread)
        centre = float(np.exp(e.mean() + digamma(prior / 2) - np.log(prior / 2)))
    else:
        prior, centre = float("inf"), float(np.exp(e.mean()))
    weight = min(TRUST * min(prior, most), most - freedom)
    pooled = (weight * centre + freedom * s2) / (weight + freedom)
    return np.where(s2 > 0, pooled, 0.0).tolist(), weight + freedom


def _trigamma_inverse(value: float) -> float:
    """The x > 0 whose trigamma is ``value`` > 0."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    # 1/x < trigamma(x) < 1/x + 1/x^2
    low, high = 0.5 / value, 1 / value + 1 / value**0.5 + 1
    root: float = brentq(lambda x: float(polygamma(1, x)) - value, low, high)
    return root
