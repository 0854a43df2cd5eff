"""`semgjax data ingest`: sessions of any known form into shards; writes OUT/."""

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import tyro

from semgjax.errors import InputError


def ingest(
    src: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    *,
    users: tuple[str, ...] = (),
    sessions: tuple[str, ...] = (),
    workers: int = 0,
    shard: str = "1/1",
    on_error: Literal["stop", "skip"] = "stop",
) -> None:
    """Make shards for fast training; the same command after a stop goes on where it was.

    Args:
        src: folder of .hdf5 sessions, BIDS folder, or a .tar.gz of .hdf5 sessions, which is not unpacked
        out: folder of the shards: new, or to go on with or add to
        users: only these users (default: all)
        sessions: only the sessions of these names (default: all)
        workers: processes (default: one per processor)
        shard: I/N does the I-th of N shares; the last share to finish writes the manifest
        on_error: what to do about a damaged session
    """
    from semgjax.data.ingest import ingest as run

    if workers < 0:
        raise InputError(f"--workers {workers}: give 1 or more, or 0 for one per processor")
    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    if match is None:
        raise InputError(f"--shard {shard!r}: give I/N, such as 3/8")
    done = run(
        src,
        out,
        users=users,
        sessions=sessions,
        workers=workers or os.cpu_count() or 1,
        shard=(int(match[1]), int(match[2])),
        on_error=on_error,
        progress=_progress(),
    )
    for skip in done.skipped:
        print(f"left out: {skip['reason']}", file=sys.stderr)
    print(f"{done.made} sessions made, {done.reused} were there already, {len(done.skipped)} left out")
    if done.waiting:
        print(f"{out}: no manifest yet; shares {', '.join(map(str, done.waiting))} of {match[2]} are not done")
        return
    hours = sum(row.samples / row.rate for row in done.rows) / 3600
    size = sum(row.bytes for row in done.rows) / 1e9
    users_done = len({row.user for row in done.rows})
    print(f"{out}: {len(done.rows)} sessions of {users_done} users, {hours:.2f} h, {size:.2f} GB")


def _progress() -> Callable[[int, float], None]:
    """Progress with the time left on stderr: a line rewritten on a terminal, elsewhere one for every tenth."""
    terminal, begun, shown = sys.stderr.isatty(), time.monotonic(), [-1]

    def show(sessions: int, share: float) -> None:
        left = _duration((time.monotonic() - begun) * (1 - share) / share) if share > 0.005 else "unknown time"
        line = f"ingest {sessions} sessions, {100 * share:.0f} %, {left} left"
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
