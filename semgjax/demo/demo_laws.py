"""The two laws of the demo: error against model size, and against training users."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from semgjax.demo.demo_trials import DemoTrials
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.laws import law_named
from semgjax.scaling.read import read_table
from semgjax.scaling.rows import rows_of
from semgjax.scaling.store import fit_document
from semgjax.scaling.table import Table
from semgjax.sweep.plan import Sweep
from semgjax.training.run_config import RunConfig

LARGEST = 1e6
"""A fitted number or an end of its interval beyond this says only that the points do not determine it."""


def fit_laws(table: Path, sweep: Sweep, trials: DemoTrials) -> dict[str, Fit]:
    """Power laws without a floor, {"size": over parameters, "users": over training users}.

    table: results.csv of the sweep.

    A handful of runs cannot tell a floor from a small exponent, so none is fitted.
    """
    sizes = _points(table, sweep, trials.ladder, "N")
    users = _points(table, sweep, trials.crowds.values(), "U")
    return {"size": fit_law(sizes, law_named("power", ("N",))), "users": fit_law(users, law_named("power", ("U",)))}


def _points(table: Path, sweep: Sweep, configs: Iterable[RunConfig], name: str) -> Table:
    """The rows of some runs: not every column that tells them from the students' twins is sure to differ."""
    wanted = {config.hash for config in configs}
    runs = {trial.id for trial in sweep.trials if trial.config.hash in wanted}
    rows = [cells for _, cells in rows_of(table) if cells["run"] in runs]
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    column = {"N": "params", "U": "users"}[name]
    mapping = {name: column, "y": sweep.trials[0].config.band.metric}
    where = {"split": "test", "averaging": "macro", "decoder": "greedy"}
    return replace(read_table(columns, mapping, where, unit="%", inputs=(name,)), source=table.name)


def law_summary(fit: Fit) -> dict[str, Any]:
    """What summary.json says of a law: its exponent with an interval, and whether the runs determine it.

    "identified" is true where no finding forbids the numbers and the whole interval is above 0; a number that is not
    determined, or beyond a million, is null.
    """
    found = fit_document(fit, force=False)
    exponent = next(p for p in found["parameters"] if p["name"] == "alpha")
    unbounded = exponent.get("unbounded", ())
    low, high = (None if end in unbounded else _shown(exponent[end]) for end in ("low", "high"))
    return {
        "law": found["law"],
        "formula": found["formula"],
        "exponent": _shown(exponent["value"]),
        "low": low,
        "high": high,
        "level": found["level"],
        "identified": not found["blocked"] and low is not None and low > 0,
        "runs": len(fit.table.y),
        "findings": [d["code"] for d in found["diagnostics"] if d["severity"] != "info"],
    }


def _shown(value: Any) -> float | None:
    return None if value is None or abs(value) > LARGEST else float(value)
