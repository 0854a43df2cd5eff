"""Points of a plan on sessions: rates by rule, steps by budget, subsets of the data, and every mistake in one line."""

import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.data.trained_on import Names
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig, TDSConfig
from semgjax.model.flops import train_flops
from semgjax.model.presets import preset
from semgjax.sweep.plan import plan_sweep, read_sweep
from semgjax.sweep.planfile import read_plan_file, shipped_plans
from semgjax.sweep.resolve import learning_rate, resolve, run_config
from semgjax.sweep.trial_cost import parameters_of
from tests.data.fixtures import typed, write_session
from tests.refused import refused
from tests.sweep.plans import config_of

PRESET = 'name = "a"\n[set]\npreset = "ladder-16"\n'


@pytest.fixture
def place(tmp_path):
    """Two sessions of each of three users for training, and one user for test."""
    for user in "abcd":
        for number in (1, 2):
            path = tmp_path / "sessions" / f"{user}{number}.hdf5"
            write_session(path, user=user, keystrokes=typed("hello"))
    train = tuple(f"{user}{number}" for user in "abc" for number in (1, 2))
    write_split(tmp_path / "sessions" / "splits.json", Split(train, (), ("d1", "d2"), {}))
    return tmp_path


def resolved(place, text):
    path = place / "plan.toml"
    path.write_text(text)
    return resolve(read_plan_file(path), place / "sessions", None)


def test_without_a_subset_the_sessions_are_those_of_the_split(place):
    found = resolved(place, PRESET)
    hashed = load_corpus(place / "sessions").hash
    assert [config.data for config in found.configs] == [hashed]
    assert found.splits == {hashed: read_split(place / "sessions" / "splits.json")}


def test_subsets_are_nested_have_hashes_of_their_own_and_leave_the_test_users_alone(place):
    hours = 2 * load_corpus(place / "sessions").train[0].samples / 2000 / 3600
    text = f'{PRESET}[vary]\n"data.users" = [1, 2, 3]\n"data.hours_per_user" = [{hours / 2}, {hours}]\n'
    found = resolved(place, text)
    splits = [set(found.splits[config.data].train) for config in found.configs]
    assert [len(names) for names in splits] == [1, 2, 2, 4, 3, 6]
    for smaller, larger in ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5)):
        assert splits[smaller] <= splits[larger]
    assert all(split.test == ("d1", "d2") for split in found.splits.values())
    assert len({config.data for config in found.configs}) == 6
    again = resolved(place, text + '"data.seed" = [0, 1]\n')
    assert len({config.data for config in again.configs}) > 6
    sweep = plan_sweep("a", found.configs, place / "sessions", found.splits, place / "sweep")
    for trial in sweep.trials:
        assert load_corpus(place / "sessions", sweep.split_file(trial)).hash == trial.config.data


def test_labels_withheld_from_some_users_are_a_subset_with_the_same_sessions(place):
    found = resolved(place, f'{PRESET}[vary]\n"data.labelled_users" = [1, 2, 3]\n"data.users" = [3]\n')
    splits = [found.splits[config.data] for config in found.configs]
    assert [len(split.train) for split in splits] == [2, 4, 6]
    assert [len(split.unlabelled) for split in splits] == [4, 2, 0]
    assert len({config.data for config in found.configs}) == 3
    alone = resolved(place, f'{PRESET}"data.users" = 1\n')
    assert alone.splits[alone.configs[0].data].train == splits[0].train
    with pytest.raises(InputError) as caught:
        resolved(place, f'{PRESET}"data.labelled_users" = 4\n')
    assert caught.value.code == "bad-value" and "plan.toml" in str(caught.value)


def test_a_rate_follows_the_size_by_its_rule(place):
    text = 'name = "a"\n[set]\n"optimizer.learning_rate" = {at = 4e-3, width = 16, power = -0.5}\n'
    found = resolved(place, text + '[vary]\npreset = ["ladder-16", "ladder-64"]\n').configs
    assert [config.optimizer.learning_rate for config in found] == [4e-3, 2e-3]
    size = parameters_of(preset("ladder-32"))
    rule = {"at": 1e-3, "parameters": 2 * size, "power": -1}
    assert learning_rate(rule, config_of("ladder-32")) == pytest.approx(2e-3, rel=1e-12)


def test_the_baseline_stands_beside_transformers_in_a_plan_and_teaches_a_smaller_one(place):
    text = """
name = "a"
[set]
"train.flops" = 1e15
"train.batch" = 8
"optimizer.learning_rate" = {at = 1e-3, parameters = 5293315, power = -0.5}
[vary]
preset = ["tiny", "tds"]
[[distill]]
teacher = {preset = "tds"}
set = {preset = "tds", "model.features" = 96, "model.conv_channels" = [12, 12]}
"""
    found = resolved(place, text).configs
    assert [type(config.model) for config in found] == [ModelConfig, TDSConfig, TDSConfig]
    assert found[1].optimizer.learning_rate == 1e-3 and found[2].optimizer.learning_rate > 2e-3
    for config in found[:2]:
        spent = config.train.steps * 8 * train_flops(config.model, config.window.total)
        assert spent == pytest.approx(1e15, rel=0.01)
    assert found[2].distill is not None and found[2].distill.teacher == found[1].hash
    assert found[2].window == found[1].window == WindowSpec(8000, 8000, 1792, 208)
    sweep = plan_sweep("a", found, place / "sessions", resolved(place, text).splits, place / "sweep")
    assert read_sweep(place / "sweep") == sweep


