"""Simulated people: those alike keep their bytes, and varied ones differ in fingers, muscles and how the bands sit."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from semgjax.data.simulate import alike, simulate, varied
from semgjax.data.simulate.personal_keys import FARTHEST, column_of, crossed, own_fingers
from semgjax.data.simulate.signal import RATE, emg_blocks
from semgjax.data.simulate.signal_settings import DISTURBANCES
from semgjax.data.simulate.typist import (
    INDEX,
    LEFT,
    MIDDLE,
    PINKY,
    PLACES,
    RIGHT,
    RING,
    SHIFT,
    THUMB,
    Place,
    touch_typing,
    type_session,
)
from tests.golden_files import check_golden, check_golden_numbers
from tests.refused import refused


def content_hash(path: Path) -> str:
    """Of everything that the simulator chose: signal, time stamps and attributes."""
    digest = hashlib.sha256()
    with h5py.File(path, "r") as file:
        group = file["emg2qwerty"]
        series = group["timeseries"][:]
        for name in ("emg_left", "emg_right", "time"):
            digest.update(np.ascontiguousarray(series[name]).tobytes())
        for name in sorted(group.attrs):
            digest.update(f"{name}={group.attrs[name]}".encode())
    return digest.hexdigest()


def person(seed: int, people=varied):
    return people.draw_person(*map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2)))


@pytest.fixture(scope="module")
def crowd():
    return [person(seed) for seed in range(200)]


def test_people_alike_keep_their_texts_times_and_signals(tmp_path, request):
    """A corpus is named by its seed: another golden file is legitimate only with a new kind of people."""
    simulate(tmp_path / "out", 1, 1, 0.2, 7)
    with h5py.File(tmp_path / "out" / "sim7-user000-session00.hdf5") as file:
        group = file["emg2qwerty"]
        typed = {name: str(group.attrs[name]) for name in sorted(group.attrs)}
        emg = np.concatenate([group["timeseries"][side] for side in ("emg_left", "emg_right")], axis=1)
        time = group["timeseries"]["time"]
    check_golden(request, "people_alike.json", json.dumps(typed, indent=1) + "\n")
    # The last bits of a signal differ between kinds of processor. float64: a difference is not lost in large numbers.
    values = {"emg": emg[::2999].astype(float).tolist(), "time": (time[::2999] - time[0]).tolist()}
    values["rms"] = np.sqrt(np.mean(np.square(emg, dtype=float), axis=0)).tolist()
    check_golden_numbers(request, "people_alike_signal.json", values, rtol=1e-2)


def test_varied_sessions_are_the_same_for_a_seed_and_their_record_names_the_people(tmp_path):
    for name in ("one", "two"):
        simulate(tmp_path / name, 1, 1, 0.1, 7, people="varied")
    one, two = (content_hash(tmp_path / name / "sim7-user000-session00.hdf5") for name in ("one", "two"))
    assert one == two
    assert json.loads((tmp_path / "one" / "simulation.json").read_text())["people"] == "varied"


def test_unknown_people_are_refused(tmp_path):
    with refused("bad-value", "people"):
        simulate(tmp_path / "out", 1, 1, 0.1, 7, people="odd")
    assert list(tmp_path.iterdir()) == []


def test_every_person_reaches_every_character(crowd):
    for one in crowd:
        assert set(one.habits.keys) == {*PLACES, " ", "\n", "\b"}
        assert all(abs(place.column) <= FARTHEST for place in one.habits.keys.values())
        assert all(place in one.drives for place in (*one.habits.keys.values(), *one.habits.shift))
        assert all(np.isfinite(mix).all() and mix.max() > 0.05 for mix in one.drives.values())


def test_capitals_stay_on_the_keys_of_their_small_letters(crowd):
    for one in crowd:
        assert all(one.habits.keys[letter] == one.habits.keys[letter.upper()] for letter in "abcxyz")


def test_most_people_use_all_fingers_and_some_only_a_few(crowd):
    used = [len({(p.hand, p.finger) for p in one.habits.keys.values() if p.finger != THUMB}) for one in crowd]
    assert min(used) == 2 and max(used) == 8
    assert 0.35 < np.mean(np.array(used) == 8) < 0.75


def test_habits_differ_for_b_and_shift(crowd):
    left = np.mean([one.habits.keys["b"].hand == LEFT for one in crowd])
    assert 0.5 < left < 0.95
    assert 0.2 < np.mean([one.habits.shift == (SHIFT[LEFT], SHIFT[LEFT]) for one in crowd]) < 0.6


def test_speed_and_rollover_vary_widely(crowd):
    rates = np.array([1 / one.habits.interval for one in crowd])
    assert rates.min() < 3.2 and rates.max() > 6.5
    rollover = np.array([one.habits.hold / one.habits.interval for one in crowd])
    assert rollover.min() < 0.35 and rollover.max() > 0.7


def test_two_fingers_of_a_hand_share_its_keys():
    keys = own_fingers(touch_typing(RIGHT), ((INDEX, MIDDLE), (INDEX,)), border=6, moved=frozenset())
    assert keys["a"] == Place(LEFT, MIDDLE, 0, -2)
    assert keys["y"].hand == LEFT and keys["h"].hand == LEFT
    assert keys["p"] == Place(RIGHT, INDEX, 1, -2)
    assert {keys[character].finger for character in "uiopjkl;"} == {INDEX}


def test_a_moved_key_goes_to_the_finger_nearer_the_index_finger():
    keys, all_four = touch_typing(RIGHT), (INDEX, MIDDLE, RING, PINKY)
    own = own_fingers(keys, (all_four, all_four), border=5, moved=frozenset([keys["p"]]))
    assert own["p"] == Place(RIGHT, RING, 1, -1)
    assert {character for character in keys if own[character] != keys[character]} == {"p", "P"}


def test_a_crossed_key_belongs_to_the_other_index_finger():
    keys = crossed(touch_typing(RIGHT), "by")
    assert (keys["b"], keys["y"]) == (Place(RIGHT, INDEX, -1, 2), Place(LEFT, INDEX, 1, 2))
    assert keys["B"] == keys["b"]


def test_columns_of_the_ten_finger_system_run_across_the_keyboard():
    assert [column_of(PLACES[key]) for key in "qwertyuiop"] == list(range(10))


def test_bands_turn_by_two_electrodes_at_most_and_drift(crowd):
    rng = np.random.default_rng(0)
    wearings = [one.wear(DISTURBANCES["mild"], rng) for one in crowd]
    assert all(np.isfinite(w.begin).all() and (w.begin >= 0).all() for w in wearings)
    assert all(not np.array_equal(w.begin, w.end) for w in wearings)
    noise = np.array([w.noise.max() / np.median(w.noise) for w in wearings])
    assert np.median(noise) < 4.0 < noise.max()
    hum = np.array([w.hum.max() for w in wearings])
    assert hum.max() > 5 * np.median(hum)


def test_a_clean_session_of_varied_people_has_no_hum():
    one = person(3)
    assert not one.wear(DISTURBANCES["clean"], np.random.default_rng(0)).hum.any()


def features(user: int, session: int) -> tuple[np.ndarray, np.ndarray]:
    """Log power round each letter of a session of varied people, and which letter it was."""
    one = person(user)
    rng = np.random.default_rng([user, session])
    presses, _ = type_session(rng, 40.0, one.habits, one.words)
    wearing = one.wear(DISTURBANCES["mild"], rng)
    emg = np.concatenate(list(emg_blocks(presses, 40 * RATE, one, wearing, rng)), axis=2).reshape(32, -1)
    kept = [press for press in presses if press.key in "etaoinsrhl" and press.start < 39.0]
    at = [round(press.start * RATE) for press in kept]
    power = [np.log((emg[:, a - 160 : a + 80] ** 2).mean(axis=1) + 4.0) for a in at]
    return np.array(power), np.array([press.key for press in kept])


def test_a_persons_other_day_is_nearer_than_another_person():
    def wrong(train, test) -> float:
        """Error rate of the nearest mean."""
        (x, y), (tx, ty) = train, test
        keys = sorted(set(y))
        means = np.array([x[y == key].mean(axis=0) for key in keys])
        nearest = ((tx[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        return float(np.mean(np.array(keys)[nearest] != ty))

    first = [features(user, 0) for user in range(4)]
    again = [features(user, 1) for user in range(4)]
    own = np.mean([wrong(first[user], again[user]) for user in range(4)])
    others = np.mean([wrong(first[user], again[(user + 1) % 4]) for user in range(4)])
    assert own < 0.6 * others and others > 0.5


def test_people_alike_have_no_bracing_and_bands_that_sit_still():
    one = person(0, alike)
    wearing = one.wear(DISTURBANCES["mild"], np.random.default_rng(0))
    assert one.bracing is None
    assert np.array_equal(wearing.mixing(0.0), wearing.mixing(1.0))
