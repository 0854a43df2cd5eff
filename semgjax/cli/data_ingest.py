"""`semgjax data ingest`: sessions of any known form into shards; writes OUT/."""

import json as jsonlib
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from semgjax.cli.terminal import say
from semgjax.errors import InputError
from semgjax.measures import CER

if TYPE_CHECKING:
    from semgjax.data.shards.ingest import Ingested

MOST_WORKERS = 1024
_LINES = 20  # warnings about sessions that are printed; the manifest has them all


def ingest(
    src: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    *,
    users: tuple[str, ...] = (),
    sessions: tuple[str, ...] = (),
    channels: str = "",
    source: Literal["auto", "table"] = "auto",
    toml: Path | None = None,
    notch: float | None = None,
    harmonics: int | None = None,
    highpass: float | None = None,
    gain: Literal["none", "session"] | None = None,
    workers: int = 0,
    shard: str = "1/1",
    on_error: Literal["stop", "skip"] = "stop",
    json: bool = False,
) -> None:
    """Make shards for fast training. After an interruption the same command resumes.

    Args:
        src: folder of .hdf5 or .h5 sessions, BIDS folder, folder of tables with a semgjax.toml, or a .tar.gz of .hdf5
            sessions, which is not unpacked
        out: folder of the shards: a new one, or one to resume or to add to
        users: only these users (default: all)
        sessions: only the sessions of these names (default: all)
        channels: comma-separated names of a BIDS folder's 32 channels, left 0 to 15, then right 0 to 15
            (default: ordered by the bands and numbers in their names)
        source: table for a folder of text, .npy, .npz or .mat files with a semgjax.toml (semgjax data describe writes
            a first one); auto recognises it by that file
        toml: of tables: the file to use in place of the folder's semgjax.toml
        notch: of tables: mains frequency in Hz to remove, 0 for none (default: as semgjax.toml says)
        harmonics: of tables: how many multiples of it, itself included (default: as semgjax.toml says)
        highpass: of tables: high-pass in Hz, 0 for none (default: as semgjax.toml says)
        gain: of tables: session divides by the median over electrodes of the RMS of the filtered signal (default: as
            semgjax.toml says)
        workers: number of processes (default: one per processor)
        shard: I/N processes the I-th of N parts; the last part to finish writes the manifest
        on_error: stop at a damaged session, or skip it
        json: print one JSON object instead of lines
    """
    from semgjax.data.shards.ingest import ingest as run
    from semgjax.data.tabular.declaration import TableOptions

    if not 0 <= workers <= MOST_WORKERS:
        raise InputError(f"--workers {workers}: give 1 to {MOST_WORKERS}, or 0 for one per processor", "bad-value")
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", shard, re.ASCII)
    if match is None:
        raise InputError(f"--shard {shard!r}: give I/N, such as 3/8", "bad-value")
    filters = {"notch": notch, "harmonics": harmonics, "highpass": highpass, "gain": gain}
    done = run(
        src,
        out,
        users=users,
        sessions=sessions,
        channels=[name.strip() for name in channels.split(",")] if channels else (),
        table=TableOptions(source == "table", toml, {n: v for n, v in filters.items() if v is not None}),
        workers=workers or os.cpu_count() or 1,
        shard=(int(match[1]), int(match[2])),
        on_error=on_error,
        progress=show_progress("ingest"),
    )
    remark(done)
    facts = _facts(done, out)
    if not done.waiting:
        _remark_classes(facts["classes"])
    if json:
        print(jsonlib.dumps(facts))
        return
    print(f"{done.made} sessions made, {done.reused} reused, {len(done.skipped)} left out")
    if done.waiting:
        say(f"{out}: no manifest yet; parts {', '.join(map(str, done.waiting))} of {match[2]} are not done")
        return
    keys = facts["keys"]
    dropped = sum(keys["dropped"].values())
    if facts["classes"]:
        names = ", ".join(f"{name} {count}" for name, count in facts["classes"].items())
        say(f"events: {names}; {keys['outside']} outside the signal, {dropped} of no class")
    else:
        print(f"keys: {keys['inside']} inside the signal, {keys['outside']} outside, {dropped} not in the key set")
    if facts["unlabelled"]:
        print(f"{facts['unlabelled']} sessions without labels, which only distillation can use")
    say(f"{out}: {len(done.rows)} sessions of {facts['users']} users, {facts['hours']:.2f} h, {facts['gb']:.2f} GB")


def _facts(done: "Ingested", out: Path) -> dict[str, Any]:
    """What the ingest did, as plain JSON values; sizes count the selected sessions."""
    from semgjax.data.key_counts import KeyCounts
    from semgjax.data.people import similar_users
    from semgjax.data.shards.class_counts import class_counts

    return {
        "out": str(out),
        "made": done.made,
        "reused": done.reused,
        "left_out": done.skipped,
        "waiting": done.waiting,
        "sessions": len(done.rows),
        "unlabelled": sum(not row.labelled for row in done.rows),
        "users": len({row.user for row in done.rows}),
        "similar_users": similar_users(row.user for row in done.rows),
        "hours": sum(row.samples / row.rate for row in done.rows) / 3600,
        "gb": sum(row.bytes for row in done.rows) / 1e9,
        "keys": sum((row.key_counts for row in done.rows), KeyCounts()).as_json(),
        "classes": class_counts(out, done.rows),
    }


def _remark_classes(classes: dict[str, int]) -> None:
    """Print on stderr a warning about classes of which there is no event."""
    unseen = [name for name, count in classes.items() if not count]
    if unseen:
        say(
            f"warning: no session has an event of class {', '.join(unseen)}; correct labels.names, or add data",
            error=True,
        )


def remark(done: "Ingested") -> None:
    """Print on stderr which files were left out, and the warnings about sessions and users."""
    from semgjax.data.key_counts import KeyCounts, most
    from semgjax.data.people import one_person_warning, similar_users

    for skip in done.skipped:
        say(f"left out: {skip['reason']}", error=True)
    lines = []
    for row in done.rows:
        counts = row.key_counts
        faults = [*([] if row.classes else counts.faults(CER)), *row.tags]
        lines += [f"session {row.name}: {fault}" for fault in faults]
    hidden = len(lines) - _LINES
    for line in lines[:_LINES]:
        say(line, error=True)
    if hidden > 0:
        print(f"{hidden} more warnings about sessions: see manifest.json", file=sys.stderr)
    keys = sum((row.key_counts for row in done.rows), KeyCounts())
    if keys.dropped:
        names = ", ".join(f"{name} {count}" for name, count in most(keys.dropped, 20))
        what = "events of no class" if done.rows[0].classes else "keys that are not in the key set"
        say(f"{what}: {names}", error=True)
    for group in similar_users(row.user for row in done.rows):
        say(f"warning: {one_person_warning(group)}", error=True)


def show_progress(what: str) -> Callable[[int, float], None]:
    """Progress with the time left on stderr: a line rewritten on a terminal, elsewhere one for every tenth."""
    terminal, begun, shown = sys.stderr.isatty(), time.monotonic(), [-1]

    def show(sessions: int, share: float) -> None:
        left = _duration((time.monotonic() - begun) * (1 - share) / share) if share > 0.005 else "unknown time"
        line = f"{what} {sessions} sessions, {100 * share:.0f} %, {left} left"
        if terminal:
            print(f"\r{line:<60}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
        elif int(share * 10) > shown[0]:
            shown[0] = int(share * 10)
            print(line, file=sys.stderr, flush=True)

    return show


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
