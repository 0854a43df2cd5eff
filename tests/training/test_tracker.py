"""Live views: a missing package is reported with its extra, and every number arrives under its split's name."""

import importlib.util

import pytest

from semgjax.model.presets import preset
from semgjax.training.run_config import RunConfig
from semgjax.training.tracker import Everywhere, check_trackers, numbers, open_trackers
from tests.refused import refused

LINE = {"step": 3, "loss": 1.5, "spikes": 0}
VALIDATION = {"step": 3, "split": "val", "averaging": "pooled", "cer": 12.5}


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, name, package):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with refused("missing-extra", f"engine.trackers {name}", package, f"semgjax[{name}]"):
        check_trackers((name,))


def test_without_trackers_nothing_is_needed_and_nothing_opened(tmp_path):
    check_trackers(())
    assert open_trackers((), tmp_path, RunConfig("ladder-16", preset("ladder-16"), "d"), 0) == []


def test_numbers_carry_the_name_of_their_split_and_no_words():
    assert numbers(LINE) == {"train/loss": 1.5, "train/spikes": 0.0}
    assert numbers(VALIDATION) == {"val/cer": 12.5}
    assert numbers({**VALIDATION, "cer": None}) == {}


def test_every_writer_gets_every_line():
    class Kept(list):
        write = list.append

    one, two = Kept(), Kept()
    for line in (LINE, VALIDATION):
        Everywhere([one, two]).write(line)
    assert one == two == [LINE, VALIDATION]


def test_tensorboard_writes_its_files_into_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("CRC32C_SW_MODE", "auto")  # as one of its packages does
    pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")
    (tracker,) = open_trackers(("tensorboard",), tmp_path, RunConfig("ladder-16", preset("ladder-16"), "d"), 0)
    tracker.write(LINE)
    tracker.close()
    assert any(path.stat().st_size > 50 for path in (tmp_path / "tensorboard").iterdir())
