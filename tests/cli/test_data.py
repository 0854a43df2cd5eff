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
    assert str(folder) in line
    assert files_in(tmp_path) == {}


def test_check_shows_keys_windows_verdict_and_findings_of_each_session(corpus, capsys):
    assert main(["data", "check", str(corpus)]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == [
        "session",
        "user",
        "minutes",
        "keys",
        "keys/s",
        "windows",
        "empty",
        "verdict",
        "findings",
    ]
    assert lines[1].split()[:8] == ["s00", "u0", "0.14", "11", "1.29", "2", "1", "use"]
    assert lines[2].split()[:7] == ["s01", "u0", "0.14", "11", "1.29", "2", "1"]
    assert lines[2].endswith(
        "error duplicate: the same signal as s00; note empty_windows: 1 of 2 windows without a key"
    )
    assert lines[9].split()[:7] == ["short", "u0", "0.05", "2", "0.67", "0", "0"]
    assert "leave out  error short: 3.0 s, shorter than a window" in lines[9]
    assert "dropped_keys: Key.shift_r 3" in lines[9]
    assert lines[10:] == ["9 sessions of 4 users, 0.02 h, 90 keys", "leave out: 8, use: 1"]
    assert err == ""


def test_check_prints_one_json_object_with_faults_in_it_and_on_stderr(corpus, capsys):
    write_session(corpus / "s00.hdf5", attributes={"condition": "off"})
    write_session(corpus / "s01.hdf5", dataset=None)
    write_session(corpus / "twin.hdf5", name="s10")
    assert main(["data", "check", str(corpus), "--json"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [row["session"] for row in found["sessions"]] == ["s10", "s11", "s20", "s21", "s30", "s31", "short"]
    first = found["sessions"][0]
    assert {name: first[name] for name in ("user", "minutes", "keys", "dropped", "windows", "empty_windows")} == {
        "user": "u1", "minutes": 17 / 120, "keys": 11, "dropped": {}, "windows": 2, "empty_windows": 1,
    }  # fmt: skip
    assert found["sessions"][-1]["dropped"] == {"Key.shift_r": 3}
    assert found["verdicts"] == {"use": 1, "leave out": 6}
    assert err.splitlines() == [f"semgjax: error: {fault}" for fault in found["faults"]]
    assert [fault.split(":")[0].split("/")[-1] for fault in found["faults"]] == ["s00.hdf5", "s01.hdf5", "twin.hdf5"]


def test_check_draws_a_table_on_a_terminal(corpus, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "220")
    assert main(["data", "check", str(corpus)]) == 0
    out = capsys.readouterr().out
    assert "┃" in out
    assert "Key.shift_r 3" in out


def test_check_writes_a_page_with_pictures_where_asked(corpus, tmp_path, capsys):
    page = tmp_path / "new" / "check.html"
    for path in corpus.glob("s[123]*.hdf5"):
        path.unlink()
    assert main(["data", "check", str(corpus), "--html", str(page)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(page)
    assert page.read_text().count("data:image/png;base64,") == 2 * 3  # for wide and for narrow screens
    assert str(tmp_path) in fails_with_one_line(capsys, ["data", "check", corpus, "--html", tmp_path])
    assert "--workers 0" in fails_with_one_line(capsys, ["data", "check", corpus, "--workers", "0"])


def test_show_writes_a_picture_and_tells_the_keys_in_it(corpus, capsys):
    path = corpus / "s00.hdf5"
    words = ["data", "show", str(path), "--at", "0.4", "--seconds", "0.5", "--out", str(corpus / "a.png")]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == ["s00: 0.40 to 0.90 s, 2 keys", str(corpus / "a.png")]
    assert (corpus / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["session"], shown["start"], shown["stop"]) == ("s00", 800, 1800)
    assert [key["key"] for key in shown["keys"]] == ["e", "l"]
    assert [key["at"] for key in shown["keys"]] == pytest.approx([0.5, 0.75], abs=1e-3)


def test_show_takes_a_session_by_name_out_of_a_folder(corpus, capsys):
    words = ["data", "show", str(corpus), "--seconds", "0.2", "--out", str(corpus / "a.png")]
    assert main([*words, "--session", "s10"]) == 0
    assert capsys.readouterr().out.startswith("s10: ")
    assert "'x'" in fails_with_one_line(capsys, [*words, "--session", "x"])
    assert "--session" in fails_with_one_line(capsys, words)
    assert "--session" in fails_with_one_line(
        capsys, ["data", "show", corpus / "s10.hdf5", "--session", "s10", "--out", "a.png"]
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--out", "a.jpg"], "a.jpg"),
        (["--out", "a.png", "--at", "99"], "at 99"),
        (["--out", "a.png", "--seconds", "0"], "seconds 0"),
        ([], "--out"),
    ],
)
def test_show_refuses_wrong_options_in_one_line(corpus, capsys, monkeypatch, options, says):
    monkeypatch.chdir(corpus)
    before = files_in(corpus)
    assert says in fails_with_one_line(capsys, ["data", "show", corpus / "s00.hdf5", *options])
    assert "no.hdf5" in fails_with_one_line(capsys, ["data", "show", corpus / "no.hdf5", "--out", "a.png"])
    assert files_in(corpus) == before


def test_simulated_sessions_pass_the_check(tmp_path, capsys):
    words = ["--users", "2", "--sessions", "1", "--minutes", "0.1", "--seed", "3", "--severity", "clean"]
    assert main(["data", "simulate", str(tmp_path / "sim"), *words]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'sim'}: 2 users x 1 sessions x 0.1 min, people alike, severity clean, seed 3\n"
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
    assert str(corpus) in fails_with_one_line(capsys, ["data", "simulate", corpus])
    assert files_in(corpus) == before
