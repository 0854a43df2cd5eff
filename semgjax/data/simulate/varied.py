"""People who differ where real ones do: fingers, muscles, co-contraction, how the bands sit, speed and noise."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from semgjax.data.simulate.anatomy import (
    ELECTRODES,
    FLEX_INDEX,
    HANDS,
    LIFT_INDEX,
    LIFT_PINKY,
    MUSCLES,
    Anatomy,
    draw_anatomy,
    heard,
    muscle_mix,
)
from semgjax.data.simulate.person import Bracing, Person, Wearing, struck_places
from semgjax.data.simulate.personal_keys import crossed, own_fingers
from semgjax.data.simulate.signal_settings import SIGNAL, Disturbance, SignalSettings
from semgjax.data.simulate.typist import (
    INDEX,
    LEFT,
    MIDDLE,
    OTHER_HAND,
    PINKY,
    RIGHT,
    RING,
    SHIFT,
    Habits,
    Place,
    touch_typing,
)
from semgjax.data.simulate.vocabulary import BROAD

Array = np.ndarray


@dataclass(frozen=True)
class Variety:
    """How much people differ. Sigmas are log-normal unless said otherwise; tails are those of Student's t.

    Where a source is named the number follows its order of magnitude; "a guess" has none.
    """

    tails: float = 4.0
    """degrees of freedom of every heavy-tailed draw, which is cut at three scales; a guess"""

    touch_typists: float = 0.55
    """share who use the ten-finger system; Feit et al. (CHI 2016): 13 of 30 were trained in it, 17 were not"""
    one_finger: float = 0.08
    """share of the others with one finger of each hand, the rest use two or three; after the clusters of Feit 2016"""
    moved_keys: tuple[float, float] = (0.06, 0.2)
    """share of keys struck by the next finger: touch typists, others; a guess"""
    crossed_key: float = 0.25
    """chance that b, y or 6 is struck by the other hand, for each of the three; a guess"""
    border: float = 0.35
    """chance that a self-taught typist's hands meet one column off the middle; a guess"""
    left_thumb: float = 0.25
    """share who strike space with the left thumb; a guess"""
    one_shift: tuple[float, float] = (0.15, 0.6)
    """share who hold only the left shift key: touch typists, others; a guess"""
    rate: tuple[float, float] = (5.0, 4.3)
    """median keys a second: touch typists, others; Dhakal et al. (CHI 2018): 52 words a minute, 4.3 keys a second"""
    rate_spread: float = 0.2
    """of a person's rate, cut at 2 and 8 keys a second; Dhakal 2018: a standard deviation of 20 of 52 words a minute"""
    interval_spread: tuple[float, float] = (0.18, 0.36)
    """range over people of the sigma from key to key; a guess"""
    hold: float = 0.11
    """median seconds that a key is down; Dhakal 2018: 118 ms. It outlasts the interval in fast typists: rollover"""
    hold_spread: float = 0.22
    """of a person's hold, cut at 60 and 190 ms; a guess"""
    slips: tuple[float, float] = (0.005, 0.035)
    """range over people of slips per letter; Dhakal 2018: 1.2 % errors left, 6.3 % corrected keys on average"""

    strategy: float = 0.4
    """of a person's use of wrist against fingers for rows and columns, per hand and muscle; a guess"""
    coordination: float = 0.4
    """of the mix of muscles of each finger, per person; a guess"""
    key_habit: float = 0.4
    """of the mix of muscles of each single key, per person; a guess"""
    enslaving: float = 0.15
    """median share of a finger's force that its neighbours' muscles produce; Zatsiorsky et al. 2000: 0.1 to 0.5"""
    enslaving_spread: float = 0.5
    """of that share; a guess"""
    bracing: float = 0.10
    """median co-contraction, as a share of the press's own drive, spread over wrist and fingers; a guess"""
    bracing_spread: float = 0.8
    """of that share: a few people type with stiff wrists; a guess"""
    bracing_lead: tuple[float, float] = (-0.02, 0.06)
    """range over people of the seconds by which it is ahead of the press's own drive; a guess"""
    bracing_length: tuple[float, float] = (0.12, 0.3)
    """range over people of its seconds; a guess"""
    tone: float = 0.03
    """median drive of a muscle at rest, per person and muscle with `bracing_spread`; as for people alike"""
    delay: float = 0.15
    """of the time by which activity is ahead of the key (85 ms) and outlasts it; Cavanagh & Komi 1979: about 50 ms"""
    force: tuple[float, float] = (0.08, 0.25)
    """range over people of the sigma of a press's strength; a guess"""
    looseness: tuple[float, float] = (0.06, 0.16)
    """range over people of the sigma of each muscle's share in a press; a guess"""

    shift: float = 0.5
    """scale of a muscle's own shift round the arm, electrodes; a guess"""
    ring_size: float = 0.07
    """of the angle that an electrode spans, as one ring serves thin and thick arms; a guess after wrist girths"""
    turn: float = 0.6
    """scale of a person's habitual rotation of each band, electrodes, cut at 1.5; a guess"""
    depth: float = 0.3
    """of each muscle's depth under the skin; a guess"""
    fat: float = 0.35
    """of the fat layer; Kuiken et al. 2003: 3 to 18 mm of fat lower and spread the surface signal"""
    fat_side: float = 0.3
    """largest share by which fat is thicker on one side of the arm; a guess"""
    muscle_gain: float = 0.35
    """of each muscle's strength; a guess"""
    user_gain: float = 0.35
    """of a person's overall strength; a guess"""
    spectrum: float = 0.2
    """of the upper edge of a person's motor-unit spectra; Farina et al. 2004: it depends on fibre speed and depth"""
    crosstalk: tuple[float, float] = (0.01, 0.05)
    """range over people of the part of every muscle that is heard everywhere; a guess"""

    donning_turn: float = 0.25
    """scale of the rotation each time a band is put on, electrodes, heavy-tailed"""
    donning_limit: float = 2.0
    """largest rotation of a donning, electrodes; emg2qwerty's own augmentation rolls by one"""
    posture: float = 0.1
    """of each muscle's strength from session to session, as the arm lies otherwise; a guess"""
    electrode_gain: float = 0.12
    """of each electrode's contact in a session, heavy-tailed; a guess"""
    loose: float = 0.2
    """share of donnings in which one side of one band is loose; a guess"""
    loose_loss: tuple[float, float] = (0.3, 0.8)
    """range of the signal lost in the middle of the loose side; a guess"""
    loose_noise: float = 3.0
    """electrode noise there grows by up to this factor of itself; a guess"""
    drift_turn: float = 0.12
    """scale of the rotation from a session's start to its end, electrodes; a guess"""
    drift_gain: float = 0.08
    """of each muscle's and each electrode's gain from start to end: fatigue, sweat; a guess"""
    noise_spread: float = 0.4
    """of electrode noise, per electrode; a guess"""
    hum_spread: float = 0.7
    """of mains hum, per person; a guess"""
    hum_ridden: float = 0.08
    """share of people with `hum_factor` times the hum; in recordings of 41 people six had it"""
    hum_factor: float = 8.0
    """see `hum_ridden`; a guess"""
    motion_spread: float = 0.8
    """of the rate of motion artefacts, per person; a guess"""


