"""Runs with cached targets: student and teacher see one view, and the loss is the online one up to rounding."""

import dataclasses
import shutil
import subprocess
import threading

import jax
import numpy as np
import pytest

import semgjax.training.loop as loop
from semgjax.api.changes import members_of
from semgjax.data.batching.augment import NONE, AugmentConfig
from semgjax.data.batching.batches import stream, train_data
from semgjax.data.batching.target_views import fill_view, pick_view, view_change
from semgjax.data.batching.targets import open_targets
from semgjax.data.corpus import load_corpus
from semgjax.distilling.cache import cached, find_targets, spec_of, write_targets
from semgjax.files import folder_lock
from semgjax.model import network
from semgjax.sweep.resolve import run_config as planned
from semgjax.training.criterion import loss_and_sums
from semgjax.training.distill_config import SELF, DistillConfig
from semgjax.training.run_config import TrainConfig
from tests.refused import refused
from tests.runs import MODEL, assert_same_parameters, run_config

SILENT = AugmentConfig(roll=1, lag=20, jitter=False, scale=0.2, noise=0.1, silence=0.5)
STEPS = 4
TEACHER = "c" * 64


@pytest.fixture(scope="module")
def corpus(sessions):
    """With one session without labels."""
    found = load_corpus(sessions)
    return dataclasses.replace(found, train=found.train[1:], unlabelled=found.train[:1])


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda: network.init(model_of_run(), jax.random.key(1)))()


def model_of_run():
    return dataclasses.replace(MODEL, dropout=0.0, mask_share=0.0)


def config_of(corpus, augment=SILENT, cache="float16", views=3):
    train = TrainConfig(steps=STEPS, batch=2, evaluate_every=100, checkpoint_every=2, log_every=1)
    distill = DistillConfig(TEACHER, cache=cache, views=views if cache else 1)
    plain = dataclasses.replace(run_config(corpus), model=model_of_run(), augment=augment, train=train)
    return dataclasses.replace(plain, distill=distill)


def invented(config):
    """A teacher whose outputs are a function of the signal."""

    def outputs(emg_BxTxC, valid_Bx2):
        spec = spec_of(config)
        values = np.resize(emg_BxTxC.mean(axis=2), (len(emg_BxTxC), spec.frames, spec.classes))
        return np.log(np.exp(values) / np.exp(values).sum(axis=2, keepdims=True)).astype(np.float32)

    return outputs


def data_of(corpus, config):
    train = config.train
    return train_data(
        corpus.train, config.window, config.augment, train.batch, train.seed, unlabelled=corpus.unlabelled
    )


@pytest.fixture(scope="module")
def views(corpus, tmp_path_factory):
    """(config, targets, batches of them) with silence, of labelled and unlabelled sessions."""
    config = config_of(corpus)
    everyone, root = (*corpus.train, *corpus.unlabelled), tmp_path_factory.mktemp("targets")
    folder = write_targets(root, spec_of(config), everyone, invented(config), 4)
    targets = open_targets(folder, spec_of(config), everyone)
    return config, targets, data_of(corpus, config).with_targets(targets)


def test_a_row_is_the_view_that_the_teacher_saw_and_a_silent_view_has_no_labels(views):
    config, targets, data = views
    seen = set()
    for step in range(6):
        batch, indices = data.batches[step], data.order[step]
        for row, index in enumerate(indices):
            which, start = data.load.windows[index]
            session, window = data.load.sessions[which], int(start) // config.window.stride
            view = pick_view(targets.spec, config.train.seed, step * len(indices) + row)
            emg = np.zeros_like(batch["emg"][row])
            first, last, change = fill_view(emg, targets.spec, session, window, view)
            np.testing.assert_array_equal(batch["emg"][row], emg)
            assert batch["valid"][row].tolist() == [first, last]
            np.testing.assert_array_equal(batch["target"][row], targets.read(session, window, view))
            assert change == view_change(targets.spec, session, window, view)
            if change.silent:
                assert batch["label_count"][row] == 0
            seen.add((change.silent, bool(batch["labelled"][row]), view))
    assert {row[0] for row in seen} == {row[1] for row in seen} == {True, False} and len({row[2] for row in seen}) == 3


