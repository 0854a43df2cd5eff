"""A first look at a .npy, .npz or .mat file: which arrays are signal, labels, events, rate, user and joints."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.tabular.array_files import Arrays, opened_arrays
from semgjax.data.tabular.declaration import Column
from semgjax.errors import InputError

_NAMES = {
    "signal": r"(s?emg|data|signal|x)",
    "rate": r"(rate|fs|freq|frequency|sampling_?rate|sample_?rate|sampling_?frequency|srate|sfreq)",
    "user": r"(user|subject|subj|participant|person)",
    "session": r"(session|sess)",
    "label": r"(restimulus|stimulus|labels?|class(es)?|gestures?|y)",
    "time": r"(times?|timestamps?|t)",
    "joints": r"(joints|segments)",
    "onset": r"(events?_)?(onsets?|starts?|begin)",
    "end": r"(events?_)?(ends?|stops?|offsets?)",
    "event_label": r"(events?_)?(class(es)?|labels?|names?|types?)",
}


@dataclass(frozen=True)
class ArraysLook:
    """Names of the arrays of a file; "" where none fits.

    Attributes:
        label: an array's name, or a column of the signal's array.
        columns: the electrodes' columns, if the signal's array holds others too; otherwise ().
        hertz: the rate that the file names, 0 if it names none.
        ends_after: an event's end is the first sample after it, since one ends where the signal does.
    """

    signal: str
    transposed: bool
    channels: int
    samples: int
    rate: str = ""
    hertz: float = 0.0
    user: str = ""
    session: str = ""
    label: Column = ""
    time: str = ""
    joints: str = ""
    onset: str = ""
    end: str = ""
    event_label: str = ""
    ends_after: bool = False
    passed: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()


def look_at_arrays(path: Path) -> ArraysLook:
    """Look at the arrays of a file.

    Raises:
        InputError: not readable, or no matrix of numbers in it ("bad-shape").
    """
    with opened_arrays(path) as arrays:
        matrices = {
            n: s for n, s in arrays.shapes.items() if len(s) == 2 and min(s) >= 1 and max(s) > 1 and _numbers(arrays, n)
        }
        wide = {n: s for n, s in matrices.items() if min(s) > 1}
        named = [n for n in wide or matrices if re.fullmatch(_NAMES["signal"], n, re.IGNORECASE)]
        choice = named or sorted(wide or matrices, key=lambda n: -int(np.prod(matrices[n])))
        if not choice:
            raise InputError(
                f"{path}: has no matrix of numbers, samples x electrodes; is this a recording?", "bad-shape"
            )
        signal = choice[0]
        channels, samples = sorted(arrays.shapes[signal])
        sizes = {n: int(np.prod(s)) for n, s in arrays.shapes.items() if n != signal and _readable(arrays, n)}

        def one(kind: str, *allowed: int) -> str:
            fits = [n for n, size in sizes.items() if re.fullmatch(_NAMES[kind], n, re.IGNORECASE) and size in allowed]
            return min(fits, key=lambda n: (not n.lower().startswith("re"), n), default="")

        found = {kind: one(kind, 1) for kind in ("rate", "user", "session")}
        found |= {"label": one("label", samples) or one("label", 1), "time": one("time", samples)}
        found |= {"joints": next((n for n in sizes if re.fullmatch(_NAMES["joints"], n, re.IGNORECASE)), "")}
        onset = next((n for n in sizes if re.fullmatch(_NAMES["onset"], n, re.IGNORECASE)), "")
        events = {"onset": onset}
        for kind in ("end", "event_label"):
            events[kind] = one(kind, sizes[onset]) if onset and sizes[onset] != samples else ""
        events = events if events["event_label"] else {}
        hertz = arrays.number(found["rate"]) if found["rate"] else 0.0
        after = False
        if events.get("end") and hertz:
            ends = arrays.vector(events["end"]).astype(np.float64)
            after = bool(len(ends)) and round(float(ends.max()) * hertz) >= samples
        label: Column = found.pop("label")
        columns: tuple[int, ...] = ()
        if not (label or events or arrays.shapes[signal][0] != samples):
            label = _label_column(np.asarray(arrays.get(signal)[: 1 << 20]))
            columns = tuple(n for n in range(1, channels + 1) if n != label) if label else ()
        used = {signal, label, *found.values(), *events.values()}
        return ArraysLook(
            signal,
            arrays.shapes[signal][1] == samples and samples > channels,
            len(columns) or channels,
            samples,
            label=label,
            columns=columns,
            hertz=hertz,
            ends_after=after,
            passed=tuple(n for n in arrays.shapes if n not in used),
            **found,
            **events,
        )


def _label_column(values: np.ndarray) -> Column:
    """The last column, if it holds a few whole numbers that seldom change; otherwise ""."""
    last = values[:, -1]
    changes = int((last[1:] != last[:-1]).sum())
    whole = bool(np.isfinite(last).all()) and bool((last % 1 == 0).all())
    return values.shape[1] if whole and 0 < changes <= len(last) // 20 and values.shape[1] > 1 else ""


def _numbers(arrays: Arrays, name: str) -> bool:
    return _readable(arrays, name) and np.dtype(arrays.get(name).dtype).kind in "iuf"


def _readable(arrays: Arrays, name: str) -> bool:
    """Whether an array holds numbers or text; cells, structures and objects are of no use."""
    try:
        arrays.get(name)
    except InputError as error:
        if error.code == "bad-field":
            return False
        raise
    return True
