"""Compute-optimal sizes by approaches 2 and 3 of Hoffmann et al. 2022 side by side, each with its own bias.

Approach 2: in each FLOP budget a parabola of the loss in log N; its vertex is the best N, and a power law goes through
the vertices. Approach 3: one parametric law, E + A N^-alpha + B D^-beta, whose optimum is known in closed form (eq. 4).
A parabola is not the law's shape, so its vertex is off where the sizes of a budget do not lie evenly about it. How far
is computed: the law of approach 3 is put in place of the measurements, without and with noise, and both approaches are
applied to that.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw, parameter_draws, problems_of
from semgjax.scaling.decide.valleys import Valley, budget_groups, lines_through, valley_of, vertex_rows
from semgjax.scaling.diagnose import Diagnostic, about_table, blocks, diagnose
from semgjax.scaling.ends import listed, number, span
from semgjax.scaling.fit import Fit, fit_law, parameter_table, predict
from semgjax.scaling.laws import CHINCHILLA
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import LEVEL, check_level, no_interval_reason, parameter_intervals
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.solver import solve
from semgjax.scaling.table import Table

Array = np.ndarray
Interval = tuple[float, float]

DRAWS, SIMULATIONS = 400, 200
FLOPS_PER_TOKEN = 6.0  # of a parameter, forward and backward (Kaplan et al. 2020)


@dataclass(frozen=True)
class Approach:
    """One approach: N_opt = N at C, a power of C with `exponent`. optima: (C, N, interval) at the budgets asked.

    biases are what the approach makes of the fitted law itself: bias of its exponent and relative bias of N at the
    largest budget asked, without noise (`exact`), and with noise the median and the range that holds `level` of the
    simulated sweeps. failed: share of these sweeps in which the approach gives nothing.
    """

    name: str
    exponent: float | None
    interval: Interval | None
    optima: tuple[tuple[float, float | None, Interval | None], ...]
    exponent_exact: float | None = None
    exponent_noisy: tuple[float, float, float] | None = None
    size_exact: float | None = None
    size_noisy: tuple[float, float, float] | None = None
    failed: float | None = None


@dataclass(frozen=True)
class IsoFlop:
    """Both approaches. flops: FLOP of a run per parameter and token. blocked: of each approach, whether its numbers
    are withheld."""

    flops: float
    valleys: tuple[Valley, ...]
    parabolas: Approach
    parametric: Approach
    level: float
    diagnostics: tuple[Diagnostic, ...]
    blocked: tuple[bool, bool]
    fit: Fit


def isoflop(
    table: Table,
    budgets: Sequence[float] = (),
    compute: Array | None = None,
    objective: Objective | None = None,
    level: float = LEVEL,
    force: bool = False,
    seed: int = 0,
) -> IsoFlop:
    """Best parameters for a compute budget by both approaches, from runs with inputs N and D.

    compute: FLOP of each run [n] (default: 6 N D). budgets: FLOP to answer for (default: ten times the largest).
    The intervals: of approach 2 the regression's with t over the vertices; of approach 3 the residual bootstrap's.

    Raises:
        InputError: no inputs N and D, compute out of range, or as `fit_law`.
    """
    check_level(level)
    fit = fit_law(table, CHINCHILLA, objective)
    n, d = table.x["N"], table.x["D"]
    c = FLOPS_PER_TOKEN * n * d if compute is None else np.asarray(compute, np.float64)
    if c.shape != n.shape or not (np.isfinite(c) & (c > 0)).all():
        raise InputError(f"{table.source}: compute must be one number above 0 for each of {len(n)} runs", "bad-shape")
    flops = float(np.exp(np.mean(np.log(c / (n * d)))))
    asked = tuple(sorted(float(b) for b in budgets)) or (10.0 * float(c.max()),)
    for budget in asked:
        if not (np.isfinite(budget) and budget > 0):
            raise InputError(f"budget {budget}: must be a number of FLOP above 0", "bad-value")
    groups = budget_groups(c)
    valleys = tuple(valley_of(table, c, index) for index in groups)
    used = [index for index, valley in zip(groups, valleys, strict=True) if valley.optimum is not None]
    found = list(_findings(fit, valleys, level))
    wrong = blocks(d for d in about_table(table, fit) if d.code not in ("collinear-axes", "rising")) and not force
    blocked = (len(used) < 2 or wrong, blocks(found) and not force)
    parabolas, parametric = (
        Approach(name, None, None, tuple((b, None, None) for b in asked)) for name in ("parabolas", "parametric")
    )
    if not blocked[0]:
        parabolas = _by_parabolas(n, c, table.y, used, asked, level)
    if not blocked[1]:
        parametric = _by_law(fit, asked, flops, level, seed)
        parabolas, parametric = _with_biases(fit, parabolas, parametric, n, c, used, asked[-1], flops, level, seed)
        found += _disagreement(parabolas, parametric)
    return IsoFlop(flops, valleys, parabolas, parametric, level, tuple(found), blocked, fit)


def _by_parabolas(n: Array, c: Array, y: Array, used: list[Array], asked: Sequence[float], level: float) -> Approach:
    logs_c, places = vertex_rows(n, c, y[None], used)
    slope, at_mean, mean = (float(v[0]) for v in lines_through(logs_c, places))
    values = [float(np.exp(at_mean + slope * (np.log(b) - mean))) for b in asked]
    spare = len(used) - 2
    interval: Interval | None = None
    ends: list[Interval | None] = [None] * len(asked)
    if spare > 0:
        rest = places[0] - (at_mean + slope * (logs_c - mean))
        error = float(np.sqrt((rest**2).sum() / spare))
        width = float(t_quantile(0.5 + level / 2.0, spare)) * error
        across = float(((logs_c - mean) ** 2).sum())
        interval = (slope - width / np.sqrt(across), slope + width / np.sqrt(across))
        halves = [width * np.sqrt(1.0 / len(used) + (np.log(b) - mean) ** 2 / across) for b in asked]
        ends = [(v * float(np.exp(-h)), v * float(np.exp(h))) for v, h in zip(values, halves, strict=True)]
    return Approach("parabolas", slope, interval, tuple(zip(asked, values, ends, strict=True)))


def _optimum(values: dict[str, Array], budget: float, flops: float) -> tuple[Array, Array]:
    """(exponent of C, best N at the budget) [k] of parameters {name: [k]} (Hoffmann et al. 2022, eq. 4)."""
    alpha, beta = values["alpha"], values["beta"]
    total = alpha + beta
    with np.errstate(all="ignore"):
        scale = (np.log(alpha * values["A"]) - np.log(beta * values["B"])) / total
        return beta / total, np.exp(scale + beta / total * np.log(budget / flops))


def _by_law(fit: Fit, asked: Sequence[float], flops: float, level: float, seed: int) -> Approach:
    own = parameter_table(fit, fit.theta[None])
    exponent = float(_optimum(own, asked[0], flops)[0][0])
    values = [float(_optimum(own, budget, flops)[1][0]) for budget in asked]
    if no_interval_reason(fit) is not None:
        return Approach("parametric", exponent, None, tuple((b, v, None) for b, v in zip(asked, values, strict=True)))
    drawn = dict(parameter_draws(draw(fit, DRAWS, "residual", seed)))
    ends = [_range(_optimum(drawn, budget, flops)[1], level) for budget in asked]
    interval = _range(_optimum(drawn, asked[0], flops)[0], level)
    return Approach("parametric", exponent, interval, tuple(zip(asked, values, ends, strict=True)))


def _range(values: Array, level: float) -> Interval | None:
    """The range of `level` of the draws [k]; those without a number stand at the ends in equal parts."""
    known = values[np.isfinite(values)]
    if len(known) < 0.5 * len(values):
        return None
    tail = 0.5 * (1.0 - level)
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return float(low), float(high)


def _with_biases(
    fit: Fit, parabolas: Approach, parametric: Approach, n: Array, c: Array, used: list[Array], budget: float,
    flops: float, level: float, seed: int,
) -> tuple[Approach, Approach]:  # fmt: skip
    """Both approaches with what they make of sweeps simulated from the fitted law."""
    truth, size = (float(v[0]) for v in _optimum(parameter_table(fit, fit.theta[None]), budget, flops))
    clean = predict(fit, fit.table.x)
    noise = (fit.scatter or 0.0) / np.sqrt(fit.weights)
    y = clean * np.exp(noise * np.random.default_rng(seed).standard_normal((SIMULATIONS, len(clean))))
    if used and parabolas.exponent is not None:
        logs_c, exact = vertex_rows(n, c, clean[None], used)
        slopes, sizes = _at(budget, *lines_through(logs_c, exact))
        many, many_sizes = _at(budget, *lines_through(*vertex_rows(n, c, y, used)))
        parabolas = _biased(parabolas, slopes[0] - truth, sizes[0] / size - 1.0, many - truth, many_sizes / size - 1.0,
                            level)  # fmt: skip
    ends = solve(fit.law, problems_of(fit, y / fit.unit_y), np.tile(fit.theta, (SIMULATIONS, 1)))
    exponents, best = _optimum(parameter_table(fit, ends.theta), budget, flops)
    return parabolas, _biased(parametric, 0.0, 0.0, exponents - truth, best / size - 1.0, level)


def _at(budget: float, slope: Array, at_mean: Array, mean: Array) -> tuple[Array, Array]:
    """(slope, N at the budget) [s] of lines."""
    with np.errstate(over="ignore"):
        return slope, np.exp(at_mean + slope * (np.log(budget) - mean))


def _biased(
    approach: Approach, exact: float, size_exact: float, exponents: Array, sizes: Array, level: float
) -> Approach:
    known = np.isfinite(exponents) & np.isfinite(sizes)
    exponent_noisy, size_noisy = (_spread(values[known], level) for values in (exponents, sizes))
    return Approach(
        approach.name, approach.exponent, approach.interval, approach.optima, _number(exact), exponent_noisy,
        _number(size_exact), size_noisy, float(1.0 - known.mean()),
    )  # fmt: skip


def _spread(values: Array, level: float) -> tuple[float, float, float] | None:
    """(median, low, high); None without values."""
    if not len(values):
        return None
    tail = 0.5 * (1.0 - level)
    middle, low, high = np.quantile(values, [0.5, tail, 1.0 - tail])
    return float(middle), float(low), float(high)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _findings(fit: Fit, valleys: tuple[Valley, ...], level: float) -> list[Diagnostic]:
    intervals = None if no_interval_reason(fit) else parameter_intervals(fit, level)
    found = [d for d in diagnose(fit, intervals, level) if d.severity != "info"]
    used = sum(valley.optimum is not None for valley in valleys)
    if used < 2:
        text = f"{used} of {len(valleys)} budgets have a vertex among their sizes; a power of C needs two"
        found.append(Diagnostic("few-valleys", "warning", f"{text}: train smaller and larger models at equal FLOPs"))
    elif used == 2:
        text = "two budgets have a vertex: a line passes through any two points, so approach 2 has no interval"
        found.append(Diagnostic("few-valleys", "warning", text))
    return found


def _disagreement(first: Approach, second: Approach) -> list[Diagnostic]:
    found = []
    if first.interval and second.interval:
        apart = max(first.interval[0], second.interval[0]) > min(first.interval[1], second.interval[1])
        if apart:
            text = f"the intervals of the exponent do not meet: {span(first.interval)} and {span(second.interval)}"
            found.append(Diagnostic("approaches-disagree", "warning", text))
    if first.size_exact is not None and first.optima[-1][2] is not None and first.optima[-1][1]:
        low, high = first.optima[-1][2]
        if abs(np.log1p(first.size_exact)) > 0.5 * np.log(high / low):
            text = (
                f"on the fitted law itself, without noise, parabolas give {1.0 + first.size_exact:.3g} times its best "
                "size: more than their interval allows for"
            )
            found.append(Diagnostic("parabola-bias", "warning", text))
    return found


def lines(found: IsoFlop) -> list[str]:
    """Both approaches as lines of text."""
    used = sum(valley.optimum is not None for valley in found.valleys)
    shown = [f"{found.flops:.4g} N D FLOP a run; {used} of {len(found.valleys)} budgets have a best size among theirs"]
    for valley in found.valleys:
        best = valley.reason or f"best N {number(valley.optimum)}, loss {number(valley.loss)}"
        shown.append(f"  {valley.compute:.3g} FLOP, {valley.runs} runs: {best}")
    for approach, hidden in zip((found.parabolas, found.parametric), found.blocked, strict=True):
        label = "approach 2, parabolas" if approach.name == "parabolas" else "approach 3, parametric"
        if hidden or approach.exponent is None:
            shown.append(f"{label}: no number; see below")
            continue
        shown.append(f"{label}: N_opt = k C^{approach.exponent:.4g} {span(approach.interval)}{_bias_words(approach)}")
        for budget, value, ends in approach.optima:
            tokens = None if value is None else budget / found.flops / value
            shown.append(f"  at {budget:.4g} FLOP: N {number(value)} {span(ends)}, D {number(tokens)}")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in found.diagnostics]


def _bias_words(approach: Approach) -> str:
    if approach.exponent_exact is None or approach.size_exact is None or approach.size_noisy is None:
        return ""
    middle, low, high = approach.size_noisy
    return (
        f"; bias of the exponent {approach.exponent_exact:+.2g}, of N {100 * approach.size_exact:+.2g} % without "
        f"noise, {100 * middle:+.2g} % [{100 * low:+.2g}, {100 * high:+.2g}] with the sweep's"
    )


def as_json(found: IsoFlop) -> dict[str, Any]:
    """Both approaches as a JSON object; what does not exist or is withheld is null."""
    rows = []
    for approach, hidden in zip((found.parabolas, found.parametric), found.blocked, strict=True):
        body = asdict(approach)
        body["interval"] = listed(approach.interval)
        body["optima"] = [
            {
                "budget": budget,
                "N": value,
                "D": None if value is None else budget / found.flops / value,
                "interval": listed(ends),
            }
            for budget, value, ends in approach.optima
        ]
        rows.append(body | {"blocked": hidden})
    return {
        "flops": found.flops,
        "level": found.level,
        "valleys": [asdict(valley) for valley in found.valleys],
        "approaches": rows,
        "diagnostics": [asdict(d) for d in found.diagnostics],
    }
