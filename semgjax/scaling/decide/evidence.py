"""What every decision is judged by: the fit, its draws, other fits of the same points, fits of shorter sweeps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semgjax.scaling.bootstrap import Draws, draw
from semgjax.scaling.choices import choice_fits
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.ends import Interval, Limits
from semgjax.scaling.estimable import why_not_estimable
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.table import count_levels

Array = np.ndarray

DRAWS = 400
MEMBER_DRAWS = 100


@dataclass(frozen=True, eq=False)
class Evidence:
    """draws: of the fit, None where it has no interval. others: (label, fit) of other objectives, without outliers,
    and of other laws. shorter: (label, fit) without the largest level of an input. members: draws of the fit
    and the same number of each other law: what a probability is pooled from. level: of intervals. findings: about
    the fit.
    """

    fit: Fit
    level: float
    findings: tuple[Diagnostic, ...]
    draws: Draws | None
    others: tuple[tuple[str, Fit], ...]
    shorter: tuple[tuple[str, Fit], ...]
    members: tuple[Draws, ...]


@dataclass(frozen=True)
class Question:
    """A number asked of a curve. evaluate(fit, thetas [k, p]) -> [k]; inf where a curve has none.

    gradient(fit, answer): how the answer moves with the coordinates, up to a factor [p]. profile(fit, answer, level):
    its interval by profile likelihood. limits: of an answer that is an amount of an input.
    """

    text: str
    unit: str
    evaluate: Callable[[Fit, Array], Array]
    gradient: Callable[[Fit, float], Array] | None = None
    profile: Callable[[Fit, float, float], Interval] | None = None
    limits: Limits | None = None

    def of(self, fit: Fit) -> float:
        """The number of the fit itself."""
        return float(self.evaluate(fit, fit.theta[None])[0])

    def unanswerable(self, fit: Fit, value: float) -> str | None:
        """Why the points of a fit do not determine the answer; None where they do."""
        return None if self.gradient is None else why_not_estimable(fit, self.gradient(fit, value))


def gather(fit: Fit, level: float = LEVEL, draws: int = DRAWS, seed: int = 0) -> Evidence:
    """Everything that questions about `fit` need, once for all of them.

    Raises:
        InputError: level out of range.
    """
    members = choice_fits(fit)
    one_of_each_law = {member.law.name: member for _, member in reversed(members) if _is_alike(member, fit)}
    pooled = (_draws_of(member, MEMBER_DRAWS, seed) for member in one_of_each_law.values())
    return Evidence(
        fit,
        level,
        diagnose(fit, parameter_intervals(fit, level), level),
        _draws_of(fit, draws, seed),
        members[1:],
        shorter_fits(fit),
        tuple(found for found in pooled if found is not None),
    )


def shorter_fits(fit: Fit) -> tuple[tuple[str, Fit], ...]:
    """The fit without the largest level, and without the two largest, of each input that has enough of them."""
    found = []
    for name in fit.law.input_names:
        values = fit.table.x[name]
        kept = np.ones(len(values), bool)
        for _ in range(2):
            kept &= values < values[kept].max() * 0.99
            if kept.sum() == 0 or count_levels(values[kept]) < 3:
                break
            table = fit.table.rows(np.flatnonzero(kept))
            if int(table.groups.max()) + 1 <= fit.free_count:
                break
            label = f"without {fit.table.column(name)} above {values[kept].max():.4g}"
            found.append((label, fit_law(table, fit.law, fit.objective, fit.fixed, seed=0)))
    return tuple(found)


def _draws_of(fit: Fit, count: int, seed: int) -> Draws | None:
    return draw(fit, count, "residual", seed) if no_interval_reason(fit) is None else None


def _is_alike(member: Fit, fit: Fit) -> bool:
    """Another law under the fit's objective, or the fit itself: no other choice of points or objective."""
    return member is fit or member.law.name != fit.law.name
