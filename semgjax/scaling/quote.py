"""The one interval to quote: sampling, drift of the slope, test users and the laws that the points do not reject.

Each law contributes what `semgjax.scaling.drift` says of the curve at the point, the sampling part of the fitted law
stretched on either side to the profile likelihood's ends. Laws are weighted by their marginal likelihood (a
unit-information prior of the parameters, as in Schwarz's criterion, and the drift's prior for each), and the interval
is that of the mixture. One more member is the fitted law without the largest runs, by the probability that these are
off.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.drift import MODEL, Drift, drift_of, mixture_quantiles, prediction_mixture, slopes_at
from semgjax.scaling.ends import opened
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.largest import Largest
from semgjax.scaling.profile import Interval, ceiling
from semgjax.scaling.quantiles import normal_quantile, t_quantile

Array = np.ndarray

OFF, OFF_BY, ABOVE = 0.1, 0.25, 0.8  # of the largest runs: probability, size (log) and share above, beforehand
_LEAST = 0.01  # a lighter law moves no end
_STRETCH = (0.3, 30.0)


@dataclass(frozen=True, eq=False)
class Weighted:
    """A law that the points do not reject, or one without the largest runs, with its share of the evidence."""

    fit: Fit
    drift: Drift
    weight: float
    label: str


def weighted(fits: Sequence[Fit]) -> tuple[Weighted, ...]:
    """Fits of different laws to the same points with their weights, in the order given."""
    drifts = [(fit, drift_of(fit)) for fit in fits]
    known = [(fit, drift) for fit, drift in drifts if drift is not None]
    if not known:
        return ()
    logs = np.array([drift.evidence for _, drift in known])
    shares = np.exp(logs - logs.max())
    return tuple(Weighted(f, d, float(s), f.law.name) for (f, d), s in zip(known, shares / shares.sum(), strict=True))


def allowing_for_largest(laws: tuple[Weighted, ...], largest: Largest | None) -> tuple[Weighted, ...]:
    """The laws with one more: the first without the largest runs, by the probability that these are off.

    Beforehand one sweep in ten has largest runs that are off by some 25 %, mostly above (too short a training, a rate
    that suits smaller ones).
    """
    if not laws or largest is None:
        return laws
    first = laws[0]
    rest = np.setdiff1d(np.arange(len(first.fit.table.y)), largest.rows)
    try:
        fit = fit_law(first.fit.table.rows(rest), first.fit.law, first.fit.objective, first.fit.fixed, starts=16)
    except InputError:
        return laws
    drift = drift_of(fit)
    if drift is None or not fit.converged:
        return laws
    scaled, freedom = largest.log_error / largest.error, largest.freedom
    holds = math.exp(math.lgamma(0.5 * (freedom + 1)) - math.lgamma(0.5 * freedom)) / math.sqrt(math.pi * freedom)
    holds *= (1.0 + scaled**2 / freedom) ** (-0.5 * (freedom + 1)) / largest.error
    spread = math.hypot(largest.error, OFF_BY)
    off = math.exp(-0.5 * (largest.log_error / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    off *= 2.0 * (ABOVE if largest.log_error > 0 else 1.0 - ABOVE)
    share = OFF * off / (OFF * off + (1.0 - OFF) * holds)
    name = f"{first.label} without the largest"
    kept = tuple(replace(law, weight=law.weight * (1.0 - share)) for law in laws)
    return (*kept, Weighted(fit, drift, share, name))


def quote_interval(
    laws: Sequence[Weighted], x: Mapping[str, float], level: float, users: Interval | None = None,
    own: Interval | None = None, model: float = MODEL,
) -> Interval | None:  # fmt: skip
    """The interval at one point. None without laws.

    Args:
        users: the interval over test users, where it is known.
        own: the sampling interval of the first law, where it is known.
        model: see `semgjax.scaling.drift.MODEL`.
    """
    found = quote_quantiles(laws, x, (level,), level, users, own, model)
    return None if found is None else opened(found[0], float(predict(laws[0].fit, x)))


def quote_quantiles(
    laws: Sequence[Weighted], x: Mapping[str, float], levels: Sequence[float], level: float,
    users: Interval | None = None, own: Interval | None = None, model: float = MODEL,
) -> list[Interval] | None:  # fmt: skip
    """The ends of the quote's interval at each of `levels`, none of them opened; see `quote_interval`.

    Args:
        level: of `users` and `own`.
    """
    kept = [law for law in laws if law.weight >= _LEAST]
    if not kept:
        return None
    shares, means, below, above = [], [], [], []
    more = 0.0
    if users is not None and 0.0 < users[0] <= users[1] < np.inf:
        more = (np.log(users[1] / users[0]) / (2.0 * float(normal_quantile(0.5 + 0.5 * level)))) ** 2
    for law in kept:
        value = float(predict(law.fit, x))
        mix = prediction_mixture(law.drift, x, model)
        low, high = _stretches(law, x, value, own, level) if law is laws[0] else (1.0, 1.0)
        shares.append(law.weight * mix.shares)
        means.append(np.log(value) + mix.means)
        below.append(np.sqrt(low**2 * mix.sampling + mix.drift + more))
        above.append(np.sqrt(high**2 * mix.sampling + mix.drift + more))
    every = np.concatenate(shares)
    parts = every / every.sum(), np.concatenate(means), np.concatenate(below)
    fit = laws[0].fit
    most = max(ceiling(fit), float(predict(fit, x)))
    found = []
    for one in levels:
        ends = mixture_quantiles(*parts, one, np.concatenate(above))
        low, high = (min(float(np.exp(np.clip(end[0], -700.0, 700.0))), most) for end in ends)
        found.append((low, high))
    return found


def _stretches(law: Weighted, x: Mapping[str, float], value: float, known: Interval | None, level: float) -> Interval:
    """By what the profile likelihood's ends exceed those of the delta method, below and above."""
    fit, drift = law.fit, law.drift
    points = {name: np.array([v]) for name, v in x.items()}
    ahead = slopes_at(fit, fit.theta, points) @ drift.lift
    freedom = max(len(drift.residuals) - drift.basis.shape[1], 1)
    scatter = np.sqrt(max(float(drift.residuals @ drift.residuals), 1e-24) / freedom)
    half = float(t_quantile(0.5 + 0.5 * level, freedom)) * scatter * float(np.linalg.norm(ahead))
    if known is None or half <= 0.0:
        return 1.0, 1.0
    with np.errstate(divide="ignore"):
        gaps = np.log(value) - np.log(max(known[0], 0.0)), np.log(known[1]) - np.log(value)
    low, high = (float(np.clip(gap / half, *_STRETCH)) for gap in gaps)
    return low, high
