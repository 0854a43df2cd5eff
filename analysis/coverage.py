"""How often 95 % intervals hold the truth ten times beyond a sweep, in sweeps simulated from known laws.

Prints a table (and writes it with --out FILE.md): per cell the share of simulated sweeps whose interval for the
curve, ten times beyond the largest run, held the true value; of those that did not, the share that an error-level
finding withholds; and the mean width of the intervals (log) over that of an interval that knows the form of the noise.
Every sweep goes through `fit_law`, `prediction_interval` and `diagnose`, as a user's table does. Run it with
`python -m analysis.coverage`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from analysis.command import run
from analysis.simulated import Simulations, table
from semgjax.scaling.diagnose import blocks, diagnose
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.noise import BURSTS, log_slopes
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import parameter_intervals, prediction_interval
from semgjax.scaling.quantiles import normal_quantile, t_quantile
from semgjax.scaling.table import Table

Array = np.ndarray
SIMULATIONS = 200
OBJECTIVES = (Objective(), Objective("log_ls"))
LEVEL = 0.95
WIDEST = 7.0  # log: a factor of a thousand, as which an open interval is counted


@dataclass(frozen=True)
class Noise:
    """Log noise of a sweep.

    first, last: standard deviation of a run at the smallest and at the largest size, geometric between them. additive:
    in the unit of y, instead. shared: of an effect that rows of a group share; groups: their numbers [n] (default: the
    replicates); named: whether the table names the groups as clusters. keys: tested keys of each run, with
    overdispersed binomial noise on top, which the table states.
    """

    first: float = 0.02
    last: float | None = None
    additive: float | None = None
    shared: float = 0.0
    groups: tuple[int, ...] | None = None
    named: bool = False
    keys: float | None = None

    def own(self, sizes: Array, clean: Array) -> Array:
        """Standard deviation of each row [n] without what it shares."""
        if self.additive is not None:
            return self.additive / clean
        place = np.log(sizes / sizes.min()) / np.log(sizes.max() / sizes.min())
        found = self.first * ((self.last or self.first) / self.first) ** place
        if self.keys is None:
            return found
        rate = clean / 100.0
        return np.sqrt(found**2 + BURSTS * (1.0 - rate) / (rate * self.keys))


@dataclass(frozen=True)
class Cell:
    """One setting: the true curve over inputs, the sweep's points, where it is asked, the law fitted, the noise."""

    name: str
    truth: Callable[[dict[str, Array]], Array]
    points: dict[str, Array]
    asked: dict[str, float]
    law: Law
    noise: Noise = field(default_factory=Noise)


@dataclass(frozen=True)
class Result:
    """Shares of simulated sweeps. withheld: of those whose interval missed (None: none did). width: see the module."""

    held: float
    withheld: float | None
    width: float


def _falling(x: dict[str, Array]) -> Array:
    return 8.0 + 60.0 * (x["N"] / 2e4) ** -0.45


def ladder(name: str, noise: Noise, sizes: int, seeds: int) -> Cell:
    """A cell of the default law over sizes from 2e4 to 2e6."""
    points = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
    return Cell(name, _falling, points, {"N": 2e7}, LAWS["floor_power"], noise)


def cells() -> tuple[Cell, ...]:
    """The settings of the table."""
    found = []
    for label, truth, law in (
        ("power + floor, CER 68 -> 15 %", _falling, "floor_power"),
        ("near the floor, CER 24 -> 20 %", lambda x: 20.0 + 4.0 * (x["N"] / 2e4) ** -0.6, "floor_power"),
        ("near the ceiling, CER 98 -> 72 %", lambda x: 100.0 * -np.expm1(-4.0 * (x["N"] / 2e4) ** -0.25), "saturating"),
    ):
        for sizes in (5, 6, 8):
            for seeds in (1, 3):
                for noise in (0.02, 0.05):
                    points = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
                    name = f"{label}, {sizes} sizes x {seeds}, noise {100 * noise:.0f} %"
                    found.append(Cell(name, truth, points, {"N": 2e7}, LAWS[law], Noise(noise)))
    users, hours = _star((4, 8, 16, 32, 64), 16, (0.25, 0.5, 1.0, 2.0, 4.0), 1.0)
    for noise in (0.02, 0.05):
        found.append(
            Cell(
                f"users x hours, star of 9, noise {100 * noise:.0f} %",
                lambda x: 6.0 + 60.0 * (x["U"] / 4.0) ** -0.4 * x["H"] ** -0.25,
                {"U": users, "H": hours},
                {"U": 640.0, "H": 1.0},
                LAWS["users_hours_product"],
                Noise(noise),
            )
        )
    for sizes, seeds in ((8, 1), (6, 3)):
        for first, last in ((0.01, 0.06), (0.03, 0.03), (0.06, 0.01)):
            name = f"moving noise, {sizes} sizes x {seeds}, {100 * first:.0f} to {100 * last:.0f} %"
            found.append(ladder(name, Noise(first, last), sizes, seeds))
        found.append(ladder(f"additive noise, {sizes} sizes x {seeds}, 0.5 points", Noise(additive=0.5), sizes, seeds))
        name = f"few keys, {sizes} sizes x {seeds}, 2,000 and noise 1 %"
        found.append(ladder(name, Noise(0.01, keys=2000.0), sizes, seeds))
    for shared, own in ((0.03, 0.01), (0.03, 0.03), (0.015, 0.03)):
        name = f"size effect, 6 sizes x 3, {100 * shared:g} % shared, {100 * own:.0f} % own"
        found.append(ladder(name, Noise(own, shared=shared), 6, 3))
    for name, sizes, seeds, groups in (
        ("12 sizes, 6 clusters of 2", 12, 1, np.repeat(np.arange(6), 2)),
        ("6 sizes x 4, each seed a cluster", 6, 4, np.tile(np.arange(4), 6)),
        ("12 sizes x 2, 8 clusters of 3", 12, 2, np.arange(24) % 8),
    ):
        noise = Noise(0.02, shared=0.03, groups=tuple(int(g) for g in groups), named=True)
        found.append(ladder(f"clusters, {name}, 3 % shared, 2 % own", noise, sizes, seeds))
    return tuple(found)


