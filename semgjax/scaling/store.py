"""Writes and reads fit.json: a fit with its points, intervals and findings, in full precision."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.files import content_hash, read_json, write_json
from semgjax.scaling.diagnose import blocks, diagnose
from semgjax.scaling.ends import ends_json
from semgjax.scaling.fit import Fit, parameter_values
from semgjax.scaling.law import Law
from semgjax.scaling.laws import law_named
from semgjax.scaling.objective import Objective
from semgjax.scaling.problem import Scaled
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.rolling import rolling_origin
from semgjax.scaling.rungs import as_json as rung_json
from semgjax.scaling.rungs import of_json as rung_of_json
from semgjax.scaling.table import Table

SCHEMA, VERSION = "semgjax/fit", 6
_HEAD = ("schema", "version", "body_sha256")


def fit_document(fit: Fit, level: float = LEVEL, force: bool = True) -> dict[str, Any]:
    """The body of fit.json as plain JSON values.

    "curve" is the fit as `predict` uses it; "parameters" are those of the formula in the units of the table, with
    intervals at `level`. Where an error-level finding blocks them and force is False their numbers are null.
    """
    intervals = parameter_intervals(fit, level)
    found = diagnose(fit, intervals, level)
    blocked = blocks(found) and not force
    values = parameter_values(fit)
    parameters = []
    for declared in fit.law.parameters:
        ends = None if blocked else (intervals or {}).get(declared.name)
        parameters.append(
            {
                "name": declared.name,
                "value": None if blocked else _finite(values[declared.name]),
                **ends_json(ends),
                "unit": declared.unit,
                "meaning": declared.meaning,
                "at_bound": declared.name in fit.at_bound,
                "fixed": declared.name in fit.fixed,
            }
        )
    rolling = rolling_origin(fit)
    table = fit.table
    points = _points(table)
    return {
        "law": fit.law.name,
        "formula": fit.law.formula,
        "law_file": fit.law.file,
        "parameters": parameters,
        "blocked": blocked,
        "level": level,
        "no_interval": no_interval_reason(fit),
        "curve": {
            "inputs": list(fit.law.input_names),
            "reference": dict(fit.reference),
            "unit_y": fit.unit_y,
            "theta": fit.theta.tolist(),
            "low": fit.low.tolist(),
            "high": fit.high.tolist(),
            "fixed": dict(fit.fixed),
        },
        "objective": {**asdict(fit.objective), "delta_used": fit.delta, "value": fit.objective_value},
        "search": {
            "status": fit.status,
            "gradient_norm": fit.gradient_norm,
            "starts": fit.starts,
            "starts_agree": fit.starts_agree,
            "second_gap": _finite(fit.second_gap),
        },
        "degrees_of_freedom": fit.degrees_of_freedom,
        "scatter": fit.scatter,
        "rolling_origin": {
            "error": rolling.error,
            "error_per_log": rolling.rate,
            "rows": [{**asdict(row), "log_error": row.log_error} for row in rolling.rows],
        },
        "diagnostics": [asdict(d) for d in found],
        "data": {
            "source": table.source,
            "columns": {name: table.column(name) for name in table.x},
            "N": table.size_name,
            "y": table.y_name,
            "unit": table.unit,
            "spliced": table.spliced,
            "rate": table.rate,
            "where": dict(table.where),
            "hash": content_hash(points),
        },
        "points": points,
    }


def write_fit(path: Path, fit: Fit, level: float = LEVEL) -> None:
    """Write fit.json atomically."""
    write_document(Path(path), fit_document(fit, level))


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write a document of `fit_document` atomically, sealed."""
    write_json(path, SCHEMA, VERSION, sealed(document))


