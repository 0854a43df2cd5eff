"""`semgjax data`: simulate sessions, check a folder of sessions, split it; writes OUT/ or a splits.json."""

import json as jsonlib
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console
from rich.table import Table

from semgjax.cli.data_splits import splits
from semgjax.cli.ingest import ingest
from semgjax.cli.parse import run_commands
from semgjax.data.facts import SessionFacts, facts_of
from semgjax.data.sessions import SAMPLE_RATE, find_sessions, open_session
from semgjax.data.windows import WindowSpec
from semgjax.errors import InputError

_SPEC = WindowSpec()
_HEADER = ("session", "user", "minutes", "keys", "keys/s", "windows", "empty", "dropped")
_TEXTS = {"session", "user", "dropped"}


def run(words: list[str]) -> int:
    """The command group."""
    return run_commands("data", {"simulate": simulate, "ingest": ingest, "check": check, "splits": splits}, words)


def simulate(
    out: tyro.conf.Positional[Path],
    *,
    users: int = 8,
    sessions: int = 2,
    minutes: float = 3.0,
    seed: int = 0,
    severity: Literal["clean", "mild", "harsh"] = "mild",
) -> None:
    """Write simulated typing sessions in emg2qwerty's format.

    Args:
        out: new or empty folder for the sessions
        users: how many people
        sessions: sessions of each
        minutes: length of a session
        seed: same seed and sizes, same bytes
        severity: how bad noise, hum and artefacts are
    """
    from semgjax.data.simulate import simulate as write_sessions

    write_sessions(out, users, sessions, minutes, seed, severity, progress=_progress("simulate", plain=True))
    print(f"{out}: {users} users x {sessions} sessions x {minutes:g} min, severity {severity}, seed {seed}")


def check(src: tyro.conf.Positional[Path], *, json: bool = False) -> int:
    """Read every session in full and show what it holds; faults go to stderr, exit code 2.

    Args:
        src: folder of the .hdf5 session files
        json: print one JSON object instead of the table
    """
    paths = find_sessions(src)
    console = Console(markup=False, highlight=False)
    lines = not json and not console.is_terminal
    facts, faults = _inspect(paths, _line_printer(paths) if lines else lambda row: None)
    if json:
        rows = [asdict(row) for row in facts]
        print(jsonlib.dumps({"folder": str(src), "sessions": rows, "faults": faults}))
    else:
        if not lines:
            console.print(_table(facts))
        _print_totals(facts)
    for fault in faults:
        print(f"semgjax: error: {fault}", file=sys.stderr)
    return 2 if faults else 0


def _inspect(paths: list[Path], each: Callable[[SessionFacts], None]) -> tuple[list[SessionFacts], list[str]]:
    """Facts of the sound sessions, given to `each` as they are found, and what is wrong with the others."""
    facts: dict[str, SessionFacts] = {}
    faults: list[str] = []
    progress = _progress("check", plain=False)
    for done, path in enumerate(paths, start=1):
        try:
            row = facts_of(open_session(path), _SPEC)
        except InputError as error:
            faults.append(str(error))
        else:
            if row.session in facts:
                faults.append(f"{path}: session_name {row.session!r} is that of another file too; keep one")
            else:
                facts[row.session] = row
                each(row)
        progress(done, len(paths))
    return list(facts.values()), faults


def _cells(row: SessionFacts) -> tuple[str, ...]:
    dropped = ", ".join(f"{name} {count}" for name, count in row.dropped.items())
    numbers = (f"{row.minutes:.2f}", str(row.keys), f"{row.keys_per_second:.2f}")
    return (row.session, row.user, *numbers, str(row.windows), str(row.empty_windows), dropped or "-")


def _line_printer(paths: list[Path]) -> Callable[[SessionFacts], None]:
    """Prints the heading now, then a line for each session, in columns."""
    first = max(len(path.stem) for path in paths)
    line = f"{{:<{first}}}  {{:<10}} {{:>7}} {{:>6}} {{:>6}} {{:>7}} {{:>5}}  {{}}"
    print(line.format(*_HEADER))
    return lambda row: print(line.format(*_cells(row)), flush=True)


def _table(facts: list[SessionFacts]) -> Table:
    table = Table()
    for name in _HEADER:
        table.add_column(name, justify="left" if name in _TEXTS else "right", overflow="fold")
    for row in facts:
        table.add_row(*_cells(row))
    return table


def _print_totals(facts: list[SessionFacts]) -> None:
    users, hours = {row.user for row in facts}, sum(row.minutes for row in facts) / 60
    print(f"{len(facts)} sessions of {len(users)} users, {hours:.2f} h, {sum(row.keys for row in facts)} keys")
    short = sum(row.windows == 0 for row in facts)
    if short:
        print(f"{short} shorter than a window of {_SPEC.length / SAMPLE_RATE:g} s: no use for training")


def _progress(what: str, plain: bool) -> Callable[[int, int], None]:
    """Progress on stderr: one line, rewritten, on a terminal; elsewhere, if `plain`, ten lines at most."""
    terminal = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        if terminal:
            print(
                f"\r{what} {done}/{total} sessions",
                end="" if done < total else "\n",
                file=sys.stderr,
                flush=True,
            )
        elif plain and done * 10 // total > (done - 1) * 10 // total:
            print(f"{what} {done}/{total} sessions", file=sys.stderr)

    return show