def test_the_windows_keep_their_order_with_a_cache(corpus, views):
    config, _, data = views
    online = data_of(corpus, config)
    assert [online.order[step].tolist() for step in range(8)] == [data.order[step].tolist() for step in range(8)]


def test_worker_processes_read_the_same_batches(views):
    data = views[2]
    batches = stream(data, 0, workers=1)
    try:
        for step in range(2):
            for name, values in next(batches).items():
                np.testing.assert_array_equal(values, data.batches[step][name])
    finally:
        batches.close()


@pytest.mark.parametrize("other", [{"augment": NONE}, {"window": None}])
def test_targets_of_another_run_are_refused(corpus, views, other):
    config, targets, _ = views
    if "window" in other:
        other = {"window": dataclasses.replace(config.window, right=400)}
    with refused("conflict", targets.folder):
        data_of(corpus, dataclasses.replace(config, **other)).with_targets(targets)


def test_targets_that_lack_a_session_are_refused(corpus, views):
    config, targets, _ = views
    fewer = dataclasses.replace(targets, files=dict(list(targets.files.items())[1:]))
    with refused("no-file", targets.folder):
        data_of(corpus, config).with_targets(fewer)


@pytest.mark.parametrize(("cache", "room"), [("float16", 1e-3), ("int8", 1e-2)])
def test_without_augmentation_the_loss_is_the_online_one_up_to_rounding(corpus, params, tmp_path, cache, room):
    config = config_of(corpus, NONE, cache, 1)
    teachers = ((config.model, params),)
    data = data_of(corpus, config).with_targets(cached(tmp_path, config, teachers, corpus)())
    own = jax.jit(lambda: network.init(config.model, jax.random.key(2)))()
    online = dataclasses.replace(config, distill=DistillConfig(TEACHER))
    batch = data.batches[0]
    loss, sums = jax.jit(lambda p, b: loss_and_sums(config, p, b, None, ()))(own, batch)
    bare = {name: values for name, values in batch.items() if name != "target"}
    wanted, wanted_sums = jax.jit(lambda p, b, t: loss_and_sums(online, p, b, None, ((config.model, t),)))(
        own, bare, params
    )
    assert float(loss) == pytest.approx(float(wanted), abs=room)
    assert float(sums["kl"]) == pytest.approx(float(wanted_sums["kl"]), abs=room) and float(sums["kl"]) > 10 * room


@pytest.mark.slow
def test_a_run_with_a_cache_compiles_once_and_resumes_to_the_same_bits(corpus, params, tmp_path, capsys):
    config = config_of(corpus, cache="int8")
    opened = cached(tmp_path / "data", config, ((config.model, params),), corpus)
    result = loop.train(config, corpus, tmp_path / "run", (), cached=opened)
    said = capsys.readouterr().err
    assert "compiled" not in said and "semgjax: targets of teacher" in said
    assert result["unlabelled_hours"] > 0 and result["kind"] == "distilled"
    shutil.copytree(tmp_path / "run", tmp_path / "again")
    (tmp_path / "again" / "result.json").unlink()
    shutil.rmtree(tmp_path / "again" / "checkpoints" / str(STEPS))
    loop.train(config, corpus, tmp_path / "again", (), cached=opened)
    assert_same_parameters(tmp_path / "again", tmp_path / "run")
    # A finished run needs no targets.
    shutil.rmtree(tmp_path / "data")
    assert loop.train(config, corpus, tmp_path / "run", (), cached=opened)["scores"] == result["scores"]
    assert not (tmp_path / "data").exists()


