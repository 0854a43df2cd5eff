"""Source: a folder of tables with a semgjax.toml, as recordings to ingest."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from semgjax.data.readers.discover import LeftOut, looks_like_signal
from semgjax.data.readers.recording import Files, Form, Item, Recording
from semgjax.data.tabular.array_files import opened_arrays
from semgjax.data.tabular.conditioning import filtered, middle_rms, sections
from semgjax.data.tabular.declaration import FILE, Declaration
from semgjax.data.tabular.event_tables import listed_in_arrays, listed_in_table, placed
from semgjax.data.tabular.label_runs import Event
from semgjax.data.tabular.path_pattern import PathPattern, fits, natural, paths_below
from semgjax.data.tabular.table_parts import Parts
from semgjax.errors import InputError

TEXTS = (".txt", ".csv", ".tsv", ".tab", ".dat", ".asc", ".log")
"""Suffixes of text tables, in upper or lower case."""
_ORDER = ("part", "label")


def find_items(folder: Path, declaration: Declaration) -> tuple[list[Item], list[LeftOut]]:
    """The sessions of a folder, in order of the path of their first file, and the other files that look like tables.

    Files whose paths differ in {part} and {label} only are parts of one session, joined in the order of these.

    Raises:
        InputError: no file fits the pattern ("no-sessions"), a table of events is missing ("no-file"; with
            events.optional only if the session has another one), or a session has no user or no name ("bad-field").
    """
    pattern = PathPattern(declaration.files.pattern, f"{folder / FILE}: files.pattern")
    below = paths_below(folder)
    found, others = fits(pattern, [path for path in below if path != FILE])
    events = declaration.events.pattern if declaration.labels.source == "events" else ""
    tables = {path: PathPattern(events).fill(values) for path, values in found.items()} if events else {}
    for path in set(tables.values()):
        found.pop(path, None)  # a table of events may fit the pattern of the signals
    if not found:
        example = f", such as {others[0]!r}" if others else ""
        raise InputError(
            f"{folder}: files.pattern {pattern.pattern!r} fits none of {len(below)} files{example}; correct it in "
            f"{FILE}",
            "no-sessions",
        )
    left_out = [
        LeftOut(path, f"a file whose path does not fit files.pattern {pattern.pattern!r}")
        for path in others
        if path not in tables.values() and _looks_like_table(path, pattern.pattern)
    ]
    _check_names(folder, declaration, pattern)
    sessions: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for path, values in found.items():
        key = [(name, value) for name, value in sorted(values.items()) if name not in _ORDER]
        # Without {part} and {label} every file is a session.
        sessions.setdefault(tuple(key if pattern.names & set(_ORDER) else [("path", path)]), []).append(path)
    form = Form(
        functools.partial(peek, folder=folder, declaration=declaration),
        functools.partial(open_recording, folder=folder, declaration=declaration),
        declaration.options,
    )
    items = []
    for paths in sessions.values():
        paths.sort(key=lambda path: [natural(found[path].get(name, "")) for name in _ORDER])
        for one, two in itertools.pairwise(paths):
            if all(found[one].get(name) == found[two].get(name) for name in _ORDER):
                raise InputError(
                    f"{folder / two}: is the same part of the same session as {one}; keep one of them, or put "
                    "{part} into files.pattern",
                    "duplicate-session",
                )
        beside = list(dict.fromkeys(tables[path] for path in paths if path in tables))
        missing = [path for path in beside if not (folder / path).is_file()]
        if missing and not (declaration.events.optional and missing == beside):
            raise InputError(f"{folder / missing[0]}: no such file; events.pattern asks for it, copy it too", "no-file")
        beside = [] if missing else beside
        items.append(Item(paths[0], tuple(folder / path for path in (*paths, *beside)), form))
    return items, left_out


def _looks_like_table(path: str, pattern: str) -> bool:
    suffix = Path(path).suffix.lower()
    return suffix in (*TEXTS, Path(pattern).suffix.lower()) or looks_like_signal(path)


def _check_names(folder: Path, declaration: Declaration, pattern: PathPattern) -> None:
    arrays, files = declaration.arrays, declaration.files
    if "user" not in pattern.names and not files.user and not arrays.user:
        raise InputError(
            f"{folder / FILE}: nothing names the user; put {{user}} into files.pattern, or give files.user", "bad-field"
        )
    if files.name:
        unknown = PathPattern(files.name, f"{folder / FILE}: files.name").names - pattern.names - {"user", "session"}
        if unknown:
            raise InputError(
                f"{folder / FILE}: files.name has {{{min(unknown)}}}, which files.pattern has not; correct it",
                "bad-field",
            )


def peek(files: Files, folder: Path, declaration: Declaration) -> tuple[str, str]:
    """(session name, user) from the first file's path, or from the arrays in it that hold them.

    Raises:
        InputError: an array that holds them is missing.
    """
    values = dict(_signals(files, folder, declaration)[0][1])
    arrays = declaration.arrays
    if arrays.user or arrays.session:
        with opened_arrays(files[0]) as found:
            values |= {"user": found.text(arrays.user)} if arrays.user else {}
            values |= {"session": found.text(arrays.session)} if arrays.session else {}
    user = values.setdefault("user", declaration.files.user)
    if declaration.files.name:
        missing = PathPattern(declaration.files.name).names - set(values)
        if missing:
            raise InputError(f"{files[0]}: files.name asks for {{{min(missing)}}}, which nothing gives", "bad-field")
        return PathPattern(declaration.files.name).fill(values), user
    parts = [user, *(values[name] for name in ("session",) if name in values)]
    return "-".join(parts), user


def _signals(files: Files, folder: Path, declaration: Declaration) -> list[tuple[Path, dict[str, str]]]:
    """The files with signal, with their placeholders' values."""
    pattern = PathPattern(declaration.files.pattern)
    matched = [(path, pattern.match(path.relative_to(folder).as_posix())) for path in files]
    events = declaration.events.pattern if declaration.labels.source == "events" else ""
    tables = {folder / PathPattern(events).fill(v) for _, v in matched if v is not None} if events else set()
    return [(path, values) for path, values in matched if values is not None and path not in tables]


