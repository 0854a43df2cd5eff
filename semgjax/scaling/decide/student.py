"""The smallest student that reaches a target, with a teacher and without one, and what the teacher saves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.decision import NOT_IDENTIFIED, Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.decide.inverse import invert, question
from semgjax.scaling.ends import number
from semgjax.scaling.fit import Fit

Array = np.ndarray


@dataclass(frozen=True)
class Student:
    """Smallest sizes without (alone) and with the teacher (taught), and alone over taught (saving, paired draws)."""

    target: float
    teacher: float
    alone: Decision
    taught: Decision
    saving: Decision


def smallest_student(
    fit: Fit,
    target: float,
    teacher: float,
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    force: bool = False,
    evidence: Evidence | None = None,
) -> Student:
    """From a law of students and teachers with the inputs N and T (`distilled`).

    Raises:
        InputError: another law, a teacher beyond all bounds, or a target that is no error.
    """
    if not {"N", "T"} <= set(fit.law.input_names):
        raise InputError(f"law {fit.law.name} knows no teacher; fit the law distilled, with T=COLUMN", "wrong-law")
    at = dict(at or {})
    if not (np.isfinite(teacher) and teacher > 0):
        raise InputError(f"teacher {teacher}: must be a number of parameters, e.g. 5e6", "bad-value")
    evidence = evidence or gather(fit, level)
    alone, taught = question(fit, "N", target, at), question(fit, "N", target, {**at, "T": teacher})

    def ratio(f: Fit, thetas: Array) -> Array:
        own, with_teacher = alone.evaluate(f, thetas), taught.evaluate(f, thetas)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(with_teacher), own / with_teacher, np.inf)

    text = f"times smaller with a teacher of {number(teacher, 6)} parameters, for {fit.table.y_name} {target:g}"
    alone_size, taught_size = (
        invert(fit, "N", target, place, level, force=force, evidence=evidence) for place in (at, {**at, "T": teacher})
    )
    # The saving is determined where both sizes are.
    both = (*alone_size.diagnostics, *taught_size.diagnostics)
    lacking = tuple(dict.fromkeys(d for d in both if d.code == NOT_IDENTIFIED))
    saving = decide(Question(text, "", ratio), evidence, force, more=lacking)
    return Student(target, teacher, alone_size, taught_size, saving)
