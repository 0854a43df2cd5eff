"""The device kit: its small form on this CPU as a whole, and what it makes of checks that break or do not finish."""

import json
import math
import time

import numpy as np
import pytest

from benchmarks import _device_item, _device_speed, device
from benchmarks._ctc_float64 import ctc_float64
from benchmarks._device_figures import NETWORKS, SIZES, Figure, Outcome, check_names, outcome_of
from benchmarks._device_marks import marks
from benchmarks._device_parity import SMALL_SPEC, differences
from benchmarks._device_runs import planned_steps
from semgjax.cli.main import main
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.errors import InputError
from semgjax.model.presets import preset
from semgjax.training.run_config import RunConfig, TrainConfig

ABOUT = {"small": True, "platform": "cpu", "device": "cpu", "devices": 2, "driver": "d", "python": "3", "versions": {}}


@pytest.mark.slow  # 3 min of one idle core: eighteen processes
def test_the_small_form_measures_or_skips_every_check_and_all_bounds_hold(tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["bench", "device", "--small", "--out", str(out), "--minutes", "30", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    status = {check["item"]: check["status"] for check in report["checks"]}
    assert tuple(status) == check_names(small=True) and report["left"] == []
    assert {name for name, word in status.items() if word == "skipped"} <= {"speed.torch.ladder-16", "speed.torch_ctc"}
    assert "broken" not in status.values()
    bounded = [row for check in report["checks"] for row in check["figures"] if row["bound"] is not None]
    assert len(bounded) > 50 and all(row["holds"] for row in bounded)
    assert [mark["key"] for mark in report["marks"] if mark["met"] is not None] != []
    page = (out / "device.html").read_text()
    assert all(mark["key"].replace("'", "&#39;") in page for mark in report["marks"])
    assert all(name in page for name in check_names(small=True))
    before = {file.name: file.read_bytes() for file in (out / "state").iterdir()}
    assert main(["bench", "device", "--small", "--out", str(out), "--part", "parity"]) == 0
    assert {file.name: file.read_bytes() for file in (out / "state").iterdir()} == before


@pytest.mark.parametrize("small", [True, False])
def test_every_check_of_the_kit_has_a_function_and_every_network_a_check(small):
    names = check_names(small)
    assert len(set(names)) == len(names) and all(callable(_device_item.check_of(name)) for name in names)
    if not small:
        assert {f"parity.network.{name}" for name in NETWORKS} | {f"speed.step.{name}" for name in SIZES} <= set(names)


@pytest.fixture
def kit(monkeypatch):
    """The kit with checks that leave what the test says, in place of processes."""
    left: dict[str, Outcome | None] = {}
    called = []

    def check(name, out, small):
        called.append(name)
        outcome = left.get(name, Outcome(name, "measured", figures=(Figure("a", 1.0),)))
        if outcome is not None:
            (out / "state" / f"{name}.json").write_text(json.dumps(outcome.as_json()))
        return outcome is not None

    monkeypatch.setattr(device, "_check", check)
    monkeypatch.setattr(device, "_about", lambda out, small: ABOUT)
    return left, called


def test_a_check_that_is_not_finished_is_done_by_the_next_call_and_the_others_are_not_repeated(kit, tmp_path):
    left, called = kit
    left["run.distill"] = None
    assert device.measure(tmp_path, "run", True) == 75
    assert json.loads((tmp_path / "device.json").read_text())["left"] == ["run.distill", "run.sweep"]
    del left["run.distill"]
    assert device.measure(tmp_path, "run", True) == 0
    assert called == ["run.train", "run.distill", "run.distill", "run.sweep"]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("run.train", "broken", "killed"),
        Outcome("run.train", "measured", figures=(Figure("a", 2.0, bound=1.0),)),
        Outcome("run.train", "measured", figures=(Figure("a", math.nan, bound=1.0),)),
        Outcome("run.train", "measured", figures=(Figure("a", math.inf),)),
    ],
)
def test_what_breaks_or_is_beyond_its_bound_ends_with_1_and_is_in_both_reports(kit, tmp_path, outcome):
    kit[0]["run.train"] = outcome
    assert device.measure(tmp_path, None, True) == 1
    report = json.loads((tmp_path / "device.json").read_text())
    assert [x["item"] for x in report["checks"]] == list(check_names(small=True))
    assert "does not hold" in (tmp_path / "device.html").read_text()
    assert outcome_of(outcome.as_json()).as_json() == outcome.as_json()


def test_a_check_that_broke_is_repeated_by_the_next_call_after_those_that_were_never_done(kit, tmp_path):
    left, called = kit
    left["run.train"], left["run.sweep"] = Outcome("run.train", "broken", "killed"), None
    assert device.measure(tmp_path, "run", True) == 1
    left.clear()
    called.clear()
    assert device.measure(tmp_path, "run", True) == 0
    assert called == ["run.sweep", "run.train"]


