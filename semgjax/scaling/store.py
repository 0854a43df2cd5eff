"""Writes and reads fit.json: a fit with its points, intervals and findings, in full precision."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.files import content_hash, read_json, write_json
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import Fit, parameter_values
from semgjax.scaling.laws import LAWS
from semgjax.scaling.objective import Objective
from semgjax.scaling.table import Table
from semgjax.scaling.uncertainty import LEVEL, no_interval_reason, parameter_intervals

SCHEMA, VERSION = "semgjax/fit", 1


def fit_document(fit: Fit, level: float = LEVEL) -> dict[str, Any]:
    """The body of fit.json as plain JSON values.

    "curve" is the fit as `predict` uses it (x = log(N / reference)); "parameters" are those of the formula,
    with N in the unit of the table. Intervals hold at `level`.
    """
    intervals = parameter_intervals(fit, level)
    parameters = []
    for declared in fit.law.parameters:
        low, high = intervals[declared.name] if intervals else (None, None)
        parameters.append(
            {
                "name": declared.name,
                "value": parameter_values(fit)[declared.name],
                "low": low,
                "high": high,
                "unit": declared.unit,
                "meaning": declared.meaning,
                "at_bound": declared.name in fit.at_bound,
            }
        )
    table = fit.table
    points = {"sizes": table.sizes.tolist(), "y": table.y.tolist()}
    return {
        "law": fit.law.name,
        "formula": fit.law.formula,
        "parameters": parameters,
        "level": level,
        "no_interval": no_interval_reason(fit),
        "curve": {
            "reference": fit.reference,
            "coefficients": fit.coefficients.tolist(),
            "shape": fit.shape.tolist(),
        },
        "objective": {**asdict(fit.objective), "delta_used": fit.delta, "value": fit.objective_value},
        "search": {
            "status": "converged" if fit.converged else "not-converged",
            "gradient_norm": fit.gradient_norm,
            "starts": fit.starts,
            "starts_agree": fit.starts_agree,
        },
        "degrees_of_freedom": fit.degrees_of_freedom,
        "scatter": fit.scatter,
        "diagnostics": [asdict(found) for found in diagnose(fit, intervals, level)],
        "data": {
            "source": table.source,
            "N": table.size_name,
            "y": table.y_name,
            "unit": table.unit,
            "where": dict(table.where),
            "hash": content_hash(points),
        },
        "points": points,
    }


def write_fit(path: Path, fit: Fit, level: float = LEVEL) -> None:
    """Write fit.json atomically."""
    write_json(Path(path), SCHEMA, VERSION, fit_document(fit, level))


def read_fit(path: Path) -> Fit:
    """Read fit.json; `predict` then gives bitwise what it gave before.

    Raises:
        InputError: no such file, another schema or version, an unknown law, or a damaged or edited content.
    """
    document = read_json(Path(path), SCHEMA, VERSION)
    try:
        return _fit_of(path, document)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); fit the table again") from None


def _fit_of(path: Path, document: dict[str, Any]) -> Fit:
    laws = {law.name: law for law in LAWS}
    if document["law"] not in laws:
        raise InputError(f"{path}: law {document['law']!r} is not known here; known are {', '.join(laws)}")
    law = laws[document["law"]]
    data, curve, objective, search = (document[name] for name in ("data", "curve", "objective", "search"))
    if content_hash(document["points"]) != data["hash"]:
        raise InputError(f"{path}: the points were changed after the fit; fit the table again")
    sizes, y = (np.array(document["points"][name], np.float64) for name in ("sizes", "y"))
    coefficients, shape = (np.array(curve[name], np.float64) for name in ("coefficients", "shape"))
    if coefficients.shape != (len(law.linear),) or shape.shape != (len(law.shape),):
        raise ValueError(f"{len(coefficients)} coefficients and {len(shape)} shape parameters for law {law.name}")
    if not (np.isfinite(coefficients).all() and np.isfinite(shape).all() and curve["reference"] > 0):
        raise ValueError("a number of the curve is not finite")
    return Fit(
        law=law,
        table=Table(sizes, y, data["N"], data["y"], data["unit"], data["source"], data["where"]),
        objective=Objective(objective["kind"], objective["delta"]),
        delta=objective["delta_used"],
        reference=float(curve["reference"]),
        coefficients=coefficients,
        shape=shape,
        objective_value=float(objective["value"]),
        gradient_norm=float(search["gradient_norm"]),
        converged=search["status"] == "converged",
        starts=int(search["starts"]),
        starts_agree=float(search["starts_agree"]),
    )
