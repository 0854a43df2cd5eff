"""Several teachers at once: whether their spikes lie at the same frames, without which their mean has none."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.data.batching.batches import session_chunks
from semgjax.data.sessions import Session
from semgjax.distilling.teachers import Teacher
from semgjax.errors import InputError
from semgjax.evaluate.stitched import make_forward
from semgjax.losses.align import at_student_frames
from semgjax.losses.diagnostics import REACH, Read, read, symbol_offsets
from semgjax.training.criterion import valid_frames
from semgjax.training.run_config import RunConfig

NEAR = 1
"""frames by which the same spike of two teachers may differ"""
REFUSED, DOUBTED = 0.5, 0.8
"""shares of common symbols within NEAR frames: less is refused, less is warned of"""
FEWEST = 20
"""symbols of two teachers together that a share is taken of"""
_SESSIONS, _WINDOWS = 8, 16


@dataclass(frozen=True)
class Agreement:
    """How two teachers' symbols lie to each other, both ways: each one's that the other has too, and how far away.

    Attributes:
        symbols: of both teachers.
        common: those of which the other has one of the same class within REACH frames.
        near: those of which it lies within NEAR frames.
    """

    symbols: int
    common: int
    near: int


def agreement(one: Read, other: Read) -> Agreement:
    """Count two decoders' symbols at the same frames (`semgjax.losses.diagnostics`)."""
    counts = [np.asarray(symbol_offsets(*pair)) for pair in ((one, other), (other, one))]
    symbols = int(one.starts.sum() + other.starts.sum())
    near = slice(REACH - NEAR, REACH + NEAR + 1)
    return Agreement(symbols, int(sum(c.sum() for c in counts)), int(sum(c[near].sum() for c in counts)))


def check_aligned(config: RunConfig, teachers: Sequence[Teacher], sessions: Sequence[Session]) -> tuple[str, ...]:
    """Check that teachers spike at the same frames, on some windows of training sessions; warnings, one line each.

    CTC teachers that were trained alone may put the same key at different frames. Their mean then has spikes of half
    the height, or none: spike times of CTC are arbitrary (Kurata and Audhkhasi 2019, abstract).

    Args:
        config: the student's run.

    Raises:
        InputError: of the symbols that two teachers share, fewer than REFUSED lie within NEAR frames ("conflict").
    """
    chosen = sessions[:: max(1, len(sessions) // _SESSIONS)][:_SESSIONS]
    chunks = [next(session_chunks(session, config.window, _WINDOWS)) for session in chosen]
    outputs = [_outputs(config, one, chunks) for one in teachers]
    warnings = []
    for (first, one), (second, other) in itertools.combinations(zip(teachers, outputs, strict=True), 2):
        who = f"teachers {first.config.hash[:16]} and {second.config.hash[:16]}"
        pairs = [agreement(*pair) for pair in zip(one, other, strict=True)]
        symbols, common, near = (sum(getattr(p, name) for p in pairs) for name in ("symbols", "common", "near"))
        if symbols < FEWEST or not common:
            warnings.append(
                f"{who} have {common} of {symbols} symbols in common: too few to tell if they lie at the same frames"
            )
            continue
        said = f"{who}: {near / common:.0%} of their {common} common symbols lie within {NEAR} frame"
        if near / common < REFUSED:
            raise InputError(
                f"{said}, so that the mean of their outputs would have no spikes; train one with the other as its "
                "teacher and --guide, or use one alone",
                "conflict",
            )
        if near / common < DOUBTED:
            warnings.append(f"{said}: the mean of their outputs has low spikes there")
    return tuple(warnings)


def _outputs(config: RunConfig, teacher: Teacher, chunks: Sequence[dict[str, np.ndarray]]) -> list[Read]:
    """What a teacher says in these windows, at the student's frames."""
    forward = make_forward(teacher.config.model, config.window)
    frames = config.window.length // config.model.stride
    found = []
    for chunk in chunks:
        batch = {"valid": jnp.asarray(chunk["valid"])}
        emg = jnp.asarray(chunk["emg"]).astype(config.train.compute)
        logits = at_student_frames(forward(teacher.params, emg, batch["valid"]), frames)
        found.append(jax.device_get(read(logits, valid_frames(config, batch, (teacher.config.model,)))))
    return found
