"""Commands design, suggest and report: check a plan before training, choose the next runs, report on a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from semgjax.cli.scaling_words import (
    Words,
    check_output,
    code_of,
    lists,
    numbers,
    pairs,
    point_of,
    print_json,
)
from semgjax.cli.terminal import say

_LISTS = arg(metavar="INPUT=VALUE,VALUE,...")


def design(
    *,
    vary: Annotated[Words, _LISTS],
    at: Annotated[Words, arg(metavar="INPUT=VALUE")],
    law: str = "floor_power",
    prior: Annotated[Words, arg(metavar="PARAMETER=VALUE|FIT")] = (),
    shape: Literal["star", "grid"] = "grid",
    seeds: int = 1,
    noise: float = 0.03,
    level: float = 0.95,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Check the plan of a sweep before training: the interval to expect, and what its runs cannot separate.

    Args:
        vary: the values of an input that are planned; give it again for more inputs
        at: the point that the sweep is to predict
        law: believed in; the law of --prior FIT stands in its place
        prior: a fit.json of another sweep, or the parameters, published ones say: E=8 A=2500 alpha=0.45
        shape: grid trains every combination; star varies one input at a time about the middle of the others
        seeds: of each configuration
        noise: relative scatter between seeds (error rates: 0.01 to 0.05)
        level: of the intervals
        seed: of the simulated sweeps
        json: print one JSON object
    """
    from semgjax.api.decisions import design as check_design
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide import design as designs

    fitted = load_fit(prior[0]) if len(prior) == 1 and "=" not in prior[0] else None
    planned = lists("--vary", vary)
    found = check_design(
        planned, point_of(at, tuple(planned)), law=law, prior=fitted or numbers("--prior", prior), shape=shape,
        seeds=seeds, noise=noise, level=level, seed=seed,
    )  # fmt: skip
    if json:
        print_json(designs.as_json(found))
    else:
        for line in designs.lines(found):
            say(line)
    return code_of(found.blocked)


def suggest(
    fit: Positional[Path],
    *,
    rate: float,
    cost: str | None = None,
    measured: Path | None = None,
    shrink: str = "prediction",
    at: Annotated[Words, arg(metavar="INPUT=VALUE")] = (),
    target: float | None = None,
    vary: Annotated[Words, _LISTS] = (),
    runs: int = 3,
    hours: float | None = None,
    overhead: float = 0.1,
    law: str | None = None,
    level: float = 0.95,
    seed: int = 0,
    force: bool = False,
    json: bool = False,
) -> int:
    """The next runs: new sizes, users or seeds that shrink a chosen interval most per hour of the device.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        rate: cost that the device pays in an hour, in the unit of the cost (a GPU at 50 TFLOP/s: 1.8e17)
        cost: of a run, as a formula of the law's inputs: 6*N*D
        measured: in place of --cost: the table that was fitted; its column flops is fitted by powers of the inputs
        shrink: prediction (of the error, --at a point), a parameter of the law (E), law (all parameters), or an input
            that reaches --target (N)
        at: the point of the prediction, or the other inputs where --shrink names an input
        target: error that the input named by --shrink is to reach
        vary: values to choose from; give it again for more inputs (default: the sweep's places, values between them,
            and values up to four times beyond the largest)
        runs: how many to choose
        hours: at most so many device-hours in all
        overhead: hours that any run takes beside its training (start, compile, evaluate)
        law: file.py:NAME, where the fit has a law of your own
        level: of the interval
        seed: of the draws
        force: choose even where a finding of severity error says that the law means nothing
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.decide import suggest as suggestions

    fitted = load_fit(fit, law)
    found = fitted.suggest(
        cost=cost, measured=measured, rate=rate, shrink=shrink, at=point_of(at, fitted.law.input_names), target=target,
        vary=lists("--vary", vary), runs=runs, hours=hours, overhead=overhead, level=level, seed=seed, force=force,
    )  # fmt: skip
    if json:
        print_json(suggestions.as_json(found))
    else:
        for line in suggestions.lines(found):
            say(line)
    return code_of(found.blocked)


def report(
    table: Positional[Path],
    *,
    out: Path,
    law: Annotated[Words, arg(metavar="LAW")] = (),
    map_: Annotated[Words, arg(name="map", metavar="INPUT=COLUMN|y=COLUMN")] = (),
    where: Annotated[Words, arg(metavar="COLUMN=VALUE")] = (),
    unit: str | None = None,
    at: Annotated[Words, arg(metavar="VALUE|INPUT=VALUE")] = (),
    target: float | None = None,
    cost: str | None = None,
    title: str = "",
    level: float = 0.95,
    force: bool = False,
) -> int:
    """One page on a table: the verdict in words, laws side by side, answers with their layers, and pictures.

    Args:
        table: results.csv or results.jsonl of `semgjax sweep collect`, or any CSV with --map
        out: the page to write (.html); it needs no other file
        law: laws to compare; give it again for more (default: those that the mapped inputs allow)
        map_: which column is which input and which the error y
        where: keep only rows with this value
        unit: of y
        at: predict the error here (default: ten times the largest value of the first input)
        target: say what reaches this error
        cost: of a run, as 6*N*D: draws the valleys and the frontier of the first two inputs
        title: of the page
        level: of the intervals
        force: show numbers even where a finding of severity error says that they mean nothing
    """
    from semgjax.api import comparison
    from semgjax.api.columns import inputs_of, law_of

    check_output(out, table)
    mapping = pairs("--map", map_)
    laws = tuple(law_of(name, mapping) for name in law)
    inputs = laws[0].input_names if laws else inputs_of(mapping) or ("N",)
    comparison.report(
        table, out, laws, mapping, where=pairs("--where", where), unit=unit, at=point_of(at, inputs), target=target,
        cost=cost, title=title, level=level, force=force,
    )  # fmt: skip
    say(out)


COMMANDS: dict[str, Callable[..., Any]] = {"design": design, "suggest": suggest, "report": report}
