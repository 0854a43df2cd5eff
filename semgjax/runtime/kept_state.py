"""What a stream keeps between frames: as model.json says it, checked against the program that takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.runtime.about import AGAIN, MODEL
from semgjax.runtime.runtimes import State

Shape = tuple[str, tuple[int, ...], str]
"""name, shape and type of an input"""


@dataclass(frozen=True)
class Kept:
    """The arrays of a stream's state.

    Attributes:
        parts: name, shape and type of each, in the order of the program's results.
        signal: those of the step's other inputs, emg and valid.
    """

    parts: tuple[Shape, ...]
    signal: tuple[Shape, ...]

    @property
    def names(self) -> list[str]:
        """Of the arrays."""
        return [name for name, _, _ in self.parts]

    def begin(self) -> State:
        """The state before the first sample."""
        return tuple(np.zeros(shape, kind) for _, shape, kind in self.parts)


def kept_state(about: dict[str, Any], folder: Path) -> Kept:
    """What the model.json of a decoder that streams says of its state and of a frame.

    Raises:
        InputError: it says nothing that can be ("bad-field").
    """
    try:
        parts = [(str(part["name"]), tuple(map(int, part["shape"])), str(part["dtype"])) for part in about["state"]]
        frame, channels = int(about["frame_samples"]), sum(map(int, about["band"]["rings"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / MODEL}: state, frame_samples or band: {error!r}; {AGAIN}", "bad-field") from None
    signal = (("emg", (1, frame, channels), "float32"), ("valid", (1, frame), "bool"))
    return Kept(tuple(parts), signal)


def check_step(kept: Kept, inputs: Sequence[Shape], path: Path) -> None:
    """See that a step program takes this state and a frame of this signal.

    Args:
        inputs: of the program, in any order.

    Raises:
        InputError: it is the step of another decoder ("changed").
    """
    described = [*kept.parts, *kept.signal]
    for ours, theirs, fault in ((described, inputs, "lacks"), (inputs, described, "has")):
        other = next((one for one in ours if one not in theirs), None)
        if other is not None:
            name, shape, kind = other
            raise InputError(
                f"{path}: is not the step that {MODEL} describes: it {fault} the input {name}, {kind} {list(shape)}; "
                f"{AGAIN}",
                "changed",
            )
