"""Commands isoflop and floors: the best size for a compute budget in two ways, and what a fixed floor does."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from semgjax.cli.scaling_words import Words, code_of, number, pairs, point_of, print_json
from semgjax.cli.terminal import say
from semgjax.errors import InputError

Kind = Literal[
    "mm_log", "huber_log", "huber_linear", "log_ls", "log1p_ls", "linear_ls", "student_t", "pinball", "asymmetric"
]


def isoflop(
    table: Positional[Path],
    *,
    map_: Annotated[Words, arg(name="map", metavar="N|D|C|y=COLUMN")] = (),
    where: Annotated[Words, arg(metavar="COLUMN=VALUE")] = (),
    budget: UseAppendAction[tuple[float, ...]] = (),
    objective: Kind | None = None,
    delta: float | None = None,
    reduction: Literal["sum", "mean"] = "sum",
    unit: str | None = None,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """The best size and data for a compute budget: parabolas (approach 2) beside a parametric law (approach 3).

    Args:
        table: runs at several FLOP budgets: a sweep's folder or results.csv, or any CSV with --map
        map_: N, D and y; C=COLUMN where the compute was measured (default: 6 N D)
        where: keep only rows with this value
        budget: FLOP to answer for; give it again for more (default: ten times the table's largest)
        objective: of the residuals of the parametric law
        delta: where Huber's loss turns straight, in log units, of huber_linear in the unit of y
        reduction: of the losses in the objective's value; the fit is the same
        unit: of y
        level: of the intervals
        force: show the numbers even where a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api.optimal_compute import isoflop as both
    from semgjax.scaling.decide import isoflop as approaches

    mapping = pairs("--map", map_)
    found = both(
        table, budget, mapping, where=pairs("--where", where), unit=unit, objective=objective, delta=delta,
        reduction=reduction, level=level, force=force,
    )  # fmt: skip
    if json:
        print_json(approaches.as_json(found))
    else:
        for line in approaches.lines(found):
            say(line)
    return code_of(*found.blocked)


def floors(
    fit: Positional[Path],
    *,
    at: Annotated[Words, arg(metavar="VALUE|INPUT=VALUE")] = (),
    target: float | None = None,
    of: str | None = None,
    floor: str = "",
    law: str | None = None,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """How an answer moves with the floor, fixed from outside (`fit --fix E=1.7`) or fitted.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        at: where the error is predicted; with --target the other inputs
        target: an error to reach; the answer is then the value of the input --of
        of: the input asked for with --target (default: the law's first)
        floor: floors to try, in the unit of y: 0,5,8 (default: from 0 to just below the smallest error)
        law: file.py:NAME, where the fit has a law of your own
        level: below 1 - level a floor counts as rejected by the points
        force: show the numbers even where a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide import floors as sensitivity

    fitted = load_fit(fit, law)
    if target is None and not at:
        raise InputError("floors: give the point, at INPUT=NUMBER, or the error to reach, target", "bad-option")
    tried = [number("--floor", floor, part) for part in floor.split(",")] if floor else []
    found = fitted.floors(
        point_of(at, fitted.law.input_names), target=target, of=of, floors=tried, level=level, force=force
    )
    if json:
        print_json(sensitivity.as_json(found))
    else:
        for line in sensitivity.lines(found):
            say(line)
    return code_of(found.blocked)


COMMANDS: dict[str, Callable[..., Any]] = {"isoflop": isoflop, "floors": floors}
