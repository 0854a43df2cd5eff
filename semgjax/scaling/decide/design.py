"""Checks the plan of a sweep before any training: the interval to expect, and what the points cannot tell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.decide.prior import prior_fit
from semgjax.scaling.decide.sensitivity import information, log_gradients, variance_of
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import listed, number, span, unbounded
from semgjax.scaling.fit import Fit, distance, predict, whole_point
from semgjax.scaling.law import Law
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.solver import Problems, solve

Array = np.ndarray
Interval = tuple[float, float]

SIMULATIONS = 400
# A change of this share of a parameter that no point shows beyond its noise makes a direction weak.
WEAK = 0.5
# Log inputs as correlated as this are one axis.
COLLINEAR = 0.99
# An interval of more than a factor of two on each side decides nothing.
WIDE = float(np.log(2.0))


@dataclass(frozen=True)
class Weakness:
    """A change of parameters that the plan hardly sees: by what factor (or share) each moves, and the most that any
    point moves by then (log)."""

    changes: Mapping[str, float]
    shown: float
    text: str


@dataclass(frozen=True)
class DesignCheck:
    """What a plan of n runs would tell at a point, if the prior holds.

    value: of the prior there. interval: expected, from the linearised law with t. simulated: where 95 % (the
    level) of the predictions of simulated sweeps lie. floor_found: share of the simulated sweeps whose floor
    leaves 0. condition: of the scaled information. blocked: the plan answers nothing.
    """

    runs: int
    configurations: int
    degrees_of_freedom: int
    noise: float
    level: float
    value: float
    interval: Interval | None
    simulated: Interval | None
    floor_found: float | None
    condition: float
    parameters: Mapping[str, tuple[float, Interval | None]]
    weak: tuple[Weakness, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def blocked(self) -> bool:
        return any(d.severity == "error" for d in self.diagnostics)


def check_design(
    law: Law,
    parameters: Mapping[str, float],
    plan: Mapping[str, ArrayLike],
    at: Mapping[str, float],
    noise: float = 0.03,
    level: float = 0.95,
    unit: str = "",
    seed: int = 0,
) -> DesignCheck:
    """Judge the runs of a plan ({input: [n]}) by what they would tell about the curve at `at`.

    noise: relative scatter between seeds. The expected interval is the delta method's with t (n - p).

    Raises:
        InputError: see `prior_fit`; noise or level out of range.
    """
    if not (np.isfinite(noise) and 0.0 < noise < 1.0):
        raise InputError(f"noise {noise}: relative scatter between seeds, e.g. 0.03", "bad-value")
    fit = prior_fit(law, parameters, plan, unit)
    slopes = log_gradients(fit, fit.theta[None], fit.table.x)[0]
    goal = log_gradients(fit, fit.theta[None], at)[0, 0]
    matrix = information(slopes) / noise**2
    dof = fit.degrees_of_freedom
    enough = fit.levels > fit.free_count
    t = float(t_quantile(0.5 + level / 2.0, dof)) if enough else np.inf
    half = t * float(np.sqrt(variance_of(goal, matrix)))
    value = float(predict(fit, at).reshape(-1)[0])
    condition, weak = _directions(fit, slopes, noise)
    simulated, floor_found = _simulate(fit, at, noise, level, seed) if enough else (None, None)
    return DesignCheck(
        len(fit.table.y),
        fit.levels,
        dof,
        noise,
        level,
        value,
        (float(value * np.exp(-half)), float(value * np.exp(half))) if np.isfinite(half) and half < 50 else None,
        simulated,
        floor_found,
        condition,
        _parameter_ends(fit, parameters, matrix, t),
        weak,
        tuple(_findings(fit, at, half, condition)),
    )


def _natural_scale(fit: Fit) -> Array:
    """What one unit of relative change is in each coordinate [p]: exponents by themselves, floors by y."""
    return np.array(
        [
            1.0 if p.in_log else max(abs(theta), 0.05) if p.kind == "exponent" else 1.0
            for p, theta in zip(fit.law.parameters, fit.theta, strict=True)
        ]
    )


def _directions(fit: Fit, slopes: Array, noise: float) -> tuple[float, tuple[Weakness, ...]]:
    scale = _natural_scale(fit)[fit.free]
    names = [p.name for p, free in zip(fit.law.parameters, fit.free, strict=True) if free]
    columns = slopes[:, fit.free] * scale
    _, sizes, vectors = np.linalg.svd(columns, full_matrices=True)
    sizes = np.append(sizes, np.zeros(len(names) - len(sizes)))
    condition = float((sizes[0] / sizes[-1]) ** 2) if sizes[-1] > 1e-12 * sizes[0] else np.inf
    found = []
    for size, vector in zip(sizes, vectors, strict=True):
        error = noise / size if size > 1e-12 * sizes[0] else np.inf
        if error <= WEAK:
            continue
        # A step along the direction that moves its largest member by half.
        step = vector / np.abs(vector).max() * WEAK
        shown = float(np.abs(columns @ step).max())
        changes = {n: float(s) for n, s in zip(names, step, strict=True) if abs(s) > 0.1 * WEAK}
        words = ", ".join(f"{n} {100 * s:+.0f} %" for n, s in changes.items())
        text = f"{words} together change no planned run by more than {100 * shown:.2g} %"
        found.append(Weakness(changes, shown, text))
    return condition, tuple(found)


def _parameter_ends(
    fit: Fit, parameters: Mapping[str, float], matrix: Array, t: float
) -> dict[str, tuple[float, Interval | None]]:
    found: dict[str, tuple[float, Interval | None]] = {}
    for i, parameter in enumerate(fit.law.parameters):
        goal = np.zeros(len(fit.theta))
        goal[i] = 1.0
        half = t * float(np.sqrt(variance_of(goal, matrix)))
        value = parameters[parameter.name]
        if not np.isfinite(half) or half > 50:
            ends = None
        elif parameter.in_log:
            ends = (float(value * np.exp(-half)), float(value * np.exp(half)))
        else:
            half *= fit.unit_y if parameter.unit == "y" else 1.0
            ends = (max(value - half, 0.0) if parameter.kind in ("floor", "exponent") else value - half, value + half)
        found[parameter.name] = (value, ends)
    return found


def _simulate(
    fit: Fit, at: Mapping[str, float], noise: float, level: float, seed: int
) -> tuple[Interval, float | None]:
    """Fit sweeps drawn from the prior: (where `level` of their predictions lie, share with a floor above 0)."""
    random = np.random.default_rng(seed)
    y = fit.problem.y * np.exp(noise * random.standard_normal((SIMULATIONS, len(fit.table.y))))
    problems = Problems(fit.problem.x, y, np.ones((1, y.shape[1])), np.array([np.inf]), fit.low, fit.high)
    thetas = solve(fit.law, problems, np.tile(fit.theta, (SIMULATIONS, 1))).theta
    found = fit.problem.curve({name: np.array([v]) for name, v in whole_point(fit, at).items()}, thetas)[:, 0]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail])
    floors = [i for i, p in enumerate(fit.law.parameters) if p.kind == "floor"]
    share = float(np.mean(thetas[:, floors[0]] > 1e-6)) if floors else None
    return (float(low), float(high)), share


def _findings(fit: Fit, at: Mapping[str, float], half: float, condition: float) -> list[Diagnostic]:
    found = []
    p = fit.free_count
    if fit.levels <= p:
        text = f"{fit.levels} configurations for {p} parameters: no interval; plan {p + 1} or more, {p + 3} for comfort"
        found.append(Diagnostic("few-levels", "error", text))
    for i, first in enumerate(fit.law.input_names):
        logs = np.log(fit.table.x[first])
        if np.ptp(logs) < 1e-9:
            found.append(
                Diagnostic("one-level", "error", f"{first} is the same in all runs: its effect cannot be estimated")
            )
            continue
        if np.ptp(logs) < np.log(10.0):
            text = f"{first} spans a factor of {np.exp(np.ptp(logs)):.3g} only; a factor of 10 or more shows the bend"
            found.append(Diagnostic("short-range", "warning", text))
        for second in fit.law.input_names[i + 1 :]:
            others = np.log(fit.table.x[second])
            if np.ptp(others) > 1e-9 and abs(np.corrcoef(logs, others)[0, 1]) > COLLINEAR:
                text = f"{first} and {second} rise together: vary one at a time about a middle (shape star)"
                found.append(Diagnostic("collinear-axes", "error", text))
    if condition == np.inf and not any(d.severity == "error" for d in found):
        found.append(Diagnostic("not-identified", "error", "some parameters can change together without any trace"))
    if np.isfinite(half) and half > WIDE:
        text = f"the expected interval spans a factor of {np.exp(2 * half):.3g}: see the weak directions"
        found.append(Diagnostic("wide-interval", "warning", text))
    beyond = distance(fit, at)
    if beyond > 1.0:
        text = f"the question lies {beyond:.3g} times beyond the planned runs"
        found.append(Diagnostic("extrapolating", "warning" if beyond > 30 else "info", text))
    return found


def lines(check: DesignCheck) -> list[str]:
    """The verdict on a plan as lines of text."""
    head = f"{check.runs} runs at {check.configurations} configurations, {check.degrees_of_freedom} degrees of freedom"
    shown = [f"{head}, noise {100 * check.noise:.2g} %"]
    if check.blocked:
        shown.append("no interval to expect: an error below says why")
    else:
        shown.append(
            f"expected at the point asked: {number(check.value)} {span(check.interval)} ({check.level:.3g} interval)"
        )
        shown.append(f"  {SIMULATIONS} simulated sweeps predict {span(check.simulated)}")
        if check.floor_found is not None:
            shown.append(f"  {check.floor_found:.0%} of them find a floor above 0")
        for name, (value, ends) in check.parameters.items():
            shown.append(f"  {name:<8}{number(value)} {span(ends)}")
    shown.append(f"  condition number {number(check.condition)}")
    shown += [f"  weak direction: {weakness.text}" for weakness in check.weak]
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in check.diagnostics]


def as_json(check: DesignCheck) -> dict[str, Any]:
    """The verdict as a JSON object; what does not exist is null."""
    body = asdict(check) | {"blocked": check.blocked}
    body["condition"] = check.condition if np.isfinite(check.condition) else None
    body["parameters"] = {
        n: {"value": v, "interval": listed(ends), "unbounded": unbounded(ends)}
        for n, (v, ends) in check.parameters.items()
    }
    for name in ("interval", "simulated"):
        body[name] = listed(getattr(check, name))
    return body
