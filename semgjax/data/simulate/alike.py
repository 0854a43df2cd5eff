"""People who are nearly alike: touch typists with one anatomy and little variation between them."""

from functools import partial

import numpy as np

from semgjax.data.simulate.anatomy import (
    ELECTRODES,
    HANDS,
    MUSCLES,
    Anatomy,
    draw_anatomy,
    electrode_weights,
    muscle_mix,
)
from semgjax.data.simulate.person import Person, Wearing, struck_places
from semgjax.data.simulate.signal_settings import SIGNAL, Disturbance
from semgjax.data.simulate.typist import draw_habits
from semgjax.data.simulate.vocabulary import SMALL


def draw_person(anatomy_rng: np.random.Generator, habits_rng: np.random.Generator) -> Person:
    """A touch typist whose anatomy varies by AnatomySettings."""
    anatomy, habits = draw_anatomy(anatomy_rng), draw_habits(habits_rng)
    return Person(
        habits=habits,
        words=SMALL,
        anatomy=anatomy,
        drives={place: muscle_mix(place, anatomy) for place in struck_places(habits)},
        resting=np.full((HANDS, MUSCLES), SIGNAL.resting, np.float32),
        bracing=None,
        signal=SIGNAL,
        wear=partial(_wear, anatomy),
    )


def _wear(anatomy: Anatomy, disturbance: Disturbance, rng: np.random.Generator) -> Wearing:
    """Bands that sit still for the whole session; noise and hum as the severity says."""
    weights = electrode_weights(anatomy, rng) * np.float32(SIGNAL.amplitude)
    weights *= rng.random((HANDS, 1, ELECTRODES)) >= disturbance.dead
    mixing = np.ascontiguousarray(weights.transpose(0, 2, 1))
    mains = 50.0 if rng.random() < 0.5 else 60.0
    return Wearing(
        begin=mixing,
        end=mixing,
        noise=np.full((HANDS, ELECTRODES, 1), disturbance.noise, np.float32),
        hum=(disturbance.hum * rng.random((HANDS, ELECTRODES, 1))).astype(np.float32),
        mains=mains,
        artefacts=disturbance.artefacts,
        artefact_size=disturbance.artefact_size,
    )
