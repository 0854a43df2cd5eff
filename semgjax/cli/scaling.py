"""`semgjax scaling`: fit a law to a table of results, predict from the fit, compare laws."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from semgjax.cli import scaling_compute, scaling_decide, scaling_ledger, scaling_plan
from semgjax.cli.parse import run_commands
from semgjax.cli.programs import keep_programs
from semgjax.cli.scaling_words import Words, check_output, code_of, numbers, pairs, point_of, print_json
from semgjax.cli.terminal import say
from semgjax.errors import InputError
from semgjax.scaling.ends import HUGE, number, of_json, place_text, span

Kind = Literal[
    "mm_log", "huber_log", "huber_linear", "log_ls", "log1p_ls", "linear_ls", "student_t", "pinball", "asymmetric"
]


def run(words: list[str]) -> int:
    """The command."""
    keep_programs()
    commands: dict[str, Callable[..., Any]] = {"fit": fit, "predict": predict, "compare": compare}
    more = {**scaling_decide.COMMANDS, **scaling_compute.COMMANDS, **scaling_plan.COMMANDS, **scaling_ledger.COMMANDS}
    return run_commands("scaling", {**commands, **more}, words)


def fit(
    table: Positional[Path],
    *,
    map_: Annotated[Words, arg(name="map", metavar="INPUT=COLUMN|y=COLUMN")] = (),
    where: Annotated[Words, arg(metavar="COLUMN=VALUE")] = (),
    law: str = "floor_power",
    objective: Kind | None = None,
    delta: float | None = None,
    reduction: Literal["sum", "mean"] = "sum",
    fix: Annotated[Words, arg(metavar="PARAMETER=VALUE")] = (),
    starts: int = 64,
    level: float = 0.95,
    unit: str | None = None,
    out: Path | None = None,
    plot: Path | None = None,
    users: bool = False,
    title: str = "",
    force: bool = False,
    json: bool = False,
) -> int:
    """Fit a law of error against sizes, data or users.

    Args:
        table: a sweep's folder, its results.csv or results.jsonl, or any CSV with --map
        map_: which column is which input of the law and which the error y; a column may be a quotient or product,
            "flops/6/params" (a sweep's table needs none); sd=COLUMN gives relative noise, cluster=COLUMN rows with
            shared noise, keys=COLUMN the tested keys of each error rate
        where: keep only rows with this value; give it again for more columns (a sweep's table: split=test and
            averaging=macro by default)
        law: power, floor_power, chinchilla, shared_exponent, users_hours, users_hours_product, users_saturating,
            broken, repeated, kaplan, gadre, gadre_error, sigmoid, distilled, busbridge, personal; additive, power,
            saturating, rational over any inputs; or your own as file.py:NAME
        objective: of the residuals: mm_log (the default) counts runs far off the others less and names them, huber_log
            (the default with --delta) is Huber's loss, log_ls is least squares of logarithms
        delta: where Huber's loss turns straight, in log units, of huber_linear in the unit of y (default: by the
            scatter of the points)
        reduction: of the losses in the objective's value, as published ones differ; the fit is the same
        fix: hold a parameter at a value, as E=0 (see `semgjax scaling floors` for how answers move with E)
        starts: first guesses of the search
        level: of the intervals
        unit: of y; "%" caps predictions at 100 (a sweep's table: %)
        out: write the fit here (fit.json)
        plot: draw the curve here (.png, .svg or .pdf), over the first input
        users: draw the single held-out users too (a sweep's table)
        title: above the plot
        force: show the numbers even where a finding of severity error says that they mean nothing
        json: print the fit as one JSON object
    """
    from semgjax.api import fitting as laws
    from semgjax.api.columns import law_of
    from semgjax.scaling.rows import name_of
    from semgjax.scaling.store import check_replaces, write_document

    mapping, filters, fixed = pairs("--map", map_), pairs("--where", where), numbers("--fix", fix)
    chosen = law_of(law, mapping)
    if users and plot is None:
        raise InputError("--users draws into a plot; name one with --plot FILE.png", "conflict")
    if plot is not None:
        laws.check_plot(chosen, plot, users=users)
    for path in (out, plot):
        check_output(path, name_of(table))
    if out is not None:
        check_replaces(out)
    fitted = laws.fit(
        table, mapping, law=chosen, where=filters, unit=unit, objective=objective, delta=delta, reduction=reduction,
        fixed=fixed, starts=starts,
    )  # fmt: skip
    document = fitted.document(level, force)
    if plot is not None:
        fitted.plot(plot, users=users, title=title, level=level, force=force)
    if out is not None:
        write_document(out, document)
    if json:
        print_json(document)
        return code_of(document["blocked"])
    _print_fit(document)
    _print_findings(document["diagnostics"])
    for path in (out, plot):
        if path is not None:
            say(f"  {path}")
    return code_of(document["blocked"])


def predict(
    fit: Positional[Path],
    *,
    at: Annotated[Words, arg(metavar="VALUE|INPUT=VALUE")],
    law: str | None = None,
    level: float = 0.95,
    force: bool = False,
    ledger: Path | None = None,
    json: bool = False,
) -> int:
    """Predict the error at a point, with sampling, choice and extrapolation beside it.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        at: the point, in the units of the table: a number for a law of one input, else N=VALUE and so on
        law: file.py:NAME, where the fit has a law of your own
        level: of the intervals
        force: show the number even where a finding of severity error says that it means nothing
        ledger: of your forecasts: what its settled ones missed counts in the quote
        json: print one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.scaling.answer import as_json, weights_text

    fitted = load_fit(fit, law)
    prediction = fitted.predict(point_of(at, fitted.law.input_names), level=level, force=force, ledger=ledger)
    held = _held_floor(fitted, prediction, level, force)
    if json:
        floor = None if held is None else {"parameter": held.name, "value": held.floor, "slope": held.slope}
        print_json({**as_json(prediction), "unit": fitted.table.unit, "law": fitted.law.name, "fixed_floor": floor})
        return code_of(prediction.blocked)
    place = place_text(fitted.table.column, prediction.x)
    unit = f" {fitted.table.unit}" if fitted.table.unit else ""
    if prediction.value is None:
        say(f"{fitted.table.y_name} at {place}: no number; see the errors below (--force shows it all the same)")
    else:
        say(f"{fitted.table.y_name} at {place}: {prediction.value:.4g}{unit}{_range(prediction.quote)}")
        if prediction.quote is not None:
            laws = weights_text(prediction.weights)
            say(f"  {'quote':<14}{span(prediction.quote)} (the {prediction.level:.3g} interval to quote; laws: {laws})")
        for label, ends in _layers(prediction):
            say(f"  {label:<14}{ends}")
    if held is not None and held.slope is not None:
        text = f"{held.name} = {held.floor:g} is held: one per cent more moves the answer by {held.slope:+.2g} %"
        say(f"  {'fixed floor':<14}{text}; over floors that the points allow: {span(held.allowed)}")
    _print_findings(asdict(found) for found in prediction.diagnostics)
    return code_of(prediction.blocked)


def compare(
    table: Positional[Path],
    *,
    law: Annotated[Words, arg(metavar="LAW")] = (),
    map_: Annotated[Words, arg(name="map", metavar="INPUT=COLUMN|y=COLUMN")] = (),
    where: Annotated[Words, arg(metavar="COLUMN=VALUE")] = (),
    objective: Kind | None = None,
    delta: float | None = None,
    unit: str | None = None,
    at: Annotated[Words, arg(metavar="VALUE|INPUT=VALUE")] = (),
    force: bool = False,
    json: bool = False,
) -> int:
    """Fit several laws to one table and say which predicts larger runs best.

    Args:
        table: results.csv or results.jsonl of `semgjax sweep collect`, or any CSV with --map
        law: a law; give it again for more (default: those that the mapped inputs allow)
        map_: which column is which input and which the error y
        where: keep only rows with this value
        objective: of the residuals
        delta: where Huber's loss turns straight, in log units, of huber_linear in the unit of y
        unit: of y
        at: predict here with each law
        force: show the values even of laws of which a finding of severity error says that they mean nothing
        json: print one JSON object
    """
    from semgjax.api import comparison
    from semgjax.api.columns import inputs_of, law_of

    mapping = pairs("--map", map_)
    laws = tuple(law_of(name, mapping) for name in law)
    inputs = laws[0].input_names if laws else inputs_of(mapping) or ("N",)
    compared = comparison.compare(
        table, laws, mapping, where=pairs("--where", where), unit=unit, objective=objective, delta=delta,
        at=point_of(at, inputs), force=force,
    )  # fmt: skip
    if json:
        print_json(compared.as_json())
        return code_of(compared.blocked)
    found, average, users_hours = compared.found, compared.average, compared.users_or_hours
    say(f"{'law':<22}{'weight':>8}{'rolling':>10}{'largest':>10}{'AICc':>10}{'at':>10}")
    for score in found.scores:
        cells = (
            _percent(score.rolling_error), _percent(score.largest_error), _digits(score.aicc), _digits(score.value)
        )  # fmt: skip
        say(f"{score.name:<22}{score.weight:>8.2f}" + "".join(f"{cell:>10}" for cell in cells))
    for name, reason in found.refused:
        say(f"{name:<22}refused: {reason}")
    for test in found.tests:
        say(f"  {test.smaller} within {test.larger}: F = {test.statistic:.3g}, p = {test.p:.2g}")
    if average is not None:
        say(f"  average by extrapolation score: {average[0]:.4g} (laws: {span(average[1:])})")
    if compared.blocked:
        say("  no number: see the errors below (--force shows it all the same)")
    else:
        say(f"  {found.verdict}")
        if users_hours is not None:
            say(f"  {users_hours}")
    _print_findings(asdict(found) for found in compared.findings)
    return code_of(compared.blocked)


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" {span(ends)}"


def _layers(prediction: Any) -> list[tuple[str, str]]:
    """The three layers of a prediction in words; a missing one says so."""
    rows = [("sampling", f"{_range(prediction.interval).strip()} ({prediction.level:.3g} interval of the curve)")]
    if prediction.interval is None:
        rows = [("sampling", "not known: too few levels")]
    if prediction.users is not None:
        rows.append(("test users", f"{_range(prediction.users).strip()} (other test users, bootstrap)"))
    if prediction.test_users is not None:
        rows += [(name, f"{text} ({meaning})") for name, text, meaning in prediction.test_users.layers]
    choice = prediction.choice
    rows.append(("choice", f"{span((choice.low, choice.high))} (objectives, outliers, laws: {len(choice.members)})"))
    if prediction.extrapolation is not None:
        text = f"{_range(prediction.extrapolation).strip()} (if the slope drifts as in published sweeps)"
        rows.append(("extrapolation", text))
    elif prediction.beyond > 1.0:
        rows.append(("extrapolation", "not known: too few levels to try it"))
    return rows


def _held_floor(fitted: Any, prediction: Any, level: float, force: bool) -> Any:
    """What a floor that was fixed from outside does to a prediction; None where none is."""
    held = [p for p in fitted.law.parameters if p.kind == "floor" and p.name in fitted.result.fixed]
    return fitted.floors(prediction.x, level=level, force=force) if held and not prediction.blocked else None


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2g} %"


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _print_fit(document: dict[str, Any]) -> None:
    points, data = document["points"], document["data"]
    columns = ", ".join(f"{name} = {column}" for name, column in data["columns"].items())
    say(f"{document['formula']} on {len(points['y'])} points of {data['source']}: {columns}, y = {data['y']}")
    if document["blocked"]:
        say("  no numbers: see the errors below (--force shows them all the same)")
    for parameter in document["parameters"]:
        if document["blocked"]:
            continue
        unit = f" {data['unit']}" if parameter["unit"] == "y" and data["unit"] else ""
        interval = ""
        if parameter["low"] is not None or parameter["unbounded"]:
            interval = f" {span(of_json(parameter['low'], parameter['high']))}"
        spread = (document["choice"] or {}).get(parameter["name"])
        spread = "" if spread is None else f" choice {span(of_json(*spread))}"
        name, value = parameter["name"], parameter["value"]
        shown = number(value) if value is None or abs(value) >= HUGE else format(value, ".6g")
        say(f"  {name:<6}{shown}{unit}{interval}{spread}"
              f"  {parameter['meaning']}")  # fmt: skip
    search, objective = document["search"], document["objective"]
    delta = "" if objective["delta_used"] is None else f" (delta {objective['delta_used']:.3g})"
    scatter = "" if document["scatter"] is None else f", points scatter by {100 * document['scatter']:.2g} %"
    say(
        f"  {objective['kind']}{delta}: {search['status']}, "
        f"{search['starts_agree']:.0%} of {search['starts']} starts agree{scatter}"
    )
    if document["no_interval"] is None and not document["blocked"]:
        say(
            f"  [..] are {document['level']:.3g} intervals by profile likelihood, if the law holds; choice [..] is the "
            "range over objectives and outliers"
        )
    verdict = document["laws"]
    if verdict["weights"]:
        ranked = sorted(verdict["weights"].items(), key=lambda item: -item[1])
        rejected = ", ".join(f"{name} (p = {p:.1g})" for name, p in verdict["rejected"].items())
        say(
            "  laws by weight: " + ", ".join(f"{name} {weight:.2f}" for name, weight in ranked)
            + (f"; rejected: {rejected}" if rejected else "")
        )  # fmt: skip
    if verdict["better"] is not None:
        say(f"  verdict: {verdict['better']} is the better law for these points")
    elif verdict["rivals"]:
        names = ", ".join(rival["law"] for rival in verdict["rivals"])
        say(f"  verdict: {names} come nearer to the points, by no more than noise does")
    rolling = document["rolling_origin"]
    if rolling["error"] is not None:
        tries = len(rolling["rows"])
        say(f"  predicting the next larger runs it erred by {100 * rolling['error']:.2g} % ({tries} tries)")


def _print_findings(findings: Iterable[dict[str, Any]]) -> None:
    for found in findings:
        say(f"  {found['severity']} {found['code']}: {found['message']}")
