"""Which law to trust: fits side by side, judged by how they predict larger runs; a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit, Point, fit_law, predict
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS, law_named
from semgjax.scaling.objective import Objective
from semgjax.scaling.quantiles import f_tail
from semgjax.scaling.rolling import leave_largest_out, rolling_origin
from semgjax.scaling.table import Table

STARTS = 32
SMALLEST_ERROR = 0.005  # log: rolling errors below half a percent are luck, and must not take all the weight


@dataclass(frozen=True)
class LawScore:
    """One law: its fit, AICc (None: too few points), rolling-origin error, that of the largest level (log), weight."""

    name: str
    fit: Fit
    aicc: float | None
    rolling_error: float | None
    largest_error: float | None
    weight: float
    value: float | None


@dataclass(frozen=True)
class NestedTest:
    """F test of a smaller law within a larger one; p: of the smaller being enough. boundary: halved, as the extra
    parameter cannot be negative (Self and Liang 1987)."""

    smaller: str
    larger: str
    statistic: float
    p: float
    boundary: bool


@dataclass(frozen=True)
class Comparison:
    """Laws in falling order of weight, those that could not be fitted with the reason, tests and the verdict."""

    scores: tuple[LawScore, ...]
    refused: tuple[tuple[str, str], ...]
    tests: tuple[NestedTest, ...]
    verdict: str


def default_laws(inputs: Sequence[str]) -> tuple[Law, ...]:
    """The laws that a table with these inputs is asked about."""
    names = tuple(inputs)
    if names == ("N",):
        return tuple(LAWS[n] for n in ("power", "floor_power", "saturating", "rational", "broken"))
    if set(names) == {"N", "D"}:
        return tuple(LAWS[n] for n in ("chinchilla", "kaplan", "saturating_joint", "rational_joint"))
    if set(names) == {"U", "H"}:
        return LAWS["users_hours"], LAWS["users_hours_product"]
    own = tuple(law for law in LAWS.values() if set(law.input_names) == set(names))
    if names == ("U",):
        return tuple(law_named(n, names) for n in ("power", "additive", "saturating", "rational")) + own
    return own or tuple(law_named(n, names) for n in ("additive", "saturating", "rational"))


def compare_laws(
    table: Table, laws: Sequence[Law] | None = None, objective: Objective | None = None, at: Point | None = None
) -> Comparison:
    """Fit every law and rank by the rolling-origin error; at: a point at which to predict with each.

    Raises:
        InputError: no law can be fitted.
    """
    laws = default_laws(tuple(table.x)) if laws is None else tuple(laws)
    fits, refused, first = [], [], None
    for law in laws:
        try:
            fits.append(fit_law(table, law, objective, starts=STARTS))
        except InputError as refusal:
            refused.append((law.name, str(refusal)))
            first = first or refusal
    if not fits:
        raise first or InputError("name at least one law to compare", "bad-option")
    errors = [rolling_origin(fit).error for fit in fits]
    raw = np.array([0.0 if e is None else 1.0 / max(e, SMALLEST_ERROR) ** 2 for e in errors])
    weights = raw / raw.sum() if raw.sum() > 0 else np.full(len(fits), 1.0 / len(fits))
    scores = []
    for fit, error, weight in zip(fits, errors, weights, strict=True):
        largest = leave_largest_out(fit)
        scores.append(
            LawScore(
                fit.law.name,
                fit,
                aicc(fit),
                error,
                None if largest is None else abs(largest.log_error),
                float(weight),
                None if at is None else float(predict(fit, at).reshape(-1)[0]),
            )
        )
    scores.sort(key=lambda s: -s.weight)
    tests = _nested({fit.law.name: fit for fit in fits})
    return Comparison(tuple(scores), tuple(refused), tests, _verdict(scores, tests))


def aicc(fit: Fit) -> float | None:
    """Akaike's criterion for small samples, of log residuals (Hurvich and Tsai 1989); None with too few points."""
    n, k = len(fit.table.y), fit.free_count + 1
    if n - k - 1 <= 0:
        return None
    squares = max(float(np.sum(fit.weights * fit.residuals**2)), n * 1e-24)
    return n * float(np.log(squares / n)) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)


