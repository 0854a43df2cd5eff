"""How often the interval to quote holds the truth, or an error withholds it, where the law or the largest runs are off.

Sweeps are simulated from a slope that flattens, from a saturating truth under the default law, and from the default law
with largest runs that are under-trained; healthy sweeps stand beside them. Run it with
`python -m analysis.broken_laws`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.command import run
from analysis.simulated import Simulations, table
from semgjax.scaling.choices import laws_beside
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.largest import largest_level
from semgjax.scaling.laws import LAWS
from semgjax.scaling.profile import LEVEL, Interval, prediction_interval
from semgjax.scaling.quote import allowing_for_largest, quote_interval, weighted
from semgjax.scaling.table import table_of

Array = np.ndarray

ASKED = 2e7


@dataclass(frozen=True)
class Cell:
    """One setting: the true curve, sizes x seeds, the law fitted, noise (log), and by what factor the largest runs lie
    above the truth."""

    name: str
    truth: Callable[[Array], Array]
    sizes: int
    seeds: int
    law: str = "floor_power"
    noise: float = 0.02
    largest: float = 1.0


def healthy(n: Array) -> Array:
    """The default law."""
    return 8.0 + 60.0 * (n / 2e4) ** -0.45


def flattening(n: Array) -> Array:
    """Above a floor of 8 a slope of -0.45 that becomes -0.3 in the middle of the sweep."""
    return 8.0 + 60.0 * (n / 2e4) ** -0.45 * (1.0 + (n / 2e5) ** 2.0) ** (0.15 / 2.0)


def flattening_more(n: Array) -> Array:
    """No floor, and a slope of -0.45 that becomes -0.25."""
    return 70.0 * (n / 2e4) ** -0.45 * (1.0 + (n / 2e5) ** 2.0) ** (0.2 / 2.0)


def saturating(n: Array) -> Array:
    """Near the ceiling: from 98 to 72 % within the sweep."""
    return 100.0 * -np.expm1(-4.0 * (n / 2e4) ** -0.25)


def cells() -> tuple[Cell, ...]:
    """The settings of the table."""
    found = []
    for sizes, seeds in ((6, 1), (8, 1), (8, 3)):
        found.append(Cell(f"slope flattens from -0.45 to -0.3, {sizes} x {seeds}", flattening, sizes, seeds))
        found.append(Cell(f"slope flattens from -0.45 to -0.25, {sizes} x {seeds}", flattening_more, sizes, seeds))
    for noise in (0.01, 0.02, 0.03):
        name = f"saturating truth, default law, 8 x 1, noise {100 * noise:.0f} %"
        found.append(Cell(name, saturating, 8, 1, noise=noise))
    for above in (1.1, 1.3):
        for sizes, seeds in ((8, 1), (6, 3)):
            name = f"largest runs {100 * (above - 1):.0f} % above, {sizes} x {seeds}"
            found.append(Cell(name, healthy, sizes, seeds, largest=above))
    for sizes, seeds in ((6, 1), (8, 1), (6, 3)):
        found.append(Cell(f"healthy, {sizes} x {seeds}", healthy, sizes, seeds))
    found.append(Cell("healthy, saturating law, 8 x 1", saturating, 8, 1, "saturating"))
    return tuple(found)


@dataclass(frozen=True)
class Answer:
    """What one simulated sweep says ten times beyond its largest size; errors: codes of severity error."""

    quote: Interval
    sampling: Interval
    errors: frozenset[str]


def simulate(cell: Cell, seed: int) -> Answer:
    """One simulated sweep by the steps of `predict_at`, without the comparison by simulated sweeps (`better-law`)."""
    sizes = np.repeat(np.geomspace(2e4, 2e6, cell.sizes), cell.seeds)
    y = cell.truth(sizes) * np.exp(cell.noise * np.random.default_rng(seed).standard_normal(len(sizes)))
    y = np.where(sizes > 0.99 * sizes.max(), cell.largest * y, y)
    fit = fit_law(table_of(sizes, y, "%" if cell.truth is saturating else ""), LAWS[cell.law], starts=16)
    sampling = prediction_interval(fit, ASKED)
    laws = weighted([fit, *(one.fit for one in laws_beside(fit) if not one.rejected)])
    quote = quote_interval(allowing_for_largest(laws, largest_level(fit)), {"N": ASKED}, LEVEL, None, sampling)
    errors = frozenset(d.code for d in diagnose(fit, None) if d.severity == "error")
    return Answer(quote or (0.0, np.inf), sampling or (0.0, np.inf), errors)


@dataclass(frozen=True)
class Tally:
    """Of n sweeps: shares whose quote and whose sampling interval held the truth, with an error, with one where the
    quote failed (None: it never did); median width of quote and sampling (log); codes of errors and their counts."""

    quote: float
    sampling: float
    error: float
    said: float | None
    widths: tuple[float, float]
    codes: dict[str, int]


def tally(cell: Cell, simulations: int, first: int = 0) -> Tally:
    """The shares over `simulations` sweeps."""
    truth = float(cell.truth(np.array(ASKED)))
    quotes, samplings, errors, widths = [], [], [], []
    codes: dict[str, int] = {}
    for seed in range(first, first + simulations):
        answer = simulate(cell, seed)
        for code in answer.errors:
            codes[code] = codes.get(code, 0) + 1
        errors.append(bool(answer.errors))
        ends = [answer.quote, answer.sampling]
        quotes.append(ends[0][0] <= truth <= ends[0][1])
        samplings.append(ends[1][0] <= truth <= ends[1][1])
        widths.append([np.log(min(high, 1e9) / max(low, 1e-9)) for low, high in ends])
    held, error = np.array(quotes), np.array(errors)
    width = np.median(np.array(widths), axis=0)
    return Tally(
        float(held.mean()), float(np.mean(samplings)), float(error.mean()),
        float(error[~held].mean()) if (~held).any() else None, (float(width[0]), float(width[1])), codes,
    )  # fmt: skip


def study(options: Simulations) -> str:
    """The table as Markdown."""
    caption = (
        f"95 % intervals ten times beyond the sweep, {options.simulations} simulated sweeps per cell, noise 2 % where "
        "not stated."
    )
    columns = (
        "setting", "quote holds", "or an error", "error where the quote fails", "sampling holds", "errors",
        "width of the quote over sampling",
    )  # fmt: skip

    def row(cell: Cell) -> str:
        return _words(tally(cell, options.simulations))

    return table(options, __file__, caption, columns, [(cell.name, partial(row, cell)) for cell in cells()])


def _words(found: Tally) -> str:
    said = "-" if found.said is None else f"{100 * found.said:.0f} %"
    either = found.quote + (1.0 - found.quote) * (found.said or 0.0)
    codes = ", ".join(f"{code} {count}" for code, count in sorted(found.codes.items()))
    return (
        f"{100 * found.quote:.1f} % | {100 * either:.1f} % | {said} | {100 * found.sampling:.1f} % | {codes or '-'} "
        f"| {found.widths[0] / found.widths[1]:.2f}"
    )


if __name__ == "__main__":
    run(study, Simulations, __doc__)