def test_marks_are_ratios_of_what_was_measured_and_open_where_a_figure_is_missing():
    def measured(item, **values):
        return Outcome(item, "measured", figures=tuple(Figure(key, value) for key, value in values.items()))

    outcomes = [
        measured("speed.step.large", windows=300.0, utilisation=0.3),
        measured("speed.torch.large", windows=200.0),
        measured("speed.ctc", scan=8.0, fused=2.0),
        measured("speed.torch_ctc", native=4.0, cudnn=0.0),
        measured("speed.packed", **{"16.gain": 5.0}),
        measured("speed.feed", **{"large.fed": 1.0}),
    ]
    found = {mark.key: (mark.value, mark.met) for mark in marks(outcomes, ["tiny", "large"])}
    assert found["large: windows a second, of PyTorch's"] == (1.5, True)
    assert found["large: share of the bfloat16 peak"] == (0.3, False)
    assert found["CTC scan: PyTorch's native time, of ours"] == (0.5, False)
    assert found["CTC fused: PyTorch's native time, of ours"] == (2.0, True)
    assert found["16 trials packed: trials an hour, of one by one"] == (5.0, True)
    assert found["large: pace of steps that wait for their windows"] == (1.0, True)
    assert found["tiny: windows a second, of PyTorch's"] == (None, None)
    assert [mark.met for mark in marks([], ["tiny"])] == [None] * 8


def test_a_run_takes_the_steps_that_its_minutes_hold_and_keeps_that_number(tmp_path):
    (tmp_path / "state").mkdir()
    assert planned_steps(tmp_path, "student", "tiny") == 2000
    for check, windows in (("speed.step.small", 640.0), ("speed.feed", 320.0)):
        outcome = Outcome(check, "measured", figures=(Figure("windows", windows, "1/s"),))
        (tmp_path / "state" / f"{check}.json").write_text(json.dumps(outcome.as_json()))
    assert planned_steps(tmp_path, "train", "small") == 8 * 60 * 320 // 64
    (tmp_path / "state" / "speed.feed.json").unlink()
    assert planned_steps(tmp_path, "train", "small") == 8 * 60 * 320 // 64
    assert planned_steps(tmp_path, "student", "tiny") == 2000


def test_steps_lose_their_pace_when_their_windows_come_slowly(sessions):
    config = RunConfig("ladder-16", preset("ladder-16"), "", SMALL_SPEC, train=TrainConfig(batch=2))
    data = train_data(load_corpus(sessions).train, SMALL_SPEC, AugmentConfig(), 2, 0)

    class Slow:
        batches = data.batches.map(lambda batch: time.sleep(1.0) or batch)

    slow, fast = (_device_speed.fed(config, one, 4) for one in (Slow(), data))
    assert slow < min(fast, 0.5)  # a step takes 20 ms, and two threads read two batches in a second


def test_a_skipped_check_holds_and_says_why(kit, tmp_path):
    kit[0]["run.train"] = Outcome("run.train", "skipped", "PyTorch is <absent>")
    assert device.measure(tmp_path, "run", True) == 0
    assert "PyTorch is &lt;absent&gt;" in (tmp_path / "device.html").read_text()


def test_a_process_that_fails_breaks_its_check_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_about", lambda out, small: ABOUT)
    monkeypatch.setattr(device, "check_names", lambda small: ("parity.unknown",))
    assert device.measure(tmp_path, None, True) == 1
    (row,) = json.loads((tmp_path / "device.json").read_text())["checks"]
    assert row["status"] == "broken" and "unknown" in row["reason"]


def test_a_folder_of_another_machine_is_refused(tmp_path, monkeypatch):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "about.json").write_text(json.dumps({**ABOUT, "device": "another"}))

    class Done:
        returncode, stdout, stderr = 0, json.dumps({k: v for k, v in ABOUT.items() if k != "small"}), ""

    monkeypatch.setattr(device.subprocess, "run", lambda *_, **__: Done)
    with pytest.raises(InputError) as caught:
        device.measure(tmp_path, None, True)
    assert caught.value.code == "conflict"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train", "--small"], "conflict"),
        (["distill", "--out", "x"], "conflict"),
        (["device", "--minutes", "0"], "bad-value"),
        (["device", "--minutes", "nan"], "bad-value"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, code):
    from semgjax.cli import bench

    with pytest.raises(InputError) as caught:
        bench.run(words)
    assert caught.value.code == code


def test_the_float64_reference_gives_the_loss_of_one_label_by_hand():
    """Two frames, one label: the paths a-, -a, aa."""
    p = np.array([[0.6, 0.4], [0.3, 0.7]])
    loss, gradient = ctc_float64(np.log(p), np.array([0]))
    total = 0.6 * 0.7 + 0.4 * 0.3 + 0.6 * 0.3
    assert loss == pytest.approx(-np.log(total))
    assert gradient[0, 0] == pytest.approx(0.6 - (0.6 * 0.7 + 0.6 * 0.3) / total)


def test_differences_are_relative_to_what_is_wanted():
    wanted = (np.array([1.0, -2.0]), 4.0, {"a": np.array([3.0, 4.0])})
    found = (np.array([1.0, -1.0]), 5.0, {"a": np.array([3.0, 5.0])})
    assert differences(found, wanted) == pytest.approx((0.5, 0.25, 0.2))
