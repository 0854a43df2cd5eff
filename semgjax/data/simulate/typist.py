"""A typist: prompts become timed key presses with shift, slips, corrections and pauses."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.data.simulate.text import sentence
from semgjax.data.simulate.vocabulary import SMALL, Vocabulary

LEFT, RIGHT = 0, 1
INDEX, MIDDLE, RING, PINKY, THUMB = range(5)


@dataclass(frozen=True)
class Place:
    """Where a key lies for the hand that strikes it.

    row: 2 number row, 1 upper, 0 home, -1 lower. column: steps off the finger's own column, inwards
    (towards the other hand) positive, outwards negative.
    """

    hand: int
    finger: int
    row: int
    column: int


# One string per hand, row and shift level; fingers and columns below belong to its characters in turn.
_ROWS = (
    # row, hand, plain, shifted, (finger, column) ...
    (2, LEFT, "`12345", "~!@#$%", "p- p r m i i+"),
    (2, RIGHT, "67890-=", "^&*()_+", "i+ i m r p p- p--"),
    (1, LEFT, "qwert", "QWERT", "p r m i i+"),
    (1, RIGHT, "yuiop[]\\", "YUIOP{}|", "i+ i m r p p- p-- p---"),
    (0, LEFT, "asdfg", "ASDFG", "p r m i i+"),
    (0, RIGHT, "hjkl;'", 'HJKL:"', "i+ i m r p p-"),
    (-1, LEFT, "zxcvb", "ZXCVB", "p r m i i+"),
    (-1, RIGHT, "nm,./", "NM<>?", "i+ i m r p"),
)
_FINGERS = {"i": INDEX, "m": MIDDLE, "r": RING, "p": PINKY}


def _layout() -> tuple[dict[str, Place], frozenset[str]]:
    places: dict[str, Place] = {}
    shifted: set[str] = set()
    for row, hand, plain, capitals, fingers in _ROWS:
        for low, high, code in zip(plain, capitals, fingers.split(), strict=True):
            place = Place(hand, _FINGERS[code[0]], row, code.count("+") - code.count("-"))
            places[low] = places[high] = place
            shifted.add(high)
    return places, frozenset(shifted)


PLACES, SHIFTED = _layout()  # US QWERTY: character -> place, and the characters that need shift
ENTER = Place(RIGHT, PINKY, 0, -3)
BACKSPACE = Place(RIGHT, PINKY, 2, -3)
SHIFT = (Place(LEFT, PINKY, -1, -1), Place(RIGHT, PINKY, -1, -2))
OTHER_HAND = (SHIFT[RIGHT], SHIFT[LEFT])  # the shift keys of a touch typist, by the hand of the character
_SPECIAL = {" ": ("Key.space", 32), "\n": ("Key.enter", 13), "\b": ("Key.backspace", 8)}


@dataclass(frozen=True)
class Press:
    """One keystroke: pynput name, seconds from the session's start, ASCII code (0 for shift), place."""

    key: str
    start: float
    end: float
    ascii: int
    place: Place


