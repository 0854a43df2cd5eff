"""Findings on the learning rates of a sweep: whether each rung was trained at its own best one."""

from semgjax.scaling.ends import place_text
from semgjax.scaling.finding import Diagnostic
from semgjax.scaling.rungs import Rung
from semgjax.scaling.table import Table

_NAMED = 3  # rungs that a message names


def about_rates(table: Table) -> list[Diagnostic]:
    """The audit of a table's rungs: "rates-unknown", "bracketed" or "unbracketed"; none where rates are an input."""
    rungs = table.rungs
    if rungs is None:
        text = "no column of learning rates (rate=COLUMN): whether each run had its best rate is not known"
        return [Diagnostic("rates-unknown", "info", text)]
    if not rungs:
        return []
    edge, one = ([rung for rung in rungs if rung.state == state] for state in ("edge", "one-rate"))
    left_out = sum(sum(rung.runs) - rung.runs[rung.chosen] for rung in rungs)
    used = f"; {left_out} runs at other rates of {table.rate} are not in the fit" if left_out else ""
    if not edge and not one:
        tied = sum(bool(rung.tied) for rung in rungs)
        noise = f", {tied} of them with an end of the tried rates within the noise of the best" if tied else ""
        text = f"each of the {len(rungs)} rungs has its best {table.rate} inside the rates tried{noise}{used}"
        return [Diagnostic("bracketed", "info", text)]
    parts = [f"{len(edge)} at the edge of the rates tried ({_named(table, edge)})"] if edge else []
    parts += [f"{len(one)} with one rate only ({_named(table, one)})"] if one else []
    text = (
        f"{len(edge) + len(one)} of {len(rungs)} rungs are not bracketed in {table.rate}: {', '.join(parts)}; the law "
        f"measures their tuning too{used}"
    )
    return [Diagnostic("unbracketed", "warning", text)]


def _named(table: Table, rungs: list[Rung]) -> str:
    """The largest rungs first, by their places."""
    first = next(iter(table.x))
    ranked = sorted(rungs, key=lambda rung: -rung.at[first])
    words = [place_text(table.column, rung.at) for rung in ranked[:_NAMED]]
    return "; ".join(words) + (f"; and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else "")
