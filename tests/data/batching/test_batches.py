"""Batches as a function of (seed, step): their order, their augmentation and their labels."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from semgjax.data.batching.augment import NONE, AugmentConfig, augment_recipe
from semgjax.data.batching.batches import session_chunks, stream, train_data
from semgjax.data.batching.windows import WindowSpec, labels_of, list_windows
from semgjax.data.sessions import Session, open_session
from tests.data.fixtures import sample_times, write_session
from tests.refused import refused

SPEC = WindowSpec(length=40, stride=30, left=12, right=8)
AUGMENT = AugmentConfig(roll=2, lag=6, jitter=True)
ROW = 20
"""A row of the window within the core, so far from the core's ends that a lag leaves it inside the session."""


def telling_emg(which: int, samples: int) -> np.ndarray:
    """A signal whose every number tells its session, sample and electrode (exact in float32)."""
    sample, electrode = np.indices((samples, 32))
    return (which * 1_000_000 + sample * 32 + electrode).astype(np.float32)


@dataclass(frozen=True)
class Origin:
    """Where a row of a batch was read, and how it was changed."""

    which: int
    start: int
    lag: int
    rolls: tuple[int, int]


def origin(emg: np.ndarray) -> Origin:
    """What `telling_emg` tells of an augmented window."""
    places = []
    for band in (0, 16):
        which, rest = divmod(int(emg[ROW, band]), 1_000_000)
        sample, electrode = divmod(rest, 32)
        turn = (band - electrode) % 16
        places.append((which, sample, turn - 16 if turn > 8 else turn))
    (which, left, roll), (_, right, other_roll) = places
    lag = right - left
    return Origin(which, left + lag // 2 + SPEC.left - ROW, lag, (roll, other_roll))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory) -> list[Session]:
    """Three sessions of 5, 3 and 4 windows, with keys denser towards the end."""
    folder, result = tmp_path_factory.mktemp("sessions"), []
    for which, samples in enumerate((175, 110, 130)):
        time = sample_times(samples)
        presses = time[0] + (time[-1] - time[0]) * np.sqrt(np.random.default_rng(which).random(25))
        keys = [{"key": chr(ord("a") + i), "start": press} for i, press in enumerate(np.sort(presses))]
        path = write_session(folder / f"{which}.hdf5", emg=telling_emg(which, samples), keystrokes=keys)
        result.append(open_session(path))
    return result


def same(one, other) -> bool:
    assert one.keys() == other.keys() == {"emg", "valid", "labels", "label_count"}
    return all(np.array_equal(one[name], other[name]) for name in one)


def origins(data, steps) -> list[Origin]:
    return [origin(row) for step in steps for row in data.batches[step]["emg"]]


def test_a_batch_is_a_function_of_seed_and_step(sessions):
    data, twin = (train_data(sessions, SPEC, AUGMENT, 5, seed=3) for _ in range(2))
    steps = list(range(8))
    in_order = [data.batches[step] for step in steps]
    for step in [*reversed(steps), 2, 2]:
        assert same(twin.batches[step], in_order[step])
    other = train_data(sessions, SPEC, AUGMENT, 5, seed=4)
    assert not any(same(other.batches[step], in_order[step]) for step in steps)
    assert not any(same(in_order[step], in_order[step + 1]) for step in steps[:-1])


@pytest.mark.parametrize(("start", "threads"), [(0, 1), (0, 4), (3, 2), (7, 3), (1000, 1)])
def test_a_stream_from_a_step_gives_the_batches_of_that_step_on(sessions, start, threads):
    data = train_data(sessions, SPEC, AUGMENT, 4, seed=1)
    batches = stream(data, start, threads)
    for step in range(start, start + 6):
        assert same(next(batches), data.batches[step])
    batches.close()


def test_an_epoch_holds_every_window_once_in_an_order_of_its_own(sessions):
    data = train_data(sessions, SPEC, NONE, 5, seed=0)
    windows, _ = list_windows(sessions, SPEC)
    assert data.windows == len(windows) == 12
    seen = [(place.which, place.start) for place in origins(data, range(12))]
    epochs = [seen[first : first + 12] for first in range(0, 60, 12)]
    assert all(sorted(epoch) == windows for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_jitter_moves_a_core_to_the_right_within_its_stride_and_its_session(sessions):
    data = train_data(sessions, SPEC, AUGMENT, 12, seed=0)
    windows = {(w, s) for w, s in list_windows(sessions, SPEC)[0]}
    shifts = set()
    for step in range(25):
        found = origins(data, [step])
        grid = {(place.which, place.start // 30 * 30) for place in found}
        assert grid == windows  # one of each, still distinct
        assert all(place.start + 40 <= sessions[place.which].samples for place in found)
        shifts |= {place.start % 30 for place in found}
    assert shifts == set(range(30))


def test_lags_and_rolls_stay_in_range_and_reach_its_ends(sessions):
    found = origins(train_data(sessions, SPEC, AUGMENT, 12, seed=0), range(25))
    assert {place.lag for place in found} == set(range(-6, 7))
    assert {roll for place in found for roll in place.rolls} == {-2, -1, 0, 1, 2}
    assert len({place.rolls for place in found}) == 25
    plain = origins(train_data(sessions, SPEC, NONE, 12, seed=0), range(3))
    assert {(place.start % 30, place.lag, place.rolls) for place in plain} == {(0, 0, (0, 0))}


def test_labels_are_those_of_the_core_where_the_augmentation_put_it(sessions):
    data = train_data(sessions, SPEC, AUGMENT, 12, seed=5)
    counts = set()
    for step in range(10):
        batch = data.batches[step]
        for emg, labels, count in zip(batch["emg"], batch["labels"], batch["label_count"], strict=True):
            place = origin(emg)
            wanted = labels_of(sessions[place.which], place.start, place.start + 40)
            assert labels[:count].tolist() == wanted.tolist()
            assert not labels[count:].any()
            counts.add(int(count))
    assert len(counts) > 5


def test_the_signal_is_the_sessions_in_valid_rows_and_zero_elsewhere(sessions):
    batch = train_data(sessions, SPEC, AUGMENT, 12, seed=0).batches[0]
    for emg, (first, last) in zip(batch["emg"], batch["valid"], strict=True):
        place = origin(emg)
        row = np.arange(first, last)[:, None]
        left, right = np.hsplit(telling_emg(place.which, sessions[place.which].samples), 2)
        begin = place.start - SPEC.left + row - place.lag // 2
        for band, roll, sample in ((left, place.rolls[0], begin), (right, place.rolls[1], begin + place.lag)):
            columns = slice(0, 16) if band is left else slice(16, 32)
            np.testing.assert_array_equal(emg[first:last, columns], np.roll(band, roll, axis=1)[sample[:, 0]])
        assert not emg[:first].any() and not emg[last:].any()


def test_silenced_windows_have_no_labels_and_the_others_keep_theirs(sessions):
    plain = train_data(sessions, SPEC, AUGMENT, 12, seed=5)
    some = train_data(sessions, SPEC, replace(AUGMENT, silence=0.5), 12, seed=5)
    silenced = []
    for step in range(10):
        for emg, labels, before, row in zip(
            some.batches[step]["emg"], some.batches[step]["labels"], plain.batches[step]["emg"],
            plain.batches[step]["labels"], strict=True,
        ):  # fmt: skip
            silenced.append(not np.array_equal(emg, before))
            assert np.array_equal(labels, np.zeros_like(row) if silenced[-1] else row)
    assert 0.3 < np.mean(silenced) < 0.7


def test_strong_changes_are_a_function_of_seed_and_step_and_leave_the_padding_zero(sessions):
    config = replace(augment_recipe("robust"), lag=6, silence=0.2)
    data, twin = (train_data(sessions, SPEC, config, 8, seed=2) for _ in range(2))
    for step in (0, 5, 3):
        batch = twin.batches[step]
        assert same(data.batches[step], batch)
        for emg, (first, last) in zip(batch["emg"], batch["valid"], strict=True):
            assert not emg[:first].any() and not emg[last:].any() and emg[first:last].any()


def test_a_batch_has_the_types_and_shapes_that_one_compiled_step_takes(sessions):
    data = train_data(sessions, SPEC, AUGMENT, 5, seed=0)
    for step in (0, 1, 30):
        batch = data.batches[step]
        assert batch["emg"].shape == (5, 60, 32) and batch["emg"].dtype == np.float32
        assert batch["valid"].shape == (5, 2) and batch["valid"].dtype == np.int32
        assert batch["labels"].shape == (5, 16) and batch["labels"].dtype == np.int32
        assert batch["label_count"].shape == (5,) and batch["label_count"].dtype == np.int32


def test_a_batch_larger_than_an_epoch_takes_windows_of_the_next(sessions):
    batch = train_data(sessions[1:2], SPEC, NONE, 7, seed=0).batches[0]
    starts = [origin(row).start for row in batch["emg"]]
    assert sorted(starts[:3]) == sorted(starts[3:6]) == [0, 30, 60]


def test_sessions_too_short_are_skipped_and_named_and_none_left_is_an_input_error(tmp_path, sessions):
    short = open_session(write_session(tmp_path / "short.hdf5", 39))
    data = train_data([short, sessions[1]], SPEC, NONE, 2, seed=0)
    assert (data.windows, data.skipped) == (3, ("short",))
    assert {place.which for place in origins(data, range(3))} == {1}
    with refused("bad-value"):
        train_data([short], SPEC, NONE, 2, seed=0)


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("samples", [7, 40, 80, 81, 119])
def test_chunks_hold_every_sample_in_one_core(tmp_path, samples, batch):
    session = open_session(write_session(tmp_path / "a.hdf5", emg=telling_emg(1, samples)))
    chunks = list(session_chunks(session, SPEC, batch))
    assert {chunk["emg"].shape for chunk in chunks} == {(batch, 60, 32)}
    rows = [(emg, *valid) for c in chunks for emg, valid in zip(c["emg"], c["valid"], strict=True)]
    cores = -(-samples // 40)
    assert len(chunks) == -(-cores // batch)
    seen = [emg[max(first, 12) : min(last, 52)] for emg, first, last in rows]
    np.testing.assert_array_equal(np.concatenate(seen), telling_emg(1, samples))
    for index, (emg, first, last) in enumerate(rows):
        begin = index * 40 - 12
        if index < cores:
            assert (first, last) == (max(0, -begin), min(60, samples - begin))
        else:
            assert (first, last) == (0, 0) and not emg.any()