@dataclass(frozen=True)
class Prompt:
    """A text shown to the typist, in seconds from the session's start; the text has no final enter."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Habits:
    """How one user types."""

    interval: float  # median seconds from key to key
    spread: float  # log-normal sigma of that interval
    hold: float  # mean seconds a key stays down
    slip_rate: float  # slips per letter
    keys: Mapping[str, Place]  # every character that can be typed -> hand, finger and reach
    shift: tuple[Place, Place]  # the shift key for a character of the left hand, of the right hand


@dataclass(frozen=True)
class TypingSettings:
    """Population values, for users a little faster than the average that Dhakal et al. (CHI 2018) found over
    168,000 people: 52 words a minute, which is 4.3 keys a second."""

    rate: float = 5.0  # keys per second, median over users
    rate_spread: float = 0.15  # log-normal sigma over users
    rate_range: tuple[float, float] = (3.5, 6.5)
    interval_spread: float = 0.22  # log-normal sigma from key to key
    alternating: float = 0.88  # factor on the interval when the hand changes
    same_finger: float = 1.25  # ... when one finger strikes two different keys in turn
    shortest: float = 0.085  # seconds between two presses, at the least
    shortest_repeat: float = 0.14  # ... of the same key, which must come up in between
    lift: float = 0.02  # seconds a key is up, at the least, before it is struck again
    hold: tuple[float, float] = (0.080, 0.110)  # seconds, range over users
    hold_spread: float = 0.15  # log-normal sigma from key to key
    slip_rate: tuple[float, float] = (0.012, 0.028)  # per letter, range over users
    noticing: tuple[float, float] = (0.15, 0.45)  # seconds lost before the first backspace
    word_pause_rate: float = 0.04  # share of spaces followed by a pause
    word_pause: tuple[float, float] = (0.3, 1.0)  # seconds
    prompt_pause: tuple[float, float] = (0.5, 2.0)  # seconds between prompts
    lead_in: tuple[float, float] = (1.0, 3.0)  # silent seconds before the first prompt
    left_thumb: float = 0.15  # share of users who strike space with the left thumb


TYPING = TypingSettings()


def touch_typing(space_hand: int) -> dict[str, Place]:
    """Every character -> its place in the ten-finger system; space by the thumb of `space_hand`."""
    return PLACES | {" ": Place(space_hand, THUMB, 0, 0), "\n": ENTER, "\b": BACKSPACE}


def draw_habits(rng: np.random.Generator, settings: TypingSettings = TYPING) -> Habits:
    """The habits of one touch typist."""
    rate = np.clip(settings.rate * np.exp(settings.rate_spread * rng.standard_normal()), *settings.rate_range)
    return Habits(
        interval=float(1.0 / rate),
        spread=settings.interval_spread,
        hold=float(rng.uniform(*settings.hold)),
        slip_rate=float(rng.uniform(*settings.slip_rate)),
        keys=touch_typing(LEFT if rng.random() < settings.left_thumb else RIGHT),
        shift=OTHER_HAND,
    )


def neighbours(letter: str) -> list[str]:
    """The letters that touch `letter` (a lower-case one) on the keyboard."""
    rows = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    spots = {key: (index + 0.4 * row, row) for row, keys in enumerate(rows) for index, key in enumerate(keys)}
    x, y = spots[letter]
    del spots[letter]
    return sorted(key for key, (kx, ky) in spots.items() if abs(kx - x) < 1.05 and abs(ky - y) <= 1)


def with_slips(rng: np.random.Generator, text: str, rate: float) -> Iterator[tuple[str, bool]]:
    """The characters typed for `text`, including slips and their "\\b" corrections.

    A slip is a neighbouring letter, noticed after 0 to 2 more characters, taken back and typed again.
    Yields (character, whether it is the first backspace after a slip).
    """
    place = 0
    while place < len(text):
        letter = text[place]
        if letter.islower() and rng.random() < rate:
            near = neighbours(letter)
            follow = text[place + 1 : place + 1 + int(rng.integers(0, 3))]
            yield near[int(rng.integers(len(near)))], False
            yield from ((character, False) for character in follow)
            for back in range(len(follow) + 1):
                yield "\b", back == 0
            yield from ((character, False) for character in letter + follow)
            place += 1 + len(follow)
        else:
            yield letter, False
            place += 1


def type_prompt(
    rng: np.random.Generator, text: str, begin: float, habits: Habits, settings: TypingSettings = TYPING
) -> list[Press]:
    """Key presses for `text` and a final enter, the first one at `begin` seconds; sorted by start."""
    presses: list[Press] = []
    clock, before = begin, None

    def step(place: Place, extra: float) -> float:
        """Seconds from the press before to one at `place`."""
        if before is None:
            return extra
        pace = 1.0
        if place.hand != before.hand:
            pace = settings.alternating
        elif place.finger == before.finger and place != before:
            pace = settings.same_finger
        shortest = settings.shortest_repeat if place == before else settings.shortest
        drawn = habits.interval * pace * np.exp(habits.spread * rng.standard_normal())
        return max(float(drawn), shortest) + extra

    for character, noticing in with_slips(rng, text + "\n", habits.slip_rate):
        place = habits.keys[character]
        extra = float(rng.uniform(*settings.noticing)) if noticing else 0.0
        if presses and presses[-1].key == "Key.space" and rng.random() < settings.word_pause_rate:
            extra += float(rng.uniform(*settings.word_pause))
        hold = habits.hold * float(np.exp(settings.hold_spread * rng.standard_normal()))
        if character in SHIFTED:
            shift = habits.shift[place.hand]
            clock += step(shift, extra)
            before, extra = shift, 0.0
            # Shift is released just after its character, before the next key is pressed.
            letter = clock + step(place, 0.0)
            release = letter + min(hold, settings.shortest) * 0.9
            presses.append(Press("Key.shift", clock, release, 0, shift))
            clock = letter
        else:
            clock += step(place, extra)
        if presses and place == before:  # the same key again: it came up in between
            presses[-1] = dataclasses.replace(presses[-1], end=min(presses[-1].end, clock - settings.lift))
        key, code = _SPECIAL.get(character, (character, ord(character)))
        presses.append(Press(key, clock, clock + hold, code, place))
        before = place
    return presses


def type_session(
    rng: np.random.Generator,
    duration: float,
    habits: Habits,
    words: Vocabulary = SMALL,
    settings: TypingSettings = TYPING,
) -> tuple[list[Press], list[Prompt]]:
    """Prompts and key presses that fill `duration` seconds; the last prompt is cut by the session's end."""
    presses: list[Press] = []
    prompts: list[Prompt] = []
    last_start = duration - 0.3  # leaves room for the end of the last activation
    clock = min(float(rng.uniform(*settings.lead_in)), 0.2 * duration)
    while clock < last_start:
        text = sentence(rng, words)
        shown = clock
        begin = shown + float(rng.uniform(*settings.prompt_pause)) * 0.5
        typed = type_prompt(rng, text, begin, habits, settings)
        kept = [press for press in typed if press.start <= last_start]
        presses.extend(dataclasses.replace(press, end=min(press.end, duration)) for press in kept)
        clock = typed[-1].end + 0.1
        prompts.append(Prompt(text, shown, min(clock, duration)))
        clock += float(rng.uniform(*settings.prompt_pause)) * 0.5
    return presses, prompts
