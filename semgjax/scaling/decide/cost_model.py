"""What a run costs, as a sum of products of powers of a law's inputs: analytic, or fitted to measured costs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.read import read_table
from semgjax.scaling.table import Table

Array = np.ndarray

_NUMBER = r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?"
_FACTOR = re.compile(rf"(?P<number>{_NUMBER})|(?P<name>[A-Za-z]\w*)(?:\^(?P<power>-?{_NUMBER}))?")


@dataclass(frozen=True)
class Cost:
    """cost(x) = sum over terms of coefficient * product of x[input]^power.

    text: as it is shown. unit: of the cost. misfit: relative scatter of measured costs about it (0: analytic).
    """

    terms: tuple[tuple[float, Mapping[str, float]], ...]
    text: str
    unit: str = "FLOP"
    misfit: float = 0.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that the cost depends on."""
        return tuple(dict.fromkeys(name for _, powers in self.terms for name in powers))

    def at(self, x: Mapping[str, ArrayLike]) -> Array:
        """The cost at x, {input: [...]}.

        Raises:
            InputError: an input of the cost has no value.
        """
        for name in self.inputs:
            if name not in x:
                raise InputError(f"cost {self.text}: no value for {name}; give it, at {name}=NUMBER", "bad-option")
        parts = []
        for coefficient, powers in self.terms:
            value: Array = np.asarray(coefficient, np.float64)
            for name, power in powers.items():
                value = value * np.asarray(x[name], np.float64) ** power
            parts.append(value)
        return np.asarray(sum(parts))

    def solve(self, name: str, budget: ArrayLike, others: Mapping[str, ArrayLike]) -> Array:
        """The value of one input that spends the budget, given the others [...]; NaN where they alone exceed it.

        Raises:
            InputError: the cost does not depend on the input, or not by one power of it.
        """
        powers = {p.get(name, 0.0) for _, p in self.terms}
        varying = powers - {0.0}
        if len(varying) != 1:
            raise InputError(f"cost {self.text}: it must depend on {name} by one power of it, as in 6*N*D", "wrong-law")
        (power,) = varying
        rest = {**{k: np.asarray(v, np.float64) for k, v in others.items()}, name: np.ones(1)}
        fixed = [(c, p) for c, p in self.terms if not p.get(name)]
        slope = Cost(tuple((c, p) for c, p in self.terms if p.get(name)), self.text).at(rest)
        base = Cost(tuple(fixed), self.text).at(rest) if fixed else 0.0
        left = np.asarray(budget, np.float64) - base
        with np.errstate(invalid="ignore"):
            return np.where(left > 0, left / slope, np.nan) ** (1.0 / power)


def read_cost(text: str, unit: str = "FLOP") -> Cost:
    """A cost from text such as "6*N*D" or "300*U + 40*U*H" or "2*N^1.1*D".

    Raises:
        InputError: it is none.
    """
    terms = []
    for part in re.sub(r"\s", "", text).split("+"):
        coefficient, powers = 1.0, dict[str, float]()
        for word in part.split("*"):
            match = _FACTOR.fullmatch(word)
            if match is None:
                raise InputError(
                    f"cost {text!r}: {word!r} is neither a number nor an input; write e.g. 6*N*D", "bad-value"
                )
            if match["number"]:
                coefficient *= float(match["number"])
            else:
                powers[match["name"]] = powers.get(match["name"], 0.0) + float(match["power"] or 1.0)
        if not coefficient > 0:
            raise InputError(f"cost {text!r}: the factor of {part!r} must be above 0", "bad-value")
        terms.append((coefficient, powers))
    return Cost(tuple(terms), text.strip(), unit)


def measured_cost(x: Mapping[str, Array], cost: Array, unit: str = "FLOP") -> Cost:
    """The product of powers that fits measured costs [n] best (least squares of logarithms).

    Inputs that do not vary are left out.

    Raises:
        InputError: fewer runs than numbers to fit, costs that are not above 0, or inputs that vary together.
    """
    if not (np.isfinite(cost) & (cost > 0)).all():
        raise InputError("measured costs must be numbers above 0", "bad-value")
    names = [name for name, values in x.items() if np.ptp(np.log(values)) > 0.01]
    logs = [np.log(x[name]) for name in names]
    columns = np.column_stack([np.ones(len(cost)), *(row - row.mean() for row in logs)])
    if np.linalg.matrix_rank(columns, tol=1e-3) < columns.shape[1]:
        raise InputError(
            f"measured costs: {', '.join(names)} vary together in {len(cost)} runs; "
            "give the cost as a formula instead, e.g. 6*N*D",
            "too-few-levels",
        )
    solution = np.linalg.lstsq(columns, np.log(cost), rcond=None)[0]
    powers = {name: float(power) for name, power in zip(names, solution[1:], strict=True)}
    misfit = float(np.sqrt(np.mean((np.log(cost) - columns @ solution) ** 2)))
    factor = float(np.exp(solution[0] - sum(p * row.mean() for p, row in zip(solution[1:], logs, strict=True))))
    text = "*".join([f"{factor:.4g}", *(f"{name}^{power:.4g}" for name, power in powers.items())])
    return Cost(((factor, powers),), text, unit, misfit)


def table_cost(table: Table, path: Path, unit: str = "FLOP", column: str = "flops") -> Cost:
    """The measured cost of the rows of a table, read again from its file.

    Raises:
        InputError: no such file or column, or as `measured_cost`.
    """
    rows = read_table(path, {**table.columns, "y": column}, table.where, inputs=tuple(table.x), every_rate=True)
    return measured_cost(rows.x, rows.y, unit)
