"""What a run says of its teachers: their names, what they learned from, and a warning about a small one."""

import dataclasses

import jax
import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.trained_on import Names
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.lineage import Lineage, lineage_members, oversized
from tests.runs import run_config


def test_a_student_has_learned_from_what_its_teachers_were_trained_on(sessions):
    corpus = load_corpus(sessions)
    config = dataclasses.replace(run_config(corpus), distill=DistillConfig("t"))
    found = lineage_members(config, corpus, Lineage(({"config": "t"},), Names(frozenset({"far"}), frozenset({"zoe"}))))
    assert "far" in found["trained_on"]["sessions"] and "zoe" in found["trained_on"]["users"]
    assert len(found["trained_on"]["users"]) == 3 and found["teachers"] == [{"config": "t"}]


@pytest.mark.parametrize(("student", "warnings"), [("ladder-16", 0), ("ladder-32", 0), ("ladder-48", 1)])
def test_a_student_that_is_larger_than_its_teacher_causes_a_warning(student, warnings):
    own, theirs = (
        jax.eval_shape(lambda n=n: network.init(preset(n), jax.random.key(0))) for n in (student, "ladder-32")
    )
    lines = oversized(own, [(preset("ladder-32"), theirs)])
    assert len(lines) == warnings
    assert all("\n" not in line and f"{sum(x.size for x in jax.tree.leaves(own)):,}" in line for line in lines)
