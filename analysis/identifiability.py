"""How often an optimum, an inverse or an exchange rate is refused or its 95 % interval holds the truth, by simulation.

Prints a table (and writes it with --out FILE.md): sweeps are simulated from known laws with 2 % noise, fitted, and
asked. A sweep whose points do not determine the answer must be refused; of the others, the interval must hold the
truth. Run it with `python -m analysis.identifiability`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.decision import profile_of
from semgjax.scaling.decide.evidence import Question
from semgjax.scaling.decide.exchange import rate_question
from semgjax.scaling.decide.frontier import questions
from semgjax.scaling.decide.inverse import question
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.law import Law
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER
from semgjax.scaling.table import table_of

Array = np.ndarray
SIMULATIONS = 200
STARTS = 16
LEVEL = 0.95
NOISE = 0.02
COST = read_cost("6*N*D")
E, A, ALPHA, B, BETA = 6.0, 24.0, 0.40, 18.0, 0.35  # about N = 1e5 and D = 1e7
SMALL, MANY = 1e5, 1e7


@dataclass(frozen=True)
class Cell:
    """A sweep and what is asked of it. truth: the answer; ask(fit) -> the question."""

    name: str
    law: Law
    points: dict[str, Array]
    curve: Callable[[dict[str, Array]], Array]
    ask: Callable[[Fit], Question]
    truth: float


@dataclass(frozen=True)
class Outcome:
    """Shares of the simulated sweeps. held: of those that were answered; good: held or refused. width: median factor
    from the lower to the upper end; unbounded: intervals without an upper end, of those answered."""

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


def optimum(budget: float) -> tuple[float, float, float]:
    """(N, D, y) of the best mix at a cost of 6 N D: Hoffmann et al. 2022, eq. 4."""
    a, b = A * SMALL**ALPHA, B * MANY**BETA
    share = (ALPHA * a / (BETA * b)) ** (1.0 / (ALPHA + BETA))
    size = share * (budget / 6.0) ** (BETA / (ALPHA + BETA))
    data = budget / 6.0 / size
    return size, data, float(joint({"N": np.array(size), "D": np.array(data)}))


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


def cells() -> tuple[Cell, ...]:
    """The settings of the table."""
    found = []
    sweeps = [(f"{n} x {m} grid", grid(n, m)) for n, m in ((2, 5), (3, 4), (4, 4))]
    sweeps += [(f"{n} x {m} equal cost", equal_cost(n, m)) for n, m in ((2, 5), (3, 4), (4, 4), (5, 3))]
    budget = 1e14
    best = optimum(budget)
    for label, points in sweeps:
        for i, what in enumerate(("N*", "D*", "error at N*")):
            found.append(
                Cell(
                    f"{label}: {what}", CHINCHILLA, points, joint,
                    lambda fit, i=i: questions(fit, COST, budget, ("N", "D"), {})[i], best[i],
                )
            )  # fmt: skip
        at = {"N": 5e5, "D": 3e7}
        gain = B * (at["D"] / MANY) ** -BETA * (1.0 - 2.0**-BETA)
        now = A * (at["N"] / SMALL) ** -ALPHA
        rate = (1.0 - gain / now) ** (-1.0 / ALPHA) if gain < now else np.inf
        ask = lambda fit, at=at: rate_question(fit, "D", "N", at, 2.0)  # noqa: E731
        found.append(Cell(f"{label}: 2 x D in N", CHINCHILLA, points, joint, ask, float(rate)))
    for sizes, seeds in ((6, 1), (6, 3)):
        points = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
        for label, place in (("inside", 6e5), ("3 times beyond", 6e6), ("below the floor", np.inf)):
            goal = 7.0 if np.isinf(place) else float(single({"N": np.array(place)}))
            ask = lambda fit, goal=goal: question(fit, "N", goal)  # noqa: E731
            found.append(Cell(f"{sizes} x {seeds}: N for a target {label}", FLOOR_POWER, points, single, ask, place))
    return tuple(found)


def simulate(cell: Cell, simulations: int, seed: int = 0) -> Outcome:
    """Simulated sweeps of a cell, fitted and asked one by one."""
    random = np.random.default_rng(seed)
    clean = cell.curve(cell.points)
    refused, held, widths = 0, [], []
    for _ in range(simulations):
        y = clean * np.exp(NOISE * random.standard_normal(len(clean)))
        fit = fit_law(table_of(cell.points, y), cell.law, starts=STARTS)
        asked = cell.ask(fit)
        interval, reason = profile_of(asked, fit, asked.of(fit), LEVEL)
        if reason is not None or interval is None:
            refused += 1
            continue
        low, high = interval
        held.append(low <= cell.truth <= high)
        widths.append(high / low if low > 0 else np.inf)
    share = refused / simulations
    if not held:
        return Outcome(share, np.nan, share, np.nan, np.nan)
    return Outcome(
        share, float(np.mean(held)), (refused + sum(held)) / simulations, float(np.median(widths)),
        float(np.mean(np.isinf(widths))),
    )  # fmt: skip


def table(simulations: int, only: str = "") -> str:
    """The table as Markdown."""
    error = 100 * np.sqrt(LEVEL * (1.0 - LEVEL) / simulations)
    lines = [
        f"Refusals and cover of 95 % profile intervals, {simulations} simulated sweeps per cell, noise 2 %, seed 0; "
        f"standard error of a share {error:.1f} points.",
        "",
        "| sweep and question | refused | cover of the others | held or refused | median width | no end |",
        "|---|---|---|---|---|---|",
    ]
    for cell in cells():
        if only in cell.name:
            found = simulate(cell, simulations)
            held, unbounded = ("-" if np.isnan(v) else f"{100 * v:.1f} %" for v in (found.held, found.unbounded))
            width = "-" if np.isnan(found.width) else "no end" if np.isinf(found.width) else f"x {found.width:.3g}"
            lines.append(
                f"| {cell.name} | {100 * found.refused:.1f} % | {held} | {100 * found.good:.1f} % | {width} | "
                f"{unbounded} |"
            )
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> None:
    """identifiability.py [--simulations N] [--only TEXT] [--out FILE.md]"""
    options = dict(zip(words[::2], words[1::2], strict=True))
    unknown = set(options) - {"--simulations", "--only", "--out"}
    if unknown:
        raise InputError(f"{sorted(unknown)[0]}: known are --simulations, --only and --out", "bad-option")
    text = table(int(options.get("--simulations", SIMULATIONS)), options.get("--only", ""))
    print(text)
    if "--out" in options:
        Path(options["--out"]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
