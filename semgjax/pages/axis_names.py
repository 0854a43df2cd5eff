"""Names and units of axes in full words, and the ticks of logarithmic axes: powers of ten where they span decades."""

import math
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogFormatter, LogLocator, NullFormatter, NullLocator

from semgjax.pages.style import POINTS, Picture
from semgjax.scaling.fit import Fit
from semgjax.scaling.laws import INPUTS

AS_GIVEN = "unit of the table"
COUNT = "count"
# Columns of a sweep's table, and of others', in words with their units.
COLUMNS = {
    "params": ("Model parameters", COUNT),
    "parameters": ("Model parameters", COUNT),
    "users": ("Training users", COUNT),
    "hours": ("Training data", "h"),
    "hours/users": ("Training data per user", "h"),
    "tokens": ("Training tokens", COUNT),
    "flops": ("Training compute", "FLOP"),
    "steps": ("Training steps", COUNT),
    "epochs": ("Epochs", COUNT),
    "teacher_params": ("Parameters of the teacher", COUNT),
    "cer": ("Character error rate", ""),
    "event_error_rate": ("Event error rate", ""),
    "wer": ("Word error rate", ""),
}
_INPUTS = {
    "N": ("Model parameters", COUNT),
    "D": ("Training data", ""),
    "Q": ("Unique training data", ""),
    "C": ("Training compute", "FLOP"),
    "U": ("Training users", COUNT),
    "H": ("Training data per user", "h"),
    "M": ("Calibration time", "min"),
    "L": ("Loss of the run", "nats"),
    "T": ("Parameters of the teacher", COUNT),
}
_UNITS = (
    (r"h|hrs?|hours?", "h"),
    (r"min|minutes?", "min"),
    (r"s|sec|seconds?", "s"),
    (r"flops?|pflops?", "FLOP"),
    (r"gb|mb|kb|tb", "bytes"),
    (r"n|params?|parameters?|tokens?|users?|subjects?|participants?|steps?|samples?|runs?|epochs?", COUNT),
)
LAW_NAMES = {
    "power": "power law",
    "floor_power": "floor plus power law",
    "chinchilla": "floor plus power laws of size and data",
    "users_hours": "floor plus power laws of users and of all hours",
    "users_hours_product": "floor plus product of powers of users and hours",
    "saturating": "saturating exponential",
    "rational": "saturating fraction",
    "saturating_joint": "saturating exponential of size and data",
    "rational_joint": "saturating fraction of size and data",
    "broken": "smoothly broken power law",
    "repeated": "floor plus power laws with repeated data",
    "kaplan": "power of a sum over size and data",
    "sigmoid": "sigmoid of the loss",
    "distilled": "floor plus power law of a student's effective size",
    "busbridge": "distillation law of student and teacher",
    "gadre": "floor plus power law of compute and tokens per parameter",
    "gadre_error": "exponential of the loss",
    "personal": "calibration curve",
    "additive": "floor plus sum of power laws",
}


def law_title(name: str) -> str:
    """A law in words."""
    family = name.partition("(")[0]
    return LAW_NAMES.get(name, LAW_NAMES.get(family, family.replace("_", " ")))


def column_title(fit: Fit, name: str) -> str:
    """An input in words, without unit."""
    return _named(fit, name)[0]


def in_words(fit: Fit, name: str) -> str:
    """An input within a sentence: "model parameters"; a column of another name as it is."""
    title = column_title(fit, name)
    return title if title == fit.table.column(name) else title[0].lower() + title[1:]


def input_label(fit: Fit, name: str) -> str:
    """Name of an input's axis with its unit."""
    title, unit = _named(fit, name)
    return f"{title} ({unit})"


def input_unit(fit: Fit, name: str) -> str:
    """The unit of an input."""
    return _named(fit, name)[1]


def y_title(fit: Fit) -> str:
    """What was measured, in words."""
    return COLUMNS.get(fit.table.y_name, (fit.table.y_name, ""))[0]


def y_in_words(fit: Fit) -> str:
    """What was measured, within a sentence; a column of another name as it is."""
    title = y_title(fit)
    return title if title == fit.table.y_name else title[0].lower() + title[1:]


def y_label(fit: Fit, unit: str | None = None) -> str:
    """Name of the y axis with its unit."""
    return f"{y_title(fit)} ({(fit.table.unit if unit is None else unit) or AS_GIVEN})"


