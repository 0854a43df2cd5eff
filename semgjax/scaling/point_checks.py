"""Findings on the prediction at one point: whether the points determine it, and what other minima predict."""

from collections.abc import Mapping

import numpy as np

from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import number
from semgjax.scaling.estimable import why_not_estimable
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import Ties, gradients_of, near_ties

SAME = 0.02  # log: minima that predict nearer than this are the same answer


def about_point(fit: Fit, x: Mapping[str, np.ndarray], value: float, level: float) -> list[Diagnostic]:
    """Findings on the prediction `value` at x, {input: [1]} in the units of the table."""
    ties = Ties(fit.problem.inputs(x), np.ones(1), np.zeros((1, len(fit.theta))))
    found = []
    reason = why_not_estimable(fit, gradients_of(fit, ties)[1][0])
    if reason is not None:
        found.append(Diagnostic("not-identified", "error", reason))
    others = near_ties(fit, level)
    if len(others):
        answers = fit.problem.curve(x, others)[:, 0]
        apart = answers[np.abs(np.log(answers / value)) > SAME]
        if len(apart):
            shown = ", ".join(number(float(answer), 3) for answer in apart)
            text = f"other minima fit the points about as well and predict {shown}: the interval holds them too"
            found.append(Diagnostic("near-tie", "warning", text))
    return found
