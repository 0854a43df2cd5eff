"""Distillation: a teacher run gives the targets, the student is trained by the same loop (see semgjax.training)."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.data.corpus import Corpus
from semgjax.data.trained_on import Names, check_unmet, learned_from, names_from_json
from semgjax.distilling.pairs import check_pair
from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.training.distill_config import SELF, DistillConfig, DistillOptions
from semgjax.training.lineage import OF_TEACHER, Lineage
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import load_finished, read_result


@dataclass(frozen=True)
class Teacher:
    """A finished run, frozen: its parameters are an input of the step and never part of the state.

    Attributes:
        trained_on: what it has learned from; None: its run did not record it.
        about: what its students' results say of it (semgjax.training.lineage).
    """

    config: RunConfig
    params: Params
    trained_on: Names | None = None
    about: dict[str, Any] = dataclasses.field(default_factory=dict)


def load_teacher(folder: Path) -> Teacher:
    """The teacher from its run directory.

    Raises:
        InputError: no run there, or it is not finished; or its result is damaged.
    """
    config, params = load_finished(folder)
    result = read_result(folder) or {}
    met = names_from_json(result["trained_on"], str(folder)) if "trained_on" in result else None
    return Teacher(config, params, met, {name: result[name] for name in OF_TEACHER if name in result})


def lineage_of(teachers: Sequence[Teacher], corpus: Corpus, warnings: Sequence[str] = ()) -> Lineage:
    """What a student's result says of its teachers.

    Args:
        corpus: the student's. A teacher that recorded no sessions was checked to have the same ones.
        warnings: lines about them that the run shows.
    """
    met = Names()
    for one in teachers:
        met |= learned_from(corpus) if one.trained_on is None else one.trained_on
    return Lineage(tuple(one.about for one in teachers), met, tuple(warnings))


def check_data(data: str, held: Names | None, teacher: Teacher) -> None:
    """Check that the teacher's training met nothing of what the student is scored on.

    Otherwise the student's scores would no longer be zero-shot, and nothing downstream could detect it.

    Args:
        data: hash of the student's sessions and their split.
        held: what must be new to the teacher (`semgjax.data.trained_on.held_out`); None: not known.

    Raises:
        InputError: it met some; or that is not known, and the two hashes differ ("conflict").
    """
    if data == teacher.config.data:
        return
    who = f"teacher {teacher.config.hash[:16]}"
    if held is None or teacher.trained_on is None:
        raise InputError(
            f"{who} was trained on other sessions or another split and did not record which; use the teacher's data "
            "and splits, or train it again",
            "conflict",
        )
    check_unmet(held, teacher.trained_on, who)


def student_config(
    supervised: RunConfig,
    teacher: Teacher,
    distill: DistillConfig,
    held: Names | None = None,
    others: Sequence[Teacher] = (),
) -> RunConfig:
    """The student's run: a supervised configuration plus the teacher's part in the loss.

    Args:
        held: the sessions and users that must be new to the teachers; None: they must have the student's data.
        others: further teachers, whose probabilities are averaged with the first one's.

    Raises:
        InputError: the decoders' outputs cannot be compared (`check_pair`); hidden frames are asked for that a network
            has not; a teacher knows what the student is scored on, comes twice, or has other windows than the first.
    """
    for one in (teacher, *others):
        check_pair(supervised.model, supervised.band, one.config)
        check_data(supervised.data, held, one)
        if one.config.window != teacher.config.window:
            raise InputError(
                f"teachers {teacher.config.hash[:16]} and {one.config.hash[:16]} were trained on other windows; use "
                "teachers of the same windows",
                "conflict",
            )
    distill = dataclasses.replace(distill, also=tuple(one.config.hash for one in others))
    return dataclasses.replace(supervised, distill=_with_width(supervised.model, teacher.config.model, distill))


def self_config(supervised: RunConfig, options: DistillOptions) -> RunConfig:
    """A run that its own running average teaches.

    Raises:
        InputError: it has no running average ("bad-value"), or no hidden frames that are asked for.
    """
    distill = _with_width(supervised.model, supervised.model, options.config(SELF))
    return dataclasses.replace(supervised, distill=distill)


def _with_width(student: Network, teacher: Network, distill: DistillConfig) -> DistillConfig:
    """The options with the width of the teacher's hidden frames, if they need it."""
    if not distill.needs_hidden:
        return distill
    # Not at the top: most plans of a sweep need no JAX.
    from semgjax.model.network import hidden_shape
    from semgjax.training.distill_params import check_hidden

    if distill.features:
        distill = dataclasses.replace(distill, feature_width=hidden_shape(teacher)[1])
    check_hidden(student, distill)
    return distill