def test_a_students_options_are_checked_like_a_file_and_know_the_teachers_width():
    teacher = config_of("ladder-32", data="data")
    options = {"preset": "ladder-16", "distill.intermediate": [1], "distill.features": 1, "distill.frames": "spikes"}
    found = run_config(options, "data", teacher).distill
    assert found is not None and (found.intermediate, found.feature_width) == ((1,), teacher.model.dim)
    for name, value, code in (
        ("delay", 0.5, "bad-field"),
        ("frames", "some", "bad-field"),
        ("weight", 2.0, "bad-value"),
        ("intermediate", [99], "bad-value"),
    ):
        with refused(code, name):
            run_config({"preset": "ladder-16", f"distill.{name}": value}, "data", teacher)


def test_students_of_a_plan_may_have_other_training_people_than_their_teacher(place):
    text = f"""{PRESET}"data.users" = 1
[[distill]]
teacher = {{"data.users" = 1}}
set = {{preset = "ladder-16", "data.users" = 3, "data.labelled_users" = 1}}
"""
    teacher, student = resolved(place, text).configs
    assert student.distill is not None and student.distill.teacher == teacher.hash
    assert student.data != teacher.data


def test_a_student_of_other_sessions_needs_to_know_what_its_teacher_was_trained_on():
    teacher, options = config_of("ladder-32", data="data"), {"preset": "ladder-16"}
    met = Names(frozenset({"a1"}), frozenset({"a"}))
    assert run_config(options, "other", teacher, met=met, held=Names(frozenset({"b1"}))).distill is not None
    for known in ({}, {"met": met}, {"met": met, "held": Names(frozenset({"a1"}))}):
        with refused("conflict", teacher.hash[:16]):
            run_config(options, "other", teacher, **known)


def test_a_budget_of_operations_becomes_steps(place):
    config = run_config({"preset": "ladder-16", "train.flops": 1e12, "train.batch": 4}, "data")
    step = 4 * train_flops(config.model, config.window.total)
    assert abs(config.train.steps * step - 1e12) <= step / 2
    teacher = config_of("ladder-64", data="data")
    student = run_config({"preset": "ladder-16", "train.flops": 1e12, "train.batch": 4}, "data", teacher)
    assert student.train.steps < config.train.steps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "a"\n[vary]\npreset = ["ladder-16", "leader-32"]\n', "'leader-32'"),
        ('name = "a"\n[set]\npreset = 3\n', "preset 3"),
        (f'{PRESET}train.steps = "many"\n', "'many'"),
        (f"{PRESET}train.steps = 1.5\n", "1.5 "),
        (f"{PRESET}train.steps = true\n", "True "),
        (f"{PRESET}train.steps = 1979-05-27\n", "1979"),
        (f"{PRESET}train.steps = -1\n", "train.steps -1 "),
        (f"{PRESET}optimizer.learning_rate = inf\n", "'optimizer.learning_rate' is inf"),
        (f"{PRESET}optimizer.learning_rate = {{at = 1e-3, width = 64}}\n", "{'at': 0.001, 'width': 64}"),
        (
            f"{PRESET}optimizer.learning_rate = {{at = -1, width = 64, power = 0}}\n",
            "at is -1",
        ),
        (f'{PRESET}optimizer.learning_rate = {{at = 1, width = 64, power = "x"}}\n', "power is 'x'"),
        (
            'name = "a"\n[set]\npreset = "tds"\noptimizer.learning_rate = {at = 1, width = 64, power = -1}\n',
            "preset 'tds'",
        ),
        ('name = "a"\n[set]\nmodel.dim = 64\n[vary]\npreset = ["tiny", "tds"]\n', "'model.dim'"),
        (f"{PRESET}model.features = 8\n", "'model.features'"),
        (f"{PRESET}train.flops = 1e3\n", "train.flops 1000"),
        (f"{PRESET}train.flops = true\n", "train.flops True "),
        (f"{PRESET}train.flops = 1e12\ntrain.steps = 3\n", "train.steps and train.flops"),
        (f"{PRESET}data.users = 4\n", "4 users of 3"),
        (f"{PRESET}data.users = 1.5\n", "1.5 "),
        (f"{PRESET}data.hours_per_user = 9.0\n", "data.hours_per_user 9.0: 3 users"),
        (
            f'{PRESET}[[distill]]\nteacher.preset = "ladder-16"\nset = {{preset = "tds"}}\n',
            "stride (16 ",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(place, text, says):
    with pytest.raises(InputError) as caught:
        resolved(place, text)
    message = str(caught.value)
    assert message.startswith(f"{place / 'plan.toml'}: ")
    assert says in message
    assert "\n" not in message and "plan: " not in message


@pytest.mark.parametrize("name", shipped_plans())
def test_a_shipped_plan_makes_valid_trials_that_all_differ(name):
    plan = read_plan_file(shipped_plans()[name])
    assert shipped_plans()[name].read_text().startswith("# ")
    found = []
    for point in plan.points:
        options = {k: v for k, v in point.options.items()}
        data = repr(sorted((k, v) for k, v in options.items() if k.startswith("data.")))
        found.append(run_config(options, data, None if point.teacher is None else found[point.teacher]))
    assert len({config.hash for config in found}) == len(found) > 1
