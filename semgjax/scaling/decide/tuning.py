"""What rungs that are not at their best learning rate add to an interval, and which rates to try at them.

Near its best the log error of a rung is a parabola of the log rate, with a curvature that the bracketed rungs show. An
unbracketed rung lies above its best error by an unknown gap. Its expected size is that of the parabola: where the two
outermost rates of a rung at the edge show the slope, the best rate lies that much further out; a rung of one rate is
taken to be off its best rate by a factor of `OFF`, or by its distance from the trend of the bracketed rungs' rates. A
gap of that size, as a standard deviation that all runs of the rung share, moves the asked quantity by the runs'
influence on it; independent rungs add in squares to the variance that noise causes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from semgjax.scaling.decide.sensitivity import log_gradients
from semgjax.scaling.fit import Fit
from semgjax.scaling.parabola import parabola
from semgjax.scaling.rungs import Rung
from semgjax.scaling.table import Table

Array = np.ndarray

CURVATURE = 0.1  # of the log error over the log rate, where no rung is bracketed: a factor of 2 costs 2.4 %
OFF = 2.0  # factor by which an untuned rate is off its best, where nothing is known
_STEP = 2.0  # between rates to try, where the table shows none
_FAR = 16.0  # factor beyond the edge that a slope may point to


@dataclass(frozen=True, eq=False)
class Tuning:
    """The gaps of a sweep's rungs, and how they move a quantity.

    Attributes:
        rungs: r rungs, those of new places after those of the table.
        gaps [r]: expected gap to the best error (log); 0 of a bracketed rung.
        rates: to try at each rung next; empty where its gap is 0.
        slopes [r, p]: sum of d log y / d theta over the runs of each rung, times their weights.
        lost [r, p, p]: information of the runs of each rung that the fit does not count, as they are far off.
        trend: of the best rates.
        new: expected gap of a rung at a new place, whose rate follows from those of the others.
    """

    rungs: tuple[Rung, ...]
    gaps: Array
    rates: tuple[tuple[float, ...], ...]
    slopes: Array
    lost: Array
    trend: "Trend"
    new: float

    def shares(self, matrix: Array, goal: Array | None, noise: float) -> Array:
        """What each rung's gap adds to the variance of the quantity, in shares of what noise adds [r].

        Args:
            matrix: information of the runs [p, p].
            goal: gradient of the quantity [p]; None: all parameters, mean of their shares.
            noise: scatter of a run (log).
        """
        moves = np.linalg.solve(matrix, self.slopes.T)
        if goal is None:
            sizes = np.einsum("pr,pq,qr->r", moves, matrix, moves) / len(matrix)
        else:
            sizes = (goal @ moves) ** 2 / float(goal @ np.linalg.solve(matrix, goal))
        return sizes * (self.gaps / noise) ** 2

    def factor(self, matrix: Array, goal: Array | None, noise: float) -> float:
        """By what gaps widen an interval; at least 1."""
        return float(np.sqrt(1.0 + self.shares(matrix, goal, noise).sum()))

    def tuned(self, index: int) -> "Tuning":
        """The same once the rates of a rung have been tried; its runs then count, `lost` is information gained."""
        gaps = np.where(np.arange(len(self.gaps)) == index, 0.0, self.gaps)
        rates = tuple(() if i == index else rates for i, rates in enumerate(self.rates))
        lost = np.where((np.arange(len(gaps)) == index)[:, None, None], 0.0, self.lost)
        return replace(self, gaps=gaps, rates=rates, lost=lost)

    def with_run(self, x: Mapping[str, float], slope: Array) -> "Tuning":
        """The same with one more run [p]: of a rung that is there, at its best rate, or of a new one at one rate."""
        for i, rung in enumerate(self.rungs):
            if self._same(rung, x):
                slopes = self.slopes.copy()
                slopes[i] += slope
                return replace(self, slopes=slopes)
        return replace(
            self,
            rungs=(*self.rungs, Rung(dict(x), (), (), (), 0)),
            gaps=np.append(self.gaps, self.new),
            rates=(*self.rates, ()),
            slopes=np.concatenate([self.slopes, slope[None]]),
            lost=np.concatenate([self.lost, np.zeros((1, len(slope), len(slope)))]),
        )

    def rates_at(self, x: Mapping[str, float]) -> tuple[float, ...]:
        """The rate for a run at a new place, by the trend of the bracketed rungs; empty where there is none."""
        if self.trend.line is None or any(self._same(rung, x) for rung in self.rungs):
            return ()
        return (_shown(float(np.exp(self.trend.rate(x)))),)

    @staticmethod
    def _same(rung: Rung, x: Mapping[str, float]) -> bool:
        return all(rung.at[name] == v or (v > 0 and abs(rung.at[name] / v - 1.0) < 0.01) for name, v in x.items())


def tuning_of(fit: Fit) -> Tuning | None:
    """The gaps of a fit's rungs; None where its table has no rates, or they are an input of the law."""
    rungs, rung_of = fit.table.rungs, fit.table.rung_of
    if not rungs or rung_of is None:
        return None
    own = log_gradients(fit, fit.theta[None], fit.table.x)[0][:, fit.free]
    slopes = np.zeros((len(rungs), own.shape[1]))
    np.add.at(slopes, rung_of, own * fit.weights[:, None])
    lost = np.zeros((*slopes.shape, own.shape[1]))
    missing = (fit.problem.weights - fit.weights)[:, None, None]
    np.add.at(lost, rung_of, missing * own[:, :, None] * own[:, None, :])
    curvature, step = curvature_of(fit.table), _step_of(rungs)
    trend = _trend(rungs, next(iter(fit.table.x)))
    found = [_gap(rung, curvature, step, trend) for rung in rungs]
    gaps, rates = np.array([gap for gap, _ in found]), tuple(rates for _, rates in found)
    return Tuning(rungs, gaps, rates, slopes, lost, trend, 0.5 * curvature * trend.spread**2)


