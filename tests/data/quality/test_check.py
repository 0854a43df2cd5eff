"""A folder of sessions: what shows only beside others, verdicts, and the report as JSON."""

import json

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.findings import CODES, Finding, verdict
from semgjax.data.quality.session_checks import as_json, check_sessions
from semgjax.data.sessions import find_sessions
from semgjax.data.shards.ingest import ingest
from tests.data.quality.damaged import damaged

SPEC = WindowSpec()


def by_session(report):
    return {row.session: {finding.code: finding for finding in row.findings} for row in report.sessions}


@pytest.fixture(scope="module")
def folder(sound, tmp_path_factory):
    """The sound sessions, a twin of one under other names, a turned one and a damaged one."""

    def turn(emg):
        emg[:, 16:] = np.roll(emg[:, 16:], 3, axis=1)
        return emg

    def later(keys):
        return [key | {"start": key["start"] + 1e6} for key in keys]

    folder = tmp_path_factory.mktemp("folder")
    for path in sound[:3]:
        (folder / path.name).write_bytes(path.read_bytes())
    # Other names, another user, another clock: what is alike is the signal.
    damaged(sound[0], folder / "twin.hdf5", user="another", time=lambda time: time + 1e6, keys=later)
    damaged(sound[3], folder / "turned.hdf5", emg=turn, user="user000-b")
    damaged(sound[4], folder / "straight.hdf5", user="user000-b")
    damaged(sound[5], folder / "upright.hdf5", user="user000-b")
    (folder / "broken.hdf5").write_text("no HDF5")
    return folder


@pytest.fixture(scope="module")
def report(folder):
    return check_sessions(sorted(folder.glob("*.hdf5")), SPEC)


def test_a_duplicate_is_found_by_its_signal_and_names_the_other(report):
    found = by_session(report)
    assert {name for name, codes in found.items() if "duplicate" in codes} == {"twin"}
    duplicate = found["twin"]["duplicate"]
    assert (duplicate.severity, duplicate.value) == ("error", "sim0-user000-session00")
    assert duplicate.text == "the same signal as sim0-user000-session00 of user user000"


def test_a_turned_band_is_found_against_the_users_other_sessions(report):
    found = by_session(report)
    assert {name for name, codes in found.items() if "rotation" in codes} == {"turned"}
    rotation = found["turned"]["rotation"]
    assert rotation.severity == "warning"
    assert (rotation.value["band"], rotation.value["places"]) == ("right", 3)


def test_sound_sessions_are_for_use_and_others_are_not(report):
    verdicts = {row.session: row.verdict for row in report.sessions}
    assert verdicts.pop("twin") == "leave out"
    assert verdicts.pop("turned") == "look"
    assert set(verdicts.values()) == {"use"} and len(verdicts) == 5


def test_a_damaged_file_is_a_line_and_stops_nothing(report, folder):
    assert len(report.faults) == 1
    assert report.faults[0].startswith(f"{folder / 'broken.hdf5'}: HDF5 cannot be read")


def test_shards_have_the_findings_of_the_files_they_were_made_of_but_for_the_clock(sound, tmp_path):
    def gap(time):
        time[9000:] += 0.9
        return time

    def silent(emg):
        emg[:, 3] = 0.0
        return emg

    damaged(sound[0], tmp_path / "files" / "a.hdf5", emg=silent, time=gap)
    damaged(sound[1], tmp_path / "files" / "b.hdf5")
    damaged(sound[1], tmp_path / "files" / "c.hdf5")
    ingest(tmp_path / "files", tmp_path / "shards")
    found = {}
    for name in ("files", "shards"):
        found[name] = by_session(check_sessions(find_sessions(tmp_path / name), SPEC))
    assert found["files"]["a"].pop("gaps").severity == "warning"
    assert {k: set(v) for k, v in found["shards"].items()} == {k: set(v) for k, v in found["files"].items()}
    assert set(found["shards"]["a"]) == {"dead"} and set(found["shards"]["c"]) == {"duplicate"}


@pytest.mark.slow
def test_the_report_does_not_depend_on_the_number_of_processes(report, folder):
    again = check_sessions(sorted(folder.glob("*.hdf5")), SPEC, workers=2)
    assert as_json(again, "x") == as_json(report, "x")


def test_the_json_holds_every_number_and_counts_verdicts_and_codes(report):
    found = json.loads(json.dumps(as_json(report, "folder"), allow_nan=False))
    assert found["verdicts"] == {"use": 5, "leave out": 1, "look": 1}
    assert found["codes"] == {"duplicate": 1, "rotation": 1}
    row = next(row for row in found["sessions"] if row["session"] == "twin")
    assert (row["user"], row["file"], row["verdict"], row["windows"]) == ("another", "twin.hdf5", "leave out", 7)
    assert len(row["rms"]) == 32 and row["rate"] == pytest.approx(2000, rel=1e-3)
    assert row["findings"][0]["code"] == "duplicate"


def test_the_worst_finding_decides_the_verdict():
    note, warning, error = (Finding("hum", severity, 0, "") for severity in ("note", "warning", "error"))
    assert verdict([]) == verdict([note, note]) == "use"
    assert verdict([note, warning]) == "look"
    assert verdict([warning, error, note]) == "leave out"


def test_every_code_that_a_check_can_give_has_its_meaning(report):
    from tests.data.quality import test_gesture_checks, test_keychecks, test_signalchecks

    modules = (test_gesture_checks, test_keychecks, test_signalchecks)
    tried = {code for module in modules for code, *_ in module.CASES.values()}
    beside = {"duplicate", "rotation", "mirrored", "similar_user"}
    assert tried | beside | {"short", "silence", "doubled_keys", "unlabelled"} == set(CODES)
