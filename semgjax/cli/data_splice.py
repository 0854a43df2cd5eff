"""`semgjax data splice`: sequences from isolated events, in random orders; writes OUT/."""

import json as jsonlib
from pathlib import Path

import tyro

from semgjax.cli.data_ingest import MOST_WORKERS, remark, show_progress
from semgjax.cli.terminal import say
from semgjax.errors import InputError


def splice(
    src: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    *,
    orders: int = 8,
    events: int = 6,
    rest: tuple[float, float] = (0.3, 0.9),
    hold: tuple[float, float] = (0.7, 1.7),
    seed: int = 0,
    workers: int = 1,
    json: bool = False,
) -> None:
    """Join the events of each session in random orders: real signals in a made-up order, marked "spliced" in results.

    Args:
        src: folder of shards whose events have an onset and an end, filtered already
        out: folder of the spliced shards: a new one, or one to resume or to add orders to
        orders: spliced sessions of each session, each with all its events in another order
        events: events of a sequence; between two sequences the rest is the longest one
        rest: shortest and longest rest before and after each event, in seconds
        hold: shortest and longest hold in seconds, counted from the onset; shorter events are kept whole
        seed: of the orders, rests and holds
        workers: number of processes
        json: print one JSON object instead of lines
    """
    from semgjax.data.shards.splice import splice_shards
    from semgjax.data.shards.splice_plan import REASONS, SpliceRule

    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"--workers {workers}: give 1 to {MOST_WORKERS}", "bad-value")
    rule = SpliceRule(orders, events, rest, hold, seed)
    done = splice_shards(src, out, rule, workers=workers, progress=show_progress("splice"))
    rows = done.ingested.rows
    origins = {row.origin: row.origin_samples / row.rate for row in rows}
    facts = {
        "out": str(out),
        "made": done.ingested.made,
        "reused": done.ingested.reused,
        "sessions": len(rows),
        "origins": len(origins),
        "users": len({row.user for row in rows}),
        "events": done.events,
        "left_out_events": {reason: {"events": n, "sessions": m} for reason, (n, m) in done.left_out.items()},
        "left_out": done.ingested.skipped,
        "hours": sum(row.samples / row.rate for row in rows) / 3600,
        "recorded_hours": sum(origins.values()) / 3600,
    }
    remark(done.ingested)
    for reason, (number, sessions) in done.left_out.items():
        say(f"left out: {number} events {REASONS[reason]}, of {sessions} sessions", error=True)
    if json:
        print(jsonlib.dumps(facts))
        return
    print(f"{done.ingested.made} sessions made, {done.ingested.reused} reused; {done.events} events in each order")
    say(
        f"{out}: {len(rows)} spliced sessions of {len(origins)} recorded ones of {facts['users']} users, "
        f"{facts['hours']:.2f} h made of {facts['recorded_hours']:.2f} h"
    )
