"""Findings on a table for a law: copies, units, swapped columns, inputs that vary together, an error that rises."""

from collections.abc import Mapping

import numpy as np

from semgjax.measures import SPLICED
from semgjax.scaling.ends import place_text
from semgjax.scaling.finding import Diagnostic
from semgjax.scaling.fit import Fit
from semgjax.scaling.table import Table
from semgjax.scaling.units import look_like_fractions, rows_in_another_unit

COLLINEAR, WEAK = 1e4, 50.0  # condition number of the log inputs' correlations
ERRORS = ("cer", "wer", "error", "err", "loss", "mae", "rmse", "bpb", "perplexity", "ppl")
SIZES = ("param", "size", "users", "hours", "tokens", "flop", "steps", "subjects", "minutes")


def about_table(table: Table, fit: Fit) -> list[Diagnostic]:
    """Findings that rest on the points alone."""
    found = []
    law, y = fit.law, table.y
    keys = np.column_stack([table.x[name] for name in law.input_names] + [y])
    kinds, counts = np.unique(keys, axis=0, return_counts=True)
    if table.spliced:
        text = f"{table.y_name} is of {SPLICED}: isolated events, joined at random"
        found.append(Diagnostic("spliced", "info", text))
    if (counts > 1).any():
        text = f"{int((counts - 1).sum())} of {len(y)} rows repeat another one to the last digit; remove the copies"
        found.append(Diagnostic("duplicated-run", "error", text))
    if np.ptp(np.log(y)) < 1e-6:
        found.append(
            Diagnostic("constant-y", "error", f"{table.y_name} is the same in all rows: there is no law in it")
        )
    if table.unit == "%" and (above := int((y > 100.0).sum())):
        text = f"{above} of {len(y)} error rates exceed 100 %: these runs answer with more errors than keys"
        bounded = law.ceiling is not None
        found.append(Diagnostic("above-100", "warning" if bounded else "error", text + "; leave them out"))
    if look_like_fractions(table):
        text = f"all values of {table.y_name} are below 1 %: if they are fractions, give {table.y_name}*100"
        found.append(Diagnostic("fractions", "error", text + " as y, or unit '' to fit them as they are"))
    for row in rows_in_another_unit(table, law.input_names)[:3]:
        place = place_text(table.column, {name: table.x[name][row] for name in law.input_names})
        text = f"{table.y_name} at {place} is {y[row]:g}, a factor of 30 or more off the trend of the others"
        found.append(Diagnostic("mixed-units", "error", f"{text}: is that row in another unit? Correct or remove it"))
    columns = {name: table.column(name).lower() for name in law.input_names}
    for name, column in columns.items():
        if any(word in _words(column) for word in ERRORS) and name not in ("L", "S", "TL"):
            text = f"the input {name} is column {column!r}, which sounds like an error; are the columns swapped?"
            found.append(Diagnostic("swapped-columns", "error", text))
    if any(word in table.y_name.lower() for word in SIZES):
        text = f"y is column {table.y_name!r}, which sounds like a size; are the columns swapped?"
        found.append(Diagnostic("swapped-columns", "error", text))
    elif table.unit == "%" and np.median(y) > 1000:
        text = f"y has the median {np.median(y):g} %, which is no error rate; are the columns swapped?"
        found.append(Diagnostic("swapped-columns", "error", text))
    return found + ([] if law.rising else _about_direction(fit))


def _words(column: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in column).split()


def _about_direction(fit: Fit) -> list[Diagnostic]:
    found = []
    table = fit.table
    logs = {name: np.log(np.maximum(table.x[name], 1e-12)) for name in fit.law.input_names if np.ptp(table.x[name]) > 0}
    if len(logs) > 1:
        stacked = np.column_stack([(v - v.mean()) / v.std() for v in logs.values()])
        values = np.linalg.svd(stacked, compute_uv=False)
        condition = float(values[0] / max(values[-1], 1e-300)) ** 2
        axes = " and ".join(f"{name} ({table.column(name)})" for name in logs)
        if condition > COLLINEAR:
            text = f"{axes} vary together in every run, so that their effects cannot be separated; vary one at a time"
            found.append(Diagnostic("collinear-axes", "error", text))
        elif condition > WEAK:
            text = f"{axes} vary nearly together (condition number {condition:.0f}): their shares are uncertain"
            found.append(Diagnostic("collinear-axes", "warning", text))
        if condition > COLLINEAR:
            return found
    for name in logs:
        if _rises(logs, name, np.log(table.y)):
            text = (
                f"{table.y_name} rises with {table.column(name)}; a law of learning falls. Is the column the right one?"
            )
            found.append(Diagnostic("rising", "error", text))
    return found


def _rises(logs: Mapping[str, np.ndarray], name: str, log_y: np.ndarray) -> bool:
    """Whether y rises with an input beyond three standard errors.

    Runs that differ in this input alone decide, where there are any: in a star a straight plane through all runs
    leans with the bend of the other arms.
    """
    others = [np.ones(len(log_y)), *(v for other, v in logs.items() if other != name)]
    _, arm = np.unique(np.column_stack(others), axis=0, return_inverse=True)
    member = np.equal.outer(np.arange(arm.max() + 1), arm.ravel()).astype(float)
    mean = member.T @ (member / member.sum(axis=1, keepdims=True))
    alone = logs[name] - mean @ logs[name]
    if np.abs(alone).max() > 1e-9:
        goal, used, left = log_y - mean @ log_y, alone, len(log_y) - len(member)
    else:
        plane = np.column_stack(others)
        used, goal = (v - plane @ np.linalg.lstsq(plane, v, rcond=None)[0] for v in (logs[name], log_y))
        left = len(log_y) - len(others)
    slope = used @ goal / (used @ used)
    if left <= 1:
        return bool(slope > 0)
    error = np.sqrt(((goal - slope * used) ** 2).sum() / (left - 1) / (used @ used))
    return bool(slope > 3 * error)
