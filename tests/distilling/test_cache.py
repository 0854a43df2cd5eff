"""A teacher's targets on disk: equal to its outputs up to rounding, written once, and refused when they do not fit."""

import dataclasses
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.target_views import TargetSpec, dequantise, fill_view, pick_view, quantise, view_change
from semgjax.data.batching.targets import INDEX, open_targets
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import open_session
from semgjax.distilling.cache import outputs_of, write_targets
from semgjax.evaluate.stitched import make_forward
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig
from tests.data.fixtures import sample_times, write_session
from tests.refused import refused

MODEL = preset("ladder-16")
WINDOW = WindowSpec(length=800, stride=800, left=400, right=200)
AUGMENT = AugmentConfig(roll=1, lag=20, jitter=False, scale=0.2, noise=0.1)
VIEWS = 2
ROOM = {"float16": 1e-3, "int8": 1e-2}


def spec_of(kind="float16", **changes) -> TargetSpec:
    spec = TargetSpec("a" * 64, WINDOW, AUGMENT, VIEWS, kind, "float32", WINDOW.length // MODEL.stride, MODEL.classes)
    return dataclasses.replace(spec, **changes)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("sessions"), []
    for which, samples in enumerate((2500, 1700)):
        emg = np.random.default_rng(which).normal(size=(samples, 32)).astype(np.float32)
        keys = [{"key": "a", "start": sample_times(samples)[samples // 2]}]
        found.append(open_session(write_session(folder / f"{which}.hdf5", emg=emg, keystrokes=keys)))
    return found


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda: network.init(MODEL, jax.random.key(0)))()


@pytest.fixture(scope="module")
def outputs(params):
    config = RunConfig("ladder-16", MODEL, "d", WINDOW, AUGMENT, distill=DistillConfig("a" * 64, cache="int8"))
    return outputs_of(config, ((MODEL, params),))


@pytest.fixture(scope="module", params=["float16", "int8"])
def made(request, tmp_path_factory, sessions, outputs):
    spec = spec_of(request.param)
    return spec, write_targets(tmp_path_factory.mktemp("targets"), spec, sessions, outputs, 2)


@pytest.fixture
def copy(made, tmp_path):
    """A cache of the test's own: its spec, folder, and the file of the first session."""
    spec, folder = made
    mine = Path(shutil.copytree(folder, tmp_path / "copy"))
    return spec, mine, sorted(mine.glob("*.arrayrecord"))


def test_cached_targets_are_the_teachers_outputs_for_the_same_view(made, sessions, params):
    spec, folder = made
    targets, forward = open_targets(folder, spec, sessions), make_forward(MODEL, WINDOW)
    for session in sessions:
        for window in range((session.samples - WINDOW.length) // WINDOW.stride + 1):
            for view in range(VIEWS):
                emg = np.zeros((1, WINDOW.total, 32), np.float32)
                first, last, _ = fill_view(emg[0], spec, session, window, view)
                logits = forward(params, emg, np.array([[first, last]], np.int32))[0]
                online = np.asarray(jax.nn.softmax(logits.astype(np.float32)))
                cached = np.exp(dequantise(targets.read(session, window, view), spec.kind))
                np.testing.assert_allclose(cached, online, atol=ROOM[spec.kind])


@pytest.mark.parametrize("kind", ["float16", "int8"])
def test_rounding_changes_probabilities_and_a_loss_by_less_than_the_limit(kind):
    rng = np.random.default_rng(0)
    for spread in (0.1, 1.0, 5.0, 30.0):
        logs, student = (np.asarray(jax.nn.log_softmax(spread * rng.normal(size=(200, 99)))) for _ in range(2))
        back = np.asarray(jax.nn.log_softmax(dequantise(quantise(logs, kind), kind)))
        assert np.abs(np.exp(back) - np.exp(logs)).max() <= ROOM[kind]
        losses = [(np.exp(one) * (one - student)).sum(-1).mean() for one in (logs, back)]
        assert abs(losses[0] - losses[1]) <= ROOM[kind] * max(1.0, losses[0])


def test_views_differ_and_each_is_a_function_of_session_window_and_view(sessions):
    spec = spec_of()
    drawn = [view_change(spec, s, window, view) for s in sessions for window in (0, 1) for view in (0, 1)]
    again = [view_change(spec, s, window, view) for s in sessions for window in (0, 1) for view in (0, 1)]
    assert drawn == again and len(set(drawn)) == len(drawn)
    assert {pick_view(spec, 0, place) for place in range(20)} == {0, 1}
    assert [pick_view(spec, 0, place) for place in range(20)] == [pick_view(spec, 0, place) for place in range(20)]


def test_a_signal_replaced_under_the_same_name_and_length_has_targets_of_its_own(tmp_path, outputs):
    spec, keys = spec_of(), [{"key": "a", "start": sample_times(1700)[800]}]
    for seed in (0, 1):
        emg = np.random.default_rng(seed).normal(size=(1700, 32)).astype(np.float32)
        path = tmp_path / f"{seed}.hdf5"  # another file, since this process keeps files open by their paths
        session = open_session(write_session(path, name="one", emg=emg, keystrokes=keys))
        if seed:
            with refused("no-file", session.name):
                open_targets(spec.folder(tmp_path / "targets"), spec, [session])
        folder = write_targets(tmp_path / "targets", spec, [session], outputs, 2)
    assert len(list(folder.glob("*.arrayrecord"))) == 2
    fresh = open_targets(write_targets(tmp_path / "fresh", spec, [session], outputs, 2), spec, [session])
    reused = open_targets(folder, spec, [session])
    assert reused.files == fresh.files
    np.testing.assert_array_equal(reused.read(session, 0, 0), fresh.read(session, 0, 0))


def test_a_stopped_call_resumes_to_the_same_bytes_and_keeps_finished_files(tmp_path, sessions, outputs):
    spec = spec_of()
    whole = write_targets(tmp_path / "whole", spec, sessions, outputs, 2)
    part = write_targets(tmp_path / "part", spec, sessions[:1], outputs, 2)
    (first,) = part.glob("*.arrayrecord")
    (part / INDEX).unlink()  # as if stopped after the first session
    before = first.stat().st_mtime_ns
    write_targets(tmp_path / "part", spec, sessions, outputs, 2)
    assert first.stat().st_mtime_ns == before
    names = sorted(path.name for path in whole.iterdir() if path.suffix in (".json", ".arrayrecord"))
    assert [(part / name).read_bytes() for name in names] == [(whole / name).read_bytes() for name in names]


def test_a_removed_file_is_computed_again_and_drafts_of_a_killed_call_are_removed(copy, sessions, outputs, tmp_path):
    spec, folder, files = copy
    mine = spec.folder(tmp_path / "root")
    mine.parent.mkdir(parents=True)
    folder.rename(mine)
    (mine / files[0].name).unlink()
    (mine / f".{files[0].name}.1").write_bytes(b"half")
    assert write_targets(tmp_path / "root", spec, sessions, outputs, 2) == mine
    open_targets(mine, spec, sessions)
    assert not list(mine.glob(".*.arrayrecord.*"))


def test_a_session_without_targets_is_refused(tmp_path, sessions, outputs):
    spec = spec_of()
    folder = write_targets(tmp_path, spec, sessions[:1], outputs, 2)
    with refused("no-file", sessions[1].name):
        open_targets(folder, spec, sessions)


def test_a_missing_cache_or_file_is_refused(copy, sessions, tmp_path):
    spec, folder, files = copy
    with refused("no-file", INDEX):
        open_targets(tmp_path / "none", spec, sessions)
    files[0].unlink()
    with refused("no-file", files[0].name):
        open_targets(folder, spec, sessions)


def test_a_truncated_file_is_refused(copy, sessions):
    spec, folder, files = copy
    files[0].write_bytes(files[0].read_bytes()[: files[0].stat().st_size // 2])
    with refused("damaged", files[0].name):
        open_targets(folder, spec, sessions)


def test_a_flipped_bit_is_refused(copy, sessions):
    spec, folder, files = copy
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 1
    files[0].write_bytes(content)
    with refused("damaged", files[0].name):
        open_targets(folder, spec, sessions)


@pytest.mark.parametrize(
    "other", [{"teacher": "b" * 64}, {"window": dataclasses.replace(WINDOW, left=200)}, {"views": 3}]
)
def test_targets_of_another_teacher_window_or_number_of_views_are_refused(copy, sessions, other):
    spec, folder, _ = copy
    with refused("conflict", folder):
        open_targets(folder, dataclasses.replace(spec, **other), sessions)


def test_a_teacher_of_another_key_set_is_refused_and_nothing_is_kept(tmp_path, sessions, outputs):
    spec = spec_of(classes=MODEL.classes + 1)
    with refused("conflict", spec.teacher[:16]):
        write_targets(tmp_path, spec, sessions, outputs, 2)
    assert not [path for path in spec.folder(tmp_path).iterdir() if path.name != ".lock"]


@pytest.mark.parametrize(("name", "value"), [("views", 0), ("kind", "int4"), ("seed", -1)])
def test_values_out_of_range_are_refused(name, value):
    with refused("bad-value", value):
        spec_of(**{name: value})


def test_jitter_is_refused():
    with refused("conflict", "jitter"):
        spec_of(augment=dataclasses.replace(AUGMENT, jitter=True))
