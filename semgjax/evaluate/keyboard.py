"""Where keys lie on a US QWERTY keyboard, and which hand and finger types them in touch typing."""

import numpy as np

from semgjax.data.band import Band
from semgjax.data.keys import BACKSPACE_GLYPH, ENTER_GLYPH, NUM_KEYS, labels_to_text

FINGERS = (
    "left little", "left ring", "left middle", "left index", "thumb", "right index", "right middle", "right ring",
    "right little",
)  # fmt: skip
ROWS = ("numbers", "top", "home", "bottom", "space")
PLACES: dict[str, tuple[str, ...]] = {
    "numbers": ("`~ 1!", "2@", "3#", "4$ 5%", "", "6^ 7&", "8*", "9(", "0) -_ =+ " + BACKSPACE_GLYPH),
    "top": ("qQ", "wW", "eE", "rR tT", "", "yY uU", "iI", "oO", "pP [{ ]} \\|"),
    "home": ("aA", "sS", "dD", "fF gG", "", "hH jJ", "kK", "lL", ";: '\" " + ENTER_GLYPH),
    "bottom": ("zZ", "xX", "cC", "vV bB", "", "nN mM", ",<", ".>", "/?"),
}
"""row -> keys of each of FINGERS, the shifted character behind the plain one"""


def _places() -> dict[str, tuple[str, str]]:
    found = {" ": ("space", "thumb")}
    for row, fingers in PLACES.items():
        for finger, keys in zip(FINGERS, fingers, strict=True):
            found |= {glyph: (row, finger) for glyph in keys.replace(" ", "")}
    return found


def place_of_glyph(glyph: str) -> tuple[str, int, int] | None:
    """The row of a key, its place in it from the left, and 1 for a shifted character, else 0; None: it has no row."""
    if glyph == " ":
        return "space", 0, 0
    for row, fingers in PLACES.items():
        for place, pair in enumerate(" ".join(fingers).split()):
            if glyph in pair:
                return row, place, pair.index(glyph)
    return None


def places_of(band: Band) -> dict[int, tuple[str, str]]:
    """Class -> (row, finger) of the keys of a band; {} where its classes are no keys.

    Shift has neither: there is one on each side.
    """
    if band.classes is not None:
        return {}
    places = _places()
    glyphs = {label: labels_to_text(np.array([label])) for label in range(NUM_KEYS)}
    return {label: places[glyph] for label, glyph in glyphs.items() if glyph in places}


def hand_of(finger: str) -> str:
    """left, right, or thumb, which is of either hand."""
    return finger.split()[0]
