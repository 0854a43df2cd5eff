"""The key set: 98 keys and the CTC blank, and conversions between key names, text and class numbers.

Classes 0-97, in this order: a-z, A-Z, 0-9, the 32 ASCII punctuation marks, backspace, enter, space, shift.
The stream of keys is raw: shift and backspace are classes of their own; a capital is the shift key, then the capital.
"""

import string

import numpy as np
from anyascii import anyascii

_CHARACTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits + string.punctuation
BACKSPACE_GLYPH, ENTER_GLYPH, SHIFT_GLYPH = "\u232b", "\u23ce", "\u21e7"
# pynput's name of a key that types no character -> its glyph in text.
_NAMED = {"Key.backspace": BACKSPACE_GLYPH, "Key.enter": ENTER_GLYPH, "Key.space": " ", "Key.shift": SHIFT_GLYPH}

KEY_NAMES: tuple[str, ...] = (*_CHARACTERS, *_NAMED)
NUM_KEYS = len(KEY_NAMES)
BLANK = NUM_KEYS
NUM_CLASSES = NUM_KEYS + 1

# Other tools' names of a key -> pynput's. Names of the right shift are left out, as pynput's own "Key.shift_r" is in
# the data set's labels.
ALIASES: dict[str, str] = {
    **{name.lower(): name for name in _NAMED},
    **dict.fromkeys(("space", "spacebar", "key.spacebar", "key_space", "<space>"), "Key.space"),
    **dict.fromkeys(("enter", "return", "key.return", "key_enter", "<enter>", "<return>", "kp_enter"), "Key.enter"),
    **dict.fromkeys(("backspace", "key_backspace", "<backspace>"), "Key.backspace"),
    **dict.fromkeys(("shift", "shift_l", "shiftleft", "key.shift_l", "key_leftshift", "<shift>"), "Key.shift"),
    # X11's keysyms of punctuation
    "exclam": "!", "quotedbl": '"', "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&",
    "apostrophe": "'", "parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",", "minus": "-",
    "period": ".", "slash": "/", "colon": ":", "semicolon": ";", "less": "<", "equal": "=", "greater": ">",
    "question": "?", "at": "@", "bracketleft": "[", "backslash": "\\", "bracketright": "]", "asciicircum": "^",
    "underscore": "_", "grave": "`", "braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~",
}  # fmt: skip
"""In lower case; names are matched in any case."""
# What Python prints of a character: 'a', "'", '\\\\'.
_QUOTED = {repr(character): character for character in _CHARACTERS} | {f"'{c}'": c for c in _CHARACTERS}

_GLYPHS: tuple[str, ...] = (*_CHARACTERS, *_NAMED.values())
_LABEL_OF_NAME = {name: label for label, name in enumerate(KEY_NAMES)}
_LABEL_OF_GLYPH = {glyph: label for label, glyph in enumerate(_GLYPHS)}
_ENTER, _BACKSPACE = _LABEL_OF_NAME["Key.enter"], _LABEL_OF_NAME["Key.backspace"]
_LABEL_OF_CHARACTER = {
    **_LABEL_OF_GLYPH,
    "\n": _ENTER,
    "\r": _ENTER,
    "\b": _BACKSPACE,
    "\u2018": _LABEL_OF_GLYPH["'"],
    "\u2019": _LABEL_OF_GLYPH["'"],
    "\u201c": _LABEL_OF_GLYPH['"'],
    "\u201d": _LABEL_OF_GLYPH['"'],
    "\u2014": _LABEL_OF_GLYPH["-"],
}
# Characters of Latin-1 or of a US Mac keyboard where anyascii differs from the transliteration that the data set's
# labels were published with: these characters are not a key there ...
_NO_KEY = frozenset("\u00a2\u00a4\u00a5\u00a7\u201e\u2202\u2206\u220f\u2211\u222b\u2248\u2260")
# ... and these are another key.
_OTHER_KEY = {
    "\u00b7": "*", "\u00d7": "x", "\u02c7": "V", "\u02d8": "V", "\u02da": "@", "\u201a": ",",
}  # fmt: skip


def _label_of_character(character: str) -> int | None:
    if character in _LABEL_OF_CHARACTER:
        return _LABEL_OF_CHARACTER[character]
    if character in _NO_KEY:
        return None
    # "" or several characters (an ellipsis, a ligature) are not a single key press and have no class.
    return _LABEL_OF_GLYPH.get(_OTHER_KEY.get(character) or anyascii(character))


def label_of_key(name: str) -> int | None:
    """Class of a keystroke by its pynput name, such as "t" or "Key.space"; None when not in the key set.

    A single character is normalised as in text, also when it is quoted as Python prints it. Other tools' names are
    translated by ALIASES. Right shift, control, arrow keys and others have no class.
    """
    if len(name) == 1:
        return _label_of_character(name)
    if name in _LABEL_OF_NAME:
        return _LABEL_OF_NAME[name]
    return _LABEL_OF_NAME.get(_QUOTED.get(name) or ALIASES.get(name.lower(), ""))


def text_to_labels(text: str) -> np.ndarray:
    """Classes of a text, int32[n]; characters without a key are dropped.

    Line ends become enter, \\b backspace, curly quotes straight ones, an em dash '-'; any other character
    counts when its ASCII transliteration is exactly one key.
    """
    labels = [_label_of_character(character) for character in text]
    return np.array([label for label in labels if label is not None], np.int32)


def labels_to_text(labels: np.ndarray) -> str:
    """Text of classes 0-97, one glyph a key: backspace U+232B, enter U+23CE, shift U+21E7, space ' '.

    `text_to_labels` is the inverse.

    Raises:
        ValueError: a number outside 0-97, such as the blank: collapse a CTC path first.
    """
    numbers = [int(label) for label in labels]
    if any(not 0 <= number < NUM_KEYS for number in numbers):
        raise ValueError(f"labels must lie in 0..{NUM_KEYS - 1}, got {min(numbers)}..{max(numbers)}")
    return "".join(_GLYPHS[number] for number in numbers)
