"""How often an optimum, an inverse or an exchange rate is refused or its 95 % interval holds the truth, by simulation.

Prints a table (and writes it with --out FILE.md): sweeps are simulated from known laws with 2 % noise, fitted, and
asked. A sweep whose points do not determine the answer must be refused; of the others, the interval must hold the
truth. Run it with `python -m analysis.identifiability`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.command import run
from analysis.simulated import Simulations, table
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.decision import profile_of
from semgjax.scaling.decide.evidence import Question
from semgjax.scaling.decide.exchange import rate_question
from semgjax.scaling.decide.frontier import questions
from semgjax.scaling.decide.inverse import question
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.law import Law
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER
from semgjax.scaling.profile import rejection
from semgjax.scaling.quantiles import f_quantile
from semgjax.scaling.table import table_of

Array = np.ndarray
TRACED = 10  # sweeps whose whole intervals are traced, for the widths
STARTS = 16
LEVEL = 0.95
NOISE = 0.02
COST = read_cost("6*N*D")
E, A, ALPHA, B, BETA = 6.0, 24.0, 0.40, 18.0, 0.35  # about N = 1e5 and D = 1e7
SMALL, MANY = 1e5, 1e7


@dataclass(frozen=True)
class Sweep:
    """A sweep and what is asked of it. asked: (what, fit -> the question, the true answer)."""

    name: str
    law: Law
    points: dict[str, Array]
    curve: Callable[[dict[str, Array]], Array]
    asked: tuple[tuple[str, Callable[[Fit], Question], float], ...]


@dataclass(frozen=True)
class Outcome:
    """Shares of the simulated sweeps. held: of those that were answered; good: held or refused. width: median factor
    from the lower to the upper end; unbounded: intervals without one of the two ends."""

    refused: float
    held: float
    good: float
    width: float
    unbounded: float


def joint(x: dict[str, Array]) -> Array:
    """The true curve over N and D."""
    return E + A * (x["N"] / SMALL) ** -ALPHA + B * (x["D"] / MANY) ** -BETA


def single(x: dict[str, Array]) -> Array:
    """The true curve over N."""
    return 8.0 + 60.0 * (x["N"] / 2e4) ** -0.45


def optimum(budget: float) -> float:
    """N of the best mix at a cost of 6 N D: Hoffmann et al. 2022, eq. 4."""
    a, b = A * SMALL**ALPHA, B * MANY**BETA
    share = (ALPHA * a / (BETA * b)) ** (1.0 / (ALPHA + BETA))
    return float(share * (budget / 6.0) ** (BETA / (ALPHA + BETA)))


def grid(sizes: int, levels: int) -> dict[str, Array]:
    """Every size with every amount of data."""
    mesh = np.meshgrid(np.geomspace(5e4, 5e6, sizes), np.geomspace(3e6, 3e8, levels), indexing="ij")
    return {"N": mesh[0].ravel(), "D": mesh[1].ravel()}


def equal_cost(sizes: int, budgets: int) -> dict[str, Array]:
    """At each budget so many sizes about its best one, a factor of 30 wide; the sizes are shared between budgets."""
    costs = np.geomspace(3e12, 3e14, budgets)
    ladder = np.geomspace(5e4, 5e6, sizes)
    mesh = np.meshgrid(ladder, costs, indexing="ij")
    return {"N": mesh[0].ravel(), "D": (mesh[1] / (6.0 * mesh[0])).ravel()}


def sweeps() -> tuple[Sweep, ...]:
    """The settings of the table."""
    budget, at = 1e14, {"N": 5e5, "D": 3e7}
    gain = B * (at["D"] / MANY) ** -BETA * (1.0 - 2.0**-BETA)
    rate = (1.0 - gain / (A * (at["N"] / SMALL) ** -ALPHA)) ** (-1.0 / ALPHA)

    def of_size(goal: float) -> Callable[[Fit], Question]:
        return lambda fit: question(fit, "N", goal)

    asked = (
        ("N*", lambda fit: questions(fit, COST, budget, ("N", "D"), {})[0], optimum(budget)),
        ("2 x D in N", lambda fit: rate_question(fit, "D", "N", at, 2.0), rate),
    )
    points = [(f"{n} x {m} grid", grid(n, m)) for n, m in ((2, 5), (3, 4), (4, 4))]
    points += [(f"{n} x {m} equal cost", equal_cost(n, m)) for n, m in ((2, 5), (3, 4), (4, 4), (5, 3))]
    found = [Sweep(name, CHINCHILLA, x, joint, asked) for name, x in points]
    targets = tuple(
        (f"N for a target {label}", of_size(7.0 if np.isinf(place) else float(single({"N": np.array(place)}))), place)
        for label, place in (("inside", 6e5), ("3 times beyond", 6e6), ("below the floor", np.inf))
    )
    for sizes, seeds in ((6, 1), (6, 3)):
        ladder = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
        found.append(Sweep(f"{sizes} sizes x {seeds}", FLOOR_POWER, ladder, single, targets))
    return tuple(found)


def simulate(sweep: Sweep, simulations: int, seed: int = 0) -> list[Outcome]:
    """Simulated sweeps, fitted and asked one by one: an outcome per question.

    An interval holds the truth where the profile does not reject it; whole intervals are traced for the first ones.
    """
    random = np.random.default_rng(seed)
    clean = sweep.curve(sweep.points)
    refused, held = np.zeros((2, len(sweep.asked), simulations), bool)
    widths: list[list[float]] = [[] for _ in sweep.asked]
    for s in range(simulations):
        y = clean * np.exp(NOISE * random.standard_normal(len(clean)))
        fit = fit_law(table_of(sweep.points, y), sweep.law, starts=STARTS)
        cut = f_quantile(LEVEL, 1, fit.degrees_of_freedom)
        for i, (_, ask, truth) in enumerate(sweep.asked):
            asked = ask(fit)
            value = asked.of(fit)
            assert asked.condition is not None and asked.limits is not None
            if s < TRACED:
                interval, reason = profile_of(asked, fit, value, LEVEL)
                if interval is not None:
                    widths[i].append(interval[1] / interval[0] if 0.0 < interval[0] < np.inf else np.inf)
            else:
                reason = asked.unanswerable(fit, value)
            refused[i, s] = reason is not None
            if reason is None:
                place = np.array([min(truth, asked.limits.high)])
                accepted = rejection(fit, *asked.condition(fit, place))[0] <= cut
                # Where every amount is rejected, the answer is that none reaches the target.
                held[i, s] = accepted or value == truth == np.inf
    return [
        Outcome(
            float(refused[i].mean()),
            float(held[i][~refused[i]].mean()) if not refused[i].all() else np.nan,
            float((refused[i] | held[i]).mean()),
            float(np.median(widths[i])) if widths[i] else np.nan,
            float(np.mean(np.isinf(widths[i]))) if widths[i] else np.nan,
        )
        for i in range(len(sweep.asked))
    ]


def study(options: Simulations) -> str:
    """The table as Markdown."""
    error = 100 * np.sqrt(LEVEL * (1.0 - LEVEL) / options.simulations)
    caption = (
        f"Refusals and cover of 95 % profile intervals, {options.simulations} simulated sweeps per row, noise 2 %, "
        f"seed 0; standard error of a share {error:.1f} points."
    )
    columns = ("question", "refused", "cover of the others", "held or refused", "median width", "an end open")
    found: dict[str, list[Outcome]] = {}

    def row(sweep: Sweep, place: int) -> str:
        if sweep.name not in found:
            found[sweep.name] = simulate(sweep, options.simulations)
        return _words(found[sweep.name][place])

    rows = [
        (f"{sweep.name}: {what}", partial(row, sweep, i))
        for sweep in sweeps() for i, (what, _, _) in enumerate(sweep.asked)
    ]  # fmt: skip
    return table(options, __file__, caption, columns, rows)


def _words(found: Outcome) -> str:
    width = "-" if np.isnan(found.width) else "no end" if np.isinf(found.width) else f"x {found.width:.3g}"
    shares = [_percent(v) for v in (found.refused, found.held, found.good)]
    return f"{' | '.join(shares)} | {width} | {_percent(found.unbounded)}"


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f} %"


if __name__ == "__main__":
    run(study, Simulations, __doc__)
