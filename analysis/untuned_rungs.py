"""What rungs off their best learning rate do to a law, and what the search for that rate costs.

Sweeps of six sizes at three rates each are simulated, the truth known: error 8 + 60 (N / 1e4)^-0.45 at the best rate,
times a parabola of the log rate. The rates of the largest size, or of all sizes, lie above the best by a factor; the
law is asked ten times beyond the sweep. Searches start up to a factor of 8 off. Run it with
`python -m analysis.untuned_rungs`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from analysis.command import run
from analysis.simulated import Simulations, table
from semgjax.scaling.decide.candidates import open_grid
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.goals import prediction_goal
from semgjax.scaling.decide.run_search import Budget, problem_of, widened
from semgjax.scaling.decide.suggest import suggest
from semgjax.scaling.decide.tuning import tuning_of
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.read import read_table
from semgjax.sweep.rate_search import Search, best_of, next_rates

ASKED, SIZES = 1e7, tuple(float(size) for size in np.geomspace(1e4, 1e6, 6))
CURVATURE = 0.1
BUDGET = Budget(
    read_cost("1*N^2"), 1e12, overhead=1.0
)  # the largest size takes two hours, one 2.5 times as large seven
Rates = dict[float, tuple[float, ...]]
_MAPPING = {"N": "params", "y": "cer"}


def error(size: float, rate: float) -> float:
    """The truth, in percent."""
    return best_error(size) * float(np.exp(0.5 * CURVATURE * np.log(rate / best_rate(size)) ** 2))


def best_error(size: float) -> float:
    """The truth at the best rate."""
    return 8.0 + 60.0 * (size / 1e4) ** -0.45


def best_rate(size: float) -> float:
    """What the rates are to be."""
    return 2e-3 * (size / 1e5) ** -0.3


def around(size: float, off: float = 1.0) -> tuple[float, ...]:
    """Three rates about the best one times `off`."""
    middle = best_rate(size) * off
    return middle / 2.0, middle, middle * 2.0


def fitted(rates: Rates, noise: float, seed: int, every_rate: bool = False) -> Fit:
    """The default law on runs at these rates; every_rate: all of them, as if they were seeds."""
    random = np.random.default_rng(seed)
    rows = [(size, rate) for size, tried in rates.items() for rate in tried]
    columns = {
        "params": [size for size, _ in rows],
        "lr": [rate for _, rate in rows],
        "cer": [error(*row) * float(np.exp(noise * random.standard_normal())) for row in rows],
    }
    return fit_law(read_table(columns, _MAPPING, {}, "%", every_rate=every_rate))


def law_row(off: float, everywhere: bool, noise: float, count: int) -> str:
    """The cells of a setting: median error of the prediction with all rates as seeds, with the best ones, and once the
    proposed rates are tried; share of the delta method's intervals that hold the truth, without and with gaps; how
    often a rate is the first run that `suggest` proposes."""
    misses, holds, first = [], [], []
    for seed in range(count):
        rates = {size: around(size, off if everywhere or size == SIZES[-1] else 1.0) for size in SIZES}
        fit = fitted(rates, noise, seed)
        tuning = tuning_of(fit)
        assert tuning is not None
        more = {rung.at["N"]: tried for rung, tried in zip(tuning.rungs, tuning.rates, strict=True)}
        tuned = fitted({size: (*tried, *more[size]) for size, tried in rates.items()}, noise, seed)
        misses.append([_off(one) for one in (fitted(rates, noise, seed, every_rate=True), fit, tuned)])
        goal = prediction_goal(fit, {"N": ASKED})
        problem = problem_of(fit, goal, open_grid(fit), BUDGET, 0.95, 0)
        half = problem.today
        holds.append([_off(fit) <= width for width in (half, half * widened(tuning, problem))])
        steps = suggest(fit, goal, open_grid(fit), BUDGET, runs=2, force=True).steps
        first.append(bool(steps) and steps[0].kind == "rate")
    shown = [f"{100 * value:.1f} %" for value in np.median(misses, axis=0)]
    shown += [f"{100 * value:.0f} %" for value in np.mean(holds, axis=0)]
    return " | ".join([*shown, f"{100 * np.mean(first):.0f} %"])


def _off(fit: Fit) -> float:
    return abs(float(np.log(predict(fit, ASKED) / best_error(ASKED))))


def search_row(noise: float, curvature: float, count: int) -> str:
    """Runs of a search, mean and 90th percentile, and by how much the rate that it ends with is worse than the best."""
    random, search, found = np.random.default_rng(0), Search(), []
    for _ in range(count):
        best = 1e-3 * float(np.exp(random.uniform(-np.log(8.0), np.log(8.0))))
        tried: dict[float, float] = {}
        while rates := next_rates(tried, search, 1e-3):
            for rate in rates:
                tried[rate] = 0.5 * curvature * np.log(rate / best) ** 2 + noise * random.standard_normal()
        found.append((len(tried), 0.5 * curvature * np.log(best_of(tried) / best) ** 2))
    runs, gaps = np.array(found).T
    left = f"{100 * gaps.mean():.2f}; {100 * np.percentile(gaps, 90):.2f} %"
    return f"{runs.mean():.1f}; {np.percentile(runs, 90):.0f} | {left}"


def untuned_rungs(options: Simulations) -> str:
    """Both tables, as Markdown."""
    laws: list[tuple[str, Callable[[], str]]] = [
        (
            f"{'all sizes' if everywhere else 'the largest size'} {off:g} times off, noise {100 * noise:g} %",
            partial(law_row, off, everywhere, noise, options.simulations),
        )
        for everywhere in (False, True)
        for off in (1.0, 2.0, 4.0, 8.0)
        for noise in (0.01,)
    ]
    columns = (
        "rates", "all rates as seeds", "best rates", "proposed rates tried", "held by noise alone", "with gaps",
        "a rate first",
    )  # fmt: skip
    text = table(options, __file__, "Off by, ten times beyond the sweep (median).", columns, laws)
    searches = [
        f"| {100 * noise:g} %, {curvature:g} | {search_row(noise, curvature, 10 * options.simulations)} |"
        for noise in (0.0, 0.01, 0.03)
        for curvature in (0.1, 0.3)
    ]
    head = ["Searches.", "", "| noise, curvature | runs: mean; 90 % | left: mean; 90 % |", "|---|---|---|"]
    return text + "\n" + "\n".join([*head, *searches]) + "\n"


if __name__ == "__main__":
    run(untuned_rungs, Simulations, __doc__)
