"""Forearm muscles under a ring of 16 electrodes: the muscles that a key needs and the electrodes that pick them up."""

from dataclasses import dataclass

import numpy as np

from semgjax.data.simulate.typist import INDEX, MIDDLE, PINKY, RING, THUMB, Place

ELECTRODES = 16
HANDS = 2

# Muscle parts in order round the ring. Flexors lie on the palm side, extensors on the back with the fingers
# in the opposite order; the shared ones lift (up), lower (down) and swing (in, out) the wrist.
(
    FLEX_INDEX,
    FLEX_MIDDLE,
    FLEX_RING,
    FLEX_PINKY,
    DOWN,
    OUT,
    LIFT_PINKY,
    LIFT_RING,
    LIFT_MIDDLE,
    LIFT_INDEX,
    UP,
    IN,
    THUMB_PART,
) = range(13)
MUSCLES = 13
# Places on the ring in electrodes. Two gaps (the edge of the ulna and the radial side, where there are only tendons)
# mark the rotation of the ring.
_POSITIONS = (0.0, 1.15, 2.3, 3.45, 4.6, 5.7, 7.6, 8.75, 9.9, 11.05, 12.2, 13.3, 14.4)
_FLEXORS = {INDEX: FLEX_INDEX, MIDDLE: FLEX_MIDDLE, RING: FLEX_RING, PINKY: FLEX_PINKY}
_LIFTERS = {INDEX: LIFT_INDEX, MIDDLE: LIFT_MIDDLE, RING: LIFT_RING, PINKY: LIFT_PINKY}


@dataclass(frozen=True)
class AnatomySettings:
    """How much users and sessions differ; widths and shifts in electrodes (1 electrode = 22.5 degrees).

    Smaller variation, a narrower spread and more drive for rows and columns make the corpus easier to learn.
    """

    spread: float = 0.75  # width (standard deviation) of the bell with which a muscle is heard round the ring
    spread_variation: float = 0.10  # log-normal sigma over a user's muscles
    crosstalk: float = 0.02  # part of every muscle heard at every electrode
    user_rotation: float = 0.25  # sigma of a user's ring rotation, per wrist
    muscle_shift: float = 0.10  # sigma of each muscle's own shift
    muscle_gain: float = 0.20  # log-normal sigma of each muscle's strength
    user_gain: float = 0.15  # log-normal sigma of a user's overall strength
    coordination: float = 0.12  # log-normal sigma of a user's mix of muscles, per finger and direction
    session_rotation: float = 0.15  # sigma of the rotation when the band is put on again, per wrist
    electrode_gain: float = 0.10  # log-normal sigma of each electrode's contact, per session
    row_up: float = 0.65  # drive of UP per row above home
    row_down: float = 0.95  # drive of DOWN for the lower row
    column_in: float = 0.90  # drive of IN per column
    column_out: float = 0.70  # drive of OUT for the first column; further ones add less
    thumb: float = 1.2  # drive of the thumb's own part for the space bar
    band: tuple[float, float] = (120.0, 220.0)  # upper edge of a muscle's spectrum in Hz, range over muscles


ANATOMY = AnatomySettings()


@dataclass(frozen=True)
class Anatomy:
    """One user. Arrays have a leading axis of two hands (left, right).

    position, spread: float[2, MUSCLES] in electrodes; gain: float[2, MUSCLES]; band: float[2, MUSCLES], upper
    edge of the spectrum in Hz; coordination: float[2, 5 fingers, MUSCLES], factors on the mix of each finger.
    """

    position: np.ndarray
    spread: np.ndarray
    gain: np.ndarray
    band: np.ndarray
    coordination: np.ndarray


def _bounded_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal draws clipped at two sigma: an experimenter would correct a band that is rotated further."""
    return np.clip(rng.standard_normal(shape), -2.0, 2.0)


def draw_anatomy(rng: np.random.Generator, settings: AnatomySettings = ANATOMY) -> Anatomy:
    """The anatomy of one user. Both bands number their electrodes so that muscle k sits at the same place."""
    rotation = settings.user_rotation * _bounded_normal(rng, (HANDS, 1))
    shift = settings.muscle_shift * _bounded_normal(rng, (HANDS, MUSCLES))
    strength = settings.user_gain * rng.standard_normal()
    return Anatomy(
        position=np.array(_POSITIONS) + rotation + shift,
        spread=settings.spread * np.exp(settings.spread_variation * rng.standard_normal((HANDS, MUSCLES))),
        gain=np.exp(strength + settings.muscle_gain * rng.standard_normal((HANDS, MUSCLES))),
        band=rng.uniform(*settings.band, size=(HANDS, MUSCLES)),
        coordination=np.exp(settings.coordination * rng.standard_normal((HANDS, 5, MUSCLES))),
    )


def muscle_mix(place: Place, anatomy: Anatomy, settings: AnatomySettings = ANATOMY) -> np.ndarray:
    """Drive of each muscle of the striking hand for a key at `place`: float[MUSCLES], about 1 at most."""
    mix = np.zeros(MUSCLES)
    if place.finger == THUMB:
        mix[THUMB_PART] = settings.thumb
        return mix * anatomy.coordination[place.hand, THUMB]
    # A stretched finger (upper rows) works its extensor, a curled one (lower row) its flexor.
    mix[_FLEXORS[place.finger]] = {-1: 1.15, 0: 1.0, 1: 0.75, 2: 0.6}[place.row]
    mix[_LIFTERS[place.finger]] = {-1: 0.15, 0: 0.35, 1: 0.75, 2: 0.9}[place.row]
    mix[UP] = settings.row_up * max(place.row, 0)
    mix[DOWN] = settings.row_down * max(-place.row, 0)
    mix[IN] = settings.column_in * max(place.column, 0)
    mix[OUT] = settings.column_out * max(-place.column, 0) ** 0.8
    return mix * anatomy.coordination[place.hand, place.finger]


def electrode_weights(anatomy: Anatomy, rng: np.random.Generator, settings: AnatomySettings = ANATOMY) -> np.ndarray:
    """Gain of each muscle at each electrode in one session: float32[2, MUSCLES, 16].

    `rng` draws how the bands sit this time: a rotation per wrist and a contact gain per electrode.
    """
    rotation = settings.session_rotation * _bounded_normal(rng, (HANDS, 1))
    contact = np.exp(settings.electrode_gain * rng.standard_normal((HANDS, 1, ELECTRODES)))
    return heard(anatomy, rotation, contact, settings.crosstalk)


def heard(anatomy: Anatomy, rotation: np.ndarray, contact: np.ndarray, crosstalk: float) -> np.ndarray:
    """Gain of each muscle at each electrode of bands turned by `rotation`: float32[2, MUSCLES, 16].

    rotation: float[2, 1] in electrodes; contact: float[2, 1, 16], the gain of each electrode.
    """
    away = np.arange(ELECTRODES) - (anatomy.position + rotation)[..., None]
    away = (away + ELECTRODES / 2) % ELECTRODES - ELECTRODES / 2  # shortest way round the ring
    bell = np.exp(-0.5 * (away / anatomy.spread[..., None]) ** 2) + crosstalk
    return (bell * anatomy.gain[..., None] * contact).astype(np.float32)