def average_prediction(comparison: Comparison, x: Point) -> tuple[float, float, float]:
    """(weighted geometric mean, lowest, highest) of the laws at one point, weighted by extrapolation score."""
    values = np.array([float(predict(s.fit, x).reshape(-1)[0]) for s in comparison.scores])
    weights = np.array([s.weight for s in comparison.scores])
    kept = weights > 0
    mean = float(np.exp(np.sum(weights * np.log(values)) / weights.sum()))
    return mean, float(values[kept].min()), float(values[kept].max())


def nested_test(smaller: Fit, larger: Fit, boundary: bool) -> NestedTest | None:
    """F test of log squares; None without degrees of freedom. Both fits should be by log_ls."""
    extra, dof = larger.free_count - smaller.free_count, larger.degrees_of_freedom
    if extra <= 0 or dof <= 0:
        return None
    rss = [float(np.sum(f.weights * f.residuals**2)) for f in (smaller, larger)]
    statistic = max(rss[0] - rss[1], 0.0) / extra / max(rss[1] / dof, 1e-300)
    p = float(f_tail(statistic, extra, dof))
    return NestedTest(smaller.law.name, larger.law.name, statistic, p / 2.0 if boundary else p, boundary)


def test_users_or_hours(table: Table) -> tuple[str, tuple[NestedTest, ...]]:
    """Do users count, or hours? (verdict, tests) of y = E + A U^-alpha H^-beta against its two smaller laws.

    "only users": beta = 0. "only all hours together": alpha = beta, a function of U * H.

    Raises:
        InputError: as `fit_law`.
    """
    squares = Objective("log_ls")
    full = fit_law(table, LAWS["users_hours_product"], squares, starts=STARTS)
    users = fit_law(table, LAWS["users_hours_product"], squares, {"beta": 0.0}, STARTS)
    pooled = Table(
        {"N": table.x["U"] * table.x["H"]}, table.y, table.unit, table.y_name, source=table.source, sd=table.sd
    )
    hours = fit_law(pooled, LAWS["floor_power"], squares, starts=STARTS)
    tests = tuple(t for t in (nested_test(users, full, True), nested_test(hours, full, False)) if t is not None)
    if len(tests) < 2:
        return "too few runs to separate users from hours", tests
    only_users, only_hours = (t.p > 0.05 for t in tests)
    alpha, beta = full.parameters["alpha"], full.parameters["beta"]
    numbers = f"(exponents {alpha:.2g} for users, {beta:.2g} for hours per user)"
    if only_users and only_hours:
        return f"undecided: both 'only users count' and 'only all hours together count' fit {numbers}", tests
    if only_users:
        return f"users count; more hours per user change nothing that these runs show {numbers}", tests
    if only_hours:
        return f"all hours together count, whoever they come from {numbers}", tests
    more = (
        "a new user is worth more than the same hours from known ones" if alpha > beta else "hours per user count more"
    )
    return f"both count: {more} {numbers}", tests


def _nested(fits: dict[str, Fit]) -> tuple[NestedTest, ...]:
    pairs = [("power", "floor_power", True), ("floor_power", "broken", False)]
    found = [
        nested_test(fits[a], fits[b], boundary) for a, b, boundary in pairs if a in fits and b in fits
    ]  # fmt: skip
    return tuple(t for t in found if t is not None)


def _verdict(scores: list[LawScore], tests: tuple[NestedTest, ...]) -> str:
    best = scores[0]
    if best.rolling_error is None:
        return (
            f"too few levels to see which law predicts larger runs; {best.name} is listed first without proof, so "
            "quote the range over all of them"
        )
    near = [s.name for s in scores[1:] if s.rolling_error is not None and s.rolling_error < 1.5 * best.rolling_error]
    text = f"{best.name} predicts the next larger runs best, to {100 * best.rolling_error:.2g} %"
    if near:
        text += f"; {', '.join(near)} do about as well, so quote the range over them"
    for test in tests:
        if test.smaller == "power":
            word = "shows" if test.p < 0.05 else "does not show"
            text += f"; the sweep {word} a floor (p = {test.p:.2g})"
    return text
