"""Distillation: a teacher run gives the targets, the student is trained by the same loop (see semgjax.training)."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import load_finished


@dataclass(frozen=True)
class Teacher:
    """A finished run, frozen: its parameters are an input of the step and never part of the state."""

    config: RunConfig
    params: Params


def load_teacher(folder: Path) -> Teacher:
    """The teacher from its run directory.

    Raises:
        InputError: no run there, or it is not finished.
    """
    return Teacher(*load_finished(folder))


def check_pair(student: Network, teacher: Network) -> None:
    """Check that student and teacher emit the same classes at the same times.

    Raises:
        InputError: they differ in what their logits are compared by.
    """
    for name in ("stride", "emission_delay", "classes", "channels", "rate"):
        ours, theirs = getattr(student, name), getattr(teacher, name)
        if ours != theirs:
            raise InputError(
                f"student and teacher differ in {name} ({ours} against {theirs}); make them equal", "conflict"
            )


def student_config(supervised: RunConfig, teacher: Teacher, distill: DistillConfig) -> RunConfig:
    """The student's run: a supervised configuration plus the teacher's part in the loss.

    Raises:
        InputError: the two decoders' frames or emission delays differ, so their logits cannot be compared.
    """
    check_pair(supervised.model, teacher.config.model)
    supervised.check_band(teacher.config.band)
    if supervised.data != teacher.config.data:
        # A teacher that was trained on the student's test users would make the student's scores no longer zero-shot,
        # and nothing downstream could detect it.
        raise InputError(
            "the teacher was trained on other sessions or another split; use the teacher's data and splits",
            "conflict",
        )
    return dataclasses.replace(supervised, distill=distill)
