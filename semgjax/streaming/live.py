"""Live decoding: a source's samples through a network to text, and every part of it to the listeners."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Update:
    """What a part of the signal added to a running text.

    The text so far is every `committed`, joined as they are, and then this `tentative`.

    Attributes:
        seconds: of signal since the start of the stream, lost samples too.
        emg_TxC: samples since the last update, float32 at the decoder's rate, NaN where they were lost.
        committed: what became final since the last update: no later sample changes it. Often empty.
        tentative: what follows all that is final, as it stands now; the next update replaces it.
        latency_ms: from the arrival of the newest sample of the newest frame to this update; NaN if no frame ended.
        dropped: samples lost so far.
    """

    seconds: float
    emg_TxC: np.ndarray
    committed: str
    tentative: str
    latency_ms: float
    dropped: int


Listener = Callable[[Update], None]