def _star(first: tuple, centre: float, second: tuple, middle: float) -> tuple[Array, Array]:
    """One axis at a time: all of `first` at `middle`, all of `second` at `centre`."""
    pairs = dict.fromkeys([(float(u), middle) for u in first] + [(float(centre), float(h)) for h in second])
    return np.array([u for u, _ in pairs]), np.array([h for _, h in pairs])


def coverage(cell: Cell, objective: Objective | None = None, simulations: int = SIMULATIONS, seed: int = 0) -> Result:
    """What the intervals of simulated sweeps do."""
    random, noise = np.random.default_rng(seed), cell.noise
    clean = cell.truth(cell.points)
    n, unit = len(clean), "" if noise.keys is None else "%"
    base = fit_law(Table(cell.points, clean), cell.law, Objective("log_ls"))
    groups = base.table.groups if noise.groups is None else np.array(noise.groups)
    own = noise.own(next(iter(cell.points.values())), clean)
    goal = float(cell.truth({name: np.array(v) for name, v in cell.asked.items()}))
    held, withheld, widths = 0, [], []
    for _ in range(simulations):
        drawn = own * random.standard_normal(n) + noise.shared * random.standard_normal(int(groups.max()) + 1)[groups]
        table = Table(
            cell.points, clean * np.exp(drawn), unit, clusters=groups if noise.named else None,
            keys=None if noise.keys is None else np.full(n, noise.keys),
        )  # fmt: skip
        fit = fit_law(table, cell.law, objective)
        low, high = prediction_interval(fit, cell.asked, LEVEL) or (np.nan, np.nan)
        widths.append(min(np.log(high / max(low, 1e-300)), WIDEST))
        held += low <= goal <= high
        if not low <= goal <= high:
            withheld.append(blocks(diagnose(fit, parameter_intervals(fit))))
    oracle = _oracle(cell, base, own**2, groups)
    return Result(held / simulations, float(np.mean(withheld)) if withheld else None, float(np.mean(widths)) / oracle)


def _oracle(cell: Cell, fit: Fit, own: Array, groups: Array) -> float:
    """Mean width (log) of the interval of weighted least squares with the noise's true form; its scale is estimated,
    except where it follows from keys."""
    slopes = log_slopes(fit)
    asked = {name: np.array([value]) for name, value in cell.asked.items()}
    gradient = log_slopes(fit, fit.problem.inputs(asked))[0]
    noise = np.diag(own) + cell.noise.shared**2 * np.equal.outer(groups, groups)
    variance = float(gradient @ np.linalg.inv(slopes.T @ np.linalg.solve(noise, slopes)) @ gradient)
    freedom = len(own) - slopes.shape[1]
    tail = 0.5 + 0.5 * LEVEL
    if cell.noise.keys is not None:
        return float(2.0 * normal_quantile(tail) * np.sqrt(variance))
    # The mean of a standard deviation that is estimated with so many degrees of freedom.
    drawn = np.sqrt(np.random.default_rng(0).chisquare(freedom, 20000) / freedom).mean()
    return float(2.0 * t_quantile(tail, freedom) * drawn * np.sqrt(variance))


def study(options: Simulations) -> str:
    """The table as Markdown."""
    caption = (
        f"95 % profile-likelihood intervals ten times beyond the sweep, {options.simulations} simulated sweeps per "
        f"cell, seed 0; standard error of a share {100 * np.sqrt(0.95 * 0.05 / options.simulations):.1f} points. Of "
        "each objective: held the truth; of those that did not, withheld by an error; mean width over that of the "
        "noise's true form."
    )

    def row(cell: Cell) -> str:
        return " | ".join(_words(coverage(cell, objective, options.simulations)) for objective in OBJECTIVES)

    rows = [(cell.name, partial(row, cell)) for cell in cells()]
    return table(options, __file__, caption, ["setting", *(o.kind for o in OBJECTIVES)], rows)


def _words(result: Result) -> str:
    withheld = "-" if result.withheld is None else f"{100 * result.withheld:.0f} %"
    return f"{100 * result.held:.1f} %; {withheld}; {result.width:.2f}"


if __name__ == "__main__":
    run(study, Simulations, __doc__)
