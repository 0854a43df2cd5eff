"""How far the answer moves with choices that the data do not make: objective, outliers, law."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS, power_sum
from semgjax.scaling.objective import Objective
from semgjax.scaling.quantiles import f_tail

STARTS = 16
# A slope that changes within the sweep and no floor: the broken power law with these parameters held.
FLATTENING, BREAK_LEVELS = {"E": 0.0, "f1": 0.3}, 6
REJECTED = 0.05  # p of a law being enough, below which it is no choice
NONE = np.array([], int)  # no row
OBJECTIVES = (
    ("mm_log", Objective()),
    ("huber_log", Objective("huber_log")),
    ("huber_log 1e-3", Objective("huber_log", 1e-3)),
    ("log_ls", Objective("log_ls")),
    ("linear_ls", Objective("linear_ls")),
)


@dataclass(frozen=True, eq=False)
class Beside:
    """Another law fitted to the same points. p: of its misfit if the best of the laws compared has the right scatter
    (F test); None without degrees of freedom."""

    fit: Fit
    p: float | None

    @property
    def rejected(self) -> bool:
        return self.p is not None and self.p < REJECTED


@dataclass(frozen=True)
class Spread:
    """The range of an answer over choices; members: (what was chosen, answer)."""

    low: float
    high: float
    members: tuple[tuple[str, float], ...]


@lru_cache(maxsize=8)  # they are the same for every point that is asked
def choice_fits(fit: Fit, laws: tuple[Law, ...] | None = None) -> tuple[tuple[str, Fit], ...]:
    """The fit under other objectives, without its worst and its highest point, and with other laws.

    Choices that cannot be fitted to the table, or whose search does not end, are left out, and so are laws that the
    points reject. The first member is the fit itself.
    """
    found = [(f"{fit.law.name}, {fit.objective.kind}", fit)]
    off = np.flatnonzero(fit.run_weights == 0.0)  # plain squares would follow them
    for label, objective in OBJECTIVES:
        if objective != replace(fit.objective, reduction="sum"):
            out = off if objective.kind.endswith("_ls") else NONE
            found += _tried(fit, f"{fit.law.name}, {label}", fit.law, objective, out)
    order = np.argsort(np.abs(fit.residuals))
    for label, row in (("worst point", int(order[-1])), ("highest point", int(np.argmax(fit.table.y)))):
        if len(fit.table.y) > fit.free_count + 1:
            found += _tried(fit, f"{fit.law.name} without the {label}", fit.law, fit.objective, np.array([row]))
    found += [
        (f"{one.fit.law.name}, {fit.objective.kind}", one.fit) for one in laws_beside(fit, laws) if not one.rejected
    ]
    return tuple(found)


@lru_cache(maxsize=8)
def laws_beside(fit: Fit, laws: tuple[Law, ...] | None = None) -> tuple[Beside, ...]:
    """Other laws (default: those over the same inputs) fitted under the fit's objective, each tested against the best
    of all, the fit itself among them."""
    fits = [
        other
        for law in (alternatives(fit.law) if laws is None else laws)
        for _, other in _tried(fit, "", law, fit.objective)
    ]
    if laws is None and fit.law.name == "floor_power" and not fit.fixed and fit.levels >= BREAK_LEVELS:
        # Within a sweep a floor and a slope that flattens look alike; beyond it they part.
        fits += [other for _, other in _tried(fit, "", LAWS["broken"], fit.objective, NONE, FLATTENING)]
    judged = [one for one in (fit, *fits) if one.scatter is not None]
    best = min(judged, key=lambda one: one.scatter or 0.0, default=None)
    return tuple(Beside(one, None if best is None else enough_p(one, best)) for one in fits)


def enough_p(fit: Fit, best: Fit) -> float | None:
    """p of a misfit beyond that of the best law as large as the fit's; None where one of them has no scatter."""
    if fit.scatter is None or best.scatter is None:
        return None
    own, least = (float(np.sum(one.weights * one.residuals**2)) for one in (fit, best))
    extra = max(best.free_count - fit.free_count, 1)
    statistic = max(own - least, 0.0) / extra / max(least / best.degrees_of_freedom, 1e-300)
    return float(f_tail(statistic, extra, best.degrees_of_freedom))


def spread_of(fits: Sequence[tuple[str, Fit]], answer: Callable[[Fit], float]) -> Spread:
    """The range of `answer` over the members of `choice_fits`."""
    members = tuple((label, answer(fit)) for label, fit in fits)
    values = [value for _, value in members if np.isfinite(value)]
    return Spread(min(values), max(values), members)


def choice_spread(fit: Fit, x: float | dict, laws: Sequence[Law] | None = None) -> Spread:
    """The spread of the prediction at one point."""
    return spread_of(
        choice_fits(fit, None if laws is None else tuple(laws)), lambda member: float(predict(member, x).reshape(-1)[0])
    )


def alternatives(law: Law) -> tuple[Law, ...]:
    """Other laws over the same inputs that may be asked in its place."""
    names = law.input_names
    if law.name.split("(")[0] == "power":
        return (LAWS["floor_power"] if names == ("N",) else power_sum(names),)
    if names == ("N",):
        return tuple(LAWS[n] for n in ("floor_power", "saturating", "rational") if n != law.name)
    if set(names) == {"U", "H"}:
        return tuple(LAWS[n] for n in ("users_hours", "users_hours_product") if n != law.name)
    if names == ("N", "D") and law.name in ("chinchilla", "saturating_joint", "rational_joint", "kaplan"):
        return tuple(LAWS[n] for n in ("chinchilla", "kaplan", "saturating_joint") if n != law.name)
    if law.terms:
        return tuple(power_sum(names, link) for link in ("floor", "saturating") if not law.name.startswith(link))
    return ()


def _tried(
    fit: Fit, label: str, law: Law, objective: Objective, left_out: np.ndarray = NONE,
    held: Mapping[str, float] | None = None,
) -> list[tuple[str, Fit]]:  # fmt: skip
    table = fit.table
    if len(left_out):
        table = table.rows(np.delete(np.arange(len(table.y)), left_out))
    fixed = {name: value for name, value in fit.fixed.items() if name in law.parameter_names} | dict(held or {})
    try:
        found = fit_law(table, law, objective, fixed, STARTS)
    except InputError:
        return []  # too few levels for this choice: it is no choice
    return [(label, found)] if found.converged else []


def parameter_spreads(fit: Fit) -> dict[str, tuple[float, float]]:
    """(lowest, highest) of each parameter over objectives and outliers, for the fit's own law."""
    rows = [member.parameters for _, member in choice_fits(fit, ())]
    return {name: (min(r[name] for r in rows), max(r[name] for r in rows)) for name in fit.law.parameter_names}
