"""Which runs to train next: new sizes, users and seeds that shrink a chosen interval most per hour of the device.

One run at a place x adds the outer product of d log y / d theta at x to the information about the parameters; the
variance of the asked quantity g is then g' M^-1 g (c-optimality; for the whole law det M^-1, D-optimality: Atkinson,
Donev and Tobias 2007, Optimum Experimental Designs, 10 and 11). Both are averaged over draws of the fit. Where runs
do not have their best learning rate for sure, the interval is wider by what that adds
(`semgjax.scaling.decide.tuning`), and other rates are proposed where they shrink it more per hour than another run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.goals import Goal
from semgjax.scaling.decide.run_search import NOISE, Budget, Step, greedy, problem_of, widened
from semgjax.scaling.decide.tuning import tuning_of
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.ends import number, place_text
from semgjax.scaling.fit import Fit
from semgjax.scaling.laws import simpler_law
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.table import Table

Array = np.ndarray

# Findings of severity error that more runs can cure: there a list of runs is the answer.
CURED_BY_RUNS = ("few-levels", "few-runs", "two-levels", "one-level", "collinear-axes", "not-identified")
# What rungs off their best rate look like: other rates there are the answer.
CURED_BY_RATES = ("slope-change", "largest-run-off", "lack-of-fit")


@dataclass(frozen=True)
class Suggestion:
    """goal: in words. now: half-width (log) of its interval today, inf where there is none; steps: runs in the order
    to train them. noise: scatter of a run (log). assumed: whether that is `NOISE`. advice: what else would give an
    interval. blocked: whether a number is withheld: today's interval does not exist, or a finding forbids the rest.
    tuning: factor by which rungs without their best learning rate widen today's half-width, in `now`; None where the
    table has no rates.
    """

    goal: str
    now: float
    steps: tuple[Step, ...]
    hours: float
    level: float
    diagnostics: tuple[Diagnostic, ...]
    noise: float = NOISE
    assumed: bool = False
    advice: tuple[str, ...] = ()
    blocked: bool = False
    columns: Mapping[str, str] | None = None
    tuning: float | None = None


def suggest(
    fit: Fit,
    goal: Goal,
    candidates: Mapping[str, Array],
    budget: Budget,
    runs: int = 3,
    level: float = LEVEL,
    seed: int = 0,
    force: bool = False,
) -> Suggestion:
    """Choose runs one after another, each the one with the largest fall of the log half-width per hour.

    candidates: {input: [m]}. The half-width is the delta method's with t and the noise models of the intervals, its
    logarithm averaged over draws of the fit, so that the choice does not hang on one curve; where a run is doubtful it
    is that of the first answer. With `budget.hours`, the largest fall that can still be paid is tried as well, and the
    better of the two lists is taken. With too few levels for an interval the noise of seeds is assumed, and the advice
    names a law with fewer parameters. A finding of severity error that no run cures withholds the list unless `force`.

    Raises:
        InputError: a rate, overhead, or number of runs out of range, or a budget that buys no run.
    """
    if not (np.isfinite(budget.rate) and budget.rate > 0 and budget.overhead >= 0) or runs < 1:
        raise InputError(
            f"rate {budget.rate}, overhead {budget.overhead}, runs {runs}: must be numbers above 0", "bad-value"
        )
    open_ended = no_interval_reason(fit) is not None
    found = tuple(
        d for d in diagnose(fit, None if open_ended else parameter_intervals(fit, level), level) if d.severity != "info"
    )
    columns = {name: fit.table.column(name) for name in fit.law.input_names}
    fatal = [d for d in found if d.severity == "error" and not curable(d, fit.table)]
    if fatal and not force:
        return Suggestion(goal.text, np.inf, (), 0.0, level, found, blocked=True, columns=columns)
    problem = problem_of(fit, goal, candidates, budget, level, seed)
    tuning = tuning_of(fit)
    factor = widened(tuning, problem)
    now = problem.today * factor
    lists = [greedy(fit, problem, tuning, budget, runs, per_hour=True)]
    if budget.hours is not None:
        lists.append(greedy(fit, problem, tuning, budget, runs, per_hour=False))
        if not any(lists):
            raise InputError(
                f"{budget.hours:g} hours: the cheapest candidate takes {problem.hours.min():.3g}", "out-of-reach"
            )
    steps = min((steps for steps in lists if steps), key=lambda steps: steps[-1].half_width)
    return Suggestion(
        goal.text, now, tuple(steps), sum(step.hours for step in steps), level, found, problem.noise, problem.assumed,
        _advice(fit, steps), (not np.isfinite(now) or any(d.severity == "error" for d in found)) and not force, columns,
        None if tuning is None else factor,
    )  # fmt: skip


def curable(found: Diagnostic, table: Table) -> bool:
    """Whether more runs can cure a finding; rungs that are not bracketed may cause what other rates there cure."""
    untuned = any(rung.state != "bracketed" for rung in table.rungs or ())
    return found.code in CURED_BY_RUNS or (untuned and found.code in CURED_BY_RATES)


def _advice(fit: Fit, steps: list[Step]) -> tuple[str, ...]:
    """What gives an interval where there is none: a law with fewer parameters, and the runs of the list."""
    reason = no_interval_reason(fit)
    if reason is None:
        return ()
    simpler = simpler_law(fit.law, fit.levels, tuple(fit.fixed))
    advice = [f"no interval today: {reason}"]
    if simpler is not None and len(fit.table.y) > len(simpler.parameters):
        name = simpler.name.partition("(")[0]
        advice.append(
            f"fit --law {name} ({simpler.formula}): its {len(simpler.parameters)} parameters leave an interval from "
            "the same runs, if that law holds"
        )
    if steps and np.isfinite(steps[-1].half_width):
        first = next(i for i, step in enumerate(steps, start=1) if np.isfinite(step.half_width))
        advice.append(f"or add run 1 below: {fit.law.name} has an interval then" if first == 1 else
                      f"or add runs 1 to {first} below: {fit.law.name} has an interval then")  # fmt: skip
    return tuple(advice)


_KINDS = {
    "beyond": "beyond the sweep",
    "between": "between the values of the sweep",
    "combination": "a combination that the sweep lacks",
    "seed": "another seed",
}


def lines(found: Suggestion) -> list[str]:
    """The runs as lines of text."""
    today = f"a factor of {np.exp(found.now):.3g} to each side today" if np.isfinite(found.now) else "not known today"
    shown = [f"{found.goal}: its {found.level:.3g} interval is {today}"]
    if found.tuning is not None and found.tuning > 1.01:
        shown.append(f"  {found.tuning:.3g} times as wide as by noise alone: rungs without their best learning rate")
    shown += [f"  {text}" for text in found.advice]
    columns = found.columns or {}
    for i, step in enumerate(found.steps, start=1):
        place = place_text(lambda name: columns.get(name, name), step.x)
        new = f"new {', '.join(columns.get(name, name) for name in step.new)}, " if step.new else ""
        then = f"then a factor of {np.exp(step.half_width):.3g}" if np.isfinite(step.half_width) else "no interval yet"
        if step.kind == "rate":
            tried = ", ".join(number(rate) for rate in step.rates)
            shown.append(f"  {i}. {place} at the learning rates {tried}: {step.hours:.3g} h, {then}")
            continue
        rate = f", learning rate {number(step.rates[0])} by their trend" if step.rates else ""
        shown.append(f"  {i}. {place} ({new}{_KINDS[step.kind]}{rate}): {step.hours:.3g} h, {then}")
    if found.steps:
        noise = f", assuming that seeds scatter by {100 * found.noise:.2g} %" if found.assumed else ""
        shown.append(f"  {number(found.hours)} device-hours in all; expected if the law holds{noise}")
    else:
        shown.append("  no runs: correct the errors below first (--force chooses all the same)")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in found.diagnostics]


def as_json(found: Suggestion) -> dict[str, Any]:
    """The runs as a JSON object; half-widths are of logarithms, null where there is no end."""
    body = asdict(found)
    body["now"] = found.now if np.isfinite(found.now) else None
    for step in body["steps"]:
        step["half_width"] = step["half_width"] if np.isfinite(step["half_width"]) else None
    return body
