"""Every finding on keys and windows: a session made wrong in that one way has it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.key_meter import key_facts
from semgjax.data.quality.keychecks import key_findings
from semgjax.data.sessions import Session, open_session
from tests.data.fixtures import START, typed, write_session
from tests.data.quality.damaged import RATE, damaged, findings_of


def pressed(keys, key, times):
    return [*keys, *({"key": key, "start": keys[0]["start"] + at} for at in times)]


def session_of(seconds, presses):
    """A session without a file, with a key at each of these seconds."""
    places = np.round(np.array(presses) * RATE).astype(np.int64)
    keys = np.arange(len(places), dtype=np.int32) % 26
    return Session(Path("none"), "s", "u", seconds * RATE, keys, places, places, {})


CASES = {
    "no key": ("no_keys", "error", lambda keys: []),
    "few keys": ("key_rate", "note", lambda keys: keys[::8]),
    "hardly a key": ("key_rate", "warning", lambda keys: keys[::40]),
    "more keys than hands type": ("key_rate", "warning", lambda keys: pressed(keys, "a", np.linspace(0, 20, 300))),
    "a key after the end": ("keys_outside", "note", lambda keys: pressed(keys, "a", [99.0])),
    "some keys before the start": ("keys_outside", "warning", lambda keys: pressed(keys, "a", -np.arange(50, 55.0))),
    "all keys elsewhere": (
        "keys_outside", "error", lambda keys: [key | {"start": key["start"] + 500} for key in keys],
    ),
    "a key that is not in the set": ("dropped_keys", "note", lambda keys: pressed(keys, "Key.ctrl", [3.0, 4.0])),
    "many such keys": ("dropped_keys", "warning", lambda keys: pressed(keys, "Key.up", np.linspace(0, 20, 30))),
    "too many keys for the frames": (
        "infeasible_windows", "warning", lambda keys: pressed(keys, "a", 5 + np.linspace(0, 0.5, 220)),
    ),
    "keys in one half only": ("empty_windows", "note", lambda keys: keys[: len(keys) // 2]),
    "keys in the first seconds only": ("empty_windows", "warning", lambda keys: keys[:20]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_session_made_wrong_in_one_way_has_that_finding(sound, tmp_path, case):
    code, severity, change = CASES[case]
    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", keys=change))
    assert found[code].severity == severity
    assert set(found) <= {code, "key_rate", "empty_windows", "silence"}


@pytest.mark.parametrize(("seconds", "severity"), [(29, None), (40, "note"), (130, "warning")])
def test_a_long_stretch_without_a_key_is_found(seconds, severity):
    presses = np.concatenate([np.arange(0, 10, 0.2), np.arange(9.8 + seconds, 160, 0.2)])
    found = {one.code: one for one in key_findings(key_facts(session_of(160, presses), WindowSpec()))}
    assert ("silence" in found) == (severity is not None)
    if severity is not None:
        assert found["silence"].severity == severity
        assert found["silence"].value == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(("press", "silence"), [(100, 100), (50, 110)])
def test_the_silence_before_the_first_and_after_the_last_key_counts(press, silence):
    assert key_facts(session_of(160, [press]), WindowSpec()).longest_silence == pytest.approx(silence)


def test_a_session_shorter_than_a_window_is_short(sound, tmp_path):
    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", emg=lambda emg: emg[:7999]))
    assert found["short"].severity == "error"
    facts = findings_of(damaged(sound[0], tmp_path / "b.hdf5", emg=lambda emg: emg[:8000]))
    assert "short" not in facts


def test_findings_on_gestures_do_not_call_them_keys():
    facts = replace(
        key_facts(session_of(160, np.arange(1, 150, 0.4)), WindowSpec()), outside=9, doubled=9, dropped={"cough": 3}
    )
    codes = ["keys_outside", "doubled_keys", "dropped_keys"]
    for typing in (True, False):
        found = list(key_findings(facts, typing))
        assert [one.code for one in found if one.code in codes] == codes
        assert any("key" in one.text for one in found) == typing


def test_dropped_keys_are_told_by_name(sound, tmp_path):
    keys = damaged(sound[0], tmp_path / "a.hdf5", keys=lambda keys: pressed(keys, "Key.ctrl", [3.0, 4.0]))
    found = findings_of(keys)["dropped_keys"]
    assert (found.value, found.text) == ({"Key.ctrl": 2}, "Key.ctrl 2")


def test_a_window_is_infeasible_when_labels_and_blanks_between_equal_ones_outnumber_the_frames(tmp_path):
    spec = WindowSpec(length=200, stride=200, left=0, right=0)  # ten frames
    windows = ("aaaaa", "aaaaaa", "abababababa", "ababababab")
    needs = (9, 11, 11, 10)
    keys = [
        key for place, text in enumerate(windows) for key in typed(text, START + 0.1 * place + 0.005, interval=0.005)
    ]
    session = open_session(write_session(tmp_path / "a.hdf5", 800, keystrokes=keys))
    facts = key_facts(session, spec)
    assert (facts.windows, facts.empty_windows) == (4, 0)
    assert facts.infeasible_windows == sum(need > 10 for need in needs) == 2
