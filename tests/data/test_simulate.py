"""Simulated sessions: format to the letter, same bytes for a seed, typing and muscles that make sense."""

import csv
import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from semgjax.data.keys import label_of_key
from semgjax.data.sessions import open_session
from semgjax.data.simulate import simulate, write
from semgjax.data.simulate.anatomy import ANATOMY, draw_anatomy, electrode_weights, muscle_mix
from semgjax.data.simulate.signal import BLOCK, RATE, activation_shape, noise_blocks, noise_filters
from semgjax.data.simulate.typist import (
    BACKSPACE,
    ENTER,
    PLACES,
    SHIFT,
    SHIFTED,
)
from semgjax.errors import SemgjaxError
from tests.refused import refused


def small(out: Path, users: int = 2, sessions: int = 2, seed: int = 7, **options) -> Path:
    """A corpus of 12-second sessions: three blocks of signal each, the last one short."""
    simulate(out, users, sessions, 0.2, seed, **options)
    return out


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def read(path: Path) -> tuple[np.ndarray, dict]:
    with h5py.File(path, "r") as file:
        group = file["emg2qwerty"]
        return group["timeseries"][:], dict(group.attrs)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("simulated") / "corpus")


def test_the_dataset_has_the_fields_of_emg2qwerty_in_file_order(corpus):
    with h5py.File(corpus / "sim7-user000-session00.hdf5", "r") as file:
        assert list(file) == ["emg2qwerty"] and list(file["emg2qwerty"]) == ["timeseries"]
        series = file["emg2qwerty/timeseries"]
        assert series.shape == (24_000,)
        assert series.dtype == np.dtype(
            [("emg_right", "<f4", (16,)), ("time", "<f8"), ("emg_left", "<f4", (16,))], align=False
        )
        assert series.dtype.itemsize == 136


def test_the_attributes_are_those_of_emg2qwerty(corpus):
    _, attributes = read(corpus / "sim7-user001-session01.hdf5")
    assert set(attributes) == {"session_name", "user", "condition", "duration_mins", "keystrokes", "prompts"}
    assert attributes["session_name"] == "sim7-user001-session01"
    assert attributes["user"] == "user001"
    assert attributes["condition"] == "on_keyboard"
    assert float(attributes["duration_mins"]) == 0.2
    for stroke in json.loads(attributes["keystrokes"]):
        assert set(stroke) == {"key", "start", "end", "ascii"}
        assert isinstance(stroke["key"], str) and isinstance(stroke["ascii"], int)
        assert stroke["start"] < stroke["end"]
    for prompt in json.loads(attributes["prompts"]):
        assert set(prompt) == {"name", "start", "end", "payload"}
        assert prompt["name"] == "text_prompt" and isinstance(prompt["payload"]["text"], str)


def test_keystrokes_lie_inside_the_recording_in_order(corpus):
    for path in corpus.glob("*.hdf5"):
        series, attributes = read(path)
        starts = [stroke["start"] for stroke in json.loads(attributes["keystrokes"])]
        assert len(starts) > 10
        assert starts == sorted(starts)
        assert series["time"][0] < starts[0] and starts[-1] < series["time"][-1]


