"""What the study of distillation on varied people trains: runs alone and students, and what each question compares."""

from dataclasses import dataclass
from typing import Any, Literal

from analysis.varied_plan import DAYS, TEST, VAL
from semgjax.data.simulate.write import session_name
from semgjax.data.splitting.splits import Split

LOSSES: dict[str, dict[str, Any]] = {
    "default": {},
    "weight-0.5": {"weight": 0.5},
    "weight-1": {"weight": 1.0},
    "temperature-2": {"temperature": 2.0},
    "boost-20": {"key_boost": 20.0},
    "reverse": {"divergence": "reverse"},
    "js": {"divergence": "js"},
    "blank": {"frames": "blank"},
    "spikes": {"frames": "spikes"},
    "entropy": {"frames": "entropy"},
    "delay-2": {"delay": 2},
    "guide": {"guide": 0.3},
    "hard": {"hard": 0.5},
    "intermediate": {"intermediate": (1,)},
    "features": {"features": 0.1},
    "linear": {"schedule": "linear", "final_weight": 0.1},
    "cosine": {"schedule": "cosine", "final_weight": 0.1},
}
"""options of a student's loss that are compared (semgjax.training.distill_config)"""


@dataclass(frozen=True)
class Design:
    """How much is simulated and trained; the corpora are those of `analysis.varied_plan` of the same seed."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """of people, texts, signals and training: all differ from seed to seed"""
    crowd: int = 64
    """training people, labelled and not"""
    labelled: tuple[int, ...] = (4, 8, 16, 64)
    """numbers of training people whose labels are used"""
    minutes: float = 1.5
    """of a session"""
    teacher: int = 64
    """width of the teachers"""
    student: int = 12
    """width of the students"""
    steps: int = 3000
    """optimiser steps of a teacher and of a run alone"""
    student_steps: int = 2000
    """optimiser steps of a student"""
    batch: int = 8
    """windows per step"""
    rate_teacher: float = 1.0
    """multiple of the preset's learning rate; each of the three is the best of a search on another seed"""
    rate_student: float = 1.0
    """the same of students"""
    rate_alone: float = 1.0
    """the same of runs alone of the student's size"""


@dataclass(frozen=True)
class Piece:
    """One training: alone, or as a student of the teacher of the same seed and labelled people.

    Attributes:
        labelled, rest: training people with labels, and further ones without.
        compute: steps of a run alone are as many as a student's operations allow, its teacher's included.
        loss: name in LOSSES.
    """

    role: Literal["teacher", "alone", "student"]
    seed: int
    labelled: int
    width: int
    rest: int = 0
    compute: bool = False
    loss: str = "default"
    rate: float = 1.0

    @property
    def name(self) -> str:
        """Of the piece, in the table and on disk."""
        people = f"labelled{self.labelled:02d}" + (f"-rest{self.rest:02d}" if self.rest else "")
        more = ("-compute" if self.compute else "") + ("" if self.loss == "default" else f"-{self.loss}")
        rate = "" if self.rate == 1.0 else f"-rate{self.rate:g}"
        return f"{self.role}-{people}-width{self.width}{more}{rate}-seed{self.seed}"


def pieces_of(design: Design) -> list[Piece]:
    """Every piece, a teacher before its students; the questions of one seed before those of the next."""
    found: list[Piece] = []
    for seed in design.seeds:
        for labelled in sorted(design.labelled, key=lambda count: (count != 16, count != 8, count)):
            rest = design.crowd - labelled
            found.append(Piece("teacher", seed, labelled, design.teacher, rate=design.rate_teacher))
            taught = [Piece("student", seed, labelled, design.student, rate=design.rate_student)]
            if rest:
                taught.append(Piece("student", seed, labelled, design.student, rest, rate=design.rate_student))
            found += taught
            alone = [Piece("alone", seed, labelled, design.student, rate=design.rate_alone)]
            if labelled in (16, design.crowd):
                alone.append(Piece("alone", seed, labelled, design.student, compute=True, rate=design.rate_alone))
            found += alone
    return found


def ablation(design: Design, labelled: int = 16) -> list[Piece]:
    """Students with each loss, of labelled people alone."""
    return [
        Piece("student", seed, labelled, design.student, loss=loss, rate=design.rate_student)
        for seed in design.seeds
        for loss in LOSSES
        if loss != "default"
    ]


def teacher_of(piece: Piece, design: Design) -> Piece:
    """The teacher of a student."""
    return Piece("teacher", piece.seed, piece.labelled, design.teacher, rate=design.rate_teacher)


def split_of(piece: Piece) -> Split:
    """Tested on both sessions of the test people; the training people's first are labelled, the next ones not."""

    def sessions(people: range) -> tuple[str, ...]:
        return tuple(session_name(piece.seed, person, day) for person in people for day in range(DAYS))

    first = TEST + VAL
    rule = {"name": "taught_people", "labelled": piece.labelled, "rest": piece.rest}
    return Split(
        sessions(range(first, first + piece.labelled)),
        sessions(range(TEST, first)),
        sessions(range(TEST)),
        rule,
        unlabelled=sessions(range(first + piece.labelled, first + piece.labelled + piece.rest)),
    )
