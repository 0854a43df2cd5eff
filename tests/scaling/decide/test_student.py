"""The smallest student with and without a teacher."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.student import smallest_student
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.table import table_of
from tests.scaling.decide.made import size_fit


def made(size, teacher):
    gap = np.maximum(teacher / size - 1.0, 0.0)
    return 5.0 + 20.0 * (size * (1.0 + 3.0 * gap / (3.0 + gap)) / 1e5) ** -0.5


def test_a_teacher_makes_the_student_smaller_by_what_the_law_says():
    sizes = np.tile(np.geomspace(1e4, 1e6, 6), 2)
    teacher = np.concatenate([sizes[:6], np.full(6, 1e6)])
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    fit = fit_law(table_of({"N": sizes, "T": teacher}, made(sizes, teacher) * noise, "%"), LAWS["distilled"])
    found = smallest_student(fit, 25.0, 1e6)
    assert found.alone.value == pytest.approx(1e5, rel=0.1)
    assert found.taught.value < 0.6 * found.alone.value
    assert found.saving.value == pytest.approx(found.alone.value / found.taught.value, rel=1e-6)
    low, high = found.saving.interval
    assert 1.0 < low < found.saving.value < high


def test_a_law_without_teachers_is_refused():
    with pytest.raises(InputError, match="no teacher"):
        smallest_student(size_fit(), 20.0, 1e6)
