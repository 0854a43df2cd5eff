"""What the study of varied people trains: pieces of one training each, and the people that each sees."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semgjax.data.simulate import simulate
from semgjax.data.simulate.session_names import session_name
from semgjax.data.splitting.splits import Split

Axis = Literal["users", "sizes", "alone"]

TEST, VAL = 8, 4  # people of every corpus: the first are tested, the next validated, the others trained on
DAYS = 2  # sessions of everybody


@dataclass(frozen=True)
class Design:
    """How much is simulated and trained; every number of it is in the table's name of a piece or in its first line."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """of people, texts, signals and training: all differ from seed to seed"""
    users: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    """numbers of training people, at the middle width"""
    widths: tuple[int, ...] = (6, 12, 24, 48)
    """widths of the sizes, on all training people"""
    middle: int = 24
    """the width of the axis over people"""
    minutes: float = 1.5
    """of a session"""
    own_days: int = 6
    """further sessions of a test person, for a model of that person alone"""
    own_people: int = 4
    """test persons with such a model"""
    steps: int = 3000
    """optimiser steps of every run"""
    batch: int = 8
    """windows per step"""

    @property
    def crowd(self) -> int:
        """Most training people."""
        return max(self.users)


@dataclass(frozen=True)
class Piece:
    """One model: by a decoder ("network" or "discriminant"), of `users` people, or of test person `person` alone."""

    decoder: Literal["network", "discriminant"]
    axis: Axis
    seed: int
    users: int
    width: int
    person: int = -1

    @property
    def name(self) -> str:
        """Of the piece, in the table and on disk."""
        who = f"person{self.person}" if self.axis == "alone" else f"users{self.users:02d}"
        size = f"-width{self.width}" if self.decoder == "network" else ""
        return f"{self.decoder}-{self.axis}-{who}{size}-seed{self.seed}"


def pieces_of(design: Design) -> list[Piece]:
    """Every piece, the cheap ones first; of the networks one seed after the other."""
    found = []
    for decoder in ("discriminant", "network"):
        for seed in design.seeds:
            width = design.middle if decoder == "network" else 0
            found += [Piece(decoder, "users", seed, users, width) for users in design.users]
            found += [Piece(decoder, "alone", seed, 1, width, person) for person in range(design.own_people)]
            if decoder == "network":
                others = [one for one in design.widths if one != design.middle]
                found += [Piece(decoder, "sizes", seed, design.crowd, one) for one in others]
    return found


def people_folder(out: Path, design: Design, seed: int) -> Path:
    """The corpus of a seed: everybody's sessions and the test people's further days. Simulated where it is missing."""
    crowd, days = out / f"people-{seed}", out / f"days-{seed}"
    if not crowd.exists():
        simulate(crowd, TEST + VAL + design.crowd, DAYS, design.minutes, seed, people="varied")
    if not days.exists():  # more sessions of fewer people: those that both have are the same bytes
        simulate(days, TEST, DAYS + design.own_days, design.minutes, seed, people="varied")
    return crowd


def split_of(piece: Piece, design: Design) -> Split:
    """Tested on both sessions of the test people, or of the one person; nobody else's day is in both parts."""

    def sessions(people: range, days: range) -> tuple[str, ...]:
        return tuple(session_name(piece.seed, person, day) for person in people for day in days)

    test = sessions(range(TEST), range(DAYS))
    rule = {"name": "varied_people", "piece": piece.name}
    if piece.axis == "alone":
        own = range(DAYS, DAYS + design.own_days)
        return Split(sessions(range(piece.person, piece.person + 1), own), (), test, rule)
    first = TEST + VAL
    return Split(
        sessions(range(first, first + piece.users), range(DAYS)), sessions(range(TEST, first), range(DAYS)), test, rule
    )
