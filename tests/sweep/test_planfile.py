"""Plan files: what becomes of [set], [vary], [star] and [[distill]], and every mistake in one line."""

import time
from dataclasses import replace

import pytest

from semgjax.data.batching.augment import augment_recipe
from semgjax.errors import InputError
from semgjax.sweep.forecast_rule import ForecastRule
from semgjax.sweep.planfile import find_plan, read_plan_file, shipped_plans
from semgjax.sweep.rate_search import Search
from semgjax.sweep.resolve import run_config
from semgjax.training.run_config import RunConfig, recipe
from tests.refused import refused


def read(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan_file(path)


def configs(tmp_path, text) -> list[RunConfig]:
    """The trials on some sessions."""
    found: list[RunConfig] = []
    for point in read(tmp_path, text).points:
        found.append(run_config(point.options, "data", None if point.teacher is None else found[point.teacher]))
    return found


def test_a_named_augmentation_is_what_its_options_start_from(tmp_path):
    head = 'name = "a"\n[set]\npreset = "ladder-16"\naugment.lag = 7\n'
    trials = configs(tmp_path, head + '[vary]\naugmentation = ["preset", "robust"]\n')
    plain, robust = (config.augment for config in trials)
    assert plain == replace(recipe("ladder-16").augment, lag=7)
    assert robust == replace(augment_recipe("robust"), lag=7)


def test_trials_are_the_product_with_the_last_option_changing_fastest(tmp_path):
    text = 'name = "a"\n[vary]\npreset = ["ladder-32", "ladder-16"]\n"train.seed" = [3, 1]\n'
    assert read(tmp_path, text).name == "a"
    found = [(config.preset, config.model.dim, config.train.seed) for config in configs(tmp_path, text)]
    assert found == [("ladder-32", 32, 3), ("ladder-32", 32, 1), ("ladder-16", 16, 3), ("ladder-16", 16, 1)]


def test_a_trial_is_its_presets_recipe_with_the_options_put_in(tmp_path):
    text = 'name = "a"\n[set]\n"optimizer.learning_rate" = 1\n"model.dropout" = 0.1\n[vary]\npreset = ["tiny"]\n'
    (config,) = configs(tmp_path, text)
    base = recipe("tiny")
    assert config.optimizer.learning_rate == 1.0 and isinstance(config.optimizer.learning_rate, float)
    assert config.model.dropout == 0.1
    assert (config.window, config.augment, config.train) == (base.window, base.augment, base.train)
    assert config.optimizer.decay == base.optimizer.decay


def test_quoted_and_nested_names_mean_the_same(tmp_path):
    head = 'name = "a"\n[vary]\npreset = ["ladder-16"]\n[set]\n'
    quoted = read(tmp_path, head + '"train.steps" = 7\n"train.batch" = 2\n')
    assert read(tmp_path, head + "train.steps = 7\ntrain.batch = 2\n") == quoted
    assert read(tmp_path, head + "[set.train]\nsteps = 7\nbatch = 2\n") == quoted
    assert quoted.points[0].options == {"preset": "ladder-16", "train.steps": 7, "train.batch": 2}


def test_a_list_option_takes_a_list(tmp_path):
    text = (
        'name = "a"\n[set]\npreset = "ladder-16"\n"model.conv_widths" = [8, 8, 16]\n'
        '[vary]\n"model.conv_kernels" = [[10, 8, 4], [10, 4, 4]]\n'
    )
    found = configs(tmp_path, text)
    assert [config.model.conv_kernels for config in found] == [(10, 8, 4), (10, 4, 4)]
    assert found[0].model.conv_widths == (8, 8, 16)


def test_without_vary_there_is_one_trial(tmp_path):
    assert len(read(tmp_path, 'name = "a"\n[set]\npreset = "ladder-16"\n').points) == 1


PRESET = '[set]\npreset = "ladder-16"\n'
SEARCH = 'optimizer.learning_rate = "bracket"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "TOML"),
        (PRESET, "name is None"),
        (f'name = " "\n{PRESET}', "name is ' '"),
        (f'name = "a"\nsets = 1\n{PRESET}', "'set'"),
        ('name = "a"\nset = 3\n', "set is 3"),
        ('name = "a"\n[set]\n"train.step" = 3\n', "'train.steps'"),
        ('name = "a"\n[vary]\ntrain.sed = [3]\n', "'train.seed'"),
        ('name = "a"\n[set]\ndata = "x"\n', "'data'"),
        (f'name = "a"\n{PRESET}train.steps = 1\n"train.steps" = 2\n', "[set]"),
        (f'name = "a"\n{PRESET}[vary]\npreset = ["tiny"]\n', "'preset'"),
        ('name = "a"\n[set]\ntrain.steps = 1\n', "preset"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = 3\n', "'train.seed' in [vary]"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = []\n', "[]"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = [1, 2, 1]\n', "'train.seed' in [vary]"),
        (
            f'name = "a"\n{PRESET}[vary]\ntrain.seed = {list(range(101))}\ntrain.steps = {list(range(1, 101))}\n',
            "10,100 trials",
        ),
        (f'name = "a"\n{PRESET}[star]\ntrain.steps = [3]\n', "'train.steps'"),
        (f'name = "a"\n{PRESET}[star]\npreset = "tiny"\n', "'preset' in [star]"),
        (f'name = "a"\n{PRESET}train.seed = 1\n[star]\ntrain.seed = [1]\n[vary]\ntrain.seed = [1]\n', "[vary]"),
        (f'name = "a"\n{PRESET}[distill]\nteacher = 1\n', "[[distill]]"),
        (f'name = "a"\n{PRESET}[[distill]]\nteachers = 1\n', "'teachers' in [[distill]]"),
        (f'name = "a"\n{PRESET}[[distill]]\nset.preset = "tiny"\n', "[[distill]]"),
        (
            f'name = "a"\n{PRESET}[[distill]]\nteacher.preset = "tiny"\n',
            "{'preset': 'tiny'} in [[distill]]",
        ),
        (f'name = "a"\n{PRESET}[[distill]]\nteacher.preset = "ladder-16"\n', "preset"),
        (f'name = "a"\n{PRESET}distill.weight = 0.5\n', "'distill.weight'"),
        (f'name = "a"\n{PRESET}[bracket]\nfactor = 2.0\n', "optimizer.learning_rate"),
        (f'name = "a"\n{PRESET}[vary]\n{SEARCH}[bracket]\nfactors = 2.0\n', "'factor'"),
        (f'name = "a"\n{PRESET}[vary]\n{SEARCH}[bracket]\nfactor = 1.0\n', "bracket.factor 1"),
        (f'name = "a"\n{PRESET}[vary]\n{SEARCH}[bracket]\nmost = 2.5\n', "most"),
        (f'name = "a"\nbracket = 3\n{PRESET}[vary]\n{SEARCH}', "bracket is 3"),
        (f'name = "a"\n{PRESET}optimizer.learning_rate = 1e-3\n[vary]\n{SEARCH}', "start in [bracket]"),
        (f'name = "a"\n{PRESET}[vary]\n{SEARCH}[[distill]]\nteacher.preset = "ladder-16"\n', "[[distill]]"),
        (f'name = "a"\n{PRESET}[vary]\noptimizer.learning_rate = "golden"\n', "'golden'"),
        (f'name = "a"\nforecast = 3\n{PRESET}', "forecast is 3"),
        (f'name = "a"\n{PRESET}[forecast]\nlargest = 2\n', "ledger"),
        (f'name = "a"\n{PRESET}[forecast]\nledgers = "f"\n', "'ledger'"),
        (f'name = "a"\n{PRESET}[forecast]\nledger = "f"\nlargest = 0\n', "forecast.largest 0"),
        (f'name = "a"\n{PRESET}[forecast]\nledger = "f"\nby = "size"\n', "'size'"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_the_place(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'plan.toml'}: ")
    assert says in message
    assert "\n" not in message


def test_a_searched_rate_leaves_a_point_for_each_choice_of_the_rest_at_its_first_rate(tmp_path):
    text = f'name = "a"\n[vary]\npreset = ["ladder-16", "ladder-64"]\n{SEARCH}train.seed = [0, 1]\n'
    plan = read(tmp_path, text)
    assert plan.search == Search() and len(plan.points) == 4
    rates = [config.optimizer.learning_rate for config in configs(tmp_path, text)]
    assert rates[::2] == [recipe(name).optimizer.learning_rate for name in ("ladder-16", "ladder-64")]
    text += "[bracket]\nstart = {at = 4e-3, width = 16, power = -0.5}\nfactor = 3\nmost = 5\ntogether = true\n"
    assert read(tmp_path, text).search == Search(factor=3.0, most=5, together=True)
    assert [config.optimizer.learning_rate for config in configs(tmp_path, text)][::2] == [4e-3, 2e-3]


def test_a_plan_may_ask_for_forecasts_of_its_largest_trials(tmp_path):
    assert read(tmp_path, f'name = "a"\n{PRESET}').forecast is None
    found = read(tmp_path, f'name = "a"\n{PRESET}[forecast]\nledger = "f.jsonl"\nlargest = 2\nby = "flops"\n')
    assert found.forecast == ForecastRule("f.jsonl", 2, "flops")


def test_a_missing_file_and_one_that_is_no_text_are_told(tmp_path):
    with pytest.raises(InputError) as caught:
        read_plan_file(tmp_path / "none.toml")
    assert caught.value.code == "no-file"
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError) as caught:
        read_plan_file(tmp_path / "bytes.toml")
    assert caught.value.code == "bad-encoding"


STAR = """
name = "a"
[set]
preset = "ladder-32"
"data.users" = 8
[star]
preset = ["ladder-16", "ladder-32", "ladder-64"]
"data.users" = [4, 8]
[vary]
"train.seed" = [0, 1]
"""


def test_a_star_is_its_middle_and_every_axis_by_itself_for_each_choice_of_the_rest(tmp_path):
    points = [point.options for point in read(tmp_path, STAR).points]
    assert [(p["preset"], p["data.users"], p["train.seed"]) for p in points] == [
        (preset, users, seed)
        for preset, users in (("ladder-32", 8), ("ladder-16", 8), ("ladder-64", 8), ("ladder-32", 4))
        for seed in (0, 1)
    ]


DISTILL = """
name = "a"
[set]
"train.steps" = 7
"augment.lag" = 20
[vary]
preset = ["ladder-64", "ladder-32"]
"train.seed" = [0, 1]
[[distill]]
teacher = {preset = "ladder-64"}
set = {"train.flops" = 1e12, "distill.weight" = 0.5}
vary = {preset = ["ladder-16", "ladder-24"]}
"""


def test_every_teacher_gets_its_students_which_take_over_what_they_do_not_set(tmp_path):
    points = read(tmp_path, DISTILL).points
    assert [point.teacher for point in points] == [None] * 4 + [0, 0, 1, 1]
    found = configs(tmp_path, DISTILL)
    for student, teacher in zip(found[4:], (found[0], found[0], found[1], found[1]), strict=True):
        assert student.distill is not None and student.distill.teacher == teacher.hash
        assert student.distill.weight == 0.5
        assert student.train.seed == teacher.train.seed
        assert (student.augment.lag, student.window) == (20, teacher.window)
        assert student.train.steps > 7
    assert [config.preset for config in found[4:6]] == ["ladder-16", "ladder-24"]


def test_a_plan_is_found_by_its_path_and_a_shipped_one_by_its_name(tmp_path):
    (tmp_path / "mine.toml").write_text("")
    assert find_plan(str(tmp_path / "mine.toml")) == tmp_path / "mine.toml"
    assert find_plan("cpu-star") == shipped_plans()["cpu-star"]
    with refused("no-file", "'cpu-star'"):
        find_plan("cpu-sta")


LISTS = ("train.seed", "train.steps", "train.batch", "data.users")


@pytest.mark.parametrize(
    "vary",
    [
        f'"train.seed" = {list(range(1_000_000))}',
        "".join(
            f'"{name}" = {list(range(1, 1001))}\n'
            for name in ("train.seed", "train.steps", "train.batch", "data.users")
        ),
        '"train.seed" = "0-1000000000"',
        '"train.seed" = {start = 0, stop = 1000000000}',
    ],
)
def test_a_plan_of_absurd_many_trials_is_refused_at_once(tmp_path, vary):
    path = tmp_path / "plan.toml"
    path.write_text(f'name = "x"\n[set]\npreset = "ladder-16"\n[vary]\n{vary}\n')
    begin = time.monotonic()
    with pytest.raises(InputError) as caught:
        read_plan_file(path)
    assert caught.value.code in ("bad-value", "bad-toml", "bad-field", "unknown-name") and time.monotonic() - begin < 5


def test_students_of_many_teachers_are_counted_before_they_are_made(tmp_path):
    path = tmp_path / "plan.toml"
    many = f'"train.seed" = {list(range(9000))}'
    path.write_text(
        f'name = "x"\n[set]\npreset = "ladder-16"\n[vary]\n{many}\n'
        f'[[distill]]\nteacher = {{preset = "ladder-16"}}\nset = {{preset = "ladder-16"}}\nvary = {{{many}}}\n'
    )
    begin = time.monotonic()
    with pytest.raises(InputError) as caught:
        read_plan_file(path)
    assert caught.value.code == "bad-value" and time.monotonic() - begin < 5
