"""Every finding on clock and electrodes: a session made wrong in that one way has it, a sound one has none."""

import numpy as np
import pytest

from tests.data.quality.damaged import RATE, damaged, findings_of


def later(first: int, seconds: float):
    """Times with a step of `seconds` more at a sample."""

    def change(time):
        time[first:] += seconds
        return time

    return change


def tied(first: int, count: int):
    def change(time):
        time[first : first + count] = time[first]
        return time

    return change


def stretched(factor: float):
    return lambda time: time[0] + (time - time[0]) * factor


def columns(which, make):
    """A signal with some electrodes made anew from their samples."""

    def change(emg):
        emg[:, which] = make(emg[:, which])
        return emg

    return change


def spikes(count: int, sign: int):
    def change(emg):
        emg[np.arange(1, count + 1) * 2050, 5] = sign * np.linspace(1000, 1500, count)
        return emg

    return change


def zeroed(first: int, last: int, band: slice):
    def change(emg):
        emg[first:last, band] = 0.0
        return emg

    return change


def hum(amplitude: float, hertz: float, which):
    return columns(
        which, lambda x: x + amplitude * np.sin(2 * np.pi * hertz * np.arange(len(x)) / RATE)[:, None].astype(x.dtype)
    )


def noise(rms: float):
    return lambda x: np.random.default_rng(0).normal(0, rms, x.shape).astype(x.dtype)


CASES = {
    "rate slightly off": ("rate", "warning", {"time": stretched(1.01)}),
    "rate far off": ("rate", "error", {"time": stretched(2.0)}),
    "a short gap": ("gaps", "note", {"time": later(9000, 0.025)}),
    "a long gap": ("gaps", "warning", {"time": later(9000, 0.9)}),
    "a jump": ("jumps", "warning", {"time": later(9000, 5.0)}),
    "a run of ties": ("ties", "note", {"time": tied(9000, 60)}),
    "a clock that stood still": ("ties", "warning", {"time": tied(9000, 3000)}),
    "a band lost for a second": ("flat", "warning", {"emg": zeroed(8000, 10_000, slice(0, 16))}),
    "a band lost for long": ("flat", "error", {"emg": zeroed(8000, 20_000, slice(16, 32))}),
    "a constant electrode": ("dead", "warning", {"emg": columns([3], np.zeros_like)}),
    "an electrode stuck at a value": ("dead", "warning", {"emg": columns([3], lambda x: np.full_like(x, 512.0))}),
    "an electrode far too weak": ("dead", "warning", {"emg": columns([20], lambda x: x / 1000)}),
    "noise without muscle": ("dead", "warning", {"emg": columns([20], noise(10.0))}),
    "half a band dead": ("dead", "error", {"emg": columns(range(8), np.zeros_like)}),
    "a clipped electrode": ("clipped", "warning", {"emg": columns([7], lambda x: np.clip(x, -40, 40))}),
    "a little hum": ("hum", "note", {"emg": hum(3.0, 50.0, [9])}),
    "much hum": ("hum", "warning", {"emg": hum(20.0, 60.0, range(4, 30))}),
    "some spikes": ("outliers", "note", {"emg": spikes(3, 1)}),
    "many spikes": ("outliers", "warning", {"emg": spikes(25, -1)}),
    "a loud electrode": ("loud", "warning", {"emg": columns([11], lambda x: x * 20)}),
    "volts instead of microvolts": ("scale", "warning", {"emg": lambda emg: emg * 1e-6}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_session_made_wrong_in_one_way_has_that_finding(sound, tmp_path, case):
    code, severity, change = CASES[case]
    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", **change))
    assert found[code].severity == severity
    # What goes with it: a loud electrode has outliers, a wrong rate moves keys, a clock that stood catches up.
    allowed = {"loud": {"outliers"}, "rate": {"empty_windows"}, "ties": {"gaps", "jumps"}}
    assert set(found) - {code} <= allowed.get(code, set())


def test_sound_sessions_have_no_finding_at_all(sound):
    for path in sound:
        assert findings_of(path) == {}


def test_the_electrodes_are_named_as_a_person_counts_them(sound, tmp_path):
    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", emg=columns([0, 15, 16, 31], np.zeros_like)))
    assert found["dead"].value == {"electrodes": [0, 15, 16, 31]}
    assert found["dead"].text == "left 1, 16; right 1, 16: no contact"


def test_hum_is_told_by_electrode_and_line(sound, tmp_path):
    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", emg=hum(60.0, 60.0, [2, 30])))["hum"]
    assert found.value["electrodes"] == [2, 30]
    assert all(0.5 < share < 1.0 for share in found.value["values"])
    assert "at 60 Hz" in found.text


def test_gaps_and_jumps_are_counted_and_leave_the_rate_alone(sound, tmp_path):
    def change(time):
        for first, seconds in ((5000, 0.1), (9000, 0.3), (20_000, 7.0)):
            time[first:] += seconds
        return time

    found = findings_of(damaged(sound[0], tmp_path / "a.hdf5", time=change, keys=lambda keys: keys))
    assert found["gaps"].value == {"count": 2, "seconds": pytest.approx(0.401, abs=1e-3)}
    assert found["jumps"].value == {"count": 1, "seconds": pytest.approx(7.0005, abs=1e-3)}
    assert "rate" not in found


def test_the_dead_electrodes_of_a_harsh_simulation_are_found_and_no_others(tmp_path):
    from semgjax.data.simulate import simulate

    simulate(tmp_path / "harsh", users=1, sessions=3, minutes=0.5, seed=0, severity="harsh")
    found = [findings_of(path) for path in sorted((tmp_path / "harsh").glob("*.hdf5"))]
    # The simulator draws them per session (a share of 3 %): these were read off its weights.
    assert [one["dead"].value["electrodes"] if "dead" in one else [] for one in found] == [[1], [], [11]]
    assert [one["hum"].severity for one in found] == ["warning"] * 3
