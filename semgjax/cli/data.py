"""`semgjax data`: simulate, describe, ingest, splice, check, split, show, recover; writes what each says."""

import json as jsonlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tyro

from semgjax.cli.data_check import check
from semgjax.cli.data_describe import describe
from semgjax.cli.data_ingest import ingest
from semgjax.cli.data_recover import recover
from semgjax.cli.data_splice import splice
from semgjax.cli.data_splits import splits
from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say


def run(words: list[str]) -> int:
    """The command group."""
    commands: dict[str, Callable[..., Any]] = {
        "simulate": simulate,
        "describe": describe,
        "ingest": ingest,
        "splice": splice,
        "check": check,
        "splits": splits,
        "show": show,
        "recover": recover,
    }
    return run_commands("data", commands, words)


def simulate(
    out: tyro.conf.Positional[Path],
    *,
    users: int = 8,
    sessions: int = 2,
    minutes: float = 3.0,
    seed: int = 0,
    severity: Literal["clean", "mild", "harsh"] = "mild",
    people: Literal["alike", "varied"] = "alike",
) -> None:
    """Write simulated typing sessions in emg2qwerty's format.

    Args:
        out: new or empty folder for the sessions
        users: number of users
        sessions: number of sessions of each user
        minutes: length of a session
        seed: the same seed and sizes give the same bytes
        severity: strength of noise, hum and artefacts
        people: touch typists nearly alike, or people who differ in fingers, muscles and how the bands sit
    """
    from semgjax.data.simulate import simulate as write_sessions

    write_sessions(out, users, sessions, minutes, seed, severity, people, progress=_progress)
    size = f"{users} users x {sessions} sessions x {minutes:g} min"
    say(f"{out}: {size}, people {people}, severity {severity}, seed {seed}")


def show(
    src: tyro.conf.Positional[Path],
    *,
    out: Path,
    session: str | None = None,
    at: float | None = None,
    seconds: float = 3.0,
    json: bool = False,
) -> None:
    """Plot a stretch of a session: signal with its keys or events, spectrograms, and the RMS of each electrode.

    Args:
        src: an .hdf5 session file or a shard; or a folder of either, together with --session
        out: the figure to write, a .png
        session: name of the session in the folder
        at: start in seconds from the session's start (default: near a key in the second half)
        seconds: length of the stretch
        json: print one JSON object that describes the figure instead of a line
    """
    from semgjax.data.sessions import load_sessions, open_session
    from semgjax.errors import InputError
    from semgjax.pages.session_plot import stretch, write_picture
    from semgjax.pages.stretch import keys_in

    if out.suffix.lower() != ".png":
        raise InputError(f"{out}: the figure is a PNG; give a name that ends in .png", "bad-path")
    if src.is_dir() != (session is not None):
        raise InputError(
            f"{src}: give a session file, or a folder and the name of a session in it with --session", "not-a-file"
        )
    opened = open_session(src) if session is None else load_sessions(src, [session])[0]
    start, stop = stretch(opened, at, seconds)
    write_picture(opened, start, stop, out)
    keys = [{"at": start / opened.rate + at, "key": key} for at, key in keys_in(opened, start, stop)]
    if json:
        body = {"session": opened.name, "user": opened.user, "start": start, "stop": stop, "keys": keys}
        print(jsonlib.dumps(body | {"picture": str(out)}))
        return
    what = f"{len(keys)} {'keys' if opened.classes is None else 'events'}" if opened.labelled else "without labels"
    say(f"{opened.name}: {start / opened.rate:.2f} to {stop / opened.rate:.2f} s, {what}")
    say(out)


def _progress(done: int, total: int) -> None:
    """Progress on stderr: on a terminal one line that is rewritten, elsewhere at most ten lines."""
    if sys.stderr.isatty():
        print(f"\rsimulate {done}/{total} sessions", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif done * 10 // total > (done - 1) * 10 // total:
        print(f"simulate {done}/{total} sessions", file=sys.stderr)
