"""Assign channels to electrodes by the channels' names."""

import re
from collections.abc import Sequence

_SIDE = re.compile(
    r"(?P<word>left|right)|(?:^|[^a-z])(?P<start>[lr])(?=$|[^a-z]|emg|ch)|(?:emg|ch)(?P<after>[lr])(?=[^a-z])|(?<=\d)(?P<end>[lr])$",
    re.IGNORECASE,
)


def electrode_order(labels: Sequence[str]) -> list[int]:
    """Places of the labels in the order of the bands: left by number, then right by number.

    A label names its band by left, right, L or R (left_3, EMG_R07, L16, emg3_right) and its electrode by its last
    number. Labels of which none names a band are ordered by number alone.

    Raises:
        ValueError: a label without a number, a number twice, one missing, or bands of different sizes.
    """
    places = [(_side(label), _number(label)) for label in labels]
    sides = {side for side, _ in places}
    if "" in sides and len(sides) > 1:
        raise ValueError(f"{labels[[side for side, _ in places].index('')]!r} names no band, but others do")
    for side in sorted(sides):
        numbers = sorted(number for other, number in places if other == side)
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError(f"{side or 'the'} electrodes have the numbers {', '.join(map(str, numbers[:20]))}")
    if len(sides) == 2 and len({[side for side, _ in places].count(side) for side in sides}) > 1:
        raise ValueError("one band has more electrodes than the other")
    return sorted(range(len(labels)), key=lambda index: places[index])


def _side(label: str) -> str:
    """ "left", "right" or "" of a label.

    Raises:
        ValueError: it names both.
    """
    found = {next(filter(None, match.groups())).lower()[0] for match in _SIDE.finditer(label)}
    if len(found) > 1:
        raise ValueError(f"{label!r} names both bands")
    return {"l": "left", "r": "right"}[found.pop()] if found else ""


def _number(label: str) -> int:
    digits = re.findall(r"\d+", label, re.ASCII)
    if not digits:
        raise ValueError(f"{label!r} has no number")
    return int(digits[-1])
