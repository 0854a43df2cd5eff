"""Splice sessions from shards: isolated events joined in random orders; writes OUT/shards and OUT/manifest.json.

A recording of one gesture after the other, or of one gesture alone, teaches its order. A spliced session has the
same signals in a made-up order, and says so in its header: `origin` names the session it was made from.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from semgjax.data.readers.discover import LeftOut
from semgjax.data.readers.recording import Files, Form, Item, Recording
from semgjax.data.sessions import is_sharded
from semgjax.data.shards.ingest import Ingested, Progress, ingest_items
from semgjax.data.shards.manifest import checked_path, read_manifest
from semgjax.data.shards.shard_format import ShardHeader, decode
from semgjax.data.shards.shard_read import read_header, read_stored
from semgjax.data.shards.splice_plan import REASONS, Events, SpliceRule, splice, usable_events
from semgjax.errors import InputError

SPLICER = 1
"""increased when the plan of an order changes, so that earlier shards are not reused"""


@dataclass(frozen=True)
class SplicedShards:
    """The result of splicing a folder.

    Attributes:
        ingested: sessions made, reused and left out.
        events: events of the recorded sessions that were used; each comes once in every order.
        left_out: reason (of REASONS) -> (events, sessions) that could not be used.
    """

    ingested: Ingested
    events: int
    left_out: dict[str, tuple[int, int]]


def splice_shards(
    src: Path, out: Path, rule: SpliceRule, *, workers: int = 1, progress: Progress | None = None
) -> SplicedShards:
    """Make `rule.orders` spliced sessions of each session of a folder of shards: S-order-00, S-order-01, ...

    A session of which no event can be cut out is left out (`ingested.skipped`). After an interruption the same call
    resumes; more orders with the same rule are added to those that are there.

    Raises:
        InputError: `src` is not a folder of shards, is spliced already, is `out`, or has no event that can be cut out;
            or as `ingest_items`.
    """
    if not is_sharded(src):
        raise InputError(f"{src}: is not a folder of shards; make one with semgjax data ingest", "no-file")
    if out.exists() and out.samefile(src):
        raise InputError(f"{out}: is the folder of the recorded sessions; give another one for OUT", "conflict")
    items: list[Item] = []
    left_out: list[LeftOut] = []
    events, sessions, used = Counter[str](), Counter[str](), 0
    for row in read_manifest(src):
        if row.origin:
            raise InputError(
                f"{src}: session {row.name} was spliced from {row.origin} already; splice the recorded sessions",
                "conflict",
            )
        path = checked_path(src, row)
        header = read_header(path)
        if header.dropped:
            number = sum(header.dropped.values())
            names = ", ".join(header.dropped)
            left_out.append(LeftOut(row.name, f"{number} events of no class ({names}) at places that are not known"))
            continue
        usable = usable_events(_events(header), rule)
        events.update(usable.left_out)
        sessions.update(usable.left_out.keys())
        used += len(usable.index)
        if not len(usable.index):
            why = ", ".join(f"{number} {REASONS[reason]}" for reason, number in usable.left_out.items())
            left_out.append(LeftOut(row.name, f"no event can be cut out ({why or 'it has none'})"))
            continue
        items += [_item(row.name, path, rule, order) for order in range(rule.orders)]
    if not items:
        reason = f"{left_out[0].id}: {left_out[0].reason}" if left_out else "it has no sessions"
        raise InputError(f"{src}: nothing to splice; {reason}", "no-sessions")
    done = ingest_items(src, items, out, left_out, workers=workers, progress=progress)
    return SplicedShards(
        done, used, {reason: (events[reason], sessions[reason]) for reason in REASONS if events[reason]}
    )


def spliced_name(session: str, order: int) -> str:
    """Name of a spliced session."""
    return f"{session}-order-{order:02d}"


def _item(session: str, path: Path, rule: SpliceRule, order: int) -> Item:
    form = Form(partial(_peek, order=order), partial(_open, rule=rule, order=order), f"splice {SPLICER} {rule.text}")
    return Item(spliced_name(session, order), (path,), form)


def _peek(files: Files, *, order: int) -> tuple[str, str]:
    header = read_header(files[0])
    return spliced_name(header.name, order), header.user


def _open(files: Files, *, rule: SpliceRule, order: int) -> Recording:
    header = read_header(files[0])
    events = _events(header)
    plan = splice(events, usable_events(events, rule), rule, header.name, order)
    shared = header.key_last - header.key_first  # 0 or -1: whether the onset is the time of its first sample

    def blocks() -> Iterator[np.ndarray]:
        for start, stop in zip(plan.start.tolist(), plan.stop.tolist(), strict=True):
            yield decode(read_stored(files[0], header.stretch, header.channels, start, stop), header.scale)

    return Recording(
        name=spliced_name(header.name, order),
        user=header.user,
        rate=header.rate,
        channels=header.channels,
        samples=plan.samples,
        labels=header.labels[plan.event],
        key_first=plan.onset,
        key_last=plan.onset + shared[plan.event],
        blocks=blocks,
        classes=header.classes,
        tags=header.tags,
        rings=header.rings,
        key_end=plan.end,
        joints=tuple(plan.joints),
        origin=header.name,
        origin_samples=header.samples,
    )


def _events(header: ShardHeader) -> Events:
    onset = np.where(header.key_last < 0, -1, header.key_first)
    return Events(onset, header.key_end, np.array(header.joints, np.int64), header.samples, header.rate)
