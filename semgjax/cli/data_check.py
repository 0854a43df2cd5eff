"""`semgjax data check`: report what is wrong with a folder of sessions, as a table, a JSON object or a page."""

import json as jsonlib
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from semgjax.cli.data_ingest import MOST_WORKERS
from semgjax.cli.terminal import say, say_columns
from semgjax.errors import InputError
from semgjax.printable import printable

if TYPE_CHECKING:
    from semgjax.data.quality.session_checks import Report, SessionReport

_TEXTS = {"session", "user", "verdict", "findings"}
_QUIET = 30.0  # seconds between lines of progress without a terminal


def check(src: tyro.conf.Positional[Path], *, html: Path | None = None, workers: int = 1, json: bool = False) -> int:
    """Read every session in full and report what is wrong with it. Damaged files are listed on stderr (exit code 2).

    Args:
        src: folder of the .hdf5 session files
        html: also write a page with figures to this file
        workers: number of processes
        json: print one JSON object instead of the table
    """
    from semgjax.data.batching.windows import WindowSpec
    from semgjax.data.quality.session_checks import as_json, check_sessions
    from semgjax.data.sessions import find_sessions

    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"--workers {workers}: give 1 to {MOST_WORKERS}", "bad-value")
    if html is not None and html.is_dir():
        raise InputError(f"{html}: is a folder; give a file for --html", "not-a-file")
    paths = find_sessions(src)
    report = check_sessions(paths, WindowSpec(), workers, _progress())
    if json:
        print(jsonlib.dumps(as_json(report, str(src))))
    else:
        _print_table(report)
    if html is not None:
        from semgjax.pages.check_page import write_page

        write_page(report, str(src), html)
        if not json:
            say(html)
    for fault in report.faults:
        say(f"semgjax: error: {fault}", error=True)
    return 2 if report.faults else 0


def _cells(row: "SessionReport") -> tuple[str, ...]:
    facts = row.facts
    numbers = (f"{facts.minutes:.2f}", str(facts.keys), f"{facts.keys_per_second:.2f}")
    # The worst first, so that a narrow terminal shows what decided.
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(row.findings, key=lambda finding: order[finding.severity])
    words = "; ".join(f"{finding.severity} {finding.code}: {finding.text}" for finding in found)
    return (row.session, row.user, *numbers, str(facts.windows), str(facts.empty_windows), row.verdict, words or "-")


def _header(things: str) -> tuple[str, ...]:
    """things: what the labels are."""
    return ("session", "user", "minutes", things, f"{things}/s", "windows", "empty", "verdict", "findings")


def _print_table(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    header = _header(report.things)
    console = Console(markup=False, highlight=False)
    rows = [_cells(row) for row in report.sessions]
    if console.is_terminal:
        table = Table()
        for name in header:
            table.add_column(name, justify="left" if name in _TEXTS else "right", overflow="fold")
        for cells in rows:
            table.add_row(*(Text(printable(cell)) for cell in cells))
        console.print(table)
    else:
        texts = [index for index, name in enumerate(header) if name in _TEXTS]
        say_columns([header, *rows], texts)
    users = {row.user for row in report.sessions}
    hours = sum(row.facts.minutes for row in report.sessions) / 60
    keys = sum(row.facts.keys for row in report.sessions)
    unlabelled = sum(any(found.code == "unlabelled" for found in row.findings) for row in report.sessions)
    more = f", {unlabelled} sessions without labels" if unlabelled else ""
    print(f"{len(rows)} sessions of {len(users)} users, {hours:.2f} h, {keys} {report.things}{more}")
    counts = Counter(row.verdict for row in report.sessions)
    print(", ".join(f"{name}: {count}" for name, count in sorted(counts.items(), key=lambda item: item[0])) or "none")


def _progress() -> Callable[[int, int], None]:
    """Progress on stderr: on a terminal one line that is rewritten, elsewhere a line every half minute."""
    begin = said = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        left = (now - begin) / done * (total - done)
        line = f"check {done}/{total} sessions, {left / 60:.0f} min left"
        if sys.stderr.isatty():
            print(f"\r{line}\033[K", end="" if done < total else "\n", file=sys.stderr, flush=True)
        elif now - said > _QUIET and done < total:
            said = now
            print(line, file=sys.stderr, flush=True)

    return show
