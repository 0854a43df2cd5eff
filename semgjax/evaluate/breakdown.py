"""Where the errors lie: by key, hand, finger and row, in time, and how sure the decoder was of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.data.band import Band
from semgjax.evaluate.alignment import NONE, Pairs
from semgjax.evaluate.keyboard import FINGERS, ROWS, hand_of, places_of

BINS = 10
"""of confidence, equally wide"""
SHOWN = 20
"""most frequent confusions"""


@dataclass(frozen=True)
class Share:
    """Errors of one key, finger, hand or row.

    Attributes:
        name: of it.
        reference: keys that were typed.
        substitutions: of these, read as another.
        deletions: of these, missed.
        insertions: read though nobody typed; no part of the rate, since no typed key is theirs.
    """

    name: str
    reference: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def rate(self) -> float | None:
        """100 (substitutions + deletions) / reference, in percent; None if it was never typed."""
        return 100.0 * (self.substitutions + self.deletions) / self.reference if self.reference else None

    def as_json(self) -> dict[str, Any]:
        """The counts and the rate."""
        return {**asdict(self), "rate": self.rate}


def shares(pairs: Pairs, name_of: Callable[[int], str | None]) -> list[Share]:
    """Errors by a property of the class; classes that have none do not count.

    Args:
        name_of: class -> its key, finger, hand or row.
    """
    typed, wrong, missed, extra = (Counter[str]() for _ in range(4))
    for reference, output in zip(pairs.reference.tolist(), pairs.output.tolist(), strict=True):
        name = name_of(output if reference == NONE else reference)
        if name is None:
            continue
        if reference == NONE:
            extra[name] += 1
            continue
        typed[name] += 1
        missed[name] += output == NONE
        wrong[name] += output not in (NONE, reference)
    names = [*typed, *(name for name in extra if name not in typed)]
    return [Share(name, typed[name], wrong[name], missed[name], extra[name]) for name in names]


@dataclass(frozen=True)
class Latency:
    """Time from a key's press to the frame that emitted it, over keys read as typed, in milliseconds.

    Attributes:
        keys: matched ones; the others have no time.
        quartiles: lower quartile, median and upper quartile; None without a match.
        edges, counts: histogram; times beyond its ends count in the outer bins.
    """

    keys: int
    quartiles: tuple[float, float, float] | None
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def latency(pairs: Pairs, emission_delay: float, frame: float, width: float = 20.0) -> Latency:
    """How late keys are out.

    A frame's emission is known at its last sample, `emission_delay` after the time it stands for.

    Args:
        emission_delay: of the network, seconds.
        frame: length of a frame, seconds.
        width: of a bin, milliseconds.
    """
    late = 1000.0 * ((pairs.emitted - pairs.pressed)[pairs.matched] + emission_delay + frame)
    edges = np.arange(-200.0, 1000.0 + width, width)
    counts, _ = np.histogram(np.clip(late, edges[0], edges[-1]), edges)
    quartiles = None
    if len(late):
        low, median, high = map(float, np.quantile(late, [0.25, 0.5, 0.75]))
        quartiles = (low, median, high)
    return Latency(len(late), quartiles, tuple(edges.tolist()), tuple(counts.tolist()))


@dataclass(frozen=True)
class Calibration:
    """How often emitted symbols were right, by the probability that the decoder gave them at their frame.

    Attributes:
        symbols: emitted in each of BINS bins of equal width.
        confidence: their mean probability; None in an empty bin.
        right: share of them that the edit script matches.
        error: expected calibration error: mean |right - confidence| over symbols (Guo et al. 2017, "On calibration of
            modern neural networks", section 2), 0 to 1; None without a symbol.
    """

    symbols: tuple[int, ...]
    confidence: tuple[float | None, ...]
    right: tuple[float | None, ...]
    error: float | None


def calibration(pairs: Pairs) -> Calibration:
    """Calibration of the symbols that were emitted; keys that were missed do not count."""
    emitted = pairs.output != NONE
    sure, right = pairs.confidence[emitted], pairs.matched[emitted]
    place = np.clip((sure * BINS).astype(int), 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    mean, share = (np.bincount(place, weights=x, minlength=BINS) / np.maximum(count, 1) for x in (sure, right))
    error = float((count * np.abs(mean - share)).sum() / count.sum()) if count.sum() else None

    def shown(values: np.ndarray) -> tuple[float | None, ...]:
        return tuple(float(value) if n else None for value, n in zip(values, count, strict=True))

    return Calibration(tuple(count.tolist()), shown(mean), shown(share), error)


@dataclass(frozen=True)
class Breakdown:
    """All of it.

    Attributes:
        keys, hands, fingers, rows: errors by them; of classes that are no keys only by class.
        confusions: (typed, read, times) of the most frequent substitutions.
        matrix: (typed, read, times) of all that was typed or read, in the order of the classes; None: not read (a
            deletion), or not typed (an insertion).
        row_confusion: typed row -> read row -> times, of keys that were read, as what they are or as another.
    """

    keys: tuple[Share, ...]
    hands: tuple[Share, ...]
    fingers: tuple[Share, ...]
    rows: tuple[Share, ...]
    confusions: tuple[tuple[str, str, int], ...]
    matrix: tuple[tuple[str | None, str | None, int], ...]
    row_confusion: Mapping[str, Mapping[str, int]]
    latency: Latency
    calibration: Calibration

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        tables = {name: [share.as_json() for share in getattr(self, name)] for name in _TABLES}
        return {
            **tables,
            "confusions": [list(one) for one in self.confusions],
            "matrix": [list(one) for one in self.matrix],
            "row_confusion": self.row_confusion,
            "latency_ms": asdict(self.latency),
            "calibration": asdict(self.calibration),
        }


_TABLES = ("keys", "hands", "fingers", "rows")


def break_down(pairs: Pairs, band: Band, emission_delay: int, stride: int) -> Breakdown:
    """Where the errors of aligned stretches lie.

    Args:
        emission_delay, stride: of the network, samples.
    """
    places, names = places_of(band), {label: band.text([label]) for label in range(band.blank)}

    def row(label: int) -> str | None:
        return places[label][0] if label in places else None

    def finger(label: int) -> str | None:
        return places[label][1] if label in places else None

    def hand(label: int) -> str | None:
        return hand_of(places[label][1]) if label in places else None

    met = Counter(zip(pairs.reference.tolist(), pairs.output.tolist(), strict=True))
    swaps = [(pair, times) for pair, times in met.items() if NONE not in pair and pair[0] != pair[1]]
    often = sorted(swaps, key=lambda item: (-item[1], item[0]))[:SHOWN]
    # What was not typed or not read comes last.
    in_order = sorted(met.items(), key=lambda item: tuple((label == NONE, label) for label in item[0]))
    return Breakdown(
        keys=tuple(sorted(shares(pairs, names.get), key=lambda one: (-one.reference, one.name))),
        hands=_in_order(shares(pairs, hand), ("left", "thumb", "right")),
        fingers=_in_order(shares(pairs, finger), FINGERS),
        rows=_in_order(shares(pairs, row), ROWS),
        confusions=tuple((names[typed], names[read], times) for (typed, read), times in often),
        matrix=tuple((names.get(typed), names.get(read), times) for (typed, read), times in in_order),
        row_confusion=_row_confusion(pairs, row) if places else {},
        latency=latency(pairs, emission_delay / band.rate, stride / band.rate),
        calibration=calibration(pairs),
    )


def _in_order(found: Sequence[Share], order: Sequence[str]) -> tuple[Share, ...]:
    return tuple(sorted(found, key=lambda one: order.index(one.name)))


def _row_confusion(pairs: Pairs, row: Callable[[int], str | None]) -> dict[str, dict[str, int]]:
    both = (pairs.reference != NONE) & (pairs.output != NONE)
    found = Counter(
        (row(typed), row(read))
        for typed, read in zip(pairs.reference[both].tolist(), pairs.output[both].tolist(), strict=True)
    )
    return {typed: {read: found[typed, read] for read in ROWS} for typed in ROWS}
