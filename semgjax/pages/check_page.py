"""The page of a check: one HTML file with tables and pictures in it, which needs no network."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semgjax.data.quality.check import Report, SessionReport
from semgjax.data.quality.findings import CODES
from semgjax.files import write_atomic
from semgjax.pages.check_figures import COLOURS, overview_figure, session_figure
from semgjax.pages.html import Html, document, dot, el, image, paragraph, png_bytes, svg_bytes, table

PICTURES = 60
"""Sessions shown with a picture: those to leave out first, then those to look at."""
_ORDER = {"leave out": 0, "look": 1, "use": 2}


def write_page(report: Report, folder: str, out: Path) -> None:
    """Write the page to the file `out`, whole or not at all; same report, same bytes."""
    write_atomic(out, render(report, folder))


def render(report: Report, folder: str) -> str:
    """The page as HTML."""
    rows = sorted(report.sessions, key=lambda row: _ORDER[row.verdict])
    hours = sum(row.facts.minutes for row in rows) / 60
    users = len({row.user for row in rows})
    title = f"Check of {len(rows)} sessions"
    lead = f"{folder}: {len(rows)} sound sessions of {users} users, {hours:.2f} h. {len(report.faults)} damaged files."
    parts = [_damaged(report.faults), _overview(rows), _codes(rows), _sessions(rows), _pictures(rows)]
    return document(
        title,
        el("header", el("h1", title), paragraph(lead, class_="lead")),
        el("main", *(part for part in parts if part)),
    )


def _damaged(faults: Sequence[str]) -> Html:
    if not faults:
        return Html("")
    return el("section", el("h2", "Damaged files"), el("ul", *(el("li", fault) for fault in faults)))


def _overview(rows: Sequence[SessionReport]) -> Html:
    if not rows:
        return Html("")
    counts = Counter(row.verdict for row in rows)
    tiles = [
        el("div", el("h3", name), el("span", str(count), class_="number"), el("p", text), class_="tile",
           style=f"border-top-color: {COLOURS[name]}")
        for name, count, text in (
            ("use", counts["use"], "nothing worse than a note"),
            ("look", counts["look"], "a warning: look at it before you use it"),
            ("leave out", counts["leave out"], "an error: it would teach or measure something else"),
        )
    ]  # fmt: skip
    caption = "Every session's length, typing rate and amplitude."
    picture = image(svg_bytes(overview_figure(rows)), "length, key rate and RMS of every session", caption)
    return el("section", el("h2", "At a glance"), el("div", *tiles, class_="tiles"), picture)


def _codes(rows: Sequence[SessionReport]) -> Html:
    found = [finding for row in rows for finding in row.findings]
    counts = {
        code: Counter(finding.severity for finding in found if finding.code == code)
        for code in CODES
        if any(finding.code == code for finding in found)
    }
    if not counts:
        return el("section", el("h2", "What was found"), paragraph("Nothing: no note, no warning, no error."))
    body = [
        (code, CODES[code], *(str(counts[code][severity]) for severity in ("error", "warning", "note")))
        for code in counts
    ]
    head = ("code", "meaning", "errors", "warnings", "notes")
    return el("section", el("h2", "What was found"), table("Findings by code", head, body, texts=2))


def _sessions(rows: Sequence[SessionReport]) -> Html:
    body = [
        (
            row.session,
            el("span", dot(COLOURS[row.verdict]), row.verdict),
            row.user,
            "; ".join(f"{finding.code}: {finding.text}" for finding in row.findings) or "-",
            f"{row.facts.minutes:.2f}",
            str(row.facts.keys),
            f"{row.facts.keys_per_second:.2f}",
            f"{row.facts.windows}",
            f"{row.facts.empty_windows}",
        )
        for row in rows
    ]
    head = ("session", "verdict", "user", "findings", "minutes", "keys", "keys/s", "windows", "empty")
    return el("section", el("h2", "Sessions"), table("Sorted by verdict", head, body, texts=4))


def _pictures(rows: Sequence[SessionReport]) -> Html:
    shown = rows[:PICTURES]
    if not shown:
        return Html("")
    note = f"The first {len(shown)} of {len(rows)} sessions, the worst first."
    return el("section", el("h2", "Pictures"), paragraph(note, class_="note"), *(_picture(row) for row in shown))


def _picture(row: SessionReport) -> Html:
    findings = "; ".join(f"{finding.severity} {finding.code}: {finding.text}" for finding in row.findings)
    caption = f"Power of each electrode over time, as a whole, and by frequency. {findings or 'No findings.'}"
    title = el("h3", dot(COLOURS[row.verdict]), f"{row.session} ({row.user}): {row.verdict}")
    return el("div", title, image(png_bytes(session_figure(row)), f"signal of {row.session}", caption, "png"))
