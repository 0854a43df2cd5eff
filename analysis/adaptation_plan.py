"""What the study of adaptation without labels compares, and the rule by which a method passes, written before it ran.

Simulated: a network of `analysis.taught_people` (64 labelled people, no teacher) reads eight unseen people of two
sessions each. Real: a linear discriminant of the folds of `analysis.real_people` reads 41 people. A method is adapted
on one session of a person and tested on the other ("other", the error that counts) and on the same one ("same").

The rule. A method passes where its error is below that of EVERY control, and the 95 % interval of each paired
difference over people excludes 0 (`semgjax.evaluate.spread.paired_difference`). The controls are: nothing; random
pseudo-labels (those of the confident windows, permuted over all places, so lengths and frequencies are the same);
shuffled ones (another person's, cut to the same lengths). Both kinds are trained on the same windows with the
optimiser, steps and parameters of the confident ones. The two errors, "other" and "same", are judged apart. With fewer
than 8 people nothing passes. No setting below was tried on the people of the study; what is not passed is reported too.
"""

from dataclasses import dataclass
from typing import Literal

Where = Literal["other", "same"]
WHERE: tuple[Where, ...] = ("other", "same")
LEAST_PEOPLE = 8

CONTROLS = ("nothing", "random", "shuffled")
METHODS = ("turn", "rolling", "norms", "entropy", "confident")
"""of the simulated people: band turn by confidence; causal mean and variance of every channel; statistics of the
frames that the head reads; entropy minimisation; confident pseudo-labels"""

REAL_CONTROLS = {
    "turn": ("nothing", "turn-random", "turn-other"),
    **{f"events-{count}": ("events-0", f"events-{count}-random") for count in (1, 2, 5)},
}
"""method on the real people -> its controls. A turn: as worn, a turn at random, the turn of another person.
Calibration with so many labelled events a class, both sessions at the turn chosen from their own signal: the same
without calibration, and with the labels of these events permuted. Calibration is tested on the other session only."""


@dataclass(frozen=True)
class Design:
    """How much is adapted; the simulated corpora are those of `analysis.varied_plan` of the same seed."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """of people, texts, signals, the network, and the controls' labels"""
    folds: int = 4
    """of the real people; each is tested once"""
    steps: int = 20
    """of gradient descent (Adam)"""
    rate: float = 1e-3
    """of Adam"""
    batch: int = 8
    """windows a step"""
    most_turn: int = 1
    """places by which each ring may be turned, of simulated people"""
    seconds: float = 10.0
    """time constant of the rolling statistics"""
    confident: float = 0.5
    """share of the windows whose own text is believed"""
    held: float = 1.0
    """weight of the KL that holds the blank's posteriors in entropy minimisation"""
    prior: float = 25.0
    """frames of the discriminant's own mean of a class that calibration adds to a person's (1 s)"""


@dataclass(frozen=True)
class Piece:
    """One method for one person.

    Attributes:
        group: seed of simulated people, fold of real ones.
    """

    study: Literal["simulated", "real"]
    group: int
    person: str
    method: str

    @property
    def name(self) -> str:
        """Of the piece, in the table."""
        return f"{self.study}-{self.group}-{self.person}-{self.method}"


def simulated_pieces(design: Design, people: dict[int, tuple[str, ...]]) -> list[Piece]:
    """Every control and method of every person of each seed."""
    names = (*CONTROLS, *METHODS)
    return [Piece("simulated", seed, who, name) for seed in design.seeds for who in people[seed] for name in names]


def real_pieces(people: dict[int, tuple[str, ...]]) -> list[Piece]:
    """The same of real people, fold by fold."""
    names = dict.fromkeys(name for method, controls in REAL_CONTROLS.items() for name in (*controls, method))
    return [Piece("real", fold, who, name) for fold, mine in people.items() for who in mine for name in names]
