"""Which decoder reads the emissions: greedy, or a beam search with or without a language model, and its weights."""

import hashlib
import itertools
import math
import string
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from semgjax.data.band import Band
from semgjax.data.sessions import Session
from semgjax.decode.arpa import read_language_model
from semgjax.decode.automaton import Automaton
from semgjax.decode.beam import make_beam_search
from semgjax.decode.beam_options import BeamOptions, glyphs_of
from semgjax.errors import InputError
from semgjax.evaluate.decoding import Decode, Emit, decode_by, decode_greedily, read_stretches
from semgjax.evaluate.error_rates import Counts

WEIGHTS, BONUSES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0), (0.0, 1.0, 2.0, 3.0, 4.0)
"""of the grid; weights of log10 scores, which `proper` makes smaller by log(10)"""

OF_MODEL = ("lm_weight", "insertion_bonus", "finish", "proper", "undo")
"""options of a beam search that only a language model makes use of"""


@dataclass(frozen=True)
class Decoder:
    """How emissions become keys.

    Attributes:
        name: greedy takes the best class of every frame; beam searches for the best sequence.
        lm: file of a character n-gram for a beam search: ARPA, or the .npz of `semgjax lm train`; None: no model.
        beam: options of the search.

    Raises:
        InputError: a model, or options, for greedy decoding; options of a model without one ("conflict"); or another
            name ("unknown-name").

    Example:
        >>> semgjax.Decoder("beam").as_json()
        {'name': 'beam', 'beam': 50, 'top': 10, 'lm': None}
    """

    name: Literal["greedy", "beam"] = "greedy"
    lm: str | Path | None = None
    beam: BeamOptions = field(default_factory=BeamOptions)

    def __post_init__(self) -> None:
        if self.name not in ("greedy", "beam"):
            raise InputError(f"decoder {self.name!r}: choose greedy or beam", "unknown-name")
        if self.name == "greedy" and self.lm is not None:
            raise InputError(f"{self.lm}: greedy decoding has no language model; choose the decoder beam", "conflict")
        given = [one.name for one in fields(BeamOptions) if getattr(self.beam, one.name) != one.default]
        if self.name == "greedy" and given:
            raise InputError(
                f"{self._option(given[0])}: greedy decoding has no beam; choose the decoder beam", "conflict"
            )
        unread = [name for name in given if name in OF_MODEL]
        if self.lm is None and unread:
            raise InputError(
                f"{self._option(unread[0])}: counts only with a language model; give one, or leave it out", "conflict"
            )

    def _option(self, name: str) -> str:
        return f"beam.{name} {getattr(self.beam, name)}"

    def as_json(self) -> dict[str, Any]:
        """Name, options that count, and the model's name and hash."""
        if self.name == "greedy":
            return {"name": "greedy"}
        if self.lm is None:
            return {"name": "beam", "beam": self.beam.beam, "top": self.beam.top, "lm": None}
        path = Path(self.lm)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"name": "beam", **asdict(self.beam), "lm": path.name, "lm_sha256": digest}


def letters_outside(band: Band, model: Automaton) -> tuple[str, ...]:
    """Small letters among a band's keys that the model lacks: it takes each for the end of a word.

    So it takes every key outside of its vocabulary, and for space, digits, capitals and punctuation that is meant.
    """
    keys = {glyph for glyph in glyphs_of(band) if glyph is not None}
    return tuple(letter for letter in string.ascii_lowercase if letter in keys - set(model.vocabulary))


def read_model(decoder: Decoder, band: Band) -> Automaton | None:
    """The language model of a decoder.

    Raises:
        InputError: the file is missing or damaged; the band has no keys for a model of characters ("conflict"), or the
            model knows none of them ("conflict").
    """
    if decoder.lm is None:
        return None
    model = read_language_model(Path(decoder.lm))
    known = set(model.vocabulary) & {glyph for glyph in glyphs_of(band) if glyph is not None}
    if not known:
        raise InputError(f"{decoder.lm}: has none of the band's keys in its vocabulary; give another model", "conflict")
    return model


def decode_of(decoder: Decoder, band: Band, model: Automaton | None) -> Decode:
    """The function of a decoder.

    Args:
        model: from `read_model`.
    """
    if decoder.name == "greedy":
        return decode_greedily
    return decode_by(make_beam_search(decoder.beam, model, glyphs_of(band)))


@dataclass(frozen=True)
class Tuned:
    """A grid of weights, and the best of them.

    Attributes:
        options: with the best weights: least mean error over users; of equals, the smallest weight and bonus.
        grid: lm_weight, insertion_bonus and error in percent of every cell.
        at_edge: whether the best lies at an end of the grid, so that a better one may lie beyond.
    """

    options: BeamOptions
    grid: tuple[tuple[float, float, float], ...]
    at_edge: bool


def tune(
    decoder: Decoder,
    band: Band,
    model: Automaton,
    emit: Emit,
    sessions: Iterable[Session],
    stride: int,
) -> Tuned:
    """The weight and bonus with the least error on these sessions: give those of the validation part.

    A session's emissions are computed once.

    Raises:
        InputError: no session has a key ("no-keys").
    """
    scale = 1.0 / math.log(10.0) if decoder.beam.proper else 1.0
    cells = [(round(weight * scale, 4), bonus) for weight, bonus in itertools.product(WEIGHTS, BONUSES)]
    options = [replace(decoder.beam, lm_weight=weight, insertion_bonus=bonus) for weight, bonus in cells]
    decodes = [decode_by(make_beam_search(one, model, glyphs_of(band))) for one in options]
    users: list[dict[str, Counts]] = [{} for _ in cells]
    for session in sessions:
        stretches = list(emit(session))
        for counts, decode in zip(users, decodes, strict=True):
            for reading in read_stretches(lambda _: iter(stretches), decode, [session], stride):  # noqa: B023
                counts[reading.user] = counts.get(reading.user, Counts()) + reading.counts
    errors = [_macro(counts) for counts in users]
    best = int(np.argmin(errors))
    weights, bonuses = sorted({w for w, _ in cells}), sorted({b for _, b in cells})
    at_edge = cells[best][0] in (weights[0], weights[-1]) or cells[best][1] in (bonuses[0], bonuses[-1])
    grid = tuple((weight, bonus, error) for (weight, bonus), error in zip(cells, errors, strict=True))
    return Tuned(options[best], grid, at_edge)


def _macro(users: dict[str, Counts]) -> float:
    rates = [counts.rate for counts in users.values() if counts.rate is not None]
    if not rates:
        raise InputError("no session to tune on has a key; choose another validation part", "no-keys")
    return float(np.mean(rates))
