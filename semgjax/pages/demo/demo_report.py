"""The report of the demo: writes one self-contained HTML file, which needs no network."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from semgjax.files import write_atomic
from semgjax.losses.student_summary import summary_of
from semgjax.pages.demo import images
from semgjax.pages.demo import number_text as text
from semgjax.pages.demo.claims import claims
from semgjax.pages.demo.curves import COLOURS
from semgjax.pages.demo.views import ReportInputs as ReportInputs
from semgjax.pages.demo.views import RunView as RunView
from semgjax.pages.demo.views import heldout_cer, heldout_scores, is_number, role_of, user_cers
from semgjax.pages.html import render_template
from semgjax.scaling.fit import predict
from semgjax.scaling.store import fit_document

TITLE = "semgjax demo: from recordings to a small decoder"
NOT_DETERMINED = "not determined"
LARGEST = 1e6
"""A fitted number beyond this says only that the runs do not determine it."""
SECTIONS = (
    ("signal", "What the decoder sees"),
    ("learning", "How they learned"),
    ("law", "Error against size"),
    ("crowd", "Error against training users"),
    ("users", "Every held-out user"),
    ("sizes", "Size, speed and the export"),
    ("made", "How it was made"),
)
"""The sections after the headline, in order: (its template, which is also its name in the page's address; heading)."""
NAMES = {"teacher": "teacher", "distilled": "student, distilled", "from scratch": "same size, from scratch"}


def write_report(inputs: ReportInputs, out: Path) -> None:
    """Write the report to the file `out` atomically; the same inputs give the same bytes.

    Raises:
        InputError: the signal of the first session can no longer be read.
    """
    write_atomic(out, render(inputs))


def render(inputs: ReportInputs) -> str:
    """The report as HTML."""
    found, users_found = (fit_document(fit, force=False) for fit in (inputs.fit, inputs.users_fit))
    figures = {
        "signal": images.signal(inputs),
        "learning": images.learning(inputs),
        "scaling": images.scaling(inputs),
        "crowd": images.crowd(inputs),
        "by_user": images.users(inputs),
        "offsets": images.offsets(inputs),
    }
    return render_template(
        "demo/report.html",
        title=TITLE,
        sections=SECTIONS,
        found=found,
        users_found=users_found,
        users_parameters=[fitted_row(p, inputs.users_fit.table.unit) for p in users_found["parameters"]],
        parameters=[fitted_row(parameter, inputs.fit.table.unit) for parameter in found["parameters"]],
        predicted=lambda run: None if found["blocked"] else float(predict(inputs.fit, run.result["params"])),
        **figures,
        **_origin(inputs),
        **section_values(inputs),
    )


def section_values(inputs: ReportInputs) -> dict[str, Any]:
    """What the templates of the headline, the users and the sizes use: numbers, and functions that show them."""
    teacher, distilled, scratch = (heldout_cer(run) for _, run in inputs.trio)
    cers = {role: user_cers(run) for role, run in inputs.trio}
    both = cers["distilled"].keys() & cers["from scratch"].keys()
    return {
        "inputs": inputs,
        "colours": COLOURS,
        "names": NAMES,
        "claims": claims(inputs),
        "saved": text.ratio(inputs.teacher.result["params"], inputs.distilled.result["params"]),
        "behind": text.difference(distilled, teacher),
        "gained": text.difference(scratch, distilled),
        "everyone": sorted(set().union(*cers.values())),
        "better": sum(cers["distilled"][user] < cers["from scratch"][user] for user in both),
        "cer": heldout_cer,
        "measure": inputs.measure,
        "error": inputs.measure.words,
        "scores": heldout_scores,
        "user_cers": user_cers,
        "role_of": role_of,
        "share": lambda value: text.percent(100.0 * value if is_number(value) else None),
        "student": summary_of(inputs.distilled.metrics),
        "roles_of": lambda preset: [NAMES[role] for role, run in inputs.trio if run.result["preset"] == preset],
        "is_number": is_number,
        **{name: getattr(text, name) for name in text.__all__},
    }


def fitted_row(parameter: dict[str, Any], unit: str) -> tuple[str, ...]:
    """(name, meaning, value, lower end, upper end) of a fitted parameter."""
    scale = f"\u00a0{unit}" if parameter["unit"] == "y" and unit else ""
    name = {"alpha": "\u03b1"}.get(parameter["name"], parameter["name"])
    ends = (parameter["low"], parameter["high"])
    shown = [_fitted(value) for value in (parameter["value"], *ends)]
    numbers = [number + scale if number not in (text.MISSING, NOT_DETERMINED) else number for number in shown]
    for place, (end, words) in enumerate((("low", "no lower end"), ("high", "no upper end")), start=1):
        if end in parameter.get("unbounded", ()):
            numbers[place] = words
    return (name, parameter["meaning"], *numbers)


def _fitted(value: Any) -> str:
    return NOT_DETERMINED if is_number(value) and abs(value) > LARGEST else text.digits(value)


def _origin(inputs: ReportInputs) -> dict[str, Any]:
    """How the numbers came about: training data, seeds, times and versions."""
    hours = inputs.teacher.result.get("hours")
    return {
        "minutes": None if hours is None else 60.0 * hours,
        "seeds": [run.result["seed"] for run in (*inputs.ladder, inputs.scratch, inputs.distilled)],
        "together": sum(seconds for seconds in inputs.seconds.values() if is_number(seconds)),
        "versions": f"semgjax {metadata.version('semgjax')}, jax {metadata.version('jax')}, "
        f"Python {platform.python_version()}",
    }
