"""semgjax.toml: what the files of a folder hold. Read and checked here, before any file is."""

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from semgjax.config_json import from_json, to_json
from semgjax.data.tabular.path_pattern import PathPattern
from semgjax.errors import InputError
from semgjax.files import canonical_json, read_text

FILE = "semgjax.toml"
VERSION = 1
FILL_IN = "?"
"""The value of a line that only the owner of the data can know."""

Column = int | str
"""A column by its number, from 1, or by its name in the header; in .npz and .mat files the name of an array."""

_FACTORS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "samples": 0.0}
_UNITS = {"counts": 1.0, "V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
_DELIMITERS = (",", ";", "\t", "|", "space")


@dataclass(frozen=True)
class FilesPart:
    """[files]: which files, and how their paths name user and session.

    Attributes:
        pattern: paths below the folder, with {user}, {session}, {part}, {label} or other placeholders, and `*`.
        name: name of a session, from placeholders of the pattern.
        user: the user of all files, if neither the paths nor the files name one.
    """

    pattern: str
    form: Literal["text", "npy", "npz", "mat"]
    name: str = ""
    user: str = ""


@dataclass(frozen=True)
class TextPart:
    """[text]: how lines are cut into cells.

    Attributes:
        delimiter: one of , ; | a tab, or "space" for any run of spaces and tabs.
        comment: lines that begin with it are skipped; "" for none.
        skip: lines before the header or the first sample.
        columns: number of cells of every line, an empty one after a last delimiter included.
    """

    columns: int = 0
    delimiter: str = ","
    header: bool = False
    skip: int = 0
    comment: str = ""
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


@dataclass(frozen=True)
class ArraysPart:
    """[arrays]: names of the arrays of .npz and .mat files; "" where there is none.

    Attributes:
        transposed: the signal is channels x samples.
        joints: first samples of the recordings that were joined: [n], or [n, 2] with the first in column 0.
    """

    signal: str = ""
    transposed: bool = False
    rate: str = ""
    user: str = ""
    session: str = ""
    joints: str = ""


@dataclass(frozen=True)
class SignalPart:
    """[signal]: electrodes, rate and times.

    Attributes:
        channels: columns of the electrodes, in order of the ring or rings; () for all columns of an array.
        unit: volts become microvolts; counts stay. The signal is multiplied by `scale` besides.
        rings: electrodes of each ring; () is one ring of all.
        time: column of the times; 0 or "" if there is none.
        longest_step: seconds; a longer step between two samples' times is a gap.
        gaps: refuse a file with a gap, or take what follows for a new part that was joined.
    """

    rate: float
    channels: tuple[Column, ...] = ()
    unit: Literal["counts", "V", "mV", "uV", "nV"] = "counts"
    scale: float = 1.0
    rings: tuple[int, ...] = ()
    time: Column = ""
    time_unit: Literal["s", "ms", "us"] = "s"
    longest_step: float = 0.1
    gaps: Literal["refuse", "joint"] = "refuse"

    @property
    def factor(self) -> float:
        """What a value in the files is multiplied by."""
        return self.scale * _UNITS[self.unit]

    @property
    def tick(self) -> float:
        """Seconds of one unit of the time column."""
        return _FACTORS[self.time_unit]


@dataclass(frozen=True)
class LabelsPart:
    """[labels]: where the class of a sample stands.

    Attributes:
        source: a column or array with a label for every sample; the path's {label} for the whole file; the list of
            [events]; or none: sessions without labels, whose `names` are those of the sessions with labels.
        rest: labels that are no event.
        names: label in the files -> name of the class, in the order of the classes.
    """

    source: Literal["column", "path", "events", "none"]
    column: Column = ""
    rest: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in order; labels of one name are one class."""
        return tuple(dict.fromkeys(self.names.values()))


@dataclass(frozen=True)
class EventsPart:
    """[events]: a list of events, in a table beside the signal or in arrays of the same file.

    Attributes:
        pattern: path of the table, with the placeholders of the signal's; "" for arrays of the same file.
        optional: a session without its table is one without labels, and not an error.
        onset: column of the start; `end` or `duration` the column of the end; both may be missing.
        unit: of these columns; `first_sample` is the number of the first sample, if they count samples.
        end_is: the event's last sample, or the first one after it.
    """

    pattern: str = ""
    onset: Column = ""
    label: Column = ""
    end: Column = ""
    duration: Column = ""
    unit: Literal["s", "ms", "us", "samples"] = "s"
    first_sample: int = 0
    end_is: Literal["last", "after"] = "last"
    columns: int = 0
    delimiter: str = ","
    header: bool = True
    optional: bool = False

    @property
    def tick(self) -> float:
        """Seconds of one unit; 0 if the columns count samples."""
        return _FACTORS[self.unit]


@dataclass(frozen=True)
class FiltersPart:
    """[filters]: what is done to the signal on the way in. Causal; started anew at every joint.

    Attributes:
        notch: Hz, 0 for none; `harmonics` counts it and its multiples; `quality` is centre over width.
        highpass: Hz, 0 for none; a Butterworth filter of this `order`.
        gain: "session" divides each session by the median over electrodes of the RMS of its filtered signal.
    """

    notch: float = 0.0
    harmonics: int = 1
    quality: float = 30.0
    highpass: float = 0.0
    order: int = 4
    gain: Literal["none", "session"] = "none"


@dataclass(frozen=True)
class Declaration:
    """A whole semgjax.toml."""

    files: FilesPart
    signal: SignalPart
    labels: LabelsPart
    text: TextPart = field(default_factory=TextPart)
    arrays: ArraysPart = field(default_factory=ArraysPart)
    events: EventsPart = field(default_factory=EventsPart)
    filters: FiltersPart = field(default_factory=FiltersPart)

    @property
    def options(self) -> str:
        """What tells shards of two declarations apart: canonical JSON, the order of the classes included."""
        body = to_json(self)
        if not self.events.optional:
            del body["events"]["optional"]  # shards made before it was known are reused
        return canonical_json([body, list(self.labels.names.items())])


def read_declaration(folder: Path, toml: Path | None = None) -> Declaration:
    """The semgjax.toml of a folder, or another file in its place.

    Raises:
        InputError: no such file, no valid TOML, a line that is not filled in ("fill-in"), or an impossible value.
    """
    path = toml or folder / FILE
    if not path.is_file():
        raise InputError(f"{path}: no such file; `semgjax data describe {folder}` writes a first one", "no-file")
    text = read_text(path, encoding="utf-8-sig")
    try:
        document = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not valid TOML ({error}); correct it", "bad-toml") from None
    version = document.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise InputError(f"{path}: version is {version!r}, this semgjax reads version {VERSION}", "wrong-version")
    empty = _not_filled_in(document)
    if empty:
        line = _line_of(text, empty[-1])
        raise InputError(
            f"{path}: line {line}: {'.'.join(empty)} is {FILL_IN!r}; only you can know it: fill it in", "fill-in"
        )
    declaration = from_json(Declaration, document, str(path))
    check_declaration(declaration, path)
    return declaration


def _not_filled_in(value: Any, place: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The place of the first value that is a question mark; () if there is none."""
    if value == FILL_IN:
        return place
    if isinstance(value, list):
        return place if FILL_IN in value else ()
    if isinstance(value, dict):
        for name, inner in value.items():
            found = _not_filled_in(inner, (*place, name))
            if found:
                return found
    return ()


def _line_of(text: str, name: str) -> int:
    """The first line that gives this member a question mark."""
    mark = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=.*["']{re.escape(FILL_IN)}["']""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if mark.match(line)), 1)


def check_declaration(declaration: Declaration, path: Path) -> None:
    """Check values that the types do not.

    Raises:
        InputError: the member, its value and what is possible; "bad-field" or "conflict".
    """

    def refuse(member: str, value: object, expected: str, code: str = "bad-field") -> None:
        raise InputError(f"{path}: {member} is {value!r}, expected {expected}; correct it", code)

    d, text, signal, labels, events = (
        declaration,
        declaration.text,
        declaration.signal,
        declaration.labels,
        declaration.events,
    )
    pattern = PathPattern(d.files.pattern, f"{path}: files.pattern")
    for member, delimiter in (("text.delimiter", text.delimiter), ("events.delimiter", events.delimiter)):
        if delimiter not in _DELIMITERS:
            refuse(member, delimiter, "one of " + ", ".join(map(repr, _DELIMITERS)))
    if text.decimal == text.delimiter:
        refuse("text.decimal", text.decimal, "another character than text.delimiter", "conflict")
    for member, number, least, most in (
        ("signal.rate", signal.rate, 1e-3, 1e7),
        ("signal.longest_step", signal.longest_step, 1e-9, 1e9),
        ("text.skip", text.skip, 0, 1_000_000),
        ("filters.notch", d.filters.notch, 0, signal.rate / 2),
        ("filters.highpass", d.filters.highpass, 0, signal.rate / 2),
        ("filters.harmonics", d.filters.harmonics, 1, 100),
        ("filters.quality", d.filters.quality, 0.5, 1000),
        ("filters.order", d.filters.order, 1, 12),
    ):
        if not (math.isfinite(number) and least <= number <= most):
            refuse(member, number, f"{least:g} to {most:g}")
        if member in ("filters.notch", "filters.highpass") and number == most:
            refuse(member, number, f"less than half the rate, {most:g} Hz")
    if not math.isfinite(signal.scale) or signal.scale == 0:
        refuse("signal.scale", signal.scale, "a number other than 0")
    if d.files.form == "text":
        if text.columns < 1 or not signal.channels:
            refuse("text.columns", text.columns, "the number of cells of a line, and signal.channels their columns")
        columns = [("signal.channels", c) for c in signal.channels] + [("signal.time", signal.time)]
        columns += [("labels.column", labels.column)] if labels.source == "column" else []
        for member, column in columns:
            _check_column(member, column, text, refuse)
    elif d.files.form in ("npz", "mat") and not d.arrays.signal:
        refuse("arrays.signal", d.arrays.signal, "the name of the array with the signal")
    if len(set(signal.channels)) < len(signal.channels):
        refuse("signal.channels", list(signal.channels), "each column once")
    if signal.channels and sum(signal.rings) not in (0, len(signal.channels)):
        refuse("signal.rings", list(signal.rings), f"{len(signal.channels)} electrodes in all")
    if any(ring < 1 for ring in signal.rings):
        refuse("signal.rings", list(signal.rings), "1 or more electrodes each")
    if labels.source == "column" and not labels.column:
        refuse("labels.column", labels.column, "the column of the labels")
    if labels.source == "path" and "label" not in pattern.names:
        refuse("files.pattern", d.files.pattern, "a {label} in it, since labels.source is 'path'", "conflict")
    if labels.source == "events" and (not events.onset or not events.label):
        refuse("events.onset and events.label", (events.onset, events.label), "the columns of start and class")
    if events.optional and not (labels.source == "events" and events.pattern):
        refuse("events.optional", True, "false, since no table of events is asked for", "conflict")
    if events.pattern:
        extra = PathPattern(events.pattern, f"{path}: events.pattern").names - pattern.names
        if extra or "*" in events.pattern:
            refuse("events.pattern", events.pattern, "only placeholders of files.pattern")
    if labels.source == "events" and signal.time and signal.gaps == "joint" and events.tick:
        refuse("signal.gaps", signal.gaps, "'refuse', since events in seconds are not placed across gaps", "conflict")
    if events.end and events.duration:
        refuse("events.duration", events.duration, "nothing, since events.end is given", "conflict")
    if labels.source != "none" and not labels.names:
        refuse("labels.names", {}, "a line for every label that is an event")
    for label, name in labels.names.items():
        if label in labels.rest:
            refuse("labels.rest", label, "labels without a name in labels.names", "conflict")
        if not name.strip() or not name.isprintable():
            refuse(f"labels.names.{label}", name, "a printable name")


def _check_column(member: str, column: Column, text: TextPart, refuse: Any) -> None:
    if isinstance(column, str) and column and not text.header:
        refuse(member, column, "a column's number, since text.header is false", "conflict")
    if isinstance(column, int) and not (0 if member == "signal.time" else 1) <= column <= text.columns:
        refuse(member, column, f"1 to {text.columns}, the number of columns")


@dataclass(frozen=True)
class TableOptions:
    """What an ingest of tables is asked for.

    Attributes:
        required: the source is a folder of tables, also if no semgjax.toml is found in it, which is then an error.
        toml: the declaration, if it is not the folder's semgjax.toml.
        filters: members of [filters] that replace those of the declaration.
    """

    required: bool = False
    toml: Path | None = None
    filters: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def asked(self) -> bool:
        """Whether anything is asked for that only tables have."""
        return self.required or self.toml is not None or bool(self.filters)


def declaration_of(folder: Path, options: TableOptions) -> Declaration:
    """The declaration of a folder, with the filters that are asked for.

    Raises:
        InputError: as `read_declaration`, or an impossible value of a filter.
    """
    declaration = read_declaration(folder, options.toml)
    filters = from_json(FiltersPart, to_json(declaration.filters) | dict(options.filters), "filters")
    changed = dataclasses.replace(declaration, filters=filters)
    check_declaration(changed, options.toml or folder / FILE)
    return changed
