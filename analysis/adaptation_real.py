"""Adapts the discriminant to real people: the band's turn without labels, and a few labelled events of each class."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from analysis.adaptation_plan import Design, Piece, Where
from analysis.discriminant import Discriminant, Frames, frames_of, read_events, turned
from analysis.event_choice import choose_events, keep_events
from analysis.people_plan import Draw, draw_people
from analysis.people_training import TURNS, Bands, People, align_bands
from semgjax.data.splitting.splits import draw_key
from semgjax.evaluate.error_rates import Counts, count_errors

TRAINED = 28
"""training people of a fold"""
ORDERS = 2
"""spliced sessions of a recorded session that are trained on, and tested on"""


@dataclass(frozen=True, eq=False)
class Fold:
    """Test people of a fold, and the discriminant of the others, turned to each other with their labels."""

    design: Design
    people: People
    draw: Draw
    bands: Bands

    def frames(self, person: str, place: int) -> list[Frames]:
        """Spliced sessions of a person's recorded session."""
        return list(self.bands.frames[sorted(self.people.orders[person])[place]])

    def turn(self, person: str, place: int) -> int:
        """Of a recorded session, found without labels."""
        return self.bands.test[sorted(self.people.orders[person])[place]]


def load_fold(people: People, number: int, design: Design) -> Fold:
    """Train the discriminant of a fold."""
    draw = draw_people(people.names, number, design.folds, 0, TRAINED)
    train = [s for person in draw.order for orders in people.orders[person].values() for s in orders[:ORDERS]]
    test = {origin: orders[:ORDERS] for person in draw.test for origin, orders in people.orders[person].items()}
    return Fold(design, people, draw, align_bands(train, test, people.band.num_classes - 1))


def real_errors(fold: Fold, piece: Piece) -> dict[Where, Counts]:
    """Edit operations of a method for one person, adapted on each recorded session in turn, and tested on both."""
    found: dict[Where, Counts] = {"other": Counts(), "same": Counts()}
    for day in (0, 1):
        for place in (0, 1):
            where: Where = "same" if place == day else "other"
            model, turn = _adapted(fold, piece, day, place)
            for frames in fold.frames(piece.person, place):
                found[where] += count_errors(frames.labels, read_events(model, frames, turn))
    return found


def _adapted(fold: Fold, piece: Piece, day: int, place: int) -> tuple[Discriminant, int]:
    """Discriminant and turn for the session `place`, of a method that has seen the session `day`."""
    model, person, method = fold.bands.aligned, piece.person, piece.method
    if method == "nothing":
        return model, 0
    if method == "turn":
        return model, fold.turn(person, day)
    if method == "turn-random":
        key = draw_key(day, "random turn", person)
        return model, TURNS[int(key, 16) % len(TURNS)]
    if method == "turn-other":
        tested = fold.draw.test
        return model, fold.turn(tested[(tested.index(person) + 1) % len(tested)], day)
    _, count, *random = method.split("-")
    return calibrated(fold, person, day, int(count), bool(random)), fold.turn(person, place)


def calibrated(fold: Fold, person: str, day: int, count: int, random: bool) -> Discriminant:
    """The discriminant whose means are moved to so many events a class of a session, or as many as it has.

    A class's mean is that of the person's frames and of `prior` frames at the old mean; covariance and priors stay.

    Args:
        random: the labels of these events are permuted.
    """
    model = fold.bands.aligned
    if count == 0:
        return model
    orders = fold.people.orders[person][sorted(fold.people.orders[person])[day]]
    numbers = np.bincount(orders[0].labels)
    chosen = keep_events(orders[0], choose_events(orders, 0, count=min(count, int(numbers[numbers > 0].min()))))
    if random:
        shuffle = np.random.default_rng((day, int(draw_key(0, "permuted", person)[:8], 16)))
        chosen = dataclasses.replace(chosen, labels=shuffle.permutation(chosen.labels))
    return moved_means(model, turned(frames_of(chosen), fold.turn(person, day)), fold.design.prior)


def moved_means(model: Discriminant, own: Frames, prior: float) -> Discriminant:
    """Means of classes after a person's frames, with `prior` frames at the old mean."""
    features = own.features.reshape(len(own.features), -1)
    means = np.array(model.means)
    for each in np.unique(own.classes):
        mine = features[own.classes == each]
        means[each] = (prior * model.means[each] + mine.sum(axis=0)) / (prior + len(mine))
    return dataclasses.replace(model, means=means)
