"""Learning rates tried at each rung of a sweep: the best one, whether it is bracketed, and the runs that a fit uses.

A rung is everything about a run but its learning rate and its seed. A law over rungs that are not at their own best
rate measures their tuning, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.table import Array, level_numbers

# Columns that tell two rungs of a sweep's table apart, beside the inputs of the law, and of any other table.
SWEEP_RUNG = (
    "kind", "loss", "preset", "params", "users", "hours", "epochs", "steps", "teacher", "teacher_params",
    "unlabelled_users", "unlabelled_hours",
)  # fmt: skip
OTHER_RUNG = ("steps", "tokens", "hours")
RATES = ("learning_rate", "lr")
"""columns that are learning rates in any table; others are named, rate=COLUMN"""
DIVERGED = "diverged_rates"
"""column of a sweep's table: rates at which a run of the rung diverged, separated by spaces"""
_LEVEL = 0.95  # of the interval within which two rates count as equally good

State = Literal["bracketed", "edge", "one-rate"]


@dataclass(frozen=True)
class Rung:
    """The rates tried at one rung, rising.

    Attributes:
        at: input of the law -> its value.
        errors: geometric mean error at each rate; None where a run diverged, which is worse than any number.
        runs: number of runs at each rate.
        chosen: index of the rate whose runs the fit uses: the lowest error or, of the rates that the scatter of
            repeated runs does not tell apart from it, the one with the most runs.
        tied: whether the error at the smallest or largest rate is within the noise of the chosen one; None where no
            rate was repeated, so that the noise is not known.
    """

    at: Mapping[str, float]
    rates: tuple[float, ...]
    errors: tuple[float | None, ...]
    runs: tuple[int, ...]
    chosen: int
    tied: bool | None = None

    @property
    def state(self) -> State:
        """bracketed: rates on both sides of the chosen one were tried, and are no better beyond the noise."""
        if len(self.rates) == 1:
            return "one-rate"
        return "bracketed" if 0 < self.chosen < len(self.rates) - 1 else "edge"


def rung_numbers(cells: Sequence[Mapping[str, str]], inputs: Mapping[str, Array], columns: Sequence[str]) -> Array:
    """Which rung each row belongs to [n]: rows with equal inputs, and equal cells of `columns` (numbers to 1 %)."""
    keys = [level_numbers(values) for values in inputs.values()]
    for name in columns:
        texts = [row.get(name, "") for row in cells]
        try:
            values = np.array([float(text) if text else 0.0 for text in texts])
        except ValueError:
            keys.append(np.unique(texts, return_inverse=True)[1])
        else:
            keys.append(level_numbers(values) if (values >= 0).all() else np.unique(values, return_inverse=True)[1])
    return np.unique(np.stack([key.reshape(-1) for key in keys], axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def best_rates(
    inputs: Mapping[str, Array], rungs: Array, rates: Array, errors: Array, diverged: Sequence[tuple[float, ...]] = ()
) -> tuple[tuple[Rung, ...], Array]:
    """(each rung, which rows are at its chosen rate [n]).

    Args:
        inputs: of the law, {name: [n]}.
        rungs: number of each row's rung, from 0 on.
        errors: > 0, by which rates are judged.
        diverged: rates of each row's rung at which a run diverged (default: none).
    """
    logs = np.log(np.maximum(errors, 1e-12))
    every = np.round(np.log(rates), 6)  # equal up to the digits of a table
    cells = np.unique(np.stack([rungs, every], axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    means = np.bincount(cells, logs) / np.bincount(cells)
    freedom = len(logs) - len(means)
    squares = float(np.sum((logs - means[cells]) ** 2))
    noise = None if freedom < 1 else np.sqrt(squares / freedom) * float(t_quantile(0.5 + _LEVEL / 2.0, freedom))
    found, kept = [], np.zeros(len(logs), bool)
    for number in range(int(rungs.max()) + 1):
        rows = np.flatnonzero(rungs == number)
        lost = diverged[rows[0]] if len(diverged) else ()
        rung, used = _rung(
            {name: float(v[rows[0]]) for name, v in inputs.items()}, rates[rows], logs[rows], lost, noise
        )
        found.append(rung)
        kept[rows] = used
    return tuple(found), kept


def _rung(
    at: Mapping[str, float], rates: Array, logs: Array, diverged: tuple[float, ...], noise: float | None
) -> tuple[Rung, Array]:
    """One rung, and which of its rows are at the chosen rate. noise: half-width of the interval of one run (log)."""
    marks = np.round(np.log(rates), 6)
    lost = {float(np.round(np.log(rate), 6)): rate for rate in diverged}
    if set(marks) <= set(lost):  # a run diverged at every rate that has a result: these results are all there is
        lost = {mark: rate for mark, rate in lost.items() if mark not in set(marks)}
    tried = np.unique([*marks, *lost])
    counts = np.array([int((marks == mark).sum()) for mark in tried])
    means = np.array([np.inf if mark in lost else float(logs[marks == mark].mean()) for mark in tried])
    lowest = int(np.argmin(means))
    bound = np.zeros(len(tried))
    if noise is not None:
        bound = noise * np.sqrt(1.0 / counts[lowest] + 1.0 / np.maximum(counts, 1))
    equal = np.flatnonzero(means <= means[lowest] + bound)
    most = equal[counts[equal] == counts[equal].max()]
    best = most[means[most] == means[most].min()]
    chosen = int(max(best, key=lambda place: min(place, len(tried) - 1 - place)))  # of equal ones that inside
    tied = None
    if noise is not None and len(tried) > 1:
        apart = noise * np.sqrt(1.0 / counts[chosen] + 1.0 / np.maximum(counts[[0, -1]], 1))
        tied = bool((means[[0, -1]] <= means[chosen] + apart)[np.array([0, len(tried) - 1]) != chosen].any())
    rung = Rung(
        at,
        tuple(float(rates[marks == mark][0]) if (marks == mark).any() else float(lost[mark]) for mark in tried),
        tuple(None if np.isinf(mean) else float(np.exp(mean)) for mean in means),
        tuple(int(count) for count in counts),
        chosen,
        tied,
    )
    return rung, marks == tried[chosen]


def as_json(rung: Rung) -> dict[str, Any]:
    """A rung as plain JSON values."""
    return {
        "at": dict(rung.at),
        "rates": list(rung.rates),
        "errors": list(rung.errors),
        "runs": list(rung.runs),
        "chosen": rung.chosen,
        "tied": rung.tied,
        "state": rung.state,
    }


def of_json(value: Mapping[str, Any]) -> Rung:
    """The rung that `as_json` wrote."""
    return Rung(
        {name: float(v) for name, v in value["at"].items()},
        tuple(float(rate) for rate in value["rates"]),
        tuple(None if error is None else float(error) for error in value["errors"]),
        tuple(int(count) for count in value["runs"]),
        int(value["chosen"]),
        value["tied"],
    )
