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
