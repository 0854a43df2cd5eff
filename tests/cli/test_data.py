"""The commands of `semgjax data`, from words to files, lines and exit codes."""

import json

import pytest

from semgjax.cli.main import main
from tests.cli.folders import corpus as corpus
from tests.cli.folders import fails_with_one_line, files_in
from tests.data.damage import BAD_FILES
from tests.data.fixtures import write_session


@pytest.mark.parametrize("name", BAD_FILES)
def test_check_tells_a_bad_file_in_one_line_and_writes_nothing(tmp_path, capsys, name):
    make, says = BAD_FILES[name]
    make(tmp_path / "bad.hdf5")
    before = files_in(tmp_path)
    line = fails_with_one_line(capsys, ["data", "check", tmp_path])
    assert f"{tmp_path / 'bad.hdf5'}: " in line
    assert says in line
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("command", [["check"], ["splits", "--test-users", "1"]])
@pytest.mark.parametrize("there", [True, False])
def test_an_empty_or_missing_folder_is_told_in_one_line(tmp_path, capsys, command, there):
    folder = tmp_path / "sessions"
    if there:
        folder.mkdir()
    line = fails_with_one_line(capsys, ["data", command[0], folder, *command[1:]])
    assert f"{folder}: no " in line
    assert files_in(tmp_path) == {}


def test_check_shows_keys_windows_and_dropped_keys_of_each_session(corpus, capsys):
    assert main(["data", "check", str(corpus)]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["session", "user", "minutes", "keys", "keys/s", "windows", "empty", "dropped"]
    assert rows[1] == ["s00", "u0", "0.14", "11", "1.29", "2", "1", "-"]
    assert rows[9] == ["short", "u0", "0.05", "2", "0.67", "0", "0", "Key.shift_r", "3"]
    assert out.splitlines()[10:] == [
        "9 sessions of 4 users, 0.02 h, 90 keys",
        "1 shorter than a window of 4 s: no use for training",
    ]
    assert err == ""


def test_check_prints_one_json_object_with_faults_in_it_and_on_stderr(corpus, capsys):
    write_session(corpus / "s00.hdf5", attributes={"condition": "off"})
    write_session(corpus / "s01.hdf5", dataset=None)
    write_session(corpus / "twin.hdf5", name="s10")
    assert main(["data", "check", str(corpus), "--json"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [row["session"] for row in found["sessions"]] == [
        "s10",
        "s11",
        "s20",
        "s21",
        "s30",
        "s31",
        "short",
    ]
    assert found["sessions"][0] == {
        "session": "s10", "user": "u1", "minutes": 17 / 120, "keys": 11, "keys_per_second": 11 / 8.5,
        "dropped": {}, "windows": 2, "empty_windows": 1,
    }  # fmt: skip
    assert found["sessions"][-1]["dropped"] == {"Key.shift_r": 3}
    assert err.splitlines() == [f"semgjax: error: {fault}" for fault in found["faults"]]
    assert [fault.split(":")[0].split("/")[-1] for fault in found["faults"]] == [
        "s00.hdf5",
        "s01.hdf5",
        "twin.hdf5",
    ]


def test_check_draws_a_table_on_a_terminal(corpus, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["data", "check", str(corpus)]) == 0
    out = capsys.readouterr().out
    assert "┃" in out
    assert "Key.shift_r 3" in out


def test_simulated_sessions_pass_the_check(tmp_path, capsys):
    words = ["--users", "2", "--sessions", "1", "--minutes", "0.1", "--seed", "3", "--severity", "clean"]
    assert main(["data", "simulate", str(tmp_path / "sim"), *words]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'sim'}: 2 users x 1 sessions x 0.1 min, severity clean, seed 3\n"
    assert err.splitlines() == ["simulate 1/2 sessions", "simulate 2/2 sessions"]
    assert main(["data", "check", str(tmp_path / "sim")]) == 0
    assert "2 sessions of 2 users" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--users", "0"], "users is 0"),
        (["--minutes", "nan"], "minutes is nan"),
        (["--severity", "sunny"], "sunny"),
        (["--user", "3"], "--users"),
    ],
)
def test_simulate_refuses_wrong_options_in_one_line(tmp_path, capsys, options, says):
    assert says in fails_with_one_line(capsys, ["data", "simulate", tmp_path / "sim", *options])
    assert not (tmp_path / "sim").exists()


def test_simulate_leaves_a_folder_in_use_as_it_is(corpus, capsys):
    before = files_in(corpus)
    assert "is not empty" in fails_with_one_line(capsys, ["data", "simulate", corpus])
    assert files_in(corpus) == before
