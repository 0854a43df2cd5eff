"""A first pattern for the paths of a folder: pieces that differ become placeholders, named by what is before them."""

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from semgjax.data.tabular.path_pattern import PathPattern

_CUTS = re.compile(r"([/_\-. ]+)")
_HANDS = {"left", "right", "l", "r", "lh", "rh"}
_HINTS = {
    "user": ("user", "u", "subject", "subj", "sub", "s", "participant", "person", "proband", "p", "pp", "id"),
    "session": ("session", "sess", "ses", "day", "d", "visit", "s", "e", "exercise"),
    "label": ("label", "class", "gesture", "g", "movement", "move", "m", "c"),
    "part": ("part", "run", "trial", "rep", "repetition", "block", "recording", "rec", "t", "r", "a"),
}


@dataclass(frozen=True)
class _Piece:
    """A piece of the paths that differs: its place, its values, and the letters before it."""

    place: int
    values: tuple[str, ...]
    hint: str


def guess_pattern(paths: Sequence[str], last: str, labels: Collection[str] = ()) -> str:
    """A pattern that fits most of the paths, with each file's own values; "" if none is found.

    Args:
        last: name of a third piece that nothing names: "part" or "label".
        labels: labels in the files, if they hold any; a piece of these is the label.
    """
    cut = [_pieces(path) for path in paths]
    sizes = Counter(tuple(_shape(pieces)) for pieces in cut)
    if not sizes:
        return ""
    shape = sizes.most_common(1)[0][0]
    same = [(path, pieces) for path, pieces in zip(paths, cut, strict=True) if tuple(_shape(pieces)) == shape]
    rows = [pieces for _, pieces in same]
    differing, columns = [], list(zip(*rows, strict=True))
    texts = [values[0] for values in columns]
    for place, values in enumerate(columns):
        if len(set(values)) > 1:
            # Letters before a number are part of the name, not of the value: S1 and S2 are 1 and 2.
            head = os.path.commonprefix(values)
            head = head if head.isalpha() and all(value[len(head) :][:1].isdigit() for value in values) else ""
            texts[place] = head
            hint = head or (texts[place - 2] if place > 1 else "")
            differing.append(_Piece(place, tuple(value[len(head) :] for value in values), hint.lower()))
    names = _names(differing, labels)
    kept = _needed(differing, names)
    free = [place for place in sorted(kept) if names[place].startswith("other")]
    if free and last not in names.values():
        names[free[0]] = last
    for piece in differing:
        texts[piece.place] += f"{{{names[piece.place]}}}" if piece.place in kept else "*"
    pattern = re.sub(r"\*([^{}/*]*\*)+", "*", "".join(texts))
    found = [PathPattern(pattern).match(path) for path, _ in same]
    distinct = [tuple(sorted(one.items())) for one in found if one is not None]
    return pattern if len(set(distinct)) == len(same) or len(same) == 1 else ""


def _pieces(path: str) -> list[str]:
    stem, suffix = os.path.splitext(path)
    return [*_CUTS.split(stem), suffix]


def _shape(pieces: Sequence[str]) -> list[str]:
    return [piece if index % 2 else "" for index, piece in enumerate(pieces[:-1])] + [pieces[-1]]


def _names(differing: Sequence[_Piece], labels: Collection[str]) -> dict[int, str]:
    """Place -> name of a placeholder, each name once."""
    names: dict[int, str] = {}
    for piece in differing:
        if {value.lower() for value in piece.values} <= _HANDS:
            names[piece.place] = "hand"
            continue
        for name, hints in _HINTS.items():
            if piece.hint in hints and name not in names.values():
                names[piece.place] = name
                break
    free = [piece for piece in differing if piece.place not in names]
    words = [piece for piece in free[0 if "user" in names.values() else 1 :] if _is_label(piece, labels)]
    if words and "label" not in names.values():
        names[words[-1].place] = "label"
        free.remove(words[-1])
    for name in ("user", "session"):
        if free and name not in names.values():
            names[free.pop(0).place] = name
    for number, piece in enumerate(free, 1):
        names[piece.place] = f"other{number}"
    return names


def _is_label(piece: _Piece, labels: Collection[str]) -> bool:
    """Whether a piece holds three or more labels of the files, or words where the files hold no labels."""
    values = set(piece.values)
    if not labels:
        return all(value.replace("_", "").isalpha() for value in values)
    return len(values) > 2 and {value.lstrip("0") or "0" if value.isdigit() else value for value in values} <= set(
        labels
    )


def _needed(differing: Sequence[_Piece], names: dict[int, str]) -> set[int]:
    """Places of the pieces that tell files apart; others, such as the time of a recording, are not needed."""
    kept = {piece.place for piece in differing if not names[piece.place].startswith("other")}
    for piece in differing:
        if piece.place in kept:
            continue
        shown = [one.values for one in differing if one.place in kept]
        if len(set(zip(*shown, strict=True))) < len(piece.values):
            kept.add(piece.place)
    return kept