def test_metadata_has_one_row_per_session_with_its_counts(corpus):
    with open(corpus / "metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert ",".join(rows[0]) == "user,session,duration_mins,num_keystrokes,num_prompts,quality_check_tags"
    assert [row["session"] for row in rows] == sorted(path.stem for path in corpus.glob("*.hdf5"))
    for row in rows:
        _, attributes = read(corpus / f"{row['session']}.hdf5")
        assert row["user"] == attributes["user"]
        assert float(row["duration_mins"]) == 0.2
        assert int(row["num_keystrokes"]) == len(json.loads(attributes["keystrokes"]))
        assert int(row["num_prompts"]) == len(json.loads(attributes["prompts"]))
        assert row["quality_check_tags"] == "[]"


def test_the_record_names_what_was_asked_for(corpus):
    record = json.loads((corpus / "simulation.json").read_text())
    assert record["schema"] == "semgjax/simulation" and record["version"] == 1
    assert (record["seed"], record["users"], record["sessions"], record["minutes"]) == (7, 2, 2, 0.2)
    assert record["severity"] == "mild"


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(corpus, tmp_path):
    assert digests(small(tmp_path / "one", workers=1)) == digests(corpus)
    assert digests(small(tmp_path / "three", workers=3)) == digests(corpus)


def test_another_seed_gives_another_corpus(corpus, tmp_path):
    other = small(tmp_path / "other", users=1, sessions=1, seed=8)
    ours, _ = read(corpus / "sim7-user000-session00.hdf5")
    theirs, _ = read(other / "sim8-user000-session00.hdf5")
    assert not np.array_equal(ours["emg_left"], theirs["emg_left"])
    assert not np.array_equal(ours["time"], theirs["time"])


def test_more_users_and_sessions_leave_the_earlier_ones_unchanged(corpus, tmp_path):
    fewer = digests(small(tmp_path / "fewer", users=1, sessions=1))
    assert fewer["sim7-user000-session00.hdf5"] == digests(corpus)["sim7-user000-session00.hdf5"]


def test_users_and_sessions_differ(corpus):
    first, again, other = (
        read(corpus / f"sim7-{name}.hdf5") for name in ("user000-session00", "user000-session01", "user001-session00")
    )
    assert first[1]["keystrokes"] != again[1]["keystrokes"] != other[1]["keystrokes"]
    assert not np.array_equal(first[0]["emg_left"], again[0]["emg_left"])
    assert not np.array_equal(first[0]["emg_left"], other[0]["emg_left"])


def test_time_never_decreases_has_ties_and_keeps_two_kilohertz(corpus):
    series, _ = read(corpus / "sim7-user000-session00.hdf5")
    steps = np.diff(series["time"])
    assert np.all(steps >= 0) and np.any(steps == 0)
    assert abs(series["time"][-1] - series["time"][0] - (len(series) - 1) / 2000) < 1e-3


def test_the_signal_is_finite_and_of_microvolt_size(corpus):
    for path in corpus.glob("*.hdf5"):
        series, _ = read(path)
        for field in ("emg_left", "emg_right"):
            assert np.isfinite(series[field]).all()
            assert 3 < series[field].std() < 40
            assert 100 < np.abs(series[field]).max() < 3000
            assert abs(series[field].mean()) < 0.5


def test_severity_raises_the_floor_under_the_silence(tmp_path):
    floors = {}
    for severity in ("clean", "mild", "harsh"):
        out = small(tmp_path / severity, users=1, sessions=1, severity=severity)
        series, attributes = read(next(out.glob("*.hdf5")))
        first = json.loads(attributes["keystrokes"])[0]["start"]
        silent = series["time"] < first - 0.3
        floors[severity] = np.median(series["emg_left"][silent].std(axis=0))
    assert floors["clean"] < floors["mild"] < floors["harsh"]


def test_every_key_is_in_the_key_set(corpus):
    keys = {stroke["key"] for path in corpus.glob("*.hdf5") for stroke in json.loads(read(path)[1]["keystrokes"])}
    assert {"Key.space", "Key.shift", "e"} <= keys
    assert all(label_of_key(key) is not None for key in keys)


def test_no_two_keys_are_struck_alike():
    places = [PLACES[character] for character in PLACES if character not in SHIFTED]
    places += [ENTER, BACKSPACE, *SHIFT]
    anatomy = draw_anatomy(np.random.default_rng(0))
    mixes = [(place.hand, muscle_mix(place, anatomy)) for place in places]
    for index, (hand, mix) in enumerate(mixes):
        for other_hand, other in mixes[:index]:
            assert hand != other_hand or np.abs(mix - other).max() > 0.2


def test_an_activation_leads_its_key_and_peaks_before_it():
    shape = activation_shape(held=0.1)
    down = round(0.085 * RATE)
    assert shape[0] < 0.01 and shape[-1] < 0.02
    assert shape.max() > 0.99 and np.argmax(shape) < down
    assert np.all(np.abs(np.diff(shape)) < 0.05)
    assert len(activation_shape(held=0.5)) > len(shape)


def test_muscles_work_before_the_key_goes_down(corpus):
    """Loudness over the keys that follow a pause: silent 200 ms before, loudest within 100 ms before."""
    curves = []
    for path in corpus.glob("*.hdf5"):
        series, attributes = read(path)
        starts = np.array([stroke["start"] for stroke in json.loads(attributes["keystrokes"])])
        power = (series["emg_left"] ** 2 + series["emg_right"] ** 2).sum(axis=1)
        for start in starts[np.diff(starts, prepend=-np.inf) > 0.5]:
            centre = int(np.searchsorted(series["time"], start))
            if 500 < centre < len(series) - 100:
                curves.append(power[centre - 500 : centre + 100].reshape(-1, 20).mean(axis=1))
    loudness = np.mean(curves, axis=0)  # 10 ms steps from -250 ms to +50 ms
    assert len(curves) >= 4
    assert loudness[:10].max() < 0.1 * loudness.max()
    assert 15 <= np.argmax(loudness) <= 25


def test_fingers_are_heard_at_different_places():
    anatomy = draw_anatomy(np.random.default_rng(0))
    weights = electrode_weights(anatomy, np.random.default_rng(1))
    assert weights.shape == (2, 13, 16) and weights.dtype == np.float32
    loudest = weights[1].argmax(axis=1)
    assert len(set(loudest.tolist())) >= 11
    letters = [muscle_mix(PLACES[key], anatomy) @ weights[1] for key in "jkl;"]
    for index, pattern in enumerate(letters):
        for other in letters[:index]:
            assert np.corrcoef(pattern, other)[0, 1] < 0.8


def test_a_band_put_on_again_sits_a_little_differently():
    anatomy = draw_anatomy(np.random.default_rng(0))
    first, again = (electrode_weights(anatomy, np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.allclose(first, again)
    assert np.corrcoef(first.ravel(), again.ravel())[0, 1] > 0.6


def test_no_band_is_turned_by_more_than_an_electrode():
    turns = [draw_anatomy(np.random.default_rng(seed)).position.mean(axis=1) for seed in range(200)]
    reach = np.abs(np.array(turns) - np.mean(turns)).max() + 2 * ANATOMY.session_rotation
    assert 0.5 < reach <= 1.0


def test_noise_is_seamless_between_blocks_and_of_unit_size():
    filters = noise_filters(np.array([120.0, 220.0]), 40.0)
    noise = np.concatenate(list(noise_blocks(np.random.default_rng(0), filters, 2 * BLOCK + 500)), axis=1)
    assert noise.shape == (2, 2 * BLOCK + 500)
    assert np.allclose(noise.std(axis=1), 1.0, atol=0.03)
    steps = np.abs(np.diff(noise, axis=1))
    assert np.all(steps[:, BLOCK - 1] < 4 * steps.std())
    # Neighbouring samples go together across the seam as they do elsewhere: equal to filtering in one piece.
    rng = np.random.default_rng(0)
    taps = filters.shape[1]
    before = rng.standard_normal((2, taps - 1), dtype=np.float32)
    white = np.concatenate([before, rng.standard_normal((2, BLOCK), dtype=np.float32)], axis=1)
    white = np.concatenate([white, rng.standard_normal((2, BLOCK), dtype=np.float32)], axis=1)
    plain = np.stack([np.convolve(row, taps_, "valid") for row, taps_ in zip(white, filters, strict=True)])
    np.testing.assert_allclose(noise[:, : 2 * BLOCK], plain, atol=1e-4)


def test_muscle_noise_lies_in_the_band_of_surface_emg():
    filters = noise_filters(np.array([120.0, 220.0]), 40.0)
    power = np.abs(np.fft.rfft(filters, 4096)) ** 2
    frequency = np.fft.rfftfreq(4096, 1 / RATE)
    for row in power:
        share = row / row.sum()
        assert share[frequency < 20].sum() < 0.03
        assert share[frequency > 500].sum() < 0.05
        median = frequency[np.searchsorted(np.cumsum(share), 0.5)]
        assert 70 < median < 160


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"users": 0}, "users"),
        ({"users": 10_000}, "users"),
        ({"sessions": 0}, "sessions"),
        ({"minutes": 0.0}, "minutes"),
        ({"minutes": -1.0}, "minutes"),
        ({"minutes": float("nan")}, "minutes"),
        ({"minutes": 1e6}, "minutes"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"severity": "awful"}, "severity"),
        ({"workers": 0}, "workers"),
    ],
)
def test_a_bad_argument_is_refused_and_nothing_is_written(tmp_path, change, word):
    arguments = {"users": 1, "sessions": 1, "minutes": 0.2, "seed": 0, **change}
    with refused("bad-value", word):
        simulate(tmp_path / "deep" / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with refused("out-exists"):
        small(tmp_path)
    with refused("not-a-file"):
        small(tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    small(out, users=1, sessions=1)
    assert {path.suffix for path in out.iterdir()} == {".csv", ".json", ".hdf5"}
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("fault", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError("disk full"), SemgjaxError)]
)
def test_an_interrupted_write_leaves_no_folder(tmp_path, monkeypatch, fault, seen):
    real = write.write_session

    def failing(job):
        if job.user == 1:
            raise fault
        return real(job)

    monkeypatch.setattr(write, "write_session", failing)
    with pytest.raises(seen):
        small(tmp_path / "out", sessions=1, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_the_sessions(tmp_path):
    seen = []
    small(tmp_path / "out", sessions=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_the_reader_opens_a_simulated_session_and_drops_nothing(corpus):
    session = open_session(corpus / "sim7-user000-session00.hdf5")
    series, attributes = read(corpus / "sim7-user000-session00.hdf5")
    strokes = json.loads(attributes["keystrokes"])
    assert session.user == "user000" and session.samples == len(series)
    assert session.labels.tolist() == [label_of_key(stroke["key"]) for stroke in strokes]
    assert not session.dropped
