"""What to do next, for the box of a report's verdict: correct the table, check a run, or train a run."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from semgjax.errors import InputError
from semgjax.pages.captions import place_words
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.suggest import Budget, candidate_grid, prediction_goal, suggest
from semgjax.scaling.diagnose import Diagnostic
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
    errors = [found for found in findings if found.severity == "error"]
    if errors:
        return tuple(f"{found.message} ({found.code})" for found in errors)
    rows = [found for found in findings if found.code in _ABOUT_ROWS]
    steps = [f"Check first: {found.message} ({found.code})." for found in rows[:2]]
    train = _train(fit, at, cost, level)
    if train:
        steps.append(train)
    elif not rows:
        warnings = [found for found in findings if found.severity == "warning"]
        steps += [f"{found.message} ({found.code})" for found in warnings[:2]]
    return tuple(steps)


def _train(fit: Fit, at: dict[str, float], cost: Cost | None, level: float) -> str:
    """The runs that shrink the interval of the prediction most for their cost; "" where none can be chosen."""
    names = [name for name in fit.law.input_names if np.ptp(fit.table.x[name]) > 0]
    if len(fit.table.y) > MOST_ROWS or len(names) > 3 or any((fit.table.x[name] <= 0).any() for name in names):
        return ""
    product = Cost(((1.0, dict.fromkeys(names, 1.0)),), "*".join(names), "product of the inputs")
    paid = cost if cost is not None and set(cost.inputs) <= set(fit.law.input_names) else product
    values = {name: np.unique(fit.table.x[name]) for name in fit.law.input_names}
    wider = {name: [*v.tolist(), 2.0 * float(v.max())] for name, v in values.items() if name in names}
    try:
        spent = float(np.median(paid.at(fit.table.x)))
        budget = Budget(paid, spent, 0.1)  # a run takes one unit of time in the median, and a tenth beside it
        found = suggest(fit, prediction_goal(fit, at), candidate_grid(fit, wider), budget, RUNS, level)
    except InputError:
        return ""  # the page is about the fit; a design that cannot be searched takes nothing from it
    if not found.steps or not np.isfinite(found.steps[-1].half_width):
        return ""
    counts = Counter(place_words(fit, step.x) for step in found.steps)
    runs = "; ".join(place + (f" ({count} runs)" if count > 1 else "") for place, count in counts.items())
    text = f"Train next: {runs}. Expected interval with {'it' if len(found.steps) == 1 else 'them'}: "
    text += f"a factor of {np.exp(found.steps[-1].half_width):.3g} to each side"
    now = f", {np.exp(found.now):.3g} today" if np.isfinite(found.now) else ""
    basis = f"cost {paid.text} {paid.unit}" if paid is cost else "a run's cost taken as the product of its inputs"
    return f"{text}{now} ({basis}; by the delta method)."
