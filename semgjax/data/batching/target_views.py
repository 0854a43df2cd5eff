"""Views: fixed augmentations of windows, for which a teacher's targets are kept, and how their numbers are stored.

A view's change depends on (session, window, view) alone, so that a student sees what the teacher saw.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from semgjax.data.batching.augment import AugmentConfig, Draw, draw
from semgjax.data.batching.change import fill_changed
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.files import content_hash

Kind = Literal["float16", "int8"]
_FLOOR = 16.0
"""int8 keeps log-probabilities down to -16 (probability 1e-7)"""
_LEAST_HALF = -6.0e4


@dataclass(frozen=True)
class TargetSpec:
    """What a cache holds: equal specs, equal targets.

    Attributes:
        teacher: identity (config hash) of the teacher's run.
        window, augment: of the student's run; the windows stay on the grid.
        views: differently augmented copies of each window.
        kind: type of the stored numbers.
        compute: number type of the teacher's forward pass.
        frames, classes: shape of one record, [T_core, K].
        delay: the student's emission delay in samples: the first frame is that much after the core's first sample.
        seed: of the views' random numbers.

    Raises:
        InputError: augmentation moves windows off the grid ("conflict"), or a number is out of range ("bad-value").
    """

    teacher: str
    window: WindowSpec
    augment: AugmentConfig
    views: int
    kind: Kind
    compute: str
    frames: int
    classes: int
    delay: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.augment.jitter:
            raise InputError("augment.jitter True moves windows, which a cache cannot follow; set it False", "conflict")
        if self.kind not in ("float16", "int8"):
            raise InputError(f"cache {self.kind!r} must be float16 or int8", "bad-value")
        for name, least in (("views", 1), ("frames", 1), ("classes", 1), ("delay", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"cache: {name} {getattr(self, name)} must be {least} or more", "bad-value")

    @property
    def key(self) -> str:
        """64 hex digits: equal for equal specs."""
        return content_hash(asdict(self))

    def folder(self, root: Path) -> Path:
        """The folder of these targets below `root`, the folder of all targets."""
        return root / self.teacher[:16] / self.key[:16]


def view_change(spec: TargetSpec, session: Session, window: int, view: int) -> Draw:
    """The changes of one view: a function of (the spec's seed, session, window, view) alone."""
    name = int(hashlib.sha256(session.name.encode()).hexdigest()[:16], 16)
    return draw(spec.augment, 0, np.random.default_rng((spec.seed, name, window, view)), session.band)


def pick_view(spec: TargetSpec, seed: int, place: int) -> int:
    """The view that a run of this seed reads for the row at a place among all rows of all steps."""
    return int(np.random.default_rng((seed, place)).integers(spec.views))


def fill_view(out_TxC: np.ndarray, spec: TargetSpec, session: Session, window: int, view: int) -> tuple[int, int, Draw]:
    """Read a view's signal into `out_TxC` [total, channels]: its first valid sample, the last + 1, and its changes.

    Raises:
        InputError: the session's file was removed or changed.
    """
    change = view_change(spec, session, window, view)
    start = window * spec.window.stride
    return *fill_changed(out_TxC, session, start, spec.window, spec.augment, change), change


def quantise(log_probs_TxK: np.ndarray, kind: Kind) -> np.ndarray:
    """Log-probabilities as they are stored: float16, or the root of -log p in 256 steps, fine where p is large."""
    if kind == "float16":
        return np.maximum(log_probs_TxK, _LEAST_HALF).astype(stored_type(kind))
    depth = np.clip(-log_probs_TxK, 0.0, _FLOOR) / _FLOOR
    return np.round(255.0 * np.sqrt(depth)).astype(np.uint8)


def stored_type(kind: Kind) -> np.dtype[Any]:
    """The type of a stored number."""
    return np.dtype("<f2" if kind == "float16" else np.uint8)


def dequantise(stored: Any, kind: Kind) -> Any:
    """Stored numbers (of numpy or JAX, any shape) as float32 log-probabilities; they sum to 1 up to rounding."""
    values = stored.astype(np.float32)
    return values if kind == "float16" else -_FLOOR * (values / 255.0) ** 2
