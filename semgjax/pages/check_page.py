"""The page of a check: one self-contained HTML file with tables and figures, which needs no network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from semgjax.data.quality.findings import CODES
from semgjax.data.quality.session_checks import Report, SessionReport
from semgjax.files import write_atomic
from semgjax.pages.check_figures import COLOURS, overview_figure, session_figure
from semgjax.pages.figure_bytes import png_bytes
from semgjax.pages.html import Image, both_widths, image, render_template
from semgjax.pages.style import SINGLE

PICTURES = 60
"""Largest number of sessions shown with a figure: those to leave out first, then those to look at."""
_ORDER = {"leave out": 0, "look": 1, "use": 2}


def write_page(report: Report, folder: str, out: Path) -> None:
    """Write the page to the file `out` atomically; the same report gives the same bytes."""
    write_atomic(out, render(report, folder))


def render(report: Report, folder: str) -> str:
    """The page as HTML."""
    rows = sorted(report.sessions, key=lambda row: _ORDER[row.verdict])
    return render_template(
        "check_page.html",
        title=f"Check of {len(rows)} sessions",
        folder=folder,
        rows=rows,
        faults=report.faults,
        things=report.things,
        hours=sum(row.facts.minutes for row in rows) / 60,
        colours=COLOURS,
        codes=_codes(rows),
        overview=_overview(rows) if rows else None,
        pictures=[(row, _picture(row)) for row in rows[:PICTURES]],
    )


def _codes(rows: Sequence[SessionReport]) -> list[tuple[str, ...]]:
    """(code, meaning, errors, warnings, notes) of every code found."""
    counts = Counter[tuple[str, str]]((finding.code, finding.severity) for row in rows for finding in row.findings)
    found = {code for code, _ in counts}
    severities = ("error", "warning", "note")
    return [(code, CODES[code], *(str(counts[code, s]) for s in severities)) for code in CODES if code in found]


def _overview(rows: Sequence[SessionReport]) -> Image:
    return both_widths(lambda width: overview_figure(rows, width), "length, labels a second and RMS of every session")


def _picture(row: SessionReport) -> Image:
    findings = "; ".join(f"{finding.severity} {finding.code}: {finding.text}" for finding in row.findings)
    figure = session_figure(row)
    caption = f"{figure.caption} {findings or 'No findings.'}"
    wide = image(png_bytes(figure), f"signal of {row.session}", caption, "png")
    return replace(wide, narrow=image(png_bytes(session_figure(row, SINGLE)), "", "", "png").source)
