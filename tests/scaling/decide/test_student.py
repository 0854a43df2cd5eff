"""The smallest student with and without a teacher."""

import numpy as np
import pytest

from semgjax.scaling.decide.design import check_design
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.exchange import exchange
from semgjax.scaling.decide.student import smallest_student
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.refit import influence
from semgjax.scaling.table import table_of
from tests.refused import refused
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
    with refused("wrong-law", "floor_power"):
        smallest_student(size_fit(), 20.0, 1e6)


def test_a_student_without_a_named_teacher_is_its_own_in_every_answer():
    sizes = np.tile(np.geomspace(1e4, 1e6, 6), 2)
    teacher = np.concatenate([sizes[:6], np.full(6, 1e6)])
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    plan, values = {"N": sizes, "T": teacher}, made(sizes, teacher) * noise
    fit = fit_law(table_of(plan, values, "%"), LAWS["distilled"])
    alone, named = {"N": 3e5}, {"N": 3e5, "T": 3e5}
    np.testing.assert_array_equal(
        influence(fit, {n: np.array([v]) for n, v in alone.items()}),
        influence(fit, {n: np.array([v]) for n, v in named.items()}),
    )
    evidence = gather(fit, 0.95)
    values = [exchange(fit, "T", "N", at, evidence=evidence).rate.value for at in (alone, named)]
    assert values[0] == values[1] > 1.0
    designs = [check_design(LAWS["distilled"], dict(fit.parameters), plan, at, noise=0.02) for at in (alone, named)]
    assert designs[0].simulated == designs[1].simulated