def test_a_bad_cache_leaves_no_run_behind(corpus, params, tmp_path):
    config = config_of(corpus, cache="int8")
    spec, everyone = spec_of(config), (*corpus.train, *corpus.unlabelled)
    folder = write_targets(tmp_path / "targets", spec, everyone, invented(config), 4)
    opened = cached(tmp_path, config, ((config.model, params),), corpus)
    path = sorted(folder.glob("*.arrayrecord"))[0]
    path.write_bytes(path.read_bytes()[:1000])
    with refused("damaged", path):
        loop.train(config, corpus, tmp_path / "run", (), cached=opened)
    assert not (tmp_path / "run").exists()


def test_targets_and_configuration_must_agree_on_the_cache(corpus, params, tmp_path):
    config = config_of(corpus)
    with refused("conflict"):
        loop.train(config, corpus, tmp_path / "run")
    online = dataclasses.replace(config, distill=DistillConfig(TEACHER))
    assert cached(tmp_path, online, (), corpus) is None
    with refused("conflict"):
        loop.train(online, corpus, tmp_path / "run", (), cached=cached(tmp_path, config, (), corpus))
    assert not (tmp_path / "run").exists()


def test_a_second_process_waits_for_the_targets_of_the_first(corpus, tmp_path, capsys):
    config = config_of(corpus)
    spec = spec_of(config)
    held, free = threading.Event(), threading.Event()

    def hold():
        with folder_lock(spec.folder(tmp_path)):
            held.set()
            free.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(30)
    threading.Timer(0.2, free.set).start()
    write_targets(tmp_path, spec, corpus.train[:1], invented(config), 4)
    other.join()
    assert "waiting" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_one_line(corpus, tmp_path):
    config = config_of(corpus)
    (tmp_path / "targets").write_text("a file")
    with refused("not-a-file", tmp_path / "targets"):
        cached(tmp_path, config, (), corpus)()


def test_a_read_only_folder_serves_what_it_has_and_refuses_the_rest(corpus, small_disk):
    config = config_of(corpus)
    spec, first = spec_of(config), corpus.train[:1]
    write_targets(small_disk, spec, first, invented(config), 4)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert find_targets(small_disk, spec, first, config, ()).files.keys() == {first[0].name}
    with refused("no-permission", small_disk):
        find_targets(small_disk, spec, corpus.train[:2] + corpus.unlabelled, config, ())


def test_recipes_leave_their_jitter_out_with_a_cache_and_an_explicit_one_is_refused(corpus):
    assert members_of("ladder-16", None, "paper", None, None)["augment"].jitter
    assert not members_of("ladder-16", None, "paper", None, None, cache=True)["augment"].jitter
    assert not members_of("ladder-16", None, {"roll": 0}, None, None, cache=True)["augment"].jitter
    with refused("conflict", "jitter"):
        config_of(corpus, AugmentConfig())


def test_a_planned_student_with_a_cache_keeps_the_grid_and_its_budget_counts_no_teacher():
    teacher = planned({"preset": "ladder-32"}, "d")
    options = {"preset": "ladder-16", "train.flops": 1e12}
    online, kept = (planned(options | more, "d", teacher) for more in ({}, {"distill.cache": "int8"}))
    assert kept.cached and not kept.augment.jitter and teacher.augment.jitter
    assert kept.train.steps > online.train.steps
    with refused("conflict", "jitter"):
        planned(options | {"distill.cache": "int8", "augment.jitter": True}, "d", teacher)


def test_a_teacher_that_only_a_step_can_ask_is_refused_with_a_cache(corpus, tmp_path):
    config = config_of(corpus)
    later = dataclasses.replace(config.model, emission_delay=160)
    with refused("conflict", "emission_delay"):
        cached(tmp_path, config, ((later, {}),), corpus)
    with refused("bad-value", "cache"):
        DistillConfig(SELF, cache="int8")


def test_several_teachers_have_one_cache_of_their_own(corpus):
    one = config_of(corpus)
    both = dataclasses.replace(one, distill=dataclasses.replace(one.distill, also=("d" * 64,)))
    assert spec_of(one).teacher == TEACHER and spec_of(both).teacher not in (TEACHER, "d" * 64)
