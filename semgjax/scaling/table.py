"""The points of a fit, with what is known of their noise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.scaling.rungs import Rung

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    """n points of one surface.

    x: input of a law -> its values [n], > 0 (inputs with zeros: >= 0). y [n] > 0, float64. unit: of y, "%" for
    an error rate in percent. columns: input -> its column; y_name: that of y. source: name of the file. where:
    the filters that chose the rows. sd [n]: relative noise of y, where the table states it. runs: ids of the
    rows. users, users_y [n, m]: the error of each of m test users, shared by all rows. clusters [n]: rows whose
    noise may be shared. covariates: column -> its values [n] > 0, of columns that say how the runs were trained (steps,
    tokens, rate) and are no input. keys [n]: how many keys (or
    characters) each error rate was measured on. spliced: whether the errors are of real signals in a made-up order.
    rungs: the learning rates tried at each rung, of which the rows are those at the best one (semgjax.scaling.rungs);
    empty where rates are no part of the recipe (an input of the law), None where the table has no rates. rung_of [n]:
    index of each row's rung. rate: the column of the rates.
    """

    x: Mapping[str, Array]
    y: Array
    unit: str = ""
    y_name: str = "y"
    columns: Mapping[str, str] = field(default_factory=dict)
    source: str = "arrays"
    where: Mapping[str, str] = field(default_factory=dict)
    sd: Array | None = None
    runs: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    users_y: Array | None = None
    clusters: Array | None = None
    covariates: Mapping[str, Array] = field(default_factory=dict)
    keys: Array | None = None
    spliced: bool = False
    rungs: "tuple[Rung, ...] | None" = None
    rung_of: Array | None = None
    rate: str = ""

    def __post_init__(self) -> None:
        """Raises InputError: no points, lengths that differ, or a value that is not finite or out of range."""
        if not self.x:
            raise InputError(f"{self.source}: no input column; a law needs at least one", "no-column")
        rows = {**self.x, "y": self.y, **{k: v for k in ("sd", "keys") if (v := getattr(self, k)) is not None}}
        for name, values in rows.items():
            if values.ndim != 1 or not len(values):
                raise InputError(f"{self.source}: {name} has shape {values.shape}, expected one row", "bad-shape")
            if len(values) != len(self.y):
                raise InputError(f"{self.source}: {len(values)} values of {name} but {len(self.y)} of y", "bad-shape")
            least = values >= 0 if name in self.x else values > 0
            for i in np.flatnonzero(~(np.isfinite(values) & least))[:1]:
                raise InputError(f"{self.source}: {name}[{i}] is {values[i]}, must be finite and above 0", "bad-number")
        if self.users_y is not None and self.users_y.shape != (len(self.y), len(self.users)):
            raise InputError(f"{self.source}: users_y is {self.users_y.shape} for {len(self.users)} users", "bad-shape")
        if self.keys is not None and self.unit != "%":
            raise InputError(
                f"{self.source}: the noise of {self.keys[0]:g} keys follows for an error rate in percent, and "
                f"{self.y_name} has the unit {self.unit!r}; give unit %, or leave the keys out",
                "conflict",
            )

    @property
    def size_name(self) -> str:
        """Column of the first input."""
        first = next(iter(self.x))
        return self.columns.get(first, first)

    @property
    def sizes(self) -> Array:
        """Values of the first input [n]."""
        return next(iter(self.x.values()))

    @property
    def groups(self) -> Array:
        """Rows with equal inputs (to 1 %) share a number [n]: they are replicates."""
        keys = np.stack([level_numbers(values) for values in self.x.values()], axis=1)
        return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)

    def levels(self, name: str) -> int:
        """Number of different values of an input (see `count_levels`)."""
        return count_levels(self.x[name])

    def column(self, name: str) -> str:
        """The column of an input, or the input itself."""
        return self.columns.get(name, name)

    def rows(self, index: Array) -> "Table":
        """The table of some rows [k]."""
        return Table(
            {name: v[index] for name, v in self.x.items()},
            self.y[index],
            self.unit,
            self.y_name,
            self.columns,
            self.source,
            self.where,
            None if self.sd is None else self.sd[index],
            tuple(np.array(self.runs, object)[index]) if self.runs else (),
            self.users,
            None if self.users_y is None else self.users_y[index],
            None if self.clusters is None else self.clusters[index],
            {name: v[index] for name, v in self.covariates.items()},
            None if self.keys is None else self.keys[index],
            self.spliced,
            self.rungs,
            None if self.rung_of is None else self.rung_of[index],
            self.rate,
        )


def count_levels(values: Array) -> int:
    """Number of different values [n]; those within 1 % above the smallest of them count as one."""
    return 1 + int(level_numbers(values).max())


def table_of(x: ArrayLike | Mapping[str, ArrayLike], y: ArrayLike, unit: str = "") -> Table:
    """A table from n numbers: x an array (the input N) or {input: array}.

    Raises:
        InputError: see Table.
    """
    inputs = x if isinstance(x, Mapping) else {"N": x}
    values = {name: np.array(v, np.float64) for name, v in inputs.items()}
    for name, row in values.items():
        for i in np.flatnonzero(row.reshape(-1) <= 0)[:1] if name != "M" else ():
            raise InputError(f"arrays: {name}[{i}] is {row.reshape(-1)[i]}, must be finite and above 0", "bad-number")
    return Table(values, np.array(y, np.float64), unit)


def level_means(values: Array) -> Array:
    """values [n], each replaced by the mean of its level (see `count_levels`)."""
    numbers = level_numbers(values)
    return (np.bincount(numbers, values) / np.bincount(numbers))[numbers]


def level_numbers(values: Array) -> Array:
    """Which level each value [n] belongs to; a level is 1 % wide from its smallest value.

    Not from neighbour to neighbour: a dense ladder of sizes would become one level, however far it reaches.
    """
    ranked, place = np.unique(values, return_inverse=True)
    number, first, of_ranked = 0, ranked[0], np.zeros(len(ranked), int)
    for index, value in enumerate(ranked):
        if value > first * 1.01:
            number, first = number + 1, value
        of_ranked[index] = number
    return of_ranked[place.reshape(-1)]
