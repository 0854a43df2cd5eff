"""Training, distillation and export by function: the runs are those of the commands, refusals leave nothing behind."""

import json
import warnings

import pytest

import semgjax
from semgjax.api.models import SessionsWarning
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.errors import InputError
from semgjax.training.engine import Engine
from tests.runs import AUGMENT, MODEL, STEPS, TRAIN, WINDOW, assert_same_parameters, snapshot

OPTIONS = {
    "model": {"dropout": MODEL.dropout, "mask_share": MODEL.mask_share},
    "augment": {"roll": AUGMENT.roll, "lag": AUGMENT.lag},
    "train": {name: getattr(TRAIN, name) for name in TRAIN.__dataclass_fields__},
}
WINDOWS = {name: getattr(WINDOW, name) for name in ("length", "stride", "left", "right")}


def test_training_by_the_function_is_training_by_the_command(sessions, finished, tmp_path):
    run = semgjax.train("ladder-16", data=sessions, out=tmp_path / "run", window=WINDOWS, **OPTIONS)
    wanted = json.loads((finished / "result.json").read_text())
    assert run.result["config"] == wanted["config"]
    assert run.scores == wanted["scores"]
    assert_same_parameters(tmp_path / "run", finished)
    assert "\n" not in repr(run)
    assert run._repr_html_().startswith("<table>")
    before = snapshot(tmp_path / "run")
    parts = {"model": MODEL, "augment": AugmentConfig(roll=1, lag=120), "train": TRAIN, "engine": Engine(keep_last=1)}
    again = semgjax.train("ladder-16", sessions, str(tmp_path / "run"), window=WINDOW, **parts)
    assert again.result == run.result
    assert snapshot(tmp_path / "run") == before


@pytest.mark.slow
def test_distilling_by_the_function_is_distilling_by_the_command(sessions, finished, student, tmp_path):
    run = semgjax.distill(semgjax.train("ladder-16", sessions, finished, window=WINDOWS, **OPTIONS), "ladder-16",
                          sessions, tmp_path / "run", **OPTIONS)  # fmt: skip
    assert run.result["kind"] == "distilled"
    assert_same_parameters(tmp_path / "run", student)


def test_an_export_reads_as_the_run_and_is_verified_on_its_sessions(sessions, finished, tmp_path):
    exported = semgjax.export(finished, tmp_path / "export", data=sessions)
    assert exported.model().parameters == semgjax.load(finished).parameters == exported.about["params"]
    assert exported.verified and all(row.recorded == row.measured for row in exported.verified)
    again = semgjax.verify(exported, sessions)
    assert again == exported
    assert "\n" not in repr(exported)
    assert exported._repr_html_().startswith("<table>")


def test_oddities_of_the_sessions_are_warnings(sessions, finished, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        semgjax.load(finished).evaluate(sessions)
    split = read_split(sessions / "splits.json")
    # A user named as another but for the case of a letter may be the same person.
    odd = tmp_path / "odd"
    odd.mkdir()
    for path in sessions.iterdir():
        (odd / path.name).write_bytes(path.read_bytes())
    rename_user(next(path for path in odd.glob("*.hdf5") if path.stem == split.train[0]))
    with pytest.warns(SessionsWarning):
        semgjax.load(finished).evaluate(odd)


def rename_user(path):
    import h5py

    with h5py.File(path, "r+") as file:
        group = file["emg2qwerty"]
        user = group.attrs["user"]
        group.attrs["user"] = (user.decode() if isinstance(user, bytes) else user).upper() + " "


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"train": {"stepz": 3}}, "unknown-name"),
        ({"train": {"steps": "3"}}, "bad-field"),
        ({"train": {"steps": 0}}, "bad-value"),
        ({"train": 3}, "bad-value"),
        ({"train": AUGMENT}, "bad-value"),
        ({"model": {"dropout": None}}, "bad-field"),
        ({"window": {"length": 1001}}, "bad-value"),
        ({"augment": "strong"}, "bad-value"),
        ({"engine": {"keep": 3}}, "unknown-name"),
        ({"engine": {"keep_last": 0}}, "bad-value"),
        ({"engine": {"fsdp": "two"}}, "bad-value"),
        ({"data": "none"}, "no-file"),
        ({"splits": "none.json"}, "no-file"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_is_written(sessions, tmp_path, options, code):
    with pytest.raises(InputError) as caught:
        semgjax.train("ladder-16", **{"data": sessions, "out": tmp_path / "run", **options})
    assert caught.value.code == code
    assert not (tmp_path / "run").exists()


def test_splits_without_sessions_to_verify_on_are_refused(finished, tmp_path):
    with pytest.raises(InputError) as caught:
        semgjax.export(finished, tmp_path / "export", splits="splits.json")
    assert caught.value.code == "conflict"
    assert list(tmp_path.iterdir()) == []


def test_other_sessions_than_the_runs_verify_nothing(sessions, finished, tmp_path):
    split = read_split(sessions / "splits.json")
    write_split(tmp_path / "other.json", type(split)(split.train + split.val, (), split.test, {}))
    with pytest.raises(InputError) as caught:
        semgjax.export(finished, tmp_path / "export", data=sessions, splits=tmp_path / "other.json")
    assert caught.value.code == "conflict"
    assert not (tmp_path / "export").exists()
    assert json.loads((finished / "result.json").read_text())["steps"] == STEPS
