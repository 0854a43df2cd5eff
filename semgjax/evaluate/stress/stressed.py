"""A session with its signal made worse by a kind of stress at a level, the same on every machine and in every order."""

import hashlib
import math
from dataclasses import replace

import numpy as np

from semgjax.data.band import Band
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.evaluate.stress.kinds import Kind


def check_level(kind: Kind, level: float, band: Band) -> None:
    """Check a level that a user gives.

    Raises:
        InputError: it is NaN or infinite ("not-finite"), out of range, not whole where it must be, or not one that
            the band can take ("bad-value").
    """
    if level == kind.clean:
        return
    if not math.isfinite(level):
        raise InputError(f"stress {kind.name}: level {level} is not finite; give a number", "not-finite")
    if not kind.least <= level <= kind.most or (kind.whole and level != int(level)):
        whole = "a whole number " if kind.whole else ""
        raise InputError(
            f"stress {kind.name}: level {level:g} ({kind.axis}): give {whole}from {kind.least:g} to {kind.most:g}",
            "bad-value",
        )
    if why := kind.misfit(band, level):
        raise InputError(f"stress {kind.name}: level {level:g}: {why}; give a smaller one", "bad-value")


def stressed(session: Session, emg_TxC: np.ndarray, kind: Kind, level: float, seed: int = 0) -> Session:
    """The session with its signal made worse; at the clean level the session itself.

    The random numbers depend on seed, session and kind alone: two levels share them, so that a curve over levels shows
    the level and not another draw.

    Args:
        emg_TxC: the session's whole signal, float32 [T, C]; it is left as it is.
        seed: of all random numbers.

    Raises:
        InputError: as `check_level`; the rings do not add up to the channels ("channel-count"); the session is shorter
            than the change needs, as an anti-alias filter does ("bad-value").
    """
    band = session.band
    if sum(band.rings) != emg_TxC.shape[1]:
        raise InputError(
            f"session {session.name}: rings of {band.rings} electrodes and {emg_TxC.shape[1]} channels; ingest it with "
            "the right rings",
            "channel-count",
        )
    check_level(kind, level, band)
    if level == kind.clean:
        return session
    if len(emg_TxC) < kind.needs(level):
        raise InputError(
            f"session {session.name}: has {len(emg_TxC)} samples, and stress {kind.name} at {level:g} needs "
            f"{kind.needs(level)}; leave the session or the kind out",
            "bad-value",
        )
    changed_TxC = kind.change(emg_TxC, band, level, generator_of(seed, session.name, kind.name))
    return replace(session, array=changed_TxC, stored=None)


def generator_of(seed: int, session: str, kind: str) -> np.random.Generator:
    """Random numbers of a session under a kind of stress, the same on every machine."""
    digest = hashlib.sha256(f"{seed}\n{kind}\n{session}".encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))