VARIETY = Variety()


@dataclass(frozen=True)
class Donning:
    """What of putting the bands on belongs to the person: turns are sigmas in electrodes, the others are factors."""

    turn: float
    hum: float
    motion: float
    crosstalk: float


def draw_person(
    anatomy_rng: np.random.Generator, habits_rng: np.random.Generator, variety: Variety = VARIETY
) -> Person:
    """One person; the two generators draw the arm and the typing."""
    rng, v = anatomy_rng, variety
    habits = draw_habits(habits_rng, v)
    anatomy = _anatomy(rng, v)
    donning = Donning(
        turn=v.donning_turn * float(np.exp(0.4 * heavy(rng, v))),
        hum=float(np.exp(v.hum_spread * heavy(rng, v))) * (v.hum_factor if rng.random() < v.hum_ridden else 1.0),
        motion=float(np.exp(v.motion_spread * heavy(rng, v))),
        crosstalk=float(rng.uniform(*v.crosstalk)),
    )
    return Person(
        habits=habits,
        words=BROAD,
        anatomy=anatomy,
        drives=_drives(rng, habits, anatomy, v),
        resting=(v.tone * np.exp(v.bracing_spread * heavy(rng, v, (HANDS, MUSCLES)))).astype(np.float32),
        bracing=_bracing(rng, v),
        signal=_signal(rng, v),
        wear=partial(_wear, anatomy, donning, v),
    )


