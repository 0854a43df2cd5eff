"""Gesture sessions of any band: each made wrong in one way has that finding, sound ones have none."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.meter import measure, short_of
from semgjax.data.quality.rotation import turned_patterns
from semgjax.data.quality.session_checks import as_json, at_rate, check_sessions
from semgjax.data.quality.signalchecks import electrode_list
from semgjax.data.readers.recording import array_recording
from semgjax.data.sessions import find_sessions, load_sessions
from semgjax.data.shards.splice import splice_shards
from semgjax.data.shards.splice_plan import SpliceRule
from semgjax.pages.check_page import render
from tests.data.shards.gestures import CLASSES, RATE, gestures, write_shards


def tone(hertz, amplitude, which=slice(None)):
    def change(emg):
        emg[:, which] += amplitude * np.sin(2 * np.pi * hertz * np.arange(len(emg)) / RATE + 0.3)[:, None]
        return emg

    return change


def columns(which, make):
    def change(emg):
        emg[:, which] = make(emg[:, which])
        return emg

    return change


def calm(emg):
    """No event is stronger than the rest."""
    return np.random.default_rng(1).normal(0, 2, emg.shape)


def calm_end(emg):
    """The last two events do nothing."""
    emg[-8 * RATE :] = np.random.default_rng(1).normal(0, 2, (8 * RATE, 8))
    return emg


CASES = {
    "an offset": ("drift", "warning", columns([3], lambda x: x + 20)),
    "slow drift": ("drift", "note", tone(1.5, 8, [6])),
    "much hum": ("hum", "warning", tone(50, 6)),
    "hum of the other mains": ("hum", "warning", tone(60, 6)),
    "less hum than of most power": ("hum", "note", tone(50, 3)),
    "some saturation": ("clipped", "note", columns([0, 1], lambda x: np.clip(x, -32, 32))),
    "much saturation": ("clipped", "warning", columns([0, 1], lambda x: np.clip(x, -12, 12))),
    "a dead electrode": ("dead", "warning", columns([7], np.zeros_like)),
    "half a ring dead": ("dead", "error", columns([0, 1, 3, 4], np.zeros_like)),
    "nothing happens": ("quiet_events", "warning", calm),
    "two of nine events do nothing": ("quiet_events", "note", calm_end),
}


def findings(folder, recordings):
    report = check_sessions(find_sessions(write_shards(folder, recordings)), WindowSpec())
    assert not report.faults
    return {row.session: {finding.code: finding for finding in row.findings} for row in report.sessions}


@pytest.fixture(scope="module")
def sound_gestures(tmp_path_factory):
    names = [f"{user}{day}" for user in "abcd" for day in "12"]
    return write_shards(tmp_path_factory.mktemp("sound") / "shards", [gestures(name, name[0]) for name in names])


def test_sound_gestures_have_no_finding_and_are_for_use(sound_gestures):
    report = check_sessions(find_sessions(sound_gestures), WindowSpec())
    assert [row.findings for row in report.sessions] == [()] * 8
    assert as_json(report, "x")["verdicts"] == {"use": 8}
    facts = report.sessions[0].facts
    assert facts.minutes == pytest.approx(42 / 60) and facts.windows == 10


@pytest.mark.parametrize("case", CASES)
def test_a_session_made_wrong_in_one_way_has_that_finding(tmp_path, case):
    code, severity, change = CASES[case]
    found = findings(tmp_path / "shards", [gestures("a1", "a", change)])["a1"]
    assert {code: found[code].severity for code in found} == {code: severity}


def test_turned_and_mirrored_bands_are_found_among_people(tmp_path):
    changes = {"turned": lambda emg: np.roll(emg, 2, axis=1), "left": lambda emg: np.roll(emg[:, ::-1], -1, axis=1)}
    changes["a place off"] = lambda emg: np.roll(emg, -1, axis=1)
    people = [gestures(f"plain {number}", f"p{number}") for number in range(5)]
    people += [gestures(name, name, change) for name, change in changes.items()]
    found = findings(tmp_path / "shards", people)
    assert {name for name, one in found.items() if one} == set(changes)
    assert (found["turned"]["rotation"].severity, found["turned"]["rotation"].value["places"]) == ("warning", 2)
    assert (found["a place off"]["rotation"].severity, found["a place off"]["rotation"].value["places"]) == ("note", -1)
    assert (found["left"]["mirrored"].severity, found["left"]["mirrored"].value["places"]) == ("warning", -1)


def test_gestures_without_ends_are_compared_within_a_user(tmp_path):
    people = [gestures("a1", "a"), gestures("a2", "a"), gestures("a3", "a", lambda emg: np.roll(emg, 3, axis=1))]
    people += [gestures("b1", "b", lambda emg: np.roll(emg, 3, axis=1))]
    found = findings(tmp_path / "shards", [replace(one, key_end=None) for one in people])
    assert {name: list(one) for name, one in found.items()} == {"a1": [], "a2": [], "a3": ["rotation"], "b1": []}
    assert found["a3"]["rotation"].value["places"] == 3


def test_a_faint_line_shows_beside_other_sessions_and_not_alone(tmp_path):
    faint = gestures("faint", "x", tone(50, 0.8))
    others = [gestures(f"plain {number}", f"p{number}") for number in range(6)]
    assert findings(tmp_path / "alone", [faint])["faint"] == {}
    found = findings(tmp_path / "beside", [faint, *others])
    assert {name for name, one in found.items() if one} == {"faint"}
    assert (found["faint"]["hum"].severity, found["faint"]["hum"].value["line"]) == ("note", 50)


@pytest.mark.parametrize("turn", [-3, -1, 0, 1, 2, 4])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pattern_is_turned_back(turn, mirrored):
    random = np.random.default_rng(0)
    pattern = random.normal(size=(5, 8))
    others = [pattern + random.normal(0, 0.2, pattern.shape) for _ in range(6)]
    odd = np.roll(pattern[:, ::-1] if mirrored else pattern, turn, axis=1)
    # The odd one is first: what most have counts as upright.
    found = turned_patterns([odd, *others])
    assert (found[0].places, found[0].mirrored) == (turn, mirrored)
    assert found[0].fit > 0.9 and (found[0].gain > 0.1) == (turn != 0 or mirrored)
    assert {(one.places, one.mirrored) for one in found[1:]} == {(0, False)}


def test_a_class_without_events_is_no_part_of_a_pattern():
    random = np.random.default_rng(0)
    pattern = random.normal(size=(5, 8))
    missing = np.roll(pattern, 2, axis=1)
    missing[3] = np.nan
    found = turned_patterns([pattern, pattern + 0.1 * random.normal(size=(5, 8)), missing])
    assert [one.places for one in found] == [0, 0, 2] and found[2].fit > 0.7


def other_band(rate, rings):
    """30 s of noise with 5 events of a second, 10 times stronger."""
    channels = sum(rings)
    emg = np.random.default_rng(0).normal(0, 1e-5, (30 * rate, channels))
    for second in range(3, 28, 5):
        emg[second * rate : (second + 1) * rate] *= 10
    events = [(float(second), "tap") for second in range(3, 28, 5)]
    ends = [second + 1 - 1 / rate for second, _ in events]
    return array_recording(emg, rate, events, f"at {rate}", "u", ("tap",), ends=ends, rings=rings)


@pytest.mark.parametrize(("rate", "rings"), [(500, (4,)), (100, (2, 3, 3)), (1111, (6, 6)), (4000, (8,)), (50, (1,))])
def test_any_band_is_measured(tmp_path, rate, rings):
    folder = write_shards(tmp_path / "shards", [other_band(rate, rings)])
    report = check_sessions(find_sessions(folder), WindowSpec())
    assert [finding.code for finding in report.sessions[0].findings] == []
    found = report.sessions[0].measures
    assert [one.shape for one in found.covariance] == [(size, size) for size in rings]
    assert found.spectrum.shape == (rate // 2 + 1, len(rings))
    assert found.activity.hold == pytest.approx(1e-8, rel=0.6)
    assert found.activity.rest == pytest.approx(1e-10, rel=0.6)
    assert (found.line != 0).any() == (rate > 130)
    assert "data:image/png" in render(report, "f")


def test_times_follow_the_rate():
    assert [short_of(rate) for rate in (2000, 200, 1000, 4000, 250, 50, 1999)] == [100, 100, 100, 200, 125, 50, 1999]
    assert at_rate(WindowSpec(), 200.0) == WindowSpec(800, 800, 180, 20)
    assert at_rate(WindowSpec(), 2000.0) == WindowSpec()


def test_electrodes_are_named_by_ring():
    assert electrode_list([2, 3], (8,)) == "electrodes 3, 4"
    assert electrode_list([0, 1, 2], (3,)) == "all electrodes"
    assert electrode_list([1, 4], (4, 4)) == "left 2; right 1"
    assert electrode_list([1, 4, 6], (4, 2, 2)) == "ring 1: 2; ring 2: 1; ring 3: 1"


def test_spliced_sessions_are_checked_as_recorded_ones(sound_gestures, tmp_path, capsys):
    splice_shards(sound_gestures, tmp_path / "out", SpliceRule(orders=2))
    report = check_sessions(find_sessions(tmp_path / "out"), WindowSpec())
    assert [row.findings for row in report.sessions] == [()] * 16
    first = load_sessions(tmp_path / "out", ["a1-order-00"])[0]
    assert len(measure(first).activity.labels) == 9
    assert main(["data", "check", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "16 sessions of 4 users" in said and "events/s" in said and "keys" not in said
    assert first.classes == CLASSES
