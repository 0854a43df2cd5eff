"""Decisions from fits of `semgjax scaling fit`: the commands invert, frontier, exchange, student and versus."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from semgjax.cli.scaling_words import Words, check_output, code_of, numbers, point_of, print_json
from semgjax.cli.terminal import say

_VALUE = arg(metavar="INPUT=VALUE")


def invert(
    fit: Positional[Path],
    *,
    target: float,
    of: str | None = None,
    at: Annotated[Words, _VALUE] = (),
    most: float | None = None,
    law: str | None = None,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """How many parameters, users or hours reach an error, and how likely none do.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        target: the error to reach, in the unit of the table (20 for 20 %)
        of: the input asked for, as U (default: the law's first)
        at: values of the other inputs
        most: what needs more than this counts as out of reach (default: a million times the sweep's largest)
        law: file.py:NAME, where the fit has a law of your own
        level: of the intervals
        force: show the number even where a finding of severity error says that it means nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide.decision import as_json, lines

    fitted = load_fit(fit, law)
    name = of or fitted.law.input_names[0]
    answer = fitted.invert(name, target, at=numbers("--at", at), most=most, level=level, force=force)
    if json:
        print_json({"input": name, "target": target, **as_json(answer)})
    else:
        for line in lines(answer):
            say(line)
    return code_of(answer.blocked)


def frontier(
    fit: Positional[Path],
    *,
    budget: UseAppendAction[tuple[float, ...]],
    cost: str | None = None,
    measured: Path | None = None,
    unit: str = "FLOP",
    of: tuple[str, str] | None = None,
    at: Annotated[Words, _VALUE] = (),
    plot: Path | None = None,
    law: str | None = None,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """The best mix of two inputs for a budget: parameters and data for so many FLOPs.

    Args:
        fit: fit.json of a law of two inputs or more
        budget: what may be spent; give it again for more budgets
        cost: of a run, as a formula of the law's inputs: 6*N*D (analytic), or 300*U+40*U*H
        measured: in place of --cost: the table that was fitted; its column flops is fitted by powers of the inputs
        unit: of the cost
        of: the two inputs (default: the law's first two)
        at: values of the law's other inputs
        plot: draw the frontier here (.png, .svg or .pdf)
        law: file.py:NAME, where the fit has a law of your own
        level: of the intervals
        force: show numbers even where a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide.decision import lines

    if plot is not None:
        from semgjax.pages.law_plot import check_figure_name

        check_figure_name(plot)
        check_output(plot, fit)
    found = load_fit(fit, law).frontier(
        *budget, cost=cost, measured=measured, unit=unit, of=of, at=numbers("--at", at), level=level, force=force
    )
    chosen, rows = found.cost, found.rows
    code = code_of(*(answer.blocked for row in rows for answer in (row.first, row.second, row.error)))
    if plot is not None:
        found.plot(plot)
    if json:
        print_json(found.as_json())
        return code
    say(f"cost {chosen.text} {chosen.unit}" + (f", within {100 * chosen.misfit:.2g} %" if measured else ""))
    for i, row in enumerate(rows):
        for answer in (row.first, row.second, row.error):
            # Findings are those of the fit: once is enough.
            for line in lines(answer, findings=i == len(rows) - 1 and answer is row.error):
                say(line)
    if plot is not None:
        say(f"  {plot}")
    return code


def exchange(
    fit: Positional[Path],
    *,
    give: str,
    get: str,
    at: Annotated[Words, _VALUE],
    factor: float = 2.0,
    law: str | None = None,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """What one input is worth in another: by how much must the model grow to do what twice the users do.

    Args:
        fit: fit.json of a law of two inputs or more
        give: the input that grows, as U
        get: the input it is counted in, as N
        at: where: a value of every input
        factor: by which --give grows
        law: file.py:NAME, where the fit has a law of your own
        level: of the intervals
        force: show numbers even where a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide.decision import as_json, lines

    found = load_fit(fit, law).exchange(give, get, numbers("--at", at), factor=factor, level=level, force=force)
    if json:
        answers = {"rate": found.rate, "given": found.given, "other": found.other}
        print_json({"give": give, "get": get, "factor": factor, **{k: as_json(v) for k, v in answers.items()}})
    else:
        for answer in (found.given, found.other, found.rate):
            for line in lines(answer, findings=answer is found.rate):
                say(line)
    return code_of(found.given.blocked, found.other.blocked, found.rate.blocked)


def student(
    fit: Positional[Path],
    *,
    target: float,
    teacher: float,
    level: float = 0.95,
    force: bool = False,
    json: bool = False,
) -> int:
    """The smallest student that reaches an error, with a teacher and without.

    Args:
        fit: fit.json of the law distilled
        target: the error to reach, in the unit of the table
        teacher: parameters of the teacher
        level: of the intervals
        force: show numbers even where a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide.decision import as_json, lines

    found = load_fit(fit).student(target, teacher, level=level, force=force)
    if json:
        answers = {"alone": found.alone, "taught": found.taught, "saving": found.saving}
        print_json({"target": target, "teacher": teacher, **{k: as_json(v) for k, v in answers.items()}})
    else:
        for answer in (found.alone, found.taught, found.saving):
            for line in lines(answer, findings=answer is found.saving):
                say(line)
    return code_of(found.alone.blocked, found.taught.blocked, found.saving.blocked)


def versus(
    first: Positional[Path],
    second: Positional[Path],
    *,
    at: Annotated[Words, arg(metavar="VALUE|INPUT=VALUE")],
    level: float = 0.95,
    force: bool = False,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Two recipes against each other, from a fit of each, with paired draws.

    Args:
        first: fit.json of recipe a
        second: fit.json of recipe b: the same law on another sweep
        at: where they are compared
        level: of the intervals
        force: show numbers even where a finding of severity error says that they mean nothing
        seed: of the draws
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide.decision import as_json, lines

    a, b = load_fit(first), load_fit(second)
    found = a.versus(b, point_of(at, a.law.input_names), level=level, force=force, seed=seed)
    withheld = found.ratio.blocked or found.multiple.blocked
    if json:
        answers = {"ratio": as_json(found.ratio), "multiple": as_json(found.multiple)}
        print_json({**answers, "b_better": None if withheld else found.b_better, "paired": found.paired})
        return code_of(withheld)
    say(f"a: {first}, b: {second}")
    for answer in (found.ratio, found.multiple):
        for line in lines(answer, findings=answer is found.multiple):
            say(line)
    if found.b_better is not None and not found.ratio.blocked:
        users = "the same test users resampled for both" if found.paired else "residuals only: no shared test users"
        say(f"  b is better in {found.b_better:.1%} of the draws ({users})")
    return code_of(withheld)


COMMANDS: dict[str, Callable[..., Any]] = {
    "invert": invert,
    "frontier": frontier,
    "exchange": exchange,
    "student": student,
    "versus": versus,
}
