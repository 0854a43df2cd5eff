"""What the study of distillation on varied people trains: runs alone and students, and what each question compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analysis.varied_plan import DAYS, TEST, VAL
from semgjax.data.simulate.session_names import session_name
from semgjax.data.splitting.splits import Split

LOSSES: dict[str, dict[str, Any]] = {
    "default": {},
    "weight-0.5": {"weight": 0.5},
    "weight-1": {"weight": 1.0},
    "temperature-2": {"temperature": 2.0},
    "boost-0": {"key_boost": 0.0},
    "boost-100": {"key_boost": 100.0},
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
    labelled: tuple[int, ...] = (4, 8, 16)
    """numbers of training people whose labels a student or a run alone has, where it does not have all"""
    minutes: float = 1.5
    """of a session"""
    teacher: int = 112
    """width of the teachers"""
    dropout: float = 0.1
    """of the teachers, and their share of masked frames; the best of a search on another seed, as the rates are"""
    student: int = 24
    """width of the students"""
    steps: int = 3000
    """optimiser steps of a teacher"""
    student_steps: int = 3000
    """optimiser steps of a student, and of a run alone"""
    long: int = 3
    """times as many steps, in students and runs alone that are trained longer"""
    batch: int = 8
    """windows per step"""
    rate_teacher: float = 1.0
    """multiple of the preset's learning rate"""
    rate_student: float = 1.0
    """the same of students"""
    rate_alone: float = 1.0
    """the same of runs alone of the student's size"""
    law_teachers: tuple[int, ...] = (24, 48, 112)
    """widths of the teachers behind the law"""
    law_students: tuple[int, ...] = (8, 12, 24)
    """widths of their students"""

    @property
    def few(self) -> int:
        """The most labelled people of those who are not all."""
        return max(self.labelled)


@dataclass(frozen=True)
class Piece:
    """One training: a teacher, a run alone, or the student of a teacher of the same seed.

    Attributes:
        labelled, rest: training people with labels, and further ones without.
        compute: steps of a run alone are as many as a student's operations allow, its teacher's included.
        loss: name in LOSSES.
        teacher: width of a student's teacher, 0 otherwise.
        known: people whose labels a student's teacher had.
        ahead: a teacher that also looks ahead, or a student of one; the student itself is causal.
        times: as many steps as usual, times this.
        rate: multiple of the preset's learning rate.
    """

    role: Literal["teacher", "alone", "student"]
    seed: int
    labelled: int
    width: int
    rest: int = 0
    compute: bool = False
    loss: str = "default"
    teacher: int = 0
    known: int = 0
    ahead: bool = False
    times: int = 1
    rate: float = 1.0

    @property
    def name(self) -> str:
        """Of the piece, in the table and on disk."""
        people = f"labelled{self.labelled:02d}" + (f"-rest{self.rest:02d}" if self.rest else "")
        more = ("-compute" if self.compute else "") + ("" if self.loss == "default" else f"-{self.loss}")
        taught = f"-by{self.teacher}of{self.known:02d}" if self.teacher else ""
        taught += "-ahead" if self.ahead else ""
        taught += f"-steps-x{self.times}" if self.times > 1 else ""
        rate = "" if self.rate == 1.0 else f"-rate{self.rate:g}"
        return f"{self.role}-{people}-width{self.width}{taught}{more}{rate}-seed{self.seed}"


def student(design: Design, seed: int, labelled: int, **more: Any) -> Piece:
    """A student as the design has it, but for `more`: it meets the whole crowd, of which its teacher has all labels."""
    size = {"width": design.student, "teacher": design.teacher, "rate": design.rate_student}
    people = {"rest": design.crowd - labelled, "known": design.crowd}
    return Piece("student", seed, labelled, **(size | people | more))


def alone(design: Design, seed: int, labelled: int, **more: Any) -> Piece:
    """The same without a teacher, which can learn from labelled people only."""
    return Piece("alone", seed, labelled, **({"width": design.student, "rate": design.rate_alone} | more))


def teacher_of(piece: Piece, design: Design) -> Piece:
    """The teacher of a student."""
    size = {"ahead": piece.ahead, "rate": design.rate_teacher}
    return Piece("teacher", piece.seed, piece.known, piece.teacher, **size)


def proof(design: Design, seed: int) -> list[Piece]:
    """Is a student near its teacher, and better than alone at equal steps and operations, with few and all labels?"""
    few, every = design.few, design.crowd
    return [
        student(design, seed, few),
        alone(design, seed, few),
        alone(design, seed, few, compute=True),
        student(design, seed, every),
        alone(design, seed, every),
        alone(design, seed, every, compute=True),
        student(design, seed, few, rest=0),
        *(one(design, seed, people, times=design.long) for people in (few, every) for one in (student, alone)),
    ]


def labels(design: Design, seed: int) -> list[Piece]:
    """What are people without labels worth beside few with them, by a teacher of all labels or of the same few?"""
    own = _eight(design)
    found = [alone(design, seed, design.crowd), student(design, seed, own, known=own)]
    for labelled in sorted(design.labelled):
        found += [student(design, seed, labelled), alone(design, seed, labelled)]
    return found


def _eight(design: Design) -> int:
    """The number of labelled people next to eight, the budget of two questions."""
    return min(design.labelled, key=lambda count: abs(count - 8))


def losses(design: Design, seed: int) -> list[Piece]:
    """Which terms, frames and schedules of the loss help?"""
    return [student(design, seed, design.few, loss=loss) for loss in LOSSES]


def streaming(design: Design, seed: int) -> list[Piece]:
    """Does a causal student learn more from a teacher that looks ahead?"""
    ahead = [student(design, seed, design.few, ahead=True, loss=loss) for loss in ("default", "delay-2")]
    return [student(design, seed, design.few), *ahead, alone(design, seed, design.few)]


def law(design: Design, seed: int) -> list[Piece]:
    """Students of several sizes from teachers of several sizes, with few and with all labels."""
    return [
        student(design, seed, labelled, width=width, teacher=teacher)
        for labelled in (_eight(design), design.crowd)
        for teacher in design.law_teachers
        for width in design.law_students
    ]


QUESTIONS = {"proof": proof, "labels": labels, "losses": losses, "streaming": streaming, "law": law}
Question = Literal["proof", "labels", "losses", "streaming", "law"]


def pieces_of(design: Design, questions: Sequence[Question]) -> list[Piece]:
    """Every piece of these questions once, a teacher before its students, one seed after the other."""
    found: dict[str, Piece] = {}
    for seed in design.seeds:
        for question in questions:
            for piece in QUESTIONS[question](design, seed):
                for one in (*([teacher_of(piece, design)] if piece.role == "student" else ()), piece):
                    found.setdefault(one.name, one)
    return list(found.values())


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
