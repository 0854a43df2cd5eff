"""Intervals by profile likelihood: what a quantity may be over all curves that the points do not reject.

For a quantity q of the law (a prediction, a parameter) the profile S(v) is the least objective among the curves with
q = v. The interval holds the v with 2 (S(v) - S(fit)) / kappa <= F(1, n - p) at the level (Bates and Watts 1988,
Nonlinear Regression Analysis, 6.1). kappa is the residual variance for squares; for other losses
sum psi^2 / (n - p) / E psi' (Heritier and Ronchetti 1994, JASA 89: robust likelihood ratio tests). The profile is
traced by minimising S + W (q - v)^2 / 2: each such minimum lies on it exactly, wherever q then is. Other minima of
the search that the points do not reject either are traced too, and the interval holds them all. Where the noise may
be unequal or shared by rows (`semgjax.scaling.noise`), kappa of each quantity grows by what that does to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.fit import Fit, Point, fit_law, points_of, predict
from semgjax.scaling.kappa import kappa
from semgjax.scaling.noise import log_slopes, noise_scales
from semgjax.scaling.quantiles import f_quantile, f_tail
from semgjax.scaling.solver import Problems, curves, solve

Array = np.ndarray
Interval = tuple[float, float]

LEVEL = 0.95
# Places where a profile is traced, in half-widths of the delta method's interval.
_OFFSETS = np.array([0.3, 0.7, 1.0, 1.3, 1.7, 2.3, 3.2, 4.5, 6.5, 10.0, 16.0, 30.0])
_FAR = 9.0  # exp(9): a factor of 8,000 in y says nothing any more
_PULL = 40.0
_FINE = 6
BAND_PLACES = 25
_TIES = 3  # near ties that are followed
AT_LIMIT = 1e-3  # of a coordinate: nearer to a limit of the search, an end is that limit


@dataclass(frozen=True)
class Ties:
    """m quantities: each the log curve at t points x (scaled, {input: [m, t]}), weighted by curve [m, t] and summed,
    plus row [m, p] @ theta. t may be left out where it is 1."""

    x: Mapping[str, Array]
    curve: Array
    row: Array


def no_interval_reason(fit: Fit) -> str | None:
    """Why the fit has no interval, in words, or None when it has one."""
    parameters = fit.free_count
    if fit.degrees_of_freedom <= 0:
        return f"{len(fit.table.y)} points for {parameters} parameters leave nothing to judge the scatter by"
    if fit.levels <= parameters:
        return f"{fit.levels} different sizes for {parameters} parameters: the law passes near any such points"
    return None


def prediction_interval(fit: Fit, x: Point, level: float = LEVEL) -> Interval | None:
    """(low, high) for the law's value at one point; None when the fit has none (`no_interval_reason`).

    The interval is for the curve; a single new run scatters about it by `fit.scatter` more. An error rate is
    capped at `ceiling(fit)`.

    Raises:
        InputError: x or level out of range.
    """
    band = prediction_band(fit, x, level)
    return None if band is None else (float(band[0].reshape(-1)[0]), float(band[1].reshape(-1)[0]))


def prediction_band(fit: Fit, x: Point, level: float = LEVEL) -> tuple[Array, Array] | None:
    """(low [...], high [...]) of `prediction_interval` at each point; over one input many places are interpolated."""
    values, shape = points_of(fit, x)
    check_level(level)
    if no_interval_reason(fit) is not None:
        return None
    first = next(iter(values))
    asked = values[first]
    if len(values) == 1 and len(asked) > BAND_PLACES and asked.min() > 0:
        places = {first: np.geomspace(asked.min(), asked.max(), BAND_PLACES)}
        at = np.log(places[first])
        low, high = (
            np.exp(np.interp(np.log(asked), at, np.log(np.clip(e, 1e-300, 1e300)))) for e in _ends(fit, places, level)
        )
    else:
        low, high = _ends(fit, values, level)
    # A law that itself leads above the ceiling keeps its own value inside the interval.
    most = np.maximum(ceiling(fit), predict(fit, values))
    return np.minimum(low, most).reshape(shape), np.minimum(high, most).reshape(shape)


def _ends(fit: Fit, values: Mapping[str, Array], level: float) -> tuple[Array, Array]:
    m = len(next(iter(values.values())))
    ties = Ties(fit.problem.inputs(values), np.ones(m), np.zeros((m, len(fit.theta))))
    low, high = profile_ends(fit, ties, level)
    return np.exp(low) * fit.unit_y, np.exp(high) * fit.unit_y


def ceiling(fit: Fit) -> float:
    """The largest value worth predicting: 100 % (an empty answer's error rate), or the largest measured."""
    return max(100.0, float(fit.table.y.max())) if fit.table.unit == "%" else np.inf


def parameter_intervals(fit: Fit, level: float = LEVEL) -> dict[str, Interval] | None:
    """Interval of each fitted parameter of the law's formula; None when the fit has none (`no_interval_reason`)."""
    check_level(level)
    if no_interval_reason(fit) is not None:
        return None
    p = len(fit.theta)
    rows = fit.problem.coordinate_rows
    chosen = [i for i in range(p) if fit.free[i]]
    none = {name: np.ones(len(chosen)) for name in fit.reference}
    ties = Ties(none, np.zeros(len(chosen)), np.stack([rows[i][0] for i in chosen]))
    low, high = profile_ends(fit, ties, level)
    found: dict[str, Interval] = {}
    for k, i in enumerate(chosen):
        parameter, offset = fit.law.parameters[i], rows[i][1]
        ends = (low[k], high[k])
        if parameter.in_log:
            with np.errstate(over="ignore"):
                found[parameter.name] = (float(np.exp(ends[0] + offset)), float(np.exp(ends[1] + offset)))
        else:
            found[parameter.name] = (float(ends[0] * offset), float(ends[1] * offset))
    return _without_limits(fit, found, dict(zip(chosen, zip(low, high, strict=True), strict=True)))


def _without_limits(fit: Fit, found: dict[str, Interval], coordinates: Mapping[int, Interval]) -> dict[str, Interval]:
    """The intervals with no end where one stands at a limit of the search: that is no finding of the points."""
    law, open_ended = fit.law, set()
    for i, (low, high) in coordinates.items():
        parameter = law.parameters[i]
        if parameter.kind == "floor" or any(isinstance(power, str) for power in parameter.scaling.values()):
            continue
        least, most = found[parameter.name]
        if low <= fit.low[i] + AT_LIMIT:
            least = 0.0 if parameter.in_log or fit.low[i] >= 0.0 else -np.inf
        capped = parameter.kind == "ceiling" and fit.table.unit == "%"
        if high >= fit.high[i] - AT_LIMIT and not capped:
            most = np.inf
            open_ended.add(parameter.name)
        found[parameter.name] = (least, most)
    for parameter in law.parameters:  # A of A * N^-alpha ends where alpha does
        if parameter.name in found and open_ended & {str(power).lstrip("-") for power in parameter.scaling.values()}:
            found[parameter.name] = (found[parameter.name][0], np.inf)
    return found


@lru_cache(maxsize=16)
def near_ties(fit: Fit, level: float = LEVEL) -> Array:
    """Other minima of the search that the points do not reject at `level` [j, p], at most three, the lowest first."""
    minima, freedom = fit.minima, fit.degrees_of_freedom
    if minima is None and (fit.starts_agree < 1.0 or fit.second_gap is not None):  # read from a file
        minima = fit_law(fit.table, fit.law, fit.objective, fit.fixed, fit.starts).minima
    if minima is None or not len(minima) or freedom <= 0:
        return np.zeros((0, len(fit.theta)))
    ends = solve(fit.law, problems_of(fit), np.concatenate([fit.theta[None], minima]))
    stat = 2.0 * (ends.value[1:] - ends.value[0]) / kappa(fit)
    # Curves with one objective lie along a direction that the points leave open: the profile follows it from any.
    _, first = np.unique(np.round(stat, 6), return_index=True)
    return ends.theta[1:][[k for k in first if stat[k] <= f_quantile(level, 1, freedom)][:_TIES]]


def profile_ends(fit: Fit, ties: Ties, level: float) -> tuple[Array, Array]:
    """(low [m], high [m]) of the tied quantities; where an end is not found within reach, -inf or inf.

    Where the points leave open whether a run is off, they hold for both answers.
    """
    low, high = _own_ends(fit, ties, level)
    other = fit.second_answer
    if other is None or no_interval_reason(other) is not None:
        return low, high
    low_other, high_other = _own_ends(other, ties, level)
    return np.minimum(low, low_other), np.maximum(high, high_other)


def _own_ends(fit: Fit, ties: Ties, level: float) -> tuple[Array, Array]:
    others = near_ties(fit, level)
    traces = [_Trace.of(fit, ties, others, theta, level) for theta in (fit.theta, *others)]
    lows, highs = zip(*(_ends_along(trace, level) for trace in traces), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _ends_along(trace: "_Trace", level: float) -> tuple[Array, Array]:
    fit = trace.fit
    cut = float(f_quantile(level, 1, fit.degrees_of_freedom))
    half = np.clip(np.sqrt(cut) * trace.sigma, 1e-7, _FAR / 3.0)
    m = len(trace.centre)
    offsets = np.concatenate([-_OFFSETS[::-1], _OFFSETS])
    goals = trace.centre[:, None] + np.clip(half[:, None] * offsets, -_FAR, _FAR)
    q, stat, theta = trace.follow(goals, half, cut)
    ends = []
    k = len(_OFFSETS)
    for side in (-1, 1):
        order = np.arange(k, 2 * k) if side > 0 else np.arange(k - 1, -1, -1)
        path_q = np.concatenate([trace.centre[:, None], q[:, order]], axis=1)
        path_s = np.concatenate([np.full((m, 1), trace.own), stat[:, order]], axis=1)
        path_t = np.concatenate([np.broadcast_to(trace.theta, (m, 1, len(fit.theta))), theta[:, order]], axis=1)
        last = k - (path_s <= cut)[:, ::-1].argmax(axis=1)  # outermost place that is not rejected
        rows = np.arange(m)
        open_end = last == k
        outer = np.minimum(last + 1, k)
        a, b = path_q[rows, last], path_q[rows, outer]
        steps = a[:, None] + (b - a)[:, None] * np.linspace(0, 1, _FINE + 2)[1:-1]
        fine_q, fine_s, _ = trace.follow(steps, half, cut, path_t[rows, last], path_t[rows, outer])
        fine_q = np.concatenate([a[:, None], fine_q, b[:, None]], axis=1)
        fine_s = np.concatenate([path_s[rows, last][:, None], fine_s, path_s[rows, outer][:, None]], axis=1)
        end = np.array([_crossing(fine_q[i], fine_s[i], cut) for i in range(m)])
        # A quantity that no longer follows stands at an end of its range; one that still does has no end in reach.
        follows = np.abs(path_q[:, k] - goals[rows, order[-1]]) <= 0.5 * np.abs(goals[rows, order[-1]] - trace.centre)
        end = np.where(open_end, np.where(follows, side * np.inf, path_q[:, k]), end)
        ends.append(end)
    return np.minimum(ends[0], trace.centre), np.maximum(ends[1], trace.centre)


def profile_f(fit: Fit, x: Point, values: ArrayLike, level: float = LEVEL) -> Array:
    """F statistic [m] of "the curve at x is values[i]"; reject where it exceeds F(1, n - p) at `level`.

    x: one point or m of them.

    Raises:
        InputError: the fit has no degrees of freedom, or x is out of range.
    """
    goals = np.log(np.asarray(values, np.float64).reshape(-1) / fit.unit_y)
    points, _ = points_of(fit, x)
    at = {name: np.broadcast_to(v, goals.shape) for name, v in points.items()}
    return rejection(
        fit, Ties(fit.problem.inputs(at), np.ones(len(goals)), np.zeros((len(goals), len(fit.theta)))), goals, level
    )


def rejection(fit: Fit, ties: Ties, goals: Array, level: float = LEVEL) -> Array:
    """F statistic [m] of "the tied quantity is goals[i]"; NaN where the quantity does not exist.

    Raises:
        InputError: the fit has no degrees of freedom.
    """
    if fit.degrees_of_freedom <= 0:
        raise InputError(f"{fit.table.source}: {no_interval_reason(fit)}", "too-few-levels")
    stat, other = _own_rejection(fit, ties, goals, level), fit.second_answer
    if other is None or no_interval_reason(other) is not None:
        return stat
    # The second answer's statistic, as one of the fit's own degrees of freedom with the same tail.
    tail = f_tail(_own_rejection(other, ties, goals, level), 1, other.degrees_of_freedom)
    return np.fmin(stat, f_quantile(1.0 - tail, 1, fit.degrees_of_freedom))


def _own_rejection(fit: Fit, ties: Ties, goals: Array, level: float) -> Array:
    trace = _Trace.of(fit, ties, near_ties(fit), fit.theta, level)
    half = np.maximum(np.abs(goals - trace.centre), 1e-7) / 3.0
    # From the fit outwards in four steps, so that a far value is reached along the profile.
    path = trace.centre[:, None] + (goals - trace.centre)[:, None] * np.array([0.25, 0.5, 0.75, 1.0])
    _, stat, _ = trace.follow(path, half, 4.0, exact=True)
    return stat[:, -1]


def gradients_of(fit: Fit, ties: Ties, theta: Array | None = None) -> tuple[Array, Array]:
    """The tied quantities [m] at theta (default: the fit's) and their derivatives by the free coordinates [m, p]."""
    theta = fit.theta if theta is None else theta
    p, step, m = len(theta), 1e-5, len(ties.row)
    around = np.concatenate([theta + step * np.eye(p), theta - step * np.eye(p), theta[None]])
    around = np.maximum(around, np.where(np.array([q.kind == "floor" for q in fit.law.parameters]), 0.0, -np.inf))
    gaps = np.diagonal(around[:p] - around[p : 2 * p])
    quantity = around @ ties.row.T
    if ties.curve.any():
        flat = {name: v.reshape(-1) for name, v in ties.x.items()}
        with np.errstate(all="ignore"):
            logs = np.log(curves(fit.law, flat, around)).reshape(2 * p + 1, m, -1)
            quantity = quantity + np.sum(ties.curve.reshape(m, -1) * logs, axis=2)
    gradient = ((quantity[:p] - quantity[p : 2 * p]) / gaps[:, None]).T
    return quantity[-1], np.where(fit.free, gradient, 0.0)


@dataclass(frozen=True, eq=False)
class _Trace:
    """What following a profile from a minimum needs: the fit, the ties, kappa of each, the delta method's view of each.

    theta: the minimum; own: the statistic there. least: the objective at the fit. others: near ties [j, p].
    """

    fit: Fit
    ties: Ties
    theta: Array
    own: float
    others: Array
    scale: Array
    centre: Array
    sigma: Array
    direction: Array
    least: float

    @staticmethod
    def of(fit: Fit, ties: Ties, others: Array, theta: Array, level: float) -> "_Trace":
        there = fit if theta is fit.theta else replace(fit, theta=theta)
        free = fit.free
        centre, gradient = gradients_of(fit, ties, theta)
        slopes = np.where(free, log_slopes(there) * np.sqrt(fit.weights)[:, None], 0.0)
        information = slopes.T @ slopes
        spread = np.sqrt(np.maximum(np.diagonal(information), 1e-12 * max(np.diagonal(information).max(), 1e-300)))
        covariance = np.linalg.pinv(information / spread[:, None] / spread, rcond=1e-10) / spread[:, None] / spread
        moved = gradient @ covariance
        variance = np.maximum(np.sum(moved * gradient, axis=1), 1e-300)
        scale = noise_scales(there, gradient[:, free], level, kappa(fit))
        values = solve(fit.law, problems_of(fit), np.stack([fit.theta, theta])).value
        own = max(float(2.0 * (values[1] - values[0]) / scale.max(initial=1e-300)), 0.0)
        return _Trace(
            fit, ties, theta, own, others, scale, centre, np.sqrt(variance * scale),
            moved / variance[:, None], float(values[0]),
        )  # fmt: skip

    def follow(
        self, goals: Array, half: Array, cut: float, first: Array | None = None, second: Array | None = None,
        exact: bool = False,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        """Minima tied to goals [m, k]: where q is [m, k], the statistic there [m, k], theta [m, k, p].

        Each is searched from the delta method's guess and from the fit (or from `first`, `second` [m, p]) and again
        from its neighbours' ends; the lowest counts. exact: the statistic at the goal itself, to first order.
        """
        m, k = goals.shape
        p = len(self.theta)
        pull = _PULL * cut * self.scale / half**2
        problems = replace(
            problems_of(self.fit),
            tie_x={name: np.repeat(v, k, axis=0) for name, v in self.ties.x.items()},
            tie_curve=np.repeat(self.ties.curve, k, axis=0),
            tie_row=np.repeat(self.ties.row, k, axis=0),
            tie_value=goals.reshape(-1),
            tie_weight=np.repeat(pull, k),
        )
        move = (goals - self.centre[:, None])[..., None] * self.direction[:, None, :]
        guess = self.theta + np.clip(move, -5.0, 5.0)
        tries = (
            [guess, *(np.broadcast_to(theta, guess.shape) for theta in (self.theta, *self.others))]
            if first is None or second is None
            else [np.repeat(first[:, None], k, 1), np.repeat(second[:, None], k, 1)]
        )
        best: tuple[Array, ...] = self._from(problems, tries[0])
        for start in tries[1:]:
            best = _lower(best, self._from(problems, start))
        for shift in (1, -1):  # each from its neighbour on the left, then from that on the right
            near = np.clip(np.arange(k) - shift, 0, k - 1)
            best = _lower(best, self._from(problems, best[0].reshape(m, k, p)[:, near]))
        theta, value, q, _ = best
        if exact:
            value = value + np.repeat(pull, k) * (goals.reshape(-1) - q) ** 2
        stat = 2.0 * (value - self.least) / np.repeat(self.scale, k)
        return q.reshape(m, k), np.maximum(stat, 0.0).reshape(m, k), theta.reshape(m, k, p)

    def _from(self, problems: Problems, start: Array) -> tuple[Array, ...]:
        ends = solve(self.fit.law, problems, start.reshape(-1, len(self.theta)), most=60)
        return ends.theta, ends.value, ends.tied, np.where(np.isfinite(ends.total), ends.total, np.inf)


def _lower(one: tuple[Array, ...], other: tuple[Array, ...]) -> tuple[Array, ...]:
    """For each search the end with the lower objective, which stands last."""
    better = other[3] < one[3]
    return tuple(np.where(better[:, None] if a.ndim == 2 else better, b, a) for a, b in zip(one, other, strict=True))


def _crossing(q: Array, stat: Array, cut: float) -> float:
    """Where sqrt(stat) crosses sqrt(cut) for the last time along q, by straight lines."""
    inside = np.flatnonzero(stat <= cut)
    i = int(inside[-1]) if len(inside) else 0
    if i == len(q) - 1:
        return float(q[-1])
    a, b = np.sqrt(stat[i]), np.sqrt(stat[i + 1])
    share = (np.sqrt(cut) - a) / max(b - a, 1e-300)
    return float(q[i] + np.clip(share, 0.0, 1.0) * (q[i + 1] - q[i]))


def check_level(level: float) -> None:
    """Raises InputError for a level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level}: must lie between 0 and 1, e.g. 0.95", "bad-value")
