"""A sweep's live table on the terminal, for the engine and for `semgjax sweep status --live`."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from semgjax.cli.terminal import say
from semgjax.printable import printable
from semgjax.sweep.at_address import local_view
from semgjax.sweep.grow import states_of
from semgjax.sweep.plan import Sweep, read_sweep
from semgjax.sweep.status import Row, rows_of, summary_of, table_of

_SECONDS = 2.0
_MOST_ROWS = 30


@contextlib.contextmanager
def live_report(folder: Path) -> Iterator[tuple[Callable[[str], object], Callable[[], object]]]:
    """An engine's report and tick: on a terminal the tick redraws the table, elsewhere only lines are printed."""
    if not sys.stderr.isatty():
        yield lambda line: say(line, lines=True, error=True), lambda: None
        return
    sweep = read_sweep(folder)
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        last = 0.0

        def tick() -> None:
            nonlocal last, sweep
            if time.monotonic() - last >= _SECONDS:
                sweep = read_sweep(folder) if sweep.rungs else sweep  # a search of learning rates adds trials
                live.update(_table(sweep, rows_of(sweep)), refresh=True)
                last = time.monotonic()

        yield lambda line: live.console.print(Text(printable(line, keep="\n"))), tick


def watch(folder: str) -> None:
    """Show the table until no trial is running or waiting."""
    with contextlib.suppress(KeyboardInterrupt), Live(console=Console(), auto_refresh=False) as live:
        while True:
            with local_view(folder) as place:
                sweep = read_sweep(place)
                rows = rows_of(sweep)
                searching = any(one.state == "searching" for one in states_of(sweep))
            live.update(_table(sweep, rows), refresh=True)
            if not searching and not any(row.status.state in ("running", "waiting") for row in rows):
                return
            time.sleep(_SECONDS)


def _table(sweep: Sweep, rows: list[Row]) -> Table:
    """A table of all trials; of many, those that run, failed, or come next."""
    first = {"running": 0, "failed": 1, "damaged": 1, "diverged": 1, "waiting": 2, "done": 3}
    chosen = sorted(rows, key=lambda row: first[row.status.state])[:_MOST_ROWS] if len(rows) > _MOST_ROWS else rows
    heading, *cells = table_of(chosen)
    table = Table(caption=Text(printable(summary_of(sweep, rows))), box=None)
    for name in heading:
        table.add_column(name, justify="right" if name in ("step", "left", "productive") else "left")
    for row in cells:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
