"""Which runs would sharpen the sweep's prediction most per hour of the device; writes next_runs.md."""

from pathlib import Path

import numpy as np

from analysis.study import Study, centre, data_words, finding_words, markdown, run, star_cost, write_study
from semgjax.scaling.decide.candidates import candidate_grid
from semgjax.scaling.decide.goals import prediction_goal
from semgjax.scaling.decide.suggest import Budget, suggest
from semgjax.scaling.ends import number
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import law_named

RATE = 3.6e14  # FLOP in an hour at 0.1 TFLOP/s: a few CPU cores
OVERHEAD = 0.05
RUNS = 4


def next_runs(study: Study) -> Path:
    """Runs that shrink the interval of the error at ten times the largest size, and twice the users."""
    table = study.read({"N": "params", "U": "users", "H": "hours/users"})
    fit = fit_law(table, law_named("additive", ("N", "U", "H")))
    middle = centre(study)
    at = {"N": 10.0 * table.x["N"].max(), "U": 2.0 * table.x["U"].max(), "H": middle["H"] / middle["U"]}
    cost, how = star_cost(study, table, "U")
    candidates = {name: np.unique(np.append(v, 2.0 * v.max())).tolist() for name, v in table.x.items()}
    budget = Budget(cost, RATE, OVERHEAD)
    found = suggest(fit, prediction_goal(fit, at), candidate_grid(fit, candidates), budget, RUNS, study.level)
    rows = [
        [f"{i}", *(number(v, 3) for v in step.x.values()), f"{step.hours:.2g}", f"{np.exp(step.half_width):.3g}"]
        for i, step in enumerate(found.steps, start=1)
    ]
    head = ["run", "parameters", "users", "hours per user", "device-hours", "interval: factor to each side"]
    caption = (
        f"The next {RUNS} runs for {found.goal}; today its {study.level:.0%} interval is a factor of "
        f"{np.exp(found.now):.3g} to each side. {data_words(table)}. Cost: {how}, at {RATE:.2g} FLOP an hour and "
        f"{OVERHEAD} hours beside each run. Expected half-widths by the delta method, averaged over 100 draws of the "
        f"fit.{finding_words(found.diagnostics)}"
    )
    return write_study(study, "next_runs", caption, table=markdown(head, rows))


if __name__ == "__main__":
    run(next_runs)