def heavy(rng: np.random.Generator, variety: Variety, shape: tuple[int, ...] = ()) -> Array:
    """Student's t draws of about unit scale, cut at three: mostly small, sometimes large."""
    return np.clip(rng.standard_t(variety.tails, shape), -3.0, 3.0) * 0.8


def draw_habits(rng: np.random.Generator, variety: Variety = VARIETY) -> Habits:
    """How one person types: the fingers of the keys, the shift keys, speed and rollover."""
    v = variety
    touch = rng.random() < v.touch_typists
    group = 0 if touch else 1
    keys = touch_typing(LEFT if rng.random() < v.left_thumb else RIGHT)
    places = sorted(set(keys.values()), key=lambda p: (p.hand, p.finger, p.row, p.column))
    moved = frozenset(place for place in places if rng.random() < v.moved_keys[group])
    border = 5
    fingers: tuple[tuple[int, ...], tuple[int, ...]] = ((INDEX, MIDDLE, RING, PINKY), (INDEX, MIDDLE, RING, PINKY))
    if not touch:
        one = rng.random() < v.one_finger
        left, right = (1, 1) if one else (int(rng.integers(2, 4)), int(rng.integers(2, 4)))
        fingers = (fingers[0][:left], fingers[1][:right])
        if rng.random() < v.border:
            border += 1 if rng.random() < 0.5 else -1
    keys = own_fingers(keys, fingers, border, moved)
    keys = crossed(keys, "".join(key for key in "by6" if rng.random() < v.crossed_key))
    rate = np.clip(v.rate[group] * np.exp(v.rate_spread * heavy(rng, v)), 2.0, 8.0)
    return Habits(
        interval=float(1.0 / rate),
        spread=float(rng.uniform(*v.interval_spread)),
        hold=float(np.clip(v.hold * np.exp(v.hold_spread * heavy(rng, v)), 0.06, 0.19)),
        slip_rate=float(rng.uniform(*v.slips)),
        keys=keys,
        shift=(SHIFT[LEFT], SHIFT[LEFT]) if rng.random() < v.one_shift[group] else OTHER_HAND,
    )


def _anatomy(rng: np.random.Generator, v: Variety) -> Anatomy:
    """Muscles under both bands: where, how deep, how strong."""
    base = draw_anatomy(rng)  # its small variation stays, and what differs between these people is added
    shape = (HANDS, MUSCLES)
    size = np.clip(np.exp(v.ring_size * heavy(rng, v, (HANDS, 1))), 0.85, 1.12)
    turn = np.clip(v.turn * heavy(rng, v, (HANDS, 1)), -1.5, 1.5)
    position = base.position * size + turn + v.shift * heavy(rng, v, shape)
    angle = 2 * np.pi * position / ELECTRODES
    side = v.fat_side * rng.random() * np.cos(angle - rng.uniform(0.0, 2 * np.pi))
    layer = np.exp(v.fat * heavy(rng, v)) * (1.0 + side)
    # A signal from deeper down is weaker, wider and lower in frequency: the tissue between acts as a low-pass in
    # space and in time (Farina et al. 2004).
    depth = 0.6 * np.exp(v.depth * heavy(rng, v, shape)) + 0.4 * layer
    strength = v.user_gain * heavy(rng, v) + v.muscle_gain * heavy(rng, v, shape)
    spectrum = np.exp(v.spectrum * heavy(rng, v))
    return replace(
        base,
        position=position,
        spread=base.spread * depth**0.7,
        gain=base.gain * np.exp(strength) / depth,
        band=np.clip(base.band * spectrum * depth**-0.3, 70.0, 400.0),
        coordination=base.coordination * np.exp(v.coordination * heavy(rng, v, (HANDS, 5, MUSCLES))),
    )


