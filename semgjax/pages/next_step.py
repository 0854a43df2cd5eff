"""What to do next, for the box of a report's verdict: correct the table, check a run, or train a run."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from semgjax.errors import InputError
from semgjax.pages.captions import place_words
from semgjax.scaling.decide.candidates import open_grid
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.goals import prediction_goal
from semgjax.scaling.decide.suggest import Budget, Suggestion, curable, suggest
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import number
from semgjax.scaling.fit import Fit

RUNS = 2
MOST_ROWS = 400  # a table of more runs is not searched for the next one while a page is written
# Findings about single rows: until these are checked, no further run helps.
_ABOUT_ROWS = ("outlier", "downweighted-run", "influential-run", "above-100")


def next_step(
    fit: Fit, findings: Sequence[Diagnostic], at: dict[str, float], cost: Cost | None, level: float
) -> tuple[str, ...]:
    """Sentences: the remedy of an error-level finding, or a run to check and the runs to train next.

    cost: of a run; without one, runs are taken to cost in proportion to the product of the inputs.
    """
    errors = list(dict.fromkeys(found for found in findings if found.severity == "error"))
    if errors:
        steps = [f"{found.message} ({found.code})" for found in errors]
        cured = all(curable(found, fit.table) for found in errors)
        return (*steps, *(_train(fit, at, cost, level) if cured else ()))
    rows = list(dict.fromkeys(found for found in findings if found.code in _ABOUT_ROWS))
    steps = [f"Check first: {found.message} ({found.code})." for found in rows[:2]]
    steps += _train(fit, at, cost, level)
    if not steps:
        warnings = [found for found in findings if found.severity == "warning"]
        steps += [f"{found.message} ({found.code})" for found in warnings[:2]]
    return tuple(steps)


def _train(fit: Fit, at: dict[str, float], cost: Cost | None, level: float) -> tuple[str, ...]:
    """The runs that shrink the interval of the prediction most for their cost; none where they cannot be chosen."""
    names = [name for name in fit.law.input_names if np.ptp(fit.table.x[name]) > 0]
    if len(fit.table.y) > MOST_ROWS or any((fit.table.x[name] <= 0).any() for name in names):
        return ()
    product = Cost(((1.0, dict.fromkeys(names, 1.0)),), "*".join(names), "product of the inputs")
    paid = cost if cost is not None and set(cost.inputs) <= set(fit.law.input_names) else product
    try:
        # A run takes one unit of time in the median, and a tenth beside it.
        budget = Budget(paid, float(np.median(paid.at(fit.table.x))), 0.1)
        found = suggest(fit, prediction_goal(fit, at), open_grid(fit), budget, RUNS, level)
    except InputError:
        return ()  # the page is about the fit: a design that cannot be searched is no fault of it
    return _words(fit, found, f"cost {paid.text} {paid.unit}" if paid is cost else "cost: product of the inputs")


def _words(fit: Fit, found: Suggestion, basis: str) -> tuple[str, ...]:
    if not found.steps or not np.isfinite(found.steps[-1].half_width):
        return found.advice
    counts = Counter((place_words(fit, step.x), step.kind, step.rates) for step in found.steps)
    kinds = {"beyond": "beyond the sweep", "between": "between its values", "combination": "a new combination"}
    runs = [
        f"{place} (learning rates {', '.join(map(number, rates))})"
        if rates
        else f"{place} ({kinds.get(kind, 'another seed')}{f', {count} runs' if count > 1 else ''})"
        for (place, kind, rates), count in counts.items()
    ]
    now = f", {np.exp(found.now):.3g} today" if np.isfinite(found.now) else ""
    text = (
        f"Train next: {'; '.join(runs)}. Expected interval with {'it' if len(found.steps) == 1 else 'them'}: a factor "
    )
    text += f"of {np.exp(found.steps[-1].half_width):.3g} to each side{now} ({basis}; by the delta method)."
    return (*found.advice, text)