def check_replaces(path: Path) -> None:
    """See that a fit can be written to `path`: it replaces an older fit, never anything else.

    Raises:
        InputError: another file, or a folder, is there.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it", "not-a-file")
    if path.exists():
        read_json(path, SCHEMA, VERSION, oldest=2)


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """A document of `fit_document` with its schema, its version and the hash of its whole body."""
    body = {name: value for name, value in document.items() if name not in _HEAD}
    return {"schema": SCHEMA, "version": VERSION, **body, "body_sha256": content_hash(body)}


def read_fit(path: Path, law: Law | None = None) -> Fit:
    """Read fit.json; `predict` then gives bitwise what it gave before. law: where the fit has a law of the user's own.

    Raises:
        InputError: no such file, another schema or version, an unknown law, or a damaged or edited content.
    """
    document = read_json(Path(path), SCHEMA, VERSION, oldest=2)
    if document["version"] > 2:  # version 2 had a hash of its points alone
        body = {name: value for name, value in document.items() if name not in _HEAD}
        if document.get("body_sha256") != content_hash(body):
            raise InputError(f"{path}: was changed after the fit; fit the table again", "changed")
    try:
        return _fit_of(path, document, law)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); fit the table again", "damaged") from None


def _fit_of(path: Path, document: dict[str, Any], law: Law | None) -> Fit:
    data, curve, objective, search = (document[name] for name in ("data", "curve", "objective", "search"))
    if law is None and document["law_file"]:
        # Reading a file must not run code that the file names.
        raise InputError(
            f"{path}: fitted with a law of {document['law_file']}; name that law, if you trust it", "wrong-law"
        )
    try:
        law = law or law_named(document["law"], curve["inputs"])
    except InputError as unknown:
        raise InputError(f"{path}: {unknown}", unknown.code) from None
    if law.name != document["law"]:
        raise InputError(f"{path}: fitted with the law {document['law']!r}, not with {law.name!r}", "wrong-law")
    points = document["points"]
    if content_hash(points) != data["hash"]:
        raise InputError(f"{path}: the points were changed after the fit; fit the table again", "changed")
    theta, low, high = (np.array(curve[name], np.float64) for name in ("theta", "low", "high"))
    if theta.shape != (len(law.parameters),) or low.shape != theta.shape or high.shape != theta.shape:
        raise ValueError(f"{theta.shape} coordinates for law {law.name}")
    if not np.isfinite(theta).all() or not all(v > 0 for v in [curve["unit_y"], *curve["reference"].values()]):
        raise ValueError("a number of the curve is not finite")
    users_y = None
    if points["users"]:
        users_y = np.array([[np.nan if v is None else v for v in row] for row in points["users_y"]], np.float64)
    table = Table(
        {name: np.array(v, np.float64) for name, v in points["x"].items()},
        np.array(points["y"], np.float64),
        data["unit"],
        data["y"],
        data["columns"],
        data["source"],
        data["where"],
        None if points["sd"] is None else np.array(points["sd"], np.float64),
        tuple(points["runs"]),
        tuple(points["users"]),
        users_y,
        None if points["clusters"] is None else np.array(points["clusters"]),
        {name: np.array(v, np.float64) for name, v in points.get("covariates", {}).items()},
        None if points.get("keys") is None else np.array(points["keys"], np.float64),  # since version 5
        data.get("spliced", False),
        None if points.get("rungs") is None else tuple(map(rung_of_json, points["rungs"])),  # since version 6
        None if points.get("rung_of") is None else np.array(points["rung_of"]),
        data.get("rate", ""),
    )
    reference = {name: float(curve["reference"][name]) for name in law.input_names}
    fixed = {name: float(v) for name, v in curve["fixed"].items()}
    return Fit(
        problem=Scaled(law, table, reference, float(curve["unit_y"]), low, high, fixed),
        objective=Objective(
            **{k: objective[k] for k in ("kind", "delta", "nu", "tau", "over")},
            reduction=objective.get("reduction", "sum"),
        ),
        delta=objective["delta_used"],
        theta=theta,
        objective_value=float(objective["value"]),
        gradient_norm=float(search["gradient_norm"]),
        converged=search["status"] != "not-converged",
        starts=int(search["starts"]),
        starts_agree=float(search["starts_agree"]),
        second_gap=search["second_gap"],
    )


def _points(table: Table) -> dict[str, Any]:
    users_y = None
    if table.users_y is not None:
        users_y = [[_finite(float(v)) for v in row] for row in table.users_y]
    return {
        "x": {name: v.tolist() for name, v in table.x.items()},
        "y": table.y.tolist(),
        "sd": None if table.sd is None else table.sd.tolist(),
        "runs": list(table.runs),
        "clusters": None if table.clusters is None else table.clusters.tolist(),
        "keys": None if table.keys is None else table.keys.tolist(),
        "users": list(table.users),
        "users_y": users_y,
        "covariates": {name: v.tolist() for name, v in table.covariates.items()},
        "rungs": None if table.rungs is None else [rung_json(rung) for rung in table.rungs],
        "rung_of": None if table.rung_of is None else table.rung_of.tolist(),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
