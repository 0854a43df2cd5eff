"""Plan files: what becomes of [set] and [vary], and every mistake in one line."""

from dataclasses import replace

import pytest

from semgjax.data.augment import augment_recipe
from semgjax.errors import InputError
from semgjax.sweep.planfile import read_plan_file
from semgjax.train.config import recipe


def read(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan_file(path)


def test_a_named_augmentation_is_what_its_options_start_from(tmp_path):
    head = 'name = "a"\n[set]\npreset = "ladder-16"\naugment.lag = 7\n'
    plan = read(tmp_path, head + '[vary]\naugmentation = ["preset", "robust"]\n')
    plain, robust = (config.augment for config in plan.configs)
    assert plain == replace(recipe("ladder-16").augment, lag=7)
    assert robust == replace(augment_recipe("robust"), lag=7)


def test_trials_are_the_product_with_the_last_option_changing_fastest(tmp_path):
    plan = read(tmp_path, 'name = "a"\n[vary]\npreset = ["ladder-32", "ladder-16"]\n"train.seed" = [3, 1]\n')
    assert plan.name == "a"
    found = [(config.preset, config.model.dim, config.train.seed) for config in plan.configs]
    assert found == [("ladder-32", 32, 3), ("ladder-32", 32, 1), ("ladder-16", 16, 3), ("ladder-16", 16, 1)]


def test_a_trial_is_its_presets_recipe_with_the_options_put_in(tmp_path):
    text = 'name = "a"\n[set]\n"optimizer.learning_rate" = 1\n"model.dropout" = 0.1\n[vary]\npreset = ["tiny"]\n'
    (config,) = read(tmp_path, text).configs
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
    assert quoted.configs[0].train.steps == 7


def test_a_list_option_takes_a_list(tmp_path):
    text = (
        'name = "a"\n[set]\npreset = "ladder-16"\n"model.conv_widths" = [8, 8, 16]\n'
        '[vary]\n"model.conv_kernels" = [[10, 8, 4], [10, 4, 4]]\n'
    )
    configs = read(tmp_path, text).configs
    assert [config.model.conv_kernels for config in configs] == [(10, 8, 4), (10, 4, 4)]
    assert configs[0].model.conv_widths == (8, 8, 16)


def test_without_vary_there_is_one_trial(tmp_path):
    assert len(read(tmp_path, 'name = "a"\n[set]\npreset = "ladder-16"\n').configs) == 1


PRESET = '[set]\npreset = "ladder-16"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "cannot be read as TOML"),
        (PRESET, "name is None"),
        (f'name = " "\n{PRESET}', "name is ' '"),
        (f'name = "a"\nsets = 1\n{PRESET}', "unknown name 'sets'; did you mean 'set'?"),
        ('name = "a"\nset = 3\n', "set is 3; write a table, [set]"),
        ('name = "a"\n[set]\n"train.step" = 3\n', "'train.step' in [set]; did you mean 'train.steps'?"),
        ('name = "a"\n[vary]\ntrain.sed = [3]\n', "'train.sed' in [vary]; did you mean 'train.seed'?"),
        ('name = "a"\n[set]\ndata = "x"\n', "unknown name 'data' in [set]"),
        (f'name = "a"\n{PRESET}train.steps = 1\n"train.steps" = 2\n', "written twice in [set]"),
        (f'name = "a"\n{PRESET}[vary]\npreset = ["tiny"]\n', "'preset' is in [set] and in [vary]"),
        ('name = "a"\n[set]\ntrain.steps = 1\n', "no preset"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = 3\n', "'train.seed' in [vary] is 3; write a list"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = []\n', "'train.seed' in [vary] is []; write a list"),
        (f'name = "a"\n{PRESET}[vary]\ntrain.seed = [1, 2, 1]\n', "holds 1 twice"),
        ('name = "a"\n[vary]\npreset = ["ladder-16", "leader-32"]\n', "'leader-32' is unknown"),
        ('name = "a"\n[set]\npreset = 3\n', "preset 3 is no text"),
        (f'name = "a"\n{PRESET}augmentation = 3\n', "augmentation 3 is no text"),
        (f'name = "a"\n{PRESET}augmentation = "bold"\n', "no augmentation 'bold'"),
        (f'name = "a"\n{PRESET}train.steps = "many"\n', "'many' is not of type"),
        (f'name = "a"\n{PRESET}train.steps = 1.5\n', "1.5 is not of type"),
        (f'name = "a"\n{PRESET}train.steps = true\n', "True is not of type"),
        (f'name = "a"\n{PRESET}train.steps = 1979-05-27\n', "is not of type"),
        (f'name = "a"\n{PRESET}train.steps = -1\n', "train.steps -1 must be positive (in a trial with preset"),
        (f'name = "a"\n{PRESET}optimizer.learning_rate = inf\n', "'optimizer.learning_rate' is inf"),
        (
            f'name = "a"\n{PRESET}[vary]\ntrain.seed = {list(range(101))}\ntrain.steps = {list(range(1, 101))}\n',
            "10,100 trials",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_the_place(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'plan.toml'}: ")
    assert says in message
    assert "\n" not in message


def test_a_missing_file_and_one_that_is_no_text_are_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_plan_file(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read as TOML"):
        read_plan_file(tmp_path / "bytes.toml")
