"""Events from labels of samples: a run of one class is an event, from its first to its last sample."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.tabular.block import Block
from semgjax.data.tabular.declaration import LabelsPart
from semgjax.errors import InputError


@dataclass(frozen=True)
class Event:
    """An event of a session.

    Attributes:
        label: number of its class.
        first: first sample at or after its start; `before`: last sample at or before it.
        last: its last sample, -1 if it is not known.
    """

    label: int
    first: int
    before: int
    last: int


def class_of(labels: LabelsPart, label: str, where: Callable[[], str]) -> int | None:
    """The number of a label's class; None for rest.

    Args:
        where: gives file and place of the label for a message; to count lines takes time.

    Raises:
        InputError: it is neither a class nor rest ("unknown-class").
    """
    if label in labels.names:
        return labels.classes.index(labels.names[label])
    if label in labels.rest:
        return None
    known = ", ".join([*labels.names, *labels.rest][:20])
    raise InputError(
        f"{where()} has label {label[:40]!r}, which is none of {known}; name it in labels.names or labels.rest of "
        "semgjax.toml",
        "unknown-class",
    )


class Runs:
    """Finds the runs in labels that come in blocks."""

    def __init__(self, labels: LabelsPart) -> None:
        self._labels = labels
        self._value: object = None
        self._class: int | None = None
        self._begun = self._samples = 0
        self.events: list[Event] = []

    def add(self, path: Path, block: Block, values: np.ndarray, start: int) -> None:
        """Samples `start` to the end of `values` of a block, right after those before them."""
        changes = np.flatnonzero(values[1:] != values[:-1]) + 1
        for at in (0, *changes.tolist()):
            value = values[at]
            if self._value is not None and value == self._value:
                continue
            self._value = value
            row = start + at
            found = class_of(
                self._labels,
                block.name_of(value),
                lambda row=row: f"{path}: {block.place_of(row)}",  # type: ignore[misc]
            )
            if found != self._class:
                self._close(self._samples + at)
                self._class = found
        self._samples += len(values)

    def end(self) -> None:
        """The part ends here: no run goes beyond it."""
        self._close(self._samples)
        self._value, self._class = None, None

    def _close(self, stop: int) -> None:
        if self._class is not None and stop > self._begun:
            self.events.append(Event(self._class, self._begun, self._begun, stop - 1))
        self._begun = stop
