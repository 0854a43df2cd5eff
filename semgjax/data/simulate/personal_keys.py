"""Which finger strikes which key: touch typists with habits of their own, and people who type with few fingers."""

import numpy as np

from semgjax.data.simulate.typist import INDEX, LEFT, MIDDLE, PINKY, RIGHT, RING, THUMB, Place

FARTHEST = 3  # columns that a finger reaches by the wrist; beyond them the arm moves
_HOME = {  # column in which a finger rests
    LEFT: {PINKY: 0, RING: 1, MIDDLE: 2, INDEX: 3},
    RIGHT: {INDEX: 6, MIDDLE: 7, RING: 8, PINKY: 9},
}


def column_of(place: Place) -> int:
    """The key's column on the keyboard, counted from 1, Q, A and Z = 0, by its place in the ten-finger system."""
    home = _HOME[place.hand][place.finger]
    return home + place.column if place.hand == LEFT else home - place.column


def reached(hand: int, finger: int, row: int, column: int, home: int) -> Place:
    """The place of a key in `column` for a finger that rests in column `home`."""
    inwards = column - home if hand == LEFT else home - column
    return Place(hand, finger, row, int(np.clip(inwards, -FARTHEST, FARTHEST)))


def own_fingers(
    keys: dict[str, Place], fingers: tuple[tuple[int, ...], tuple[int, ...]], border: int, moved: frozenset[Place]
) -> dict[str, Place]:
    """The keys of the ten-finger system struck with the given fingers of the left and the right hand.

    Args:
        keys: character -> place in the ten-finger system.
        fingers: those used by each hand, sorted from the index finger outwards.
        border: columns below it belong to the left hand.
        moved: places whose key is struck by the next finger towards the index finger instead.
    """
    return {character: _own_place(place, fingers, border, place in moved) for character, place in keys.items()}


def _own_place(place: Place, fingers: tuple[tuple[int, ...], tuple[int, ...]], border: int, moved: bool) -> Place:
    if place.finger == THUMB:
        return place
    column = column_of(place)
    hand = LEFT if column < border else RIGHT
    used = fingers[hand]
    homes = {finger: _HOME[hand][finger] for finger in used}
    if len(used) == 1:  # one finger waits in the middle of its half
        homes = {used[0]: 2 if hand == LEFT else 7}
    finger = min(used, key=lambda one: (abs(column - homes[one]), one))
    if moved and used.index(finger) > 0:
        finger = used[used.index(finger) - 1]
    return reached(hand, finger, place.row, column, homes[finger])


def crossed(keys: dict[str, Place], characters: str) -> dict[str, Place]:
    """`keys` with some characters, and those that share their keys, struck by the other hand's index finger."""
    places = {keys[character] for character in characters}
    return {
        character: _crossed(place) if place in places and place.finger == INDEX else place
        for character, place in keys.items()
    }


def _crossed(place: Place) -> Place:
    hand = RIGHT if place.hand == LEFT else LEFT
    return reached(hand, INDEX, place.row, column_of(place), _HOME[hand][INDEX])