def open_recording(files: Files, folder: Path, declaration: Declaration) -> Recording:
    """A session: its parts joined, its events, and its filtered signal.

    Raises:
        InputError: as `read_blocks` and `array_blocks`, times that decrease or have gaps ("gap-in-signal"), another
            rate ("rate-differs"), and as `placed`.
    """
    name, user = peek(files, folder, declaration)
    signals = _signals(files, folder, declaration)
    parts = Parts(signals, declaration)
    seen = parts.scan()
    signal, labels, filters = declaration.signal, declaration.labels, declaration.filters
    events = seen.events
    unlisted = declaration.events.optional and len(signals) == len(files)  # no table among the files
    if labels.source == "events" and not unlisted:
        events = _listed_events(signals, seen.starts, seen.samples, folder, declaration)
    events = sorted(events, key=lambda event: (event.first, event.before, event.label))
    sos = sections(filters, signal.rate)

    def conditioned() -> Iterator[np.ndarray]:
        return filtered(((emg_TxC * signal.factor, fresh) for emg_TxC, fresh in parts.stretches()), sos)

    gain = 1.0
    if filters.gain == "session":
        gain = middle_rms(conditioned())
        # Below that, what the filters left is rounding.
        if not (math.isfinite(gain) and gain > 1e-9 * abs(signal.factor) * seen.peak):
            raise InputError(
                f"{files[0]}: most electrodes of session {name} are flat after the filters, so that it has no gain; "
                "leave it out",
                "bad-value",
            )
    first = np.array([event.first for event in events], np.int64)
    return Recording(
        name=name,
        user=user,
        rate=signal.rate,
        channels=seen.channels,
        samples=seen.samples,
        labels=np.array([event.label for event in events], np.int32),
        key_first=first,
        key_last=np.array([event.before for event in events], np.int64),
        blocks=lambda: ((emg_TxC / gain).astype(np.float32) for emg_TxC in conditioned()),
        classes=labels.classes,
        rings=signal.rings,
        key_end=np.array([event.last for event in events], np.int64),
        joints=seen.joints,
        labelled=labels.source != "none" and not unlisted,
    )


def _listed_events(
    signals: Sequence[tuple[Path, dict[str, str]]],
    starts: Sequence[int],
    samples: int,
    folder: Path,
    declaration: Declaration,
) -> list[Event]:
    """Events of lists: one list for the whole session, or one for each of its files."""
    part, labels, rate = declaration.events, declaration.labels, declaration.signal.rate
    if part.pattern:
        paths = [folder / PathPattern(part.pattern).fill(values) for _, values in signals]
        if len(set(paths)) == 1:
            return placed(paths[0], listed_in_table(paths[0], part), part, labels, rate, samples)
        lists = [(path, listed_in_table(path, part)) for path in paths]
    else:
        lists = [(path, listed_in_arrays(path, part)) for path, _ in signals]
    found = []
    for (path, listed), start, stop in zip(lists, starts, [*starts[1:], samples], strict=True):
        for event in placed(path, listed, part, labels, rate, stop - start):
            last = event.last + start if event.last >= 0 else -1
            found.append(Event(event.label, event.first + start, event.before + start, last))
    return found
