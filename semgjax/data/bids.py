"""Source: the BIDS form of emg2qwerty (BDF signals, TSV events), as recordings to ingest. Writes nothing.

sub-*/ses-*/emg/*_task-typing_emg.bdf, and beside it *_events.tsv with the columns onset (seconds from the first
sample on), value (keystroke... or prompt) and key (its pynput name).
"""

import math
from collections import Counter
from pathlib import Path

import numpy as np

from semgjax.data.bdf import Bdf, bdf_blocks, read_bdf
from semgjax.data.electrodes import electrode_order
from semgjax.data.keys import label_of_key
from semgjax.data.recording import BLOCK, Files, Form, Item, Recording, place_events
from semgjax.data.timeseries import CHANNELS
from semgjax.errors import InputError

_SIGNAL, _EVENTS = "_task-typing_emg.bdf", "_task-typing_events.tsv"


def find_items(folder: Path) -> list[Item]:
    """The typing sessions of a BIDS folder, in order of path; [] when it holds none.

    Raises:
        InputError: a signal without its events.
    """
    items = []
    for path in sorted(folder.glob(f"sub-*/ses-*/emg/*{_SIGNAL}")):
        events = path.with_name(path.name.removesuffix(_SIGNAL) + _EVENTS)
        if not events.is_file():
            raise InputError(f"{events}: no such file; every signal needs its events, copy them too")
        items.append(Item(path.relative_to(folder).as_posix(), (path, events), FORM))
    return items


def peek(files: Files) -> tuple[str, str]:
    """(session name, user) from the file's name: sub-7_ses-2 and 7.

    Raises:
        InputError: the name does not begin with sub-.
    """
    name = files[0].name.removesuffix(_SIGNAL)
    user = name.split("_")[0].removeprefix("sub-")
    if not name.startswith("sub-") or not user:
        raise InputError(f"{files[0]}: the name does not tell the user as sub-USER_; rename it")
    return name, user


def open_recording(files: Files) -> Recording:
    """A signal and its keystrokes.

    Raises:
        InputError: as `read_bdf`, other than 32 channels, or a keystroke without onset or key.
    """
    path, events = files
    bdf = read_bdf(path)
    if len(bdf.channels) != CHANNELS:
        raise InputError(f"{path}: has {len(bdf.channels)} signals, expected {CHANNELS}; leave it out")
    order = _channel_order(bdf)
    strokes = sorted(_keystrokes(events), key=lambda stroke: stroke[0])
    classes = [(onset, key, label_of_key(key)) for onset, key in strokes]
    known = [(onset, label) for onset, _, label in classes if label is not None]
    first, last = place_events(np.array([onset for onset, _ in known], np.float64), bdf.samples, bdf.rate)
    name, user = peek(files)
    return Recording(
        name=name,
        user=user,
        rate=bdf.rate,
        channels=CHANNELS,
        samples=bdf.samples,
        labels=np.array([label for _, label in known], np.int32),
        key_first=first,
        key_last=last,
        blocks=lambda: bdf_blocks(bdf, order, BLOCK),
        dropped=dict(sorted(Counter(key for _, key, label in classes if label is None).items())),
    )


def _channel_order(bdf: Bdf) -> list[int]:
    """The left band's electrodes by number, then the right band's.

    Labels that name no band but count the electrodes through (emg0 to emg31) stand for both bands in this order.

    Raises:
        InputError: the labels do not tell ("electrode-order").
    """
    try:
        return electrode_order([channel.label for channel in bdf.channels])
    except ValueError as error:
        raise InputError(
            f"{bdf.path}: the order of the electrodes cannot be told from the channels' names ({error}); "
            "name them L1 to L16 and R1 to R16",
            "electrode-order",
        ) from None


def _keystrokes(path: Path) -> list[tuple[float, str]]:
    """(onset, key) of the keystrokes in the file's order; other columns and rows may be there or not."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); download it again") from None
    header = lines[0].rstrip("\r").split("\t")
    missing = [name for name in ("onset", "value", "key") if name not in header]
    if missing:
        raise InputError(f"{path}: has no column {missing[0]}; is this the events file of a typing session?")
    onset_at, value_at, key_at = (header.index(name) for name in ("onset", "value", "key"))
    strokes = []
    for number, line in enumerate(lines[1:], start=2):
        # No quotes are taken away: in this format a quote is a key.
        cells = line.rstrip("\r").split("\t")
        if len(cells) <= value_at or not cells[value_at].startswith("keystroke"):
            continue
        onset, key = (cells[at] if len(cells) > at else "" for at in (onset_at, key_at))
        seconds = _seconds(onset)
        if not math.isfinite(seconds) or not key or key == "n/a":
            raise InputError(f"{path}: line {number} has onset {onset!r} and key {key!r}; repair it or leave it out")
        strokes.append((seconds, key))
    return strokes


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


FORM = Form(peek, open_recording)
