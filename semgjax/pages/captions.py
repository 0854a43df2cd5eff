"""Sentences of captions: which runs a figure shows, and what its intervals are intervals of."""

from collections.abc import Mapping, Sequence

import numpy as np

from semgjax.measures import SPLICED
from semgjax.pages.axis_names import AS_GIVEN, COUNT, in_words, input_unit, law_title, short_number, y_title
from semgjax.scaling.ends import number
from semgjax.scaling.fit import Fit
from semgjax.scaling.table import Table


def runs_words(fit: Fit) -> str:
    """How many runs, configurations, seeds and test users the points are: one sentence."""
    table = fit.table
    groups = np.bincount(table.groups)
    seeds = f"{groups.min()} to {groups.max()}" if groups.min() < groups.max() else f"{groups.max()}"
    users = f", {len(table.users)} test users" if table.users else ""
    names = [n for n in fit.law.input_names if np.ptp(table.x[n]) > 0]
    levels = ", ".join(f"{table.levels(n)} values of {in_words(fit, n)}" for n in names)
    return (
        f"{y_title(fit)} of n = {len(table.y)} runs of {table.source}: {len(groups)} configurations ({levels}), "
        f"{seeds} run{'s' if seeds != '1' else ''} each{users}.{spliced_words(table)}"
    )


def spliced_words(table: Table) -> str:
    """A sentence, after a space, if the errors are of spliced sessions; otherwise nothing."""
    return f" The test sessions are {SPLICED}." if table.spliced else ""


def interval_words(fit: Fit, level: float) -> str:
    """What an interval of the curve is, and by how much a new run scatters beyond it."""
    words = (
        f"{level:.0%} profile-likelihood interval of the curve, which is the mean of many runs at one place: every "
        "curve of this law in it is compatible with the runs"
    )
    scatter = (
        f"; a new run scatters about the curve by {100 * fit.scatter:.2g} % (standard deviation)" if fit.scatter else ""
    )
    return f"{words}{scatter}."


def curve_words(fit: Fit, level: float, codes: Sequence[str] = ()) -> str:
    """The curve and its band; codes: of the findings that forbid to show them."""
    if codes:
        return f"No curve is drawn: {', '.join(codes)} (error)."
    return f"Line: {law_title(fit.law.name)}, dashed beyond the sweep. Band: {interval_words(fit, level)}"


def place_words(fit: Fit, at: Mapping[str, float], short: bool = False) -> str:
    """A point of the inputs: "model parameters 458k, training data per user 2 h"."""
    shown = short_number if short else number
    parts = [(in_words(fit, name), shown(value), input_unit(fit, name)) for name, value in at.items()]
    return ", ".join(
        f"{title} {value}{'' if unit in (COUNT, AS_GIVEN) else f' {unit}'}" for title, value, unit in parts
    )
