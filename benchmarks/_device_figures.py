"""What the device kit writes down: figures with their spread and bound, and the outcome of each check."""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NETWORKS = ("tiny", "small", "large", "ladder-64", "keys-64", "gesture-64", "tds")
SIZES = ("tiny", "small", "large")
SMALL = "ladder-16"
"""the network of the small form"""


def check_names(small: bool) -> tuple[str, ...]:
    """Every check in the kit's order, by part; a network is a check of its own, for compiling it takes minutes."""
    networks, sizes = ((SMALL,), (SMALL,)) if small else (NETWORKS, SIZES)
    return (
        "parity.ctc",
        "parity.attention",
        *(f"parity.network.{name}" for name in networks),
        *(f"parity.{name}" for name in ("remat", "resume", "devices")),
        *(f"speed.step.{name}" for name in sizes),
        *(f"speed.torch.{name}" for name in sizes),
        *(f"speed.{name}" for name in ("attention", "ctc", "torch_ctc", "feed", "packed", "compile", "distill")),
        *(f"run.{name}" for name in ("train", "distill", "sweep")),
    )


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        key: what was measured, such as "large.bfloat16.logits".
        value: the number, a median where there are several measurements.
        unit: its unit; "" for a ratio or a relative difference.
        bound: largest value that holds; None for a speed, which is only reported.
        low, high: the smallest and the largest measurement; None of a single one.
        note: what a reader must know to trust it.
    """

    key: str
    value: float
    unit: str = ""
    bound: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is finite and within its bound."""
        return math.isfinite(self.value) and (self.bound is None or self.value <= self.bound)


class Absent(Exception):
    """What a check needs is not here; the message says what. The kit reports the check as skipped."""


@dataclass(frozen=True)
class Outcome:
    """What became of one check.

    Attributes:
        item: its name, such as "parity.ctc".
        status: measured, skipped (it needs what is absent) or broken (it raised, crashed or ran out of time).
        reason: why it was skipped or broke; "" when it was measured.
        seconds: wall time, start of its process included.
    """

    item: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    figures: tuple[Figure, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing broke and no figure is beyond its bound."""
        return self.status != "broken" and all(figure.holds for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        """JSON values; numbers that are not finite as text, which JSON has no numbers for."""
        body = dataclasses.asdict(self)
        for row, figure in zip(body["figures"], self.figures, strict=True):
            row["holds"] = figure.holds
            if not math.isfinite(figure.value):
                row["value"] = str(figure.value)
        return body


def outcome_of(body: dict[str, Any]) -> Outcome:
    """The reverse of `Outcome.as_json`."""
    rows = ({k: v for k, v in row.items() if k != "holds"} for row in body["figures"])
    figures = tuple(Figure(**{**row, "value": float(row["value"])}) for row in rows)
    return Outcome(body["item"], body["status"], body["reason"], body["seconds"], figures)


def spread(key: str, values: Sequence[float], unit: str, note: str = "") -> Figure:
    """Median, smallest and largest of several measurements."""
    return Figure(key, statistics.median(values), unit, low=min(values), high=max(values), note=note)
