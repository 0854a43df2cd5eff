"""The text of a first semgjax.toml from what a look at the files gave: lines say what they mean and what to check."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from semgjax.data.band import default_rings
from semgjax.data.tabular.declaration import FILL_IN, VERSION, Column, EventsPart, TextPart
from semgjax.data.tabular.guess_arrays import ArraysLook
from semgjax.data.tabular.guess_text import TextLook

_UNITS = {"v": "V", "mv": "mV", "uv": "uV", "µv": "uV", "μv": "uV", "nv": "nV"}


@dataclass(frozen=True)
class EventsLook:
    """A table of events beside the signals; "" where it has no such column."""

    path: str
    pattern: str
    text: TextPart
    onset: str
    label: str
    end: str = ""
    duration: str = ""

    @property
    def part(self) -> EventsPart:
        """As [events] declares it."""
        return EventsPart(
            pattern=self.pattern or self.path,
            onset=self.onset,
            label=self.label,
            end=self.end,
            duration="" if self.end else self.duration,
            columns=self.text.columns,
            delimiter=self.text.delimiter,
            header=self.text.header,
        )


@dataclass(frozen=True)
class Guess:
    """What a look at a folder gave.

    Attributes:
        labels: label -> how often.
        rate: Hz, 0 if unknown; `rates` says where it is from.
        looked: number of files whose labels were counted.
    """

    form: str
    pattern: str
    example: str
    files: int
    matched: int
    text: TextLook | None
    arrays: ArraysLook | None
    events: EventsLook | None
    source: str
    labels: dict[str, int]
    rest: tuple[str, ...]
    rate: float
    rates: str
    looked: int
    faults: tuple[str, ...] = ()


def _value(value: str | float | Sequence[Column] | bool) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "[" + ", ".join(_value(one) for one in value) + "]"


def toml_of(guess: Guess) -> str:
    """The text of semgjax.toml."""
    lines = [
        "# What the files of this folder hold, for `semgjax data ingest`. A first draft: check each line.",
        f"version = {VERSION}",
        *_files(guess),
        *(_text(guess.text) if guess.text else []),
        *(_arrays(guess.arrays) if guess.arrays and guess.form != "npy" else []),
        *_signal(guess),
        *_labels(guess),
        *(_events(guess) if guess.source == "events" else []),
        "",
        "[filters]",
        "notch = 0  # mains frequency in Hz; 0: none. harmonics = 3 removes its double and triple too",
        "highpass = 0  # Hz; 0: none",
        'gain = "none"  # "session": divide each session by the RMS of its middle electrode, after the filters',
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, value: str | float | Sequence[Column] | bool, note: str = "") -> str:
    return f"{name} = {_value(value)}" + (f"  # {note}" if note else "")


def _fill(name: str, what: str) -> str:
    return _line(name, FILL_IN, f"FILL IN: {what}")


def _files(guess: Guess) -> list[str]:
    lines = ["", "[files]"]
    if guess.pattern:
        note = f"check: {guess.matched} of {guess.files} files fit, such as {guess.example}"
        lines.append(_line("pattern", guess.pattern, note))
    else:
        lines.append(_fill("pattern", f"as in {{user}}-{{session}}.csv; a path is {guess.example}"))
    lines.append(_line("form", guess.form))
    inside = guess.arrays is not None and guess.arrays.user
    if guess.pattern and "{user}" not in guess.pattern and not inside:
        lines.append(_fill("user", "who was recorded; or put {user} into the pattern"))
    return lines


def _text(look: TextLook) -> list[str]:
    part = look.text
    lines = [
        "",
        "[text]",
        _line("columns", part.columns),
        _line("delimiter", part.delimiter),
        _line("header", part.header),
    ]
    if part.skip:
        lines.append(_line("skip", part.skip, "check: lines before the header or the first sample"))
    if part.comment:
        lines.append(_line("comment", part.comment))
    if part.decimal != ".":
        lines.append(_line("decimal", part.decimal))
    if part.encoding != "utf-8":
        lines.append(_line("encoding", part.encoding, "check: the text is not UTF-8"))
    return lines


def _arrays(look: ArraysLook) -> list[str]:
    lines = ["", "[arrays]", _line("signal", look.signal), _line("transposed", look.transposed)]
    named = (("rate", look.rate), ("user", look.user), ("session", look.session), ("joints", look.joints))
    return lines + [_line(name, value) for name, value in named if value]


def _signal(guess: Guess) -> list[str]:
    lines = ["", "[signal]"]
    if guess.text:
        count = len(guess.text.channels)
        lines.append(_line("channels", guess.text.channels, "check: the electrodes, in order round the band"))
    else:
        assert guess.arrays is not None
        count = guess.arrays.channels
        if guess.arrays.columns:
            lines.append(_line("channels", guess.arrays.columns, "check: the electrodes, in order round the band"))
    if guess.rate:
        lines.append(_line("rate", guess.rate, f"check: Hz, from the {guess.rates}"))
    else:
        lines.append(_fill("rate", "samples a second; the files do not say"))
    unit = _UNITS.get((guess.text.unit if guess.text else "").lower(), "")
    lines.append(_line("unit", unit or "counts", "" if unit else "check: V, mV, uV or nV if it is one of these"))
    lines.append(_line("rings", list(default_rings(count)), "check: electrodes of each ring"))
    time = guess.text.time if guess.text else (guess.arrays.time if guess.arrays else "")
    if time:
        step, named = (guess.text.step, guess.text.time_unit) if guess.text else (0.0, "")
        lines.append(_line("time", time))
        lines.append(_line("time_unit", time_unit(step, named), "" if named else "check: from the steps of the times"))
    return lines


def time_unit(step: float, named: str) -> str:
    """The unit of times with this median step, for rates from 20 Hz to 30 kHz."""
    if named:
        return named
    return "s" if step <= 0.05 else "ms" if step <= 50 else "us"


def _labels(guess: Guess) -> list[str]:
    lines = ["", "[labels]", _line("source", guess.source, "column, path ({label} in it), events or none")]
    label = guess.text.label if guess.text else (guess.arrays.label if guess.arrays else "")
    if guess.source == "column":
        lines.append(_line("column", label, "check: the class of every sample"))
    if guess.source in ("column", "path"):
        if guess.rest:
            lines.append(_line("rest", guess.rest, "check: labels that are no event"))
        elif guess.source == "column":
            lines.append('rest = ["?"]  # FILL IN: labels that are no event; [] if there is none')
    names = [name for name in guess.labels if name not in guess.rest]
    if guess.source != "none":
        lines += ["", "[labels.names]  # label in the files = name of the class, in the order of the classes"]
        lines += [_line(_value(name), name) for name in names] or ['"?" = "?"  # FILL IN: no label was found']
    return lines


def _events(guess: Guess) -> list[str]:
    lines = ["", "[events]"]
    if guess.events is None:
        look = guess.arrays
        assert look is not None
        lines += [_line("onset", look.onset), _line("label", look.event_label)]
        if look.end:
            note = "check: last or after; is the end the event's last sample, or the first one after it?"
            lines += [_line("end", look.end), _line("end_is", "after" if look.ends_after else "last", note)]
        return [*lines, _line("unit", "s", "check: s, ms, us or samples")]
    part = guess.events.part
    lines += [_line("pattern", part.pattern, "check: the table beside each signal")]
    lines += [_line("columns", part.columns), _line("delimiter", part.delimiter), _line("header", part.header)]
    lines += [_line("onset", part.onset), _line("label", part.label)]
    if part.end:
        note = "check: last or after; is the end the event's last sample, or the first one after it?"
        lines += [_line("end", part.end), _line("end_is", part.end_is, note)]
    lines += [_line("duration", part.duration)] if part.duration else []
    return [*lines, _line("unit", "s", "check: s, ms, us or samples, from the first sample")]