def _named(fit: Fit, name: str) -> tuple[str, str]:
    column = fit.table.column(name)
    if column in COLUMNS:
        return COLUMNS[column]
    if column == name and name in INPUTS:
        title, unit = _INPUTS.get(name, (INPUTS[name].meaning.capitalize(), ""))
        return title, unit or AS_GIVEN
    return column, unit_of(column)


def unit_of(column: str) -> str:
    """The unit that the last words of a column's name state."""
    words = [word for word in re.split(r"[^a-z]+", column.lower()) if word]
    for word in reversed(words):
        for pattern, unit in _UNITS:
            if re.fullmatch(pattern, word):
                return unit
    return AS_GIVEN


def short_number(value: float) -> str:
    """1500 -> "1.5k", 2217827 -> "2.22M": three digits, for axes."""
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= scale * 0.9995:
            return f"{value / scale:.3g}{letter}"
    return f"{value:.3g}"


def power_text(value: float) -> str:
    """A number as mathematics, 10^18 or 3.2 times 10^18."""
    place = math.floor(math.log10(value) + 1e-9)
    factor = value / 10.0**place
    head = "" if abs(factor - 1.0) < 5e-3 else rf"{factor:.2g}{{\times}}"
    return rf"${head}10^{{{place}}}$"


class Powers(LogFormatter):
    """Ticks as powers of ten. A LogFormatter, whose labels stay mathematics where names are drawn as plain text."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return power_text(x) if x > 0 else ""


class Amounts(LogFormatter):
    """Ticks as 20k, 50k, 100k."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return short_number(x)


def log_amounts(axes: Axes, which: str = "x", powers: bool = False) -> None:
    """A logarithmic axis; call it after its limits are set.

    Ticks are 10^n over two decades and more, for numbers of 1e12 and more, and where `powers` says so (FLOP);
    20k, 50k, 100k otherwise. There are no more of them than the panel has room for.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    ticks, in_powers = log_ticks(low, high, _room(axes, which), powers)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(Powers() if in_powers else Amounts())
    axis.set_minor_formatter(NullFormatter())
    fine = in_powers and math.log10(high / low) <= 9.0
    axis.set_minor_locator(LogLocator(subs=np.arange(2.0, 10.0)) if fine else NullLocator())  # type: ignore[arg-type]
    axes.tick_params(axis=which, labelsize=POINTS + 1.0 if in_powers else POINTS)  # type: ignore[arg-type]


def log_ticks(low: float, high: float, room: int, powers: bool = False) -> tuple[list[float], bool]:
    """(ticks, whether they are shown as powers of ten) of a logarithmic axis with room for so many labels."""
    whole = list(range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1))
    wide = math.log10(high / low) >= 2.0 and len(whole) >= 2
    large = powers or high >= 1e12 or low < 1e-4
    if wide or (large and len(whole) >= 3):
        step = -(-len(whole) // max(room, 2))
        return [10.0**n for n in whole if n % step == 0] if len(whole) // step > 1 else [10.0**n for n in whole], True
    least = room // 2 if large else room  # 3.2 x 10^18 is twice as wide as 10^18
    choices: Sequence[tuple[float, ...]] = (
        tuple(np.arange(1.0, 10.0, 0.5)), tuple(range(1, 10)), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 3.0, 5.0),
        (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,),
    )  # fmt: skip
    decades = range(math.floor(math.log10(low)) - 1, math.floor(math.log10(high)) + 1)
    for digits in choices:
        ticks = [digit * 10.0**n for n in decades for digit in digits if low <= digit * 10.0**n <= high]
        apart = min((math.log(b / a) for a, b in zip(ticks, ticks[1:], strict=False)), default=1.0)
        if len(ticks) >= 1 and apart >= math.log(high / low) / max(least, 2):
            return ticks, large
    return (ticks or [math.sqrt(low * high)]), large


def _room(axes: Axes, which: str) -> int:
    """How many labels have room along an axis."""
    figure = axes.get_figure()
    width, height = figure.panel if isinstance(figure, Picture) and figure.panel[0] else (89.0, 60.0)
    return max(int((width - 22.0) / 9.0), 3) if which == "x" else max(int((height - 14.0) / 7.0), 3)
