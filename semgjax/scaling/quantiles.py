"""Quantiles and tails of the F, t and normal distributions, without importing scipy.stats (half a second)."""

from typing import Any

from scipy import special


def f_quantile(level: Any, numerator: Any, denominator: Any) -> Any:
    """The value that F(numerator, denominator) stays below with probability `level`."""
    return special.fdtri(numerator, denominator, level)


def f_tail(value: Any, numerator: Any, denominator: Any) -> Any:
    """Probability that F(numerator, denominator) exceeds `value`."""
    return special.fdtrc(numerator, denominator, value)


def t_quantile(level: Any, freedom: Any) -> Any:
    """The value that t with `freedom` degrees of freedom stays below with probability `level`."""
    return special.stdtrit(freedom, level)


def t_tail(value: Any, freedom: Any) -> Any:
    """Probability that t with `freedom` degrees of freedom exceeds `value`."""
    return special.stdtr(freedom, -value)


def normal_quantile(level: Any) -> Any:
    """The value that a standard normal stays below with probability `level`."""
    return special.ndtri(level)


def normal_below(value: Any) -> Any:
    """Probability that a standard normal stays below `value`."""
    return special.ndtr(value)


def binomial_interval(inside: int, of: int, level: float) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934, Biometrika 26)."""
    tail = 0.5 * (1.0 - level)
    low = float(special.betaincinv(inside, of - inside + 1, tail)) if inside else 0.0
    high = float(special.betaincinv(inside + 1, of - inside, 1.0 - tail)) if inside < of else 1.0
    return low, high