def _drives(rng: np.random.Generator, habits: Habits, anatomy: Anatomy, v: Variety) -> dict[Place, Array]:
    """Drive of the striking hand's muscles for every key of the person."""
    strategy = np.exp(v.strategy * heavy(rng, v, (HANDS, MUSCLES)))
    share = np.minimum(v.enslaving * np.exp(v.enslaving_spread * heavy(rng, v, (2,))), 0.6)
    drives = {}
    for place in sorted(struck_places(habits), key=lambda p: (p.hand, p.finger, p.row, p.column)):
        mix = muscle_mix(place, anatomy) * strategy[place.hand]
        for first, part in ((FLEX_INDEX, share[0]), (LIFT_PINKY, share[1])):
            four = mix[first : first + 4].copy()
            mix[first : first + 3] += part * four[1:]
            mix[first + 1 : first + 4] += part * four[:-1]
        drives[place] = mix * np.exp(v.key_habit * heavy(rng, v, (MUSCLES,)))
    return drives


def _bracing(rng: np.random.Generator, v: Variety) -> Bracing:
    """Co-contraction of a person: a mix for each hand that sums to its strength."""
    strength = min(v.bracing * float(np.exp(v.bracing_spread * heavy(rng, v))), 0.6)
    mix = np.exp(0.8 * heavy(rng, v, (HANDS, MUSCLES)))
    mix[:, LIFT_PINKY : LIFT_INDEX + 2] *= 2.0  # extensors of fingers and wrist hold the hand above the keys
    mix *= strength / mix.sum(axis=1, keepdims=True)
    return Bracing(mix, float(rng.uniform(*v.bracing_lead)), float(rng.uniform(*v.bracing_length)))


def _signal(rng: np.random.Generator, v: Variety) -> SignalSettings:
    """Times and variation of a person's presses."""
    early, late = np.exp(v.delay * heavy(rng, v, (2,)))
    return replace(
        SIGNAL,
        rise=float(np.clip(SIGNAL.rise * early, 0.05, 0.13)),
        fall=float(np.clip(SIGNAL.fall * late, 0.025, 0.08)),
        held=float(rng.uniform(0.15, 0.4)),
        force=float(rng.uniform(*v.force)),
        looseness=float(rng.uniform(*v.looseness)),
    )


def _wear(
    anatomy: Anatomy, donning: Donning, v: Variety, disturbance: Disturbance, rng: np.random.Generator
) -> Wearing:
    """One session: both bands turned anew, perhaps loose on one side, drifting until its end."""
    limit = v.donning_limit
    turn = np.clip(donning.turn * heavy(rng, v, (HANDS, 1)), -limit, limit)
    contact = np.exp(v.electrode_gain * heavy(rng, v, (HANDS, 1, ELECTRODES)))
    contact *= rng.random((HANDS, 1, ELECTRODES)) >= disturbance.dead
    noise = disturbance.noise * np.exp(v.noise_spread * heavy(rng, v, (HANDS, ELECTRODES, 1)))
    if rng.random() < v.loose:
        hand, middle = int(rng.integers(HANDS)), rng.uniform(0.0, ELECTRODES)
        away = np.abs((np.arange(ELECTRODES) - middle + ELECTRODES / 2) % ELECTRODES - ELECTRODES / 2)
        lift = np.where(away < 3.0, 0.5 + 0.5 * np.cos(np.pi * away / 3.0), 0.0)
        contact[hand, 0] *= 1.0 - rng.uniform(*v.loose_loss) * lift
        noise[hand, :, 0] *= 1.0 + v.loose_noise * lift
    posture = np.exp(v.posture * heavy(rng, v, (HANDS, MUSCLES, 1)))
    drift = v.drift_turn * heavy(rng, v, (HANDS, 1))
    tired = np.exp(v.drift_gain * heavy(rng, v, (HANDS, MUSCLES, 1)))
    sweat = np.exp(v.drift_gain * heavy(rng, v, (HANDS, 1, ELECTRODES)))
    begin = posture * heard(anatomy, turn, contact, donning.crosstalk)
    end = posture * tired * heard(anatomy, turn + drift, contact * sweat, donning.crosstalk)
    first, last = (
        np.ascontiguousarray((SIGNAL.amplitude * gains).transpose(0, 2, 1), np.float32) for gains in (begin, end)
    )
    return Wearing(
        begin=first,
        end=last,
        noise=noise.astype(np.float32),
        hum=(disturbance.hum * donning.hum * rng.random((HANDS, ELECTRODES, 1))).astype(np.float32),
        mains=50.0 if rng.random() < 0.5 else 60.0,
        artefacts=disturbance.artefacts * donning.motion,
        artefact_size=disturbance.artefact_size,
    )
