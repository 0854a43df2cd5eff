"""A network and a loss from outside the package train, resume, evaluate, export and distil; the guide's code runs."""

import json
import re
import shutil

import jax
import numpy as np
import pytest

import semgjax
from semgjax.config_json import from_json, to_json
from semgjax.errors import InputError
from semgjax.losses.loss import CTC, Loss, loss_text, name_and_settings, register_loss
from semgjax.model.flops import train_flops
from semgjax.model.kind import Network, register_network
from semgjax.model.presets import preset
from semgjax.parallel.hardware import topology
from semgjax.scaling.rows import rows_of
from semgjax.sweep.planfile import read_plan_file
from semgjax.sweep.resolve import resolve
from semgjax.training.dryrun import dry_run
from semgjax.training.engine import Engine
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import Recipe, RunConfig, TrainConfig, recipe
from semgjax.training.run_folder import read_config
from semgjax.training.step import init_state
from tests.guides.toy_loss import ConfidencePenalty
from tests.guides.toy_network import PowerNetwork
from tests.refused import refused
from tests.runs import ROOT, assert_same_parameters, start_python

GUIDE = ROOT / "docs" / "guides" / "extend.md"


@pytest.fixture(scope="module")
def place(sessions, tmp_path_factory):
    """A folder in which the guide's block has run."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(sessions, folder / "shards")
    (block,) = re.findall(r"<!-- the test runs this block -->\n```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(block, str(GUIDE), "exec"), {})
    return folder


@pytest.fixture
def run(place):
    return place / "runs" / "power"


def test_the_run_is_of_that_network_and_that_loss(run):
    config = read_config(run)
    assert (config.model, config.loss) == (PowerNetwork(context=3), ConfidencePenalty(weight=0.05))
    written = json.loads((run / "config.json").read_text())
    assert (written["model"]["network"], written["loss"]["loss"]) == ("power", "confidence-penalty")
    result = json.loads((run / "result.json").read_text())
    assert result["flops"] == 80 * train_flops(config.model, 5000)
    assert result["loss"] == {"loss": "confidence-penalty", "weight": 0.05}


def test_the_log_has_the_sums_of_the_loss_and_training_lowers_it(run):
    lines = [line for line in read_metrics(run / "metrics.jsonl") if "loss" in line]
    assert [line["step"] for line in lines] == [5, 10, 15, 20]
    assert all(0 < line["entropy"] <= np.log(99) and line["infeasible"] == 0 for line in lines)
    for line in lines:
        assert line["loss"] == pytest.approx(line["ctc"] - 0.05 * line["entropy"], rel=0.05)
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_an_interrupted_run_resumes_with_the_same_bits(place, run, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(run, again)
    (again / "result.json").unlink()
    shutil.rmtree(again / "checkpoints" / "20")
    config = read_config(run)
    parts = {"window": config.window, "optimizer": config.optimizer, "augment": config.augment, "train": config.train}
    semgjax.train(config.model, data=place / "shards", out=again, loss=config.loss, **parts)
    assert_same_parameters(again, run)


def test_the_export_gives_the_logits_of_the_run(place, run):
    emg = np.random.default_rng(0).normal(size=(6000, 32))
    exported, trained = semgjax.load(place / "exports" / "power"), semgjax.load(run)
    assert exported.config == trained.config
    np.testing.assert_array_equal(exported.logits(emg), trained.logits(emg))


def test_it_can_be_a_teacher(place, run, tmp_path):
    student = semgjax.distill(
        run, PowerNetwork(context=1), data=place / "shards", out=tmp_path / "s", train={"steps": 2, "batch": 2}
    )
    assert (student.result["kind"], student.result["params"]) == ("distilled", 33 * 99)


def test_accumulation_changes_only_rounding(place, tmp_path):
    found = []
    for parts in (1, 4):
        config = {"steps": 2, "batch": 4, "accumulate": parts, "log_every": 1}
        out = tmp_path / str(parts)
        window = {"length": 4000, "stride": 4000, "left": 800, "right": 200}
        semgjax.train(
            PowerNetwork(), data=place / "shards", out=out, loss=ConfidencePenalty(), window=window, train=config
        )
        lines = read_metrics(out / "metrics.jsonl")
        found.append([(line["loss"], line["entropy"], line["ctc"]) for line in lines if "loss" in line])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


def test_the_planner_counts_it_and_splits_it():
    config = RunConfig("power", PowerNetwork(), "d", train=TrainConfig(batch=8), loss=ConfidencePenalty())
    found = dry_run(config, topology("v5e-4"), Engine(), compile_step=False)
    assert found.params == sum(leaf.size for leaf in jax.tree.leaves(init_state(config)["params"]))
    assert found.flops == 8 * train_flops(config.model, config.window.total)


def test_an_option_of_the_loss_makes_another_run_and_the_default_loss_does_not():
    base = RunConfig("power", PowerNetwork(), "d")
    hashes = {RunConfig("power", PowerNetwork(), "d", loss=ConfidencePenalty(w)).hash for w in (0.1, 0.2)}
    assert base.hash == RunConfig("power", PowerNetwork(), "d", loss=CTC()).hash
    assert len(hashes | {base.hash}) == 3
    other = RunConfig("power", PowerNetwork(context=2), "d", loss=ConfidencePenalty(0.3))
    assert from_json(RunConfig, to_json(other), "x") == other


PLAN = """
name = "context"
[set]
preset = "power"
"train.batch" = 2
"train.log_every" = 1
"train.evaluate_every" = 2
"train.checkpoint_every" = 2
"window.length" = 4000
"window.stride" = 4000
"window.left" = 800
"window.right" = 200
"optimizer.learning_rate" = {at = 3e-3, parameters = 9603, power = -0.5}
"train.steps" = 2
[vary]
"model.context" = [1, 3]
"""


def test_the_name_of_a_registered_network_is_a_preset():
    assert semgjax.init("power", seed=0).config == PowerNetwork()
    assert recipe("power") == Recipe() and recipe("tds") != Recipe()
    with refused("unknown-name", "'powr'", "power"):
        preset("powr")


def test_a_plan_names_a_registered_network_and_varies_its_fields(place, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    found = resolve(read_plan_file(tmp_path / "plan.toml"), place / "shards", None).configs
    assert [(c.preset, c.model) for c in found] == [("power", PowerNetwork(context=n)) for n in (1, 3)]
    assert found[1].optimizer.learning_rate == 3e-3
    (tmp_path / "plan.toml").write_text(PLAN.replace("model.context", "model.contxt"))
    with refused("unknown-name", "'model.contxt'", "'model.context'"):
        read_plan_file(tmp_path / "plan.toml")


@pytest.mark.slow
def test_the_commands_sweep_a_network_of_a_module_that_the_environment_names(place, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    sweep = tmp_path / "sweep"
    commands = (
        ["plan", tmp_path / "plan.toml", f"--data={place / 'shards'}", f"--out={sweep}"],
        ["run", sweep, "--slots=1"],
        ["collect", sweep],
    )
    for words in commands:
        process = start_python(["-m", "semgjax", "sweep", *map(str, words)], SEMGJAX_IMPORT="tests.guides.toy_network")
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    rows = [row for _, row in rows_of(sweep) if row["averaging"] == "macro" and row["split"] == "test"]
    assert [(row["preset"], int(row["params"])) for row in rows] == [("power", 99 * (32 * n + 1)) for n in (1, 3)]
    process = start_python(["-m", "semgjax", "sweep", "status", str(sweep)], SEMGJAX_IMPORT="")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2 and "'power'" in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("loss", "named", "text"),
    [
        (CTC(), {"loss": "ctc"}, "ctc"),
        (ConfidencePenalty(), {"loss": "confidence-penalty"}, "confidence-penalty"),
        (ConfidencePenalty(0.2), {"loss": "confidence-penalty", "weight": 0.2}, "confidence-penalty(weight=0.2)"),
    ],
)
def test_a_loss_is_named_with_the_options_that_differ_from_its_defaults(loss, named, text):
    assert (name_and_settings(loss), loss_text(loss)) == (named, text)


def test_a_network_that_is_not_registered_cannot_be_read():
    body = to_json(RunConfig("power", PowerNetwork(), "d"))
    body["model"]["network"] = "unheard-of"
    with pytest.raises(InputError) as caught:
        from_json(RunConfig, body, "config.json")
    assert caught.value.code == "wrong-schema" and "unheard-of" in str(caught.value)


def test_two_of_one_name_and_a_class_that_is_no_frozen_dataclass_are_refused():
    class Plain(Network):
        NETWORK = "plain"

    class Twin(Loss):
        LOSS = "ctc"

    for register, kind in ((register_network, Plain), (register_loss, Twin)):
        with pytest.raises(InputError) as caught:
            register(kind)
        assert caught.value.code == "conflict"
    before = Network.kinds()
    assert register_network(PowerNetwork) is PowerNetwork  # an import that is repeated
    assert sorted(map(str, Network.kinds())) == sorted(map(str, before))


@pytest.mark.parametrize("given", [{"model": "power"}, {"loss": "ctc"}])
def test_a_name_in_place_of_a_network_or_a_loss_is_refused(given):
    with pytest.raises(InputError) as caught:
        RunConfig("power", **{"model": PowerNetwork(), "data": "d", **given})
    assert caught.value.code == "bad-value"
