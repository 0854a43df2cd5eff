"""An export ready to run: its whole-signal program and, if it streams, its step; numpy arrays in and out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

State = tuple[np.ndarray, ...]
Offline = Callable[[np.ndarray, np.ndarray], np.ndarray]
Begin = Callable[[], State]
Step = Callable[[State, np.ndarray, np.ndarray], tuple[State, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Runtime:
    """The programs of an export.

    Attributes:
        about: the content of model.json.
        offline: (emg float32 [B, T, channels], valid bool [B, T]) -> natural-log probabilities float32 [B, T /
            frame_samples, classes]; T is a multiple of about["frame_samples"].
        begin: the state before the first sample; None: the decoder does not stream.
        step: (state, emg float32 [1, frame_samples, channels], valid bool [1, frame_samples]) -> (state, log
            probabilities float32 [1, 1, classes]); None: the decoder does not stream.
        samples: the only T that `offline` takes, with B 1; None: any.
    """

    about: dict[str, Any]
    offline: Offline
    begin: Begin | None = None
    step: Step | None = None
    samples: int | None = None

    @property
    def streams(self) -> bool:
        """Whether it has a step."""
        return self.step is not None
