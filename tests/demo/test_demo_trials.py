"""What the demo trains and how it judges its laws, without training anything."""

import dataclasses

import numpy as np
import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.shards.splice import splice_shards
from semgjax.data.shards.splice_plan import SpliceRule
from semgjax.data.simulate import simulate
from semgjax.data.splitting.splits import leave_users_out, read_split, write_split
from semgjax.demo import stages
from semgjax.demo.demo_laws import law_summary
from semgjax.demo.demo_plan import DemoPlan
from semgjax.demo.demo_trials import crowd_sizes, make_trials
from semgjax.model.flops import train_flops
from semgjax.pages.demo.curves import emg_figure
from semgjax.pages.stretch import choose_stretch
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import law_named
from semgjax.scaling.table import Table
from semgjax.training.run_config import recipe
from tests.data.shards.gestures import gestures, write_shards
from tests.refused import refused

PLAN = DemoPlan(users=9, test_users=2, widths=(16, 24), users_width=16, halvings=2, student_width=16, steps=30)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "sessions"
    simulate(folder, PLAN.users, 1, 0.1, 0, people="varied")
    return folder


@pytest.fixture(scope="module")
def trials(sessions):
    split_file = stages._split(PLAN, sessions, sessions / "splits.json")
    return make_trials(PLAN, load_corpus(sessions, split_file), sessions, split_file)


def test_users_are_halved_down_to_one():
    assert crowd_sizes(32, 3) == (4, 8, 16, 32)
    assert crowd_sizes(6, 3) == (1, 3, 6)
    with refused("no-sessions"):
        crowd_sizes(1, 3)


def test_the_largest_crowd_is_the_ladders_own_run(trials):
    assert list(trials.crowds)[-1] == max(trials.crowds)
    assert trials.crowds[max(trials.crowds)].hash == trials.ladder[0].hash
    assert len(trials.all) == len({config.hash for config in trials.all}) == 2 + 2 + 2 + 2
    for users, config in trials.crowds.items():
        split = trials.splits[config.data]
        assert len({name.split("-")[1] for name in split.train}) == users
        assert split.test == trials.splits[trials.ladder[0].data].test


def test_students_and_their_twins_have_equal_operations_and_the_same_rates(trials):
    teacher = trials.ladder[-1]
    for student, twin in zip(trials.students, trials.scratch, strict=True):
        assert student.distill.teacher == teacher.hash and twin.distill is None
        assert student.model == twin.model
        assert student.optimizer.learning_rate == twin.optimizer.learning_rate
        taught = student.train.steps * train_flops(student.model, student.window.total, (teacher.model,))
        alone = twin.train.steps * train_flops(twin.model, twin.window.total)
        assert alone == pytest.approx(taught, rel=1e-3)
    peak = recipe("keys-16").optimizer.learning_rate
    assert [config.optimizer.learning_rate for config in trials.students] == [peak, 2 * peak]


def test_the_split_of_given_sessions_is_kept_and_else_a_quarter_is_held_out(sessions, tmp_path):
    plan = dataclasses.replace(PLAN, data=str(sessions), test_users=8)
    given = tmp_path / "given"
    given.mkdir()
    for path in sessions.glob("*.hdf5"):
        (given / path.name).symlink_to(path)
    drawn = read_split(stages._split(plan, given, tmp_path / "drawn.json"))
    assert len({name.split("-")[1] for name in drawn.test}) == 2
    users = [(path.stem, path.stem.split("-")[1]) for path in sorted(given.glob("*.hdf5"))]
    own = leave_users_out(users, test_users=3, val_share=0.0, seed=5)
    write_split(given / "splits.json", own)
    assert read_split(stages._split(plan, given, tmp_path / "kept.json")).hash == own.hash
    write_split(given / "splits.json", dataclasses.replace(own, test=()))
    with refused("no-sessions", given):
        stages._split(plan, given, tmp_path / "none.json")


def test_spliced_sessions_of_one_recording_stay_in_one_part_and_their_figure_has_their_rings(tmp_path):
    recorded = write_shards(tmp_path / "shards", [gestures(f"{user}{n}", user) for user in "abcd" for n in range(2)])
    splice_shards(recorded, tmp_path / "spliced", SpliceRule(orders=2, events=3))
    plan = dataclasses.replace(PLAN, data=str(tmp_path / "spliced"), test_users=8, val_share=0.5)
    split = read_split(stages._split(plan, tmp_path / "spliced", tmp_path / "drawn.json"))
    parts = [sorted(name[:2] for name in part) for part in (split.train, split.val, split.test)]
    assert [len(part) for part in parts] == [2 * 3, 3, 2] and len(set(sum(parts, []))) == 8
    corpus = load_corpus(tmp_path / "spliced", tmp_path / "drawn.json")
    figure = emg_figure(corpus.test[0], *choose_stretch(corpus.test[0]))
    assert len(figure.axes) == 1 and len(figure.axes[0].lines) >= 8


def table(y: list[float]) -> Table:
    x = np.array([4.0, 8.0, 16.0, 32.0])
    return Table({"U": x}, np.array(y), "%", "cer", {"U": "users"}, "results.csv")


def test_a_clear_law_is_identified_and_a_flat_one_is_not():
    law = law_named("power", ("U",))
    clear = law_summary(fit_law(table([80.0, 67.5, 56.5, 47.6]), law))
    assert clear["identified"] and clear["low"] < clear["exponent"] < clear["high"]
    assert clear["exponent"] == pytest.approx(0.25, abs=0.01)
    flat = law_summary(fit_law(table([50.0, 51.0, 49.5, 50.2]), law))
    assert not flat["identified"]