def curvature_of(table: Table) -> float:
    """Second derivative of the log error by the log rate: the median over bracketed rungs, or else `CURVATURE`."""
    found = []
    for rung in table.rungs or ():
        near = slice(rung.chosen - 1, rung.chosen + 2)
        errors = [error for error in rung.errors[near] if error is not None]
        if rung.state == "bracketed" and len(errors) == 3:
            curvature = parabola([*map(math.log, rung.rates[near])], [*map(math.log, errors)]).curvature
            if curvature > 0:
                found.append(curvature)
    return float(np.median(found)) if found else CURVATURE


def _gap(rung: Rung, curvature: float, step: float, trend: "Trend") -> tuple[float, tuple[float, ...]]:
    """(expected gap (log), rates that are expected to bracket the rung)."""
    if rung.state == "bracketed":
        return 0.0, ()
    best = rung.rates[rung.chosen]
    inner = None
    if rung.state == "edge":
        inner = 1 if rung.chosen == 0 else len(rung.rates) - 2
    slope = None if inner is None or rung.errors[inner] is None else rung.errors[inner]
    if slope is None or inner is None:
        gap = 0.5 * curvature * (trend.off(rung) ** 2 + trend.spread**2)
        sides = [best / step, best * step] if inner is None else [best * step ** (1 if rung.chosen else -1)]
        return gap, tuple(map(_shown, sides))
    apart = np.log(best / rung.rates[inner])  # signed: towards the outside
    rise = np.log(float(slope)) - np.log(float(rung.errors[rung.chosen] or np.nan))
    further = np.clip(rise / (curvature * abs(apart)) - 0.5 * abs(apart), -0.5 * abs(apart), np.log(_FAR))
    outward = np.sign(apart)
    if further <= 0.5 * abs(apart):  # the best of the tried rates is the nearest to the vertex: one beyond it brackets
        return 0.5 * curvature * float(further) ** 2, (_shown(best * np.exp(apart)),)
    vertex = best * np.exp(outward * further)
    return 0.5 * curvature * float(further) ** 2, (_shown(vertex), _shown(vertex * step**outward))


@dataclass(frozen=True)
class Trend:
    """log best rate = level + power * log input over the bracketed rungs; None without any."""

    line: tuple[float, float] | None
    of: str

    @property
    def spread(self) -> float:
        """Standard deviation (log) of a best rate about the trend, or about any rate where there is none."""
        return float(np.log(OFF)) * (1.0 if self.line is None else 0.5)

    def off(self, rung: Rung) -> float:
        """Distance (log) of the rung's rate from the trend."""
        if self.line is None:
            return 0.0
        return float(np.log(rung.rates[rung.chosen]) - self.rate(rung.at))

    def rate(self, x: Mapping[str, float]) -> float:
        """Log of the best rate at a place."""
        assert self.line is not None
        return float(self.line[0] + self.line[1] * np.log(x[self.of]))


def _trend(rungs: tuple[Rung, ...], of: str) -> Trend:
    known = [rung for rung in rungs if rung.state == "bracketed" and rung.at[of] > 0]
    if not known or any(rung.at[of] <= 0 for rung in rungs):
        return Trend(None, of)
    sizes, rates = (np.log([v(rung) for rung in known]) for v in (lambda r: r.at[of], lambda r: r.rates[r.chosen]))
    if len(known) < 3 or np.ptp(sizes) < 0.01:
        return Trend((float(np.mean(rates)), 0.0), of)
    power, level = np.polyfit(sizes, rates, 1)
    return Trend((float(level), float(power)), of)


def _step_of(rungs: tuple[Rung, ...]) -> float:
    """The typical factor between neighbouring rates."""
    ratios = [b / a for rung in rungs for a, b in zip(rung.rates, rung.rates[1:], strict=False)]
    return float(np.median(ratios)) if ratios else _STEP


def _shown(rate: float) -> float:
    """Three significant digits."""
    return float(f"{rate:.3g}")
