"""`semgjax scaling`: fit a law to a table of results, and predict from the fit."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from semgjax.cli.parse import run_commands
from semgjax.errors import InputError
from semgjax.files import read_json


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("scaling", {"fit": fit, "predict": predict}, words)


def fit(
    table: Positional[Path],
    *,
    map_: Annotated[UseAppendAction[tuple[str, ...]], arg(name="map", metavar="N=COLUMN|y=COLUMN")] = (),
    where: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="COLUMN=VALUE")] = (),
    law: Literal["floor_power", "power"] = "floor_power",
    objective: Literal["huber_log", "log_ls"] = "huber_log",
    delta: float | None = None,
    level: float = 0.95,
    unit: str | None = None,
    out: Path | None = None,
    plot: Path | None = None,
    users: bool = False,
    title: str = "",
    json: bool = False,
) -> None:
    """Fit a law of error against size.

    Args:
        table: results.csv or results.jsonl of `semgjax sweep collect`, or any CSV with --map
        map_: which column is the size N and which the error y (a sweep's table: params and cer)
        where: keep only rows with this value; give it again for more columns (a sweep's table: split=test and
            averaging=macro unless told otherwise)
        law: floor_power is E + A * N^-alpha, power is A * N^-alpha
        objective: of the log residuals: huber_log bends less to outliers, log_ls is least squares
        delta: where Huber's loss turns straight, in log units (default: by the scatter of the points)
        level: of the intervals
        unit: of y; "%" caps predictions at 100 (a sweep's table: %)
        out: write the fit here (fit.json)
        plot: draw the curve here (.png, .svg or .pdf)
        users: draw the single held-out users too (a sweep's table)
        title: above the plot
        json: print the fit as one JSON object
    """
    from semgjax.scaling import diagnose, laws, store
    from semgjax.scaling import objective as objectives
    from semgjax.scaling import table as tables
    from semgjax.scaling.fit import fit_law

    mapping, filters = _pairs("--map", map_), _pairs("--where", where)
    chosen = next(declared for declared in laws.LAWS if declared.name == law)
    if users and plot is None:
        raise InputError("--users draws into a plot; name one with --plot FILE.png")
    if plot is not None:
        from semgjax.scaling.plot import check_figure_name, plot_size_curve, save_figure

        check_figure_name(plot)
    for path in (out, plot):
        _check_output(path, table)
    if out is not None and out.exists():
        read_json(out, store.SCHEMA, store.VERSION)  # replaces an older fit, never anything else
    points = tables.read_table(table, mapping, filters, unit)
    users_points = tables.read_user_points(table, mapping, filters) if users else None
    fitted = fit_law(points, chosen, objectives.Objective(objective, delta))
    document = store.fit_document(fitted, level)
    try:
        if out is not None:
            store.write_fit(out, fitted, level)
        if plot is not None:
            save_figure(plot_size_curve(fitted, users_points, title=title, level=level), plot)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror}); choose another place") from None
    if json:
        _print_json({"schema": store.SCHEMA, "version": store.VERSION, **document})
        return
    _print_fit(document)
    _print_findings(diagnose.Diagnostic(**found) for found in document["diagnostics"])
    for path in (out, plot):
        if path is not None:
            print(f"  {path}")


def predict(fit: Positional[Path], *, at: float, level: float = 0.95, json: bool = False) -> None:
    """Predict the error at a size, with its interval.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        at: size, in the unit of the table's sizes
        level: of the interval
        json: print one JSON object
    """
    from semgjax.scaling.diagnose import predict_at
    from semgjax.scaling.store import read_fit

    fitted = read_fit(fit)
    prediction = predict_at(fitted, at, level)
    low, high = prediction.interval or (None, None)
    if json:
        body = asdict(prediction)
        del body["interval"]
        _print_json({**body, "low": low, "high": high, "unit": fitted.table.unit, "law": fitted.law.name})
        return
    unit = f" {fitted.table.unit}" if fitted.table.unit else ""
    shown = f" [{low:.4g}, {high:.4g}] ({level:.3g} interval of the curve)" if prediction.interval else ""
    print(f"{fitted.table.y_name} at {fitted.table.size_name} = {at:g}: {prediction.value:.4g}{unit}{shown}")
    _print_findings(prediction.diagnostics)


def _check_output(path: Path | None, table: Path) -> None:
    if path is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    if path.resolve() == table.resolve():
        raise InputError(f"{path}: is the table itself; choose another name")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"{path}: cannot be written in {folder}; choose another place")


def _pairs(option: str, words: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise InputError(f"{option} {word}: write it as NAME=VALUE")
        if name in pairs:
            raise InputError(f"{option} {word}: {name} is set twice (before to {pairs[name]})")
        pairs[name] = value
    return pairs


def _print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False))


def _print_fit(document: dict[str, Any]) -> None:
    sizes, data = document["points"]["sizes"], document["data"]
    print(f"{document['formula']} on {len(sizes)} points of {data['source']}: N = {data['N']}, y = {data['y']}")
    for parameter in document["parameters"]:
        unit = f" {data['unit']}" if parameter["unit"] == "y" and data["unit"] else ""
        interval = ""
        if parameter["low"] is not None:
            interval = f" [{parameter['low']:.4g}, {parameter['high']:.4g}]"
        print(f"  {parameter['name']:<6}{parameter['value']:.6g}{unit}{interval}  {parameter['meaning']}")
    search, objective = document["search"], document["objective"]
    delta = "" if objective["delta_used"] is None else f" (delta {objective['delta_used']:.3g})"
    scatter = "" if document["scatter"] is None else f", points scatter by {100 * document['scatter']:.2g} %"
    print(
        f"  {objective['kind']}{delta}: {search['status']}, "
        f"{search['starts_agree']:.0%} of {search['starts']} starts agree{scatter}"
    )
    if document["no_interval"] is None:
        print(f"  [..] are {document['level']:.3g} intervals by profile likelihood, if the law holds")


def _print_findings(findings: Iterable[Any]) -> None:
    for found in findings:
        print(f"  {found.severity} {found.code}: {found.message}")
