"""The minima of one search that are different curves, and which starts reached the same one.

Equal objectives do not make equal answers: along a direction that the points leave open, every start ends in another
curve with the same objective. Curves are compared at the points and ten times beyond them.
"""

import numpy as np

from semgjax.scaling.problem import Scaled
from semgjax.scaling.solver import curves

Array = np.ndarray

SAME = 1e-3  # log: curves that differ by less than 0.1 % give the same answers
BEYOND = 10.0
MOST = 6
_ROWS = 48


def log_curves(problem: Scaled, thetas: Array) -> Array:
    """The log curve [k, m] of thetas [k, p] at up to 48 points, and with one input or all inputs ten times larger."""
    count = len(problem.y)
    rows = np.unique(np.linspace(0, count - 1, min(count, _ROWS)).astype(int))
    x = {name: values[rows] for name, values in problem.x.items()}
    places = [x, *({**x, name: BEYOND * x[name]} for name in x), {name: BEYOND * v for name, v in x.items()}]
    places = places if len(x) > 1 else places[:2]
    probes = {name: np.concatenate([place[name] for place in places]) for name in x}
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.log(curves(problem.law, probes, thetas)), nan=1e3, posinf=1e3, neginf=-1e3)


def other_curves(problem: Scaled, thetas: Array, values: Array, best: int) -> tuple[Array, Array]:
    """(which of thetas [k, p] give the curve of thetas[best] [k], the other curves, lowest objective first [j, p]).

    values [k]: objectives; infinite ones are passed over. At most six other curves are kept.
    """
    logs = log_curves(problem, thetas)
    same = np.abs(logs - logs[best]).max(axis=1) <= SAME
    kept = [best]
    for k in np.argsort(values, kind="stable"):
        if len(kept) > MOST or not np.isfinite(values[k]):
            break
        if all(np.abs(logs[k] - logs[j]).max() > SAME for j in kept):
            kept.append(int(k))
    return same, thetas[kept[1:]]
