"""The report of the demo: writes one self-contained HTML file that a browser shows without a network."""

from pathlib import Path

from semgjax.files import write_atomic
from semgjax.pages.demo import opening as sections
from semgjax.pages.demo import outcome
from semgjax.pages.demo.headings import contents
from semgjax.pages.demo.number_text import duration
from semgjax.pages.demo.views import ReportInputs as ReportInputs
from semgjax.pages.demo.views import RunView as RunView
from semgjax.pages.html import document, el, paragraph

TITLE = "semgjax demo: from simulated typing to a small decoder"


def write_report(inputs: ReportInputs, out: Path) -> None:
    """Write the report to the file `out`, whole or not at all; same inputs, same bytes.

    Raises:
        InputError: the signal of the first session cannot be read any more.
    """
    write_atomic(out, render(inputs))


def render(inputs: ReportInputs) -> str:
    """The report as HTML."""
    took = duration(inputs.summary.get("seconds"))
    return document(
        TITLE,
        el(
            "header",
            el("h1", TITLE),
            paragraph(
                f"A ladder of {len(inputs.ladder)} decoder sizes, a law through their errors, and the "
                f"largest of them distilled into a small one. Seed {inputs.seed}, {took} on "
                f"{inputs.machine}.",
                class_="lead",
            ),
        ),
        el(
            "main",
            sections.headline(inputs),
            contents(),
            sections.signal(inputs),
            sections.learning(inputs),
            sections.law(inputs),
            outcome.users(inputs),
            outcome.sizes(inputs),
            outcome.made(inputs),
        ),
        el("footer", "All data in this report are simulated. Written by ", el("code", "semgjax demo"), "."),
    )
