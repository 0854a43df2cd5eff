"""Labelled and unlabelled windows in one batch: how many, in which rows, in which order, and without labels."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.data.batching.augment import NONE, AugmentConfig
from semgjax.data.batching.batches import stream, train_data
from semgjax.data.batching.mixing import unlabelled_rows
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import open_session
from tests.data.fixtures import START, write_session
from tests.refused import refused

SPEC = WindowSpec(length=40, stride=40, left=12, right=8)
AUGMENT = AugmentConfig(roll=2, lag=6, jitter=True)
ROW = 20
"""A row of the window within the core."""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Two sessions of 5 and 3 windows to be used with labels, and two of 4 and 6 without; all have keys."""
    folder, found = tmp_path_factory.mktemp("sessions"), []
    for which, samples in enumerate((210, 125, 170, 250)):
        keys = [{"key": "a", "start": START + at / 2000} for at in range(5, samples, 10)]
        emg = np.full((samples, 32), 1000.0 * which) + np.arange(samples)[:, None]
        found.append(open_session(write_session(folder / f"{which}.hdf5", emg=emg, keystrokes=keys)))
    return found[:2], found[2:]


def mixed(sessions, share, batch=5, seed=3, augment=NONE, host=0, hosts=1):
    return train_data(sessions[0], SPEC, augment, batch, seed, host, hosts, sessions[1], share)


def windows_of(batch, labelled):
    """(session, first core sample) of the rows of one kind; only without augmentation."""
    values = batch["emg"][batch["labelled"] == labelled, ROW, 0].astype(int)
    return [(value // 1000, value % 1000 - ROW + SPEC.left) for value in values.tolist()]


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("batch", "share", "rows"),
    [(4, 0.5, [1, 3]), (5, 0.4, [2, 4]), (8, 0.875, [1, 2, 3, 4, 5, 6, 7]), (6, 0.2, [5]), (4, 0.0, [])],
)
def test_a_share_is_so_many_rows_evenly_spread(batch, share, rows):
    assert np.flatnonzero(unlabelled_rows(batch, share)).tolist() == rows


@pytest.mark.parametrize(("batch", "share"), [(4, 1.0), (4, -0.1), (4, float("nan")), (4, 0.1), (4, 0.9), (1, 0.5)])
def test_a_share_that_leaves_rows_of_one_kind_only_is_refused(sessions, batch, share):
    with refused("bad-value"):
        mixed(sessions, share, batch)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_with_a_share_every_batch_has_as_many_and_both_kinds_have_epochs_of_their_own(sessions, share):
    data = mixed(sessions, share)
    batches = [data.batches[step] for step in range(24)]
    assert {int((~batch["labelled"]).sum()) for batch in batches} == {round(share * 5)}
    assert all((batch["labelled"] == ~unlabelled_rows(5, share)).all() for batch in batches)
    assert (data.windows, data.labelled_rows) == (8, 5 - round(share * 5))
    for labelled, count, number in ((True, 8, 5 - round(share * 5)), (False, 10, round(share * 5))):
        seen = [window for batch in batches for window in windows_of(batch, labelled)]
        assert len(seen) == 24 * number
        epochs = [seen[at : at + count] for at in range(0, len(seen) - count + 1, count)]
        assert len(epochs) > 1 and all(len(set(epoch)) == count for epoch in epochs)
        assert {which >= 2 for which, _ in seen} == {not labelled}


def test_without_a_share_an_epoch_has_every_window_of_both_kinds_once(sessions):
    data = mixed(sessions, None, batch=3)
    batches = [data.batches[step] for step in range(6)]
    seen = [window for batch in batches for labelled in (True, False) for window in windows_of(batch, labelled)]
    assert len(set(seen)) == 18
    assert (data.windows, data.labelled_rows) == (8, pytest.approx(3 * 8 / 18))
    assert len({int(batch["labelled"].sum()) for batch in batches}) > 1


@pytest.mark.parametrize("share", [0.4, None])
def test_rows_of_unlabelled_sessions_have_no_labels_whatever_the_files_hold(sessions, share):
    data = mixed(sessions, share, augment=AUGMENT)
    for step in range(6):
        batch = data.batches[step]
        assert batch["labelled"].dtype == bool
        assert (batch["label_count"][batch["labelled"]] > 0).all()
        assert not batch["label_count"][~batch["labelled"]].any() and not batch["labels"][~batch["labelled"]].any()


@pytest.mark.parametrize("share", [0.5, None])
def test_batches_depend_on_seed_and_step_alone(sessions, share):
    data, twin, other = (mixed(sessions, share, 4, seed, AUGMENT) for seed in (3, 3, 4))
    for step in (5, 0, 100, 0):
        assert same(data.batches[step], twin.batches[step])
        assert not same(data.batches[step], other.batches[step])
    parts = [mixed(sessions, share, 4, 3, AUGMENT, host, 2).batches[7] for host in range(2)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    assert same(joined, data.batches[7])


@pytest.mark.parametrize("share", [0.5, None])
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_stream_resumes_at_any_step_with_threads_and_workers(sessions, share, workers):
    data = mixed(sessions, share, 4, 3, AUGMENT)
    batches = stream(data, 9, threads=2, workers=workers)
    for step in range(9, 13):
        assert same(next(batches), data.batches[step])
    batches.close()


@pytest.mark.parametrize("share", [None, 0.0])
def test_without_unlabelled_windows_batches_are_those_of_the_labelled_sessions(sessions, share):
    plain = train_data(sessions[0], SPEC, AUGMENT, 4, 3)
    unlabelled = [] if share is None else sessions[1]
    data = train_data(sessions[0], SPEC, AUGMENT, 4, 3, unlabelled=unlabelled, share=share)
    assert "labelled" not in plain.batches[0]
    assert all(same(plain.batches[step], data.batches[step]) for step in range(4))
    assert data.labelled_rows == plain.labelled_rows == 4


def test_a_share_without_a_window_for_it_is_refused_and_short_sessions_are_named(sessions):
    short = replace(sessions[1][0], samples=20, name="short")
    for unlabelled in ([], [short]):
        with refused("no-sessions"):
            train_data(sessions[0], SPEC, NONE, 4, 3, unlabelled=unlabelled, share=0.5)
    data = train_data(sessions[0], SPEC, NONE, 4, 3, unlabelled=[short, sessions[1][1]], share=0.5)
    assert data.skipped == ("short",)
