"""Means and differences over test people with intervals, and what a law says about them in words."""

import numpy as np

from semgjax.scaling.answer import predict_at
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import parameter_intervals

Array = np.ndarray

DRAWS = 4000


def mean_interval(errors: Array, level: float) -> tuple[float, float, float]:
    """(mean, low, high) of errors [seeds, people], by bootstrap over seeds and over people."""
    return _ends(errors, float(errors.mean()), level)


def mean_difference(errors: Array, others: Array, level: float) -> tuple[float, float, float]:
    """(mean, low, high) of errors - others [seeds, people], paired: same seeds and same people in both."""
    return _ends(errors - others, float((errors - others).mean()), level)


def _ends(values: Array, mean: float, level: float) -> tuple[float, float, float]:
    random = np.random.default_rng(0)
    n, m = values.shape
    seeds = random.multinomial(n, np.full(n, 1.0 / n), size=DRAWS) / n
    people = random.multinomial(m, np.full(m, 1.0 / m), size=DRAWS) / m
    drawn = np.einsum("dn,nm,dm->d", seeds, values, people)
    low, high = np.quantile(drawn, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return mean, float(low), float(high)


def cell(found: tuple[float, float, float], sign: bool = False) -> str:
    """A mean with its interval, in percent: "54.2 [50.1, 58.0]"."""
    mean, low, high = found
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]" if sign else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def difference_words(found: tuple[float, float, float]) -> str:
    """Whether a difference of errors has a sign, in words."""
    mean, low, high = found
    if low <= 0.0 <= high:
        return f"{cell(found, True)} points: no difference is shown"
    return f"{cell(found, True)} points: {'fewer' if mean < 0 else 'more'} errors"


def steps_words(fit: Fit, name: str) -> str:
    """At which steps of an input the mean error falls, and at which it does not."""
    values = np.unique(fit.table.x[name])
    means = [float(fit.table.y[fit.table.x[name] == value].mean()) for value in values]
    rises = [
        f"{number(a, 3)} to {number(b, 3)}"
        for a, b, one, two in zip(values, values[1:], means, means[1:], strict=False)
        if two >= one
    ]
    whole = f"from {means[0]:.1f} % at {number(values[0], 3)} to {means[-1]:.1f} % at {number(values[-1], 3)}"
    return f"{whole}, lower at every step" if not rises else f"{whole}, not lower from {', nor from '.join(rises)}"


def verdict(fit: Fit, name: str, what: str, ahead: float, level: float) -> str:
    """What a law over one input says, in sentences: the steps, the exponent, the floor, and a prediction `ahead`.

    Args:
        what: the input in words.
        ahead: how many times the largest value to predict at.
    """
    intervals = parameter_intervals(fit, level) or {}
    exponent = fit.parameters["alpha"]
    ends = intervals.get("alpha")
    shown = ends is not None and ends[0] > 1e-3
    text = f"Over {what} the error moves {steps_words(fit, name)}. "
    text += f"Law {fit.law.formula}: exponent {exponent:.2g} {span(ends)}, which "
    text += f"excludes 0, so {what} count. " if shown else f"does not exclude 0: no law of {what} is identified. "
    floor = fit.parameters.get("E", 0.0)
    text += f"Floor {floor:.3g} {span(intervals.get('E'))}. "
    place = ahead * float(fit.table.x[name].max())
    answer = predict_at(fit, {name: place}, level)
    codes = ", ".join(dict.fromkeys(d.code for d in answer.diagnostics if d.severity != "info"))
    if answer.blocked or answer.value is None:
        return f"{text}No prediction can be quoted: {codes}."
    choice = None if answer.choice is None else (answer.choice.low, answer.choice.high)
    users = None if answer.test_users is None else answer.test_users.mean_interval
    new = None if answer.test_users is None else answer.test_users.new_user
    text += (
        f"At {number(place, 3)}, {ahead:g} times the largest: {answer.value:.1f} %, to quote {span(answer.quote)} "
        f"({level:.0%}); sampling {span(answer.interval)}, sampling and test people {span(users)}, choice "
        f"{span(choice)}, extrapolation {span(answer.extrapolation)}; one more person alone {span(new)}."
    )
    return text + (f" Findings: {codes}." if codes else "")
