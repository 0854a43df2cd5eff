"""The step on machines that are not there: lowering needs no compiler, and with libtpu a pod's memory is reported."""

import dataclasses
import json
import subprocess
import sys

import pytest

from semgjax.cli.main import main
from semgjax.model import operations
from semgjax.model.flops import train_flops
from semgjax.model.presets import preset
from semgjax.parallel.hardware import topology
from semgjax.training.dryrun import dry_run, has_libtpu, report
from semgjax.training.engine import Engine
from semgjax.training.run_config import RunConfig, TrainConfig
from tests.refused import refused
from tests.runs import MODEL, WINDOW, fails

CONFIG = RunConfig("ladder-16", MODEL, "d", WINDOW, train=TrainConfig(steps=8, batch=32))


@pytest.mark.parametrize(("name", "fsdp"), [("v5e-16", 1), ("v5e-16", 4), ("h100-8", 8)])
def test_a_step_lowers_for_a_machine_that_nobody_has(name, fsdp):
    machine = topology(name)
    found = dry_run(CONFIG, machine, Engine(fsdp=fsdp), compile_step=False)
    assert not found.compiled and found.devices == machine.devices
    assert found.flops == pytest.approx(32 * train_flops(MODEL, WINDOW.total))
    assert machine.chip.flops is not None
    assert found.peak_seconds == pytest.approx(found.flops / machine.chip.flops / machine.devices)
    text = "\n".join(report(found))
    assert f"{found.params:,}" in text and "no compiler for it is installed" in text
    if fsdp == 1:  # parameters, two moments, three counters
        assert found.state_bytes == 4 * (3 * found.params + 3)
    else:
        assert found.state_bytes < 4 * 3 * found.params


def test_the_model_is_traced_for_the_pod_and_not_for_this_machine(monkeypatch):
    asked = []
    choose = operations.choose_attention
    monkeypatch.setattr(
        operations,
        "choose_attention",
        lambda asked_for, kind, *rest: asked.append(kind) or choose(asked_for, kind, *rest),
    )
    # Another batch: a step of the same shapes would not be traced anew.
    config = dataclasses.replace(CONFIG, train=TrainConfig(steps=8, batch=48))
    dry_run(config, topology("v5e-16"), Engine(), compile_step=False)
    assert asked[-1] == "tpu"  # what came before was the shapes of the parameters


def test_a_batch_that_the_pod_cannot_split_is_refused():
    with refused("bad-value", 32, 256):
        dry_run(CONFIG, topology("v5e-256"), Engine(), compile_step=False)


def test_the_command_needs_no_data_and_tells_one_object(capsys, monkeypatch):
    monkeypatch.setattr("semgjax.training.dryrun.has_libtpu", lambda: False)
    words = ["train", "--preset", "ladder-16", "--compile-only", "--topology", "v5e-8", "--train.batch=32"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["topology"], found["devices"], found["compiled"]) == ("v5e-8", 8, False)
    assert "v5e-9" in fails(capsys, [*words, "--topology", "v5e-9"])


@pytest.mark.slow
@pytest.mark.parametrize("where", [["cpu"], ["v5e-8", "--engine.fsdp=4", "--engine.remat=layers"]])
def test_the_baselines_step_is_told_as_well(capsys, monkeypatch, where):
    monkeypatch.setattr("semgjax.training.dryrun.has_libtpu", lambda: False)
    shape = ["--model.features=48", "--train.batch=8", "--window.length=1600"]
    assert main(["train", "--preset", "tds", "--compile-only", "--json", "--topology", *where, *shape]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["compiled"] == (where == ["cpu"]) and found["params"] < 5_293_315 and found["flops"] > 0


def test_the_sharding_table_has_a_line_for_every_array(capsys):
    words = ["train", "--preset", "ladder-32", "--show-sharding", "--topology", "v5e-8", "--engine.fsdp=2"]
    assert main([*words, "--train.batch=32"]) == 0
    lines = capsys.readouterr().out.splitlines()
    kernel = next(line for line in lines if line.startswith("params/layers/expand/kernel"))
    assert " ".join(kernel.split()) == "params/layers/expand/kernel float32[2, 32, 128] -, -, fsdp [2, 32, 64]"


def inherited() -> str:
    """The TPU variables of a process that is started now."""
    code = "import os; print(sorted((name, value) for name, value in os.environ.items() if 'TPU' in name))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.skipif(not has_libtpu(), reason="libtpu is not installed (extra tpu): nothing here compiles for TPUs")
def test_the_step_compiles_for_a_pod_and_tells_memory_and_collectives():
    small = dataclasses.replace(CONFIG, model=preset("ladder-16"))
    before = inherited()
    found = dry_run(small, topology("v5e-16"), Engine())
    assert inherited() == before  # libtpu sets some where it finds no TPU
    assert found.compiled and found.memory_bytes is not None and found.memory_bytes > found.state_bytes
    assert found.collectives and sum(found.collectives.values()) > 0
    assert found.estimated_seconds is not None and found.peak_seconds is not None
    assert found.estimated_seconds >= found.peak_seconds
