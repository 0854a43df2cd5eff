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


def sweeps() -> tuple[Sweep, ...]:
    """The settings of the table."""
    budget, at = 1e14, {"N": 5e5, "D": 3e7}
    gain = B * (at["D"] / MANY) ** -BETA * (1.0 - 2.0**-BETA)
    rate = (1.0 - gain / (A * (at["N"] / SMALL) ** -ALPHA)) ** (-1.0 / ALPHA)

    def of_mix(i: int) -> Callable[[Fit], Question]:
        return lambda fit: questions(fit, COST, budget, ("N", "D"), {})[i]

    def of_size(goal: float) -> Callable[[Fit], Question]:
        return lambda fit: question(fit, "N", goal)

    mixes = tuple(
        (what, of_mix(i), value)
        for i, (what, value) in enumerate(zip(("N*", "D*", "error at N*"), optimum(budget), strict=True))
    )
    asked = (*mixes, ("2 x D in N", lambda fit: rate_question(fit, "D", "N", at, 2.0), rate))
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
    """Simulated sweeps, fitted and asked one by one: an outcome per question."""
    random = np.random.default_rng(seed)
    clean = sweep.curve(sweep.points)
    intervals: list[list[tuple[float, float] | None]] = [[] for _ in sweep.asked]
    for _ in range(simulations):
        y = clean * np.exp(NOISE * random.standard_normal(len(clean)))
        fit = fit_law(table_of(sweep.points, y), sweep.law, starts=STARTS)
        for found, (_, ask, _) in zip(intervals, sweep.asked, strict=True):
            asked = ask(fit)
            interval, reason = profile_of(asked, fit, asked.of(fit), LEVEL)
            found.append(interval if reason is None else None)
    return [_outcome(found, truth) for found, (_, _, truth) in zip(intervals, sweep.asked, strict=True)]


def _outcome(intervals: list[tuple[float, float] | None], truth: float) -> Outcome:
    given = [ends for ends in intervals if ends is not None]
    refused = 1.0 - len(given) / len(intervals)
    if not given:
        return Outcome(refused, np.nan, refused, np.nan, np.nan)
    low, high = np.array(given).T
    held = (low <= truth) & (truth <= high)
    with np.errstate(all="ignore"):
        width = float(np.median(np.where(low > 0, high / low, np.inf)))
    open_ended = float(np.mean(np.isinf(high)))
    return Outcome(refused, float(held.mean()), refused + float(held.sum()) / len(intervals), width, open_ended)


def table(simulations: int, only: str = "") -> str:
    """The table as Markdown."""
    error = 100 * np.sqrt(LEVEL * (1.0 - LEVEL) / simulations)
    lines = [
        f"Refusals and cover of 95 % profile intervals, {simulations} simulated sweeps per row, noise 2 %, seed 0; "
        f"standard error of a share {error:.1f} points.",
        "",
        "| sweep | question | refused | cover of the others | held or refused | median width | no upper end |",
        "|---|---|---|---|---|---|---|",
    ]
    for sweep in sweeps():
        if only not in sweep.name:
            continue
        for (what, _, _), found in zip(sweep.asked, simulate(sweep, simulations), strict=True):
            width = "-" if np.isnan(found.width) else "no end" if np.isinf(found.width) else f"x {found.width:.3g}"
            shares = [_percent(v) for v in (found.refused, found.held, found.good)]
            lines.append(f"| {sweep.name} | {what} | {' | '.join(shares)} | {width} | {_percent(found.unbounded)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f} %"


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
