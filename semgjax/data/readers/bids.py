"""Source: the BIDS form of emg2qwerty (EDF or BDF signals, TSV events), as recordings to ingest.

sub-*[/ses-*]/emg/*_task-typing[_acq-*][_run-*]_emg.bdf or .edf, and next to it *_events.tsv with the columns onset
(seconds since the first sample), value (keystroke... or prompt) and key (its pynput name). Without that table it is a
session without labels. If there is a *_channels.tsv, only the signals of type EMG are electrodes.
"""

import functools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semgjax.data.key_counts import count_doubled
from semgjax.data.keys import label_of_key
from semgjax.data.readers.bids_names import find_signals, parse_name
from semgjax.data.readers.discover import LeftOut
from semgjax.data.readers.edf import Edf, edf_blocks, read_edf
from semgjax.data.readers.electrodes import electrode_order
from semgjax.data.readers.recording import BLOCK, Files, Form, Item, Recording, place_events
from semgjax.data.readers.timeseries import CHANNELS
from semgjax.errors import InputError
from semgjax.files import read_text


def find_items(folder: Path, channels: Sequence[str] = ()) -> tuple[list[Item], list[LeftOut]]:
    """The typing sessions of a BIDS folder, in order of path, and every other file that looks like one.

    Args:
        channels: labels of the electrodes, left 0 to 15, then right 0 to 15; () orders them by their names.
    """
    form = Form(peek, functools.partial(open_recording, channels=tuple(channels)), ",".join(channels))
    signals, left_out = find_signals(folder)
    items = []
    for signal in signals:
        beside = [signal.path.with_name(f"{signal.path.stem[:-4]}_{kind}.tsv") for kind in _BESIDE]
        files = (signal.path, *(path for path in beside if path.is_file()))
        items.append(Item(signal.path.relative_to(folder).as_posix(), files, form))
    return items, left_out


_BESIDE = ("events", "channels")


def peek(files: Files) -> tuple[str, str]:
    """(session name, user) from the file's name: sub-7_ses-2 and 7.

    Raises:
        InputError: the name is not that of a typing session ("bad-name").
    """
    try:
        named = parse_name(files[0])
    except ValueError as error:
        raise InputError(f"{files[0]}: {error}; rename it", "bad-name") from None
    return named.name, named.user


def open_recording(files: Files, channels: tuple[str, ...] = ()) -> Recording:
    """A signal and its keystrokes; a session without labels if there is no table of events.

    Raises:
        InputError: as `read_edf`, other than 32 channels, or a keystroke without onset or key.
    """
    path, *beside = files
    events, described = (next((f for f in beside if f.name.endswith(f"_{kind}.tsv")), None) for kind in _BESIDE)
    edf = read_edf(path)
    order = _named(edf, channels) if channels else _by_label(edf, _electrodes(edf, described))
    strokes = sorted(_keystrokes(events) if events else [], key=lambda stroke: stroke[0])
    classes = [(onset, key, label_of_key(key)) for onset, key in strokes]
    known = [(onset, label) for onset, _, label in classes if label is not None]
    first, last = place_events(np.array([onset for onset, _ in known], np.float64), edf.samples, edf.rate)
    name, user = peek(files)
    return Recording(
        name=name,
        user=user,
        rate=edf.rate,
        channels=CHANNELS,
        samples=edf.samples,
        labels=np.array([label for _, label in known], np.int32),
        key_first=first,
        key_last=last,
        blocks=lambda: edf_blocks(edf, order, BLOCK),
        dropped=dict(sorted(Counter(key for _, key, label in classes if label is None).items())),
        tags=edf.remarks,
        doubled=count_doubled(known),
        labelled=events is not None,
    )


def _electrodes(edf: Edf, described: Path | None = None) -> list[int]:
    """Places of the signals that are electrodes: all of them, or those that channels.tsv calls EMG.

    Raises:
        InputError: channels.tsv names an EMG channel that the file does not have, or misses one of the file.
    """
    labels = [channel.label for channel in edf.channels]
    if described is None:
        return list(range(len(labels)))
    rows = _table(described, ("name", "type"))
    kinds = {row["name"].strip(): row["type"].strip().upper() for _, row in rows}
    absent = [name for name, kind in kinds.items() if kind == "EMG" and name not in labels]
    unnamed = [label for label in labels if label not in kinds]
    if absent or unnamed:
        name, where, lacks = (absent[0], described, edf.path) if absent else (unnamed[0], edf.path, described)
        raise InputError(f"{where}: names channel {name!r}, {lacks.name} does not; correct one of them", "no-column")
    return [place for place, label in enumerate(labels) if kinds[label] == "EMG"]


def _by_label(edf: Edf, places: list[int]) -> list[int]:
    """The left band's electrodes by number, then the right band's.

    Labels that name no band but number all electrodes (emg0 to emg31) are the left, then the right band.

    Raises:
        InputError: not 32 electrodes ("channel-count"), or the labels give no order ("electrode-order").
    """
    if len(places) != CHANNELS:
        raise InputError(
            f"{edf.path}: has {len(places)} electrodes, expected {CHANNELS}; leave it out", "channel-count"
        )
    try:
        return [places[index] for index in electrode_order([edf.channels[place].label for place in places])]
    except ValueError as error:
        raise InputError(
            f"{edf.path}: the channels' names do not give the order of the electrodes ({error}); give it with "
            "--channels",
            "electrode-order",
        ) from None


def _named(edf: Edf, channels: tuple[str, ...]) -> list[int]:
    """Places of the channels given by the user.

    Raises:
        InputError: the file has no channel of one of the names, or several.
    """
    labels = [channel.label for channel in edf.channels]
    for name in channels:
        if labels.count(name) != 1:
            have = f"has {labels.count(name)}; it has {', '.join(map(repr, labels[:40]))}"
            raise InputError(f"{edf.path}: --channels names {name!r}, of which this file {have}", "electrode-order")
    return [labels.index(name) for name in channels]


def _keystrokes(path: Path) -> list[tuple[float, str]]:
    """(onset, key) of the keystrokes in the file's order; other columns and rows are ignored."""
    strokes = []
    for number, row in _table(path, ("onset", "value", "key")):
        if not row["value"].startswith("keystroke"):
            continue
        onset, key = row["onset"], row["key"]
        seconds = _seconds(onset)
        if not math.isfinite(seconds) or not key or key == "n/a":
            raise InputError(
                f"{path}: line {number} has onset {onset!r} and key {key!r}; correct it or leave it out", "bad-row"
            )
        strokes.append((seconds, key))
    return strokes


def _table(path: Path, names: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """(line number, cells of these columns) of a TSV file; "" where a line is too short.

    Quotes are kept: in this format a quote is a key.

    Raises:
        InputError: not UTF-8 text, or a column that is missing or occurs twice.
    """
    lines = read_text(path, encoding="utf-8-sig").split("\n")
    header = lines[0].rstrip("\r").split("\t")
    for name in names:
        if header.count(name) != 1:
            raise InputError(
                f"{path}: has {header.count(name)} columns {name!r}, expected one; check the file", "no-column"
            )
    places = {name: header.index(name) for name in names}
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.rstrip("\r").split("\t")
        rows.append((number, {name: cells[at] if at < len(cells) else "" for name, at in places.items()}))
    return [(number, row) for number, row in rows if any(row.values())]


def _seconds(text: str) -> float:
    """A number in ASCII without underscores; NaN for anything else."""
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan
