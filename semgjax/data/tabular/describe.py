"""Look at a folder of tables and write a first semgjax.toml; what cannot be seen in the files is left to fill in."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from semgjax.data.tabular.array_files import Arrays, opened_arrays, value_name
from semgjax.data.tabular.declaration import FILE, Column, TextPart
from semgjax.data.tabular.delimited import read_blocks
from semgjax.data.tabular.event_tables import listed_in_table
from semgjax.data.tabular.guess_arrays import ArraysLook, look_at_arrays
from semgjax.data.tabular.guess_paths import guess_pattern
from semgjax.data.tabular.guess_text import TextLook, look_at_text
from semgjax.data.tabular.path_pattern import PathPattern, fits, paths_below
from semgjax.data.tabular.table_source import TEXTS
from semgjax.data.tabular.write_toml import EventsLook, Guess, time_unit, toml_of
from semgjax.errors import InputError
from semgjax.files import write_atomic

MOST_BYTES = 1 << 28
"""Bytes of files whose labels are counted; a larger folder is looked at in part."""
MOST_CLASSES = 200
_REST = re.compile(
    r"0|rest|resting|relax(ed)?|idle|none|null|baseline|no[_ ]?(gesture|movement|motion)|neutral|hibernation|"
    r"ruhe|repos|reposo|riposo",
    re.IGNORECASE,
)
_BESIDE = re.compile(r"event|annot|marker|label|trigger|cue", re.IGNORECASE)
_PROSE = re.compile(r"(readme|license|licence|copying|changelog|notes|metadata|participants|subjects)", re.IGNORECASE)
_NICE = (
    50,
    100,
    125,
    200,
    250,
    256,
    400,
    500,
    512,
    800,
    1000,
    1024,
    1111,
    1200,
    1500,
    2000,
    2048,
    4000,
    4096,
    5000,
    10000,
)


@dataclass(frozen=True)
class Description:
    """What was found, in lines; the file that was written.

    Attributes:
        found: what the files show.
        guessed: what may be wrong.
        fill_in: members that are still to fill in.
    """

    path: Path
    files: int
    found: tuple[str, ...]
    guessed: tuple[str, ...]
    fill_in: tuple[str, ...]
    labels: dict[str, int] = field(default_factory=dict)


def describe(folder: Path, out: Path | None = None) -> Description:
    """Write a first semgjax.toml for a folder of text, .npy, .npz or .mat files.

    Args:
        out: the file to write; by default semgjax.toml in the folder.

    Raises:
        InputError: it exists already ("out-exists"), the folder holds no such file ("no-sessions"), or the first one
            cannot be read as a table.
    """
    target = out or folder / FILE
    if target.exists():
        raise InputError(f"{target}: exists already; change it by hand, or move it away first", "out-exists")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder of the tables", "no-file")
    form, paths, beside = _tables(folder)
    guess = _look(folder, form, paths, beside)
    text = toml_of(guess)
    write_atomic(target, text)
    return Description(target, len(paths), *_lines(guess, text), dict(guess.labels))


def _tables(folder: Path) -> tuple[str, list[str], list[str]]:
    """(form, the files that hold most bytes, tables of events beside them)."""
    groups: dict[str, list[str]] = {}
    for path in paths_below(folder):
        suffix = Path(path).suffix
        if (suffix.lower() in TEXTS and not _PROSE.match(Path(path).name)) or suffix.lower() in (
            ".npy",
            ".npz",
            ".mat",
        ):
            groups.setdefault(suffix, []).append(path)
    if not groups:
        kinds = ", ".join([*TEXTS, ".npy", ".npz", ".mat"])
        raise InputError(f"{folder}: holds no table ({kinds}); name the folder of the recordings", "no-sessions")
    size = {suffix: sum((folder / path).stat().st_size for path in paths) for suffix, paths in groups.items()}
    suffix = max(size, key=lambda one: size[one])
    chosen = groups[suffix]
    texts = [path for one, paths in groups.items() if one.lower() in TEXTS for path in paths]
    beside = [path for path in texts if _BESIDE.search(Path(path).name)]
    signals = [path for path in chosen if path not in beside] or chosen
    beside = [path for path in beside if path not in signals]
    form = suffix.lower().lstrip(".") if suffix.lower() not in TEXTS else "text"
    return form, signals, beside


def _look(folder: Path, form: str, paths: Sequence[str], beside: Sequence[str]) -> Guess:
    first = folder / paths[0]
    text = look_at_text(first) if form == "text" else None
    arrays = look_at_arrays(first) if form != "text" else None
    events = _look_at_events(folder, beside, paths)
    label: Column = text.label if text else (arrays.label if arrays else "")
    inside = bool(label) or events is not None or bool(arrays and arrays.event_label)
    source = "column" if label else "events" if inside else "path"
    labels, faults, looked = _survey(folder, paths, text, arrays, events) if inside else ({}, [], len(paths))
    pattern = guess_pattern(paths, "part" if inside else "label", labels)
    matched = fits(PathPattern(pattern), paths)[0] if pattern else {}
    if source == "path":
        labels = _sorted(Counter(values["label"] for values in matched.values() if "label" in values))
        source = "path" if labels else "none"
    rate, rates = _rates(folder, paths, text, arrays)
    return Guess(
        form=form,
        pattern=pattern,
        example=paths[0],
        files=len(paths),
        matched=len(matched),
        text=text,
        arrays=arrays,
        events=events,
        source=source,
        labels=labels,
        rest=tuple(name for name in labels if _REST.fullmatch(name)) if source in ("column", "path") else (),
        rate=rate,
        rates=rates,
        looked=looked,
        faults=tuple(faults),
    )


def _look_at_events(folder: Path, beside: Sequence[str], signals: Sequence[str]) -> EventsLook | None:
    """The table of events beside the first signal, if its header names a start and a class."""
    for path in beside:
        try:
            look = look_at_text(folder / path)
        except InputError:
            continue
        names = {
            kind: next((n for n in look.header if re.match(form, n, re.I)), "") for kind, form in _EVENT_COLUMNS.items()
        }
        if not names["onset"] or not names["label"]:
            continue
        pattern = guess_pattern([one for one in beside if Path(one).suffix == Path(path).suffix], "part")
        return EventsLook(path, pattern, look.text, **names)
    return None


_EVENT_COLUMNS = {
    "onset": r"onset|start|begin",
    "end": r"end|stop|offset",
    "duration": r"duration|length",
    "label": r"label|class|gesture|event|value|trial_type|type|name",
}


def _survey(
    folder: Path,
    paths: Sequence[str],
    text: TextLook | None,
    arrays: ArraysLook | None,
    events: EventsLook | None,
) -> tuple[dict[str, int], list[str], int]:
    """(label -> samples or events, faults of files, number of files that were looked at)."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    seen = looked = 0
    for path in paths:
        if seen > MOST_BYTES:
            break
        seen += (folder / path).stat().st_size
        looked += 1
        try:
            if text and text.label:
                counts += _labels_in_text(folder / path, text.text, text.channels[:1], text.label)
            elif arrays and not events:
                with opened_arrays(folder / path) as found:
                    names, sizes = np.unique(_values(found, arrays), return_counts=True)
                counts += Counter({value_name(n): int(s) for n, s in zip(names, sizes, strict=True)})
        except InputError as error:
            faults.append(str(error).replace(f"{folder}{os.sep}", ""))
    if events:
        for path in [p for p in paths_below(folder) if PathPattern(events.pattern or events.path).match(p)]:
            try:
                counts += Counter(event.label for event in listed_in_table(folder / path, events.part))
            except InputError as error:
                faults.append(str(error).replace(f"{folder}{os.sep}", ""))
    return _sorted(counts), faults, looked


def _values(found: Arrays, look: ArraysLook) -> np.ndarray:
    """The labels of samples or events."""
    if isinstance(look.label, int):
        return np.asarray(found.get(look.signal)[...])[:, look.label - 1]
    return found.vector(look.label or look.event_label)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: _order(item[0])))


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _labels_in_text(path: Path, part: TextPart, channels: Sequence[Column], label: Column) -> Counter[str]:
    counts: Counter[str] = Counter()
    for block in read_blocks(path, part, channels, label, ""):
        if block.labels is not None:
            values, sizes = np.unique(block.labels, return_counts=True)
            counts += Counter({block.name_of(v): int(n) for v, n in zip(values, sizes, strict=True)})
        if len(counts) > MOST_CLASSES:
            raise InputError(f"{path}: column {label!r} has more than {MOST_CLASSES} different labels", "bad-field")
    return counts


def _rates(folder: Path, paths: Sequence[str], text: TextLook | None, arrays: ArraysLook | None) -> tuple[float, str]:
    """(rate, how it is known); 0 if it is not."""
    if arrays and arrays.hertz:
        return arrays.hertz, f"array {arrays.rate!r} of {paths[0]}"
    if text and text.time and text.step:
        tick = {"s": 1.0, "ms": 1e-3, "us": 1e-6}[time_unit(text.step, text.time_unit)]
        times = _times(folder / paths[0], text)
        if len(times) > 2 and times[-1] > times[0]:
            rate = (len(times) - 1) / ((times[-1] - times[0]) * tick)
            near = min(_NICE, key=lambda nice: abs(nice - rate))
            return (float(near) if abs(near - rate) < 0.004 * rate else float(f"{rate:.6g}")), f"times of {paths[0]}"
    return 0.0, ""


def _times(path: Path, text: TextLook) -> np.ndarray:
    """The times of a file's first block."""
    try:
        for block in read_blocks(path, text.text, text.channels[:1], "", text.time):
            return np.zeros(0) if block.time is None else block.time
    except InputError:
        pass  # reported when the labels are counted, or by ingest
    return np.zeros(0)


def _lines(guess: Guess, text: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What was found, what was guessed, what is to fill in."""
    found = [f"{guess.files} files of form {guess.form}; {guess.matched} fit the pattern {guess.pattern!r}"]
    if guess.text:
        part = guess.text.text
        head = "a header" if part.header else "no header"
        found.append(
            f"{part.columns} columns between {part.delimiter!r}, {head}, {len(guess.text.channels)} electrodes"
        )
        if guess.text.passed:
            found.append(f"columns that are not read: {', '.join(guess.text.passed)}")
    if guess.arrays:
        look = guess.arrays
        found.append(f"{guess.example}: {look.signal} of {look.samples} samples x {look.channels} electrodes")
        if look.passed:
            found.append(f"arrays that are not read: {', '.join(look.passed)}")
    if guess.labels:
        unit = "events" if guess.source == "events" else "files" if guess.source == "path" else "samples"
        shown = ", ".join(f"{name} {count}" for name, count in list(guess.labels.items())[:40])
        found.append(f"labels ({unit}): {shown}")
    if guess.looked < guess.files:
        found.append(f"labels were counted in {guess.looked} of {guess.files} files; others may hold more")
    found += [f"cannot be read: {fault}" for fault in guess.faults[:10]]
    if len(guess.faults) > 10:
        found.append(f"and {len(guess.faults) - 10} more files that cannot be read")
    guessed = re.findall(r"^(.*?) *# check: (.*)$", text, re.MULTILINE)
    fill = re.findall(r"^(.*?) *# FILL IN: (.*)$", text, re.MULTILINE)
    return tuple(found), tuple(f"{line}: {why}" for line, why in guessed), tuple(f"{line}: {why}" for line, why in fill)
