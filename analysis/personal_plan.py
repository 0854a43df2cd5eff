"""What the study of personalisation trains: from each base, by each method, on minutes of each unseen person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from analysis.taught_plan import Design as Taught
from analysis.taught_plan import Piece as Trained
from analysis.taught_plan import alone, student, teacher_of
from analysis.varied_plan import DAYS, TEST
from semgjax.data.simulate.write import session_name
from semgjax.data.splitting.splits import Split
from semgjax.training.personal_config import Method

METHODS: tuple[Method, ...] = get_args(Method)
BaseName = Literal["student", "alone", "few", "teacher"]
Question = Literal["search", "methods", "bases"]


@dataclass(frozen=True)
class Design:
    """How much is trained; the bases and their people are those of `analysis.taught_plan` of the same seed."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """of people, texts, signals, bases and training: all differ from seed to seed"""
    minutes: tuple[float, ...] = (0.75, 1.5, 3.0, 6.0)
    """of a person, beside 0, which is the base itself"""
    people: int = TEST
    """persons of a seed that decoders are made for"""
    own_days: int = 6
    """sessions of 1.5 min of a person beside the two tested ones; the last one validates"""
    steps: int = 300
    """optimiser steps"""
    batch: int = 8
    """windows per step"""
    search_seed: int = 7
    """of the search for each method's learning rate; no study tests its people"""
    search_rates: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    """learning rates of the search, as shares of the base's"""
    search_minutes: float = 3.0
    search_people: int = 4
    taught: Taught = Taught()


@dataclass(frozen=True)
class Piece:
    """One person's decoder.

    Attributes:
        base: student (few labels and a teacher), alone (all labels), few (few labels, no teacher), teacher.
        rate: peak learning rate as a share of the base's; 0: the method's own.
    """

    seed: int
    base: BaseName
    method: Method
    minutes: float
    person: int
    rate: float = 0.0

    @property
    def name(self) -> str:
        """Of the piece, in the table and on disk."""
        rate = f"-rate{self.rate:g}" if self.rate else ""
        return f"{self.base}-{self.method}-minutes{self.minutes:g}{rate}-person{self.person}-seed{self.seed}"


def base_of(piece: Piece, design: Design) -> Trained:
    """The run that a decoder begins with."""
    taught, seed = design.taught, piece.seed
    if piece.base == "alone":
        return alone(taught, seed, taught.crowd)
    if piece.base == "few":
        return alone(taught, seed, taught.few)
    learner = student(taught, seed, taught.few)
    return learner if piece.base == "student" else teacher_of(learner, taught)


def search(design: Design) -> list[Piece]:
    """Which learning rate is best for each method, on people that no study tests?"""
    return [
        Piece(design.search_seed, "alone", method, design.search_minutes, person, rate)
        for method in METHODS
        for rate in design.search_rates
        for person in range(design.search_people)
    ]


def methods(design: Design) -> list[Piece]:
    """What does each method make of a student and a person's minutes?"""
    return [
        Piece(seed, "student", method, minutes, person)
        for seed in design.seeds
        for minutes in design.minutes
        for method in METHODS
        for person in range(design.people)
    ]


def bases(design: Design) -> list[Piece]:
    """What do a person's minutes give to a student, to the same size alone, and to the teacher?"""
    return [
        Piece(seed, base, "full", minutes, person)
        for seed in design.seeds
        for base, levels in (
            ("student", design.minutes),
            ("alone", design.minutes),
            ("few", design.minutes[-1:]),
            ("teacher", design.minutes[-1:]),
        )
        for minutes in levels
        for person in range(design.people)
    ]


QUESTIONS = {"search": search, "methods": methods, "bases": bases}


def pieces_of(design: Design, questions: Sequence[Question]) -> list[Piece]:
    """Every piece of these questions once."""
    found = {piece.name: piece for question in questions for piece in QUESTIONS[question](design)}
    return list(found.values())


def split_of(seed: int, design: Design) -> Split:
    """Everybody's first two days are tested, as in the studies of bases; the last day validates, the others train."""

    def sessions(days: range) -> tuple[str, ...]:
        return tuple(session_name(seed, person, day) for person in range(TEST) for day in days)

    last = DAYS + design.own_days - 1
    return Split(sessions(range(DAYS, last)), sessions(range(last, last + 1)), sessions(range(DAYS)),
                 {"name": "personal_people", "seed": seed})  # fmt: skip
