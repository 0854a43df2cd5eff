"""The best size and hours for a budget of FLOPs, with valleys of equal cost; writes compute_optimal.png and .md."""

from pathlib import Path

import numpy as np

from analysis.study import Study, data_words, finding_words, markdown, run, star_cost, write_study
from semgjax.pages.law_budgets import frontier_figure
from semgjax.scaling.decide.decision import Decision, answer_words, ends_words
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.frontier import frontier
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA

PAIR = ("N", "D")
BUDGETS = 5


def compute_optimal(study: Study) -> Path:
    """The frontier from the sweep's smallest cost to ten times its largest."""
    table = study.read({"N": "params", "D": "hours"})
    fit = fit_law(table, CHINCHILLA)
    cost, how = star_cost(study, table, "D")
    spent = cost.at(table.x)
    budgets = [float(b) for b in np.geomspace(spent.min(), 10.0 * spent.max(), BUDGETS)]
    evidence = gather(fit, study.level)
    rows = frontier(fit, cost, budgets, PAIR, level=study.level, evidence=evidence)
    cells = [[f"{r.budget:.3g}", *(_cell(d) for d in (r.first, r.second, r.error))] for r in rows]
    caption = (
        f"The best mix of model size and training hours (all users together) for a budget, law {fit.law.formula}. "
        f"Cost: {how}. {data_words(table)}. In brackets: {study.level:.0%} sampling interval (profile likelihood), "
        "then the range over choices; the largest budget lies ten times beyond the sweep."
        f"{finding_words(evidence.findings)}"
    )
    head = ["FLOP", "parameters", "hours", "error (%)"]
    return write_study(study, "compute_optimal", caption, frontier_figure(fit, rows, cost, PAIR), markdown(head, cells))


def _cell(answer: Decision) -> str:
    if answer.blocked:
        return "blocked"
    return f"{answer_words(answer, 3)} {ends_words(answer, answer.interval)} {ends_words(answer, answer.choice)}"


if __name__ == "__main__":
    run(compute_optimal)
