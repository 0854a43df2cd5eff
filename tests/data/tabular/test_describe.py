"""The first semgjax.toml: what is seen is written, what cannot be known is left to fill in, and ingest waits for it."""

import tomllib

import numpy as np
import pytest
import scipy.io

from semgjax.cli.main import main
from semgjax.data.tabular.declaration import read_declaration
from semgjax.data.tabular.describe import describe
from semgjax.data.tabular.guess_paths import guess_pattern
from tests.data.tabular.table_folders import samples, written
from tests.data.tabular.test_tables import EVENTS, events_of, opened
from tests.refused import refused


def renamed(folder, **names):
    """Fill in the names of classes."""
    path = folder / "semgjax.toml"
    text = path.read_text()
    for label, name in names.items():
        text = text.replace(f'"{label[1:]}" = "{label[1:]}"', f'"{label[1:]}" = "{name}"')
    path.write_text(text)


def test_a_table_with_times_needs_no_line_filled_in(tmp_path):
    head = ["EMG1 (mV)", "EMG2 (mV)", "Time (ms)", "class"]
    for user in ("ann", "bob"):
        for session in "12":
            written(tmp_path / f"{user}_{session}.csv", [head, *samples(200)], delimiter=";")
    done = describe(tmp_path)
    assert done.fill_in == () and done.files == 4
    declaration = read_declaration(tmp_path)
    assert declaration.files.pattern == "{user}_{session}.csv"
    assert (declaration.text.delimiter, declaration.text.header, declaration.text.columns) == (";", True, 4)
    assert declaration.signal.channels == ("EMG1 (mV)", "EMG2 (mV)")
    assert (declaration.signal.rate, declaration.signal.unit, declaration.signal.time_unit) == (100.0, "mV", "ms")
    assert declaration.labels.rest == ("0",) and declaration.labels.classes == ("1", "2")
    renamed(tmp_path, _1="fist", _2="point")
    assert all(events_of(recording) == EVENTS for recording in opened(tmp_path).values())


def test_the_rate_is_to_fill_in_where_the_files_do_not_say_it(tmp_path):
    for label in "12":
        rows = [[row[0], row[1], row[3]] for row in samples(400)]
        written(tmp_path / f"right/ann-{label}.txt", rows, last="")
        written(tmp_path / f"left/bob-{label}.txt", rows, last="")
    done = describe(tmp_path)
    assert [line.partition(" = ")[0] for line in done.fill_in] == ["rate"]
    with refused("fill-in", tmp_path / "semgjax.toml", "signal.rate"):
        read_declaration(tmp_path)
    path = tmp_path / "semgjax.toml"
    path.write_text(path.read_text().replace('rate = "?"', "rate = 100"))
    renamed(tmp_path, _1="fist", _2="point")
    assert events_of(opened(tmp_path)["ann-1"]) == EVENTS


def test_a_file_that_exists_is_never_replaced(tmp_path):
    written(tmp_path / "ann_1.csv", samples())
    describe(tmp_path)
    before = (tmp_path / "semgjax.toml").read_text()
    with refused("out-exists", tmp_path / "semgjax.toml"):
        describe(tmp_path)
    assert (tmp_path / "semgjax.toml").read_text() == before


def test_a_folder_without_tables_is_refused(tmp_path):
    (tmp_path / "README.txt").write_text("hello")
    with refused("no-sessions", tmp_path):
        describe(tmp_path)
    with refused("no-file", tmp_path / "no"):
        describe(tmp_path / "no")


def test_a_mat_file_of_a_published_shape(tmp_path):
    rows = np.array([[int(cell) for cell in row] for row in samples()])
    for user in (1, 2):
        fields = {
            "emg": rows[:, :2],
            "stimulus": rows[:, 3:],
            "restimulus": rows[:, 3:],
            "subject": user,
            "exercise": 1,
        }
        scipy.io.savemat(tmp_path / f"S{user}_E1_A1.mat", fields)
    done = describe(tmp_path)
    text = (tmp_path / "semgjax.toml").read_text()
    found = tomllib.loads(text)
    assert found["files"]["pattern"] == "S{user}_E1_A1.mat"
    assert (found["arrays"]["signal"], found["arrays"]["user"]) == ("emg", "subject")
    assert (found["labels"]["column"], found["labels"]["rest"]) == ("restimulus", ["0"])
    assert [line.partition(" = ")[0] for line in done.fill_in] == ["rate"]


def test_events_in_a_table_beside_are_found(tmp_path):
    for user in ("ann", "bob"):
        rows = [[row[0], row[1], f"{int(row[2]) / 1000}"] for row in samples(200)]
        written(tmp_path / f"{user}_emg.csv", [["ch1", "ch2", "time"], *rows])
        written(
            tmp_path / f"{user}_events.csv",
            [["onset", "duration", "label"], ["0.05", "0.06", "fist"], ["0.2", "0.09", "point"]],
        )
    describe(tmp_path)
    declaration = read_declaration(tmp_path)
    assert declaration.events.pattern == "{user}_events.csv"
    assert (declaration.events.onset, declaration.events.duration) == ("onset", "duration")
    assert declaration.signal.rate == 100
    assert events_of(opened(tmp_path)["ann"]) == EVENTS


@pytest.mark.parametrize(
    ("paths", "labels", "pattern"),
    [
        (["S1_E1_A1.mat", "S1_E2_A1.mat", "S2_E1_A1.mat"], (), "S{user}_E{session}_A1.mat"),
        (["alice.csv", "bob.csv"], (), "{user}.csv"),
        (["x.csv"], (), "x.csv"),
        (
            ["user_1/day2/run-1.csv", "user_1/day1/run-2.csv", "user_2/day1/run-1.csv"],
            (),
            "user_{user}/day{session}/run-{part}.csv",
        ),
        (["1/7-1.txt", "1/7-2.txt", "2/7-1.txt", "2/7-3.txt"], ("0", "1", "2", "3"), "{user}/7-{label}.txt"),
        (["01/1_raw_13-12.txt", "01/2_raw_13-14.txt", "02/1_raw_14-12.txt"], (), "{user}/{session}_raw_*.txt"),
        (["left_hand/5.csv", "right_hand/6.csv"], (), "{hand}_hand/{user}.csv"),
    ],
)
def test_a_pattern_is_guessed_from_paths(paths, labels, pattern):
    assert guess_pattern(paths, "part", labels) == pattern


def test_the_commands_describe_and_ingest_tables(tmp_path, capsys):
    head = ["emg1", "emg2", "time (ms)", "label"]
    src = tmp_path / "src"
    for user in ("ann", "bob"):
        written(src / f"{user}_1.csv", [head, *samples(200)])
    assert main(["data", "describe", str(src)]) == 0
    assert str(src / "semgjax.toml") in capsys.readouterr().out
    toml = tmp_path / "mine.toml"
    (src / "semgjax.toml").rename(toml)
    words = ["data", "ingest", str(src), str(tmp_path / "out"), "--workers", "1"]
    assert main([*words, "--source", "table"]) == 2
    assert main([*words, "--highpass", "10"]) == 2
    assert not (tmp_path / "out").exists()
    assert main([*words, "--toml", str(toml), "--highpass", "10", "--gain", "session"]) == 0
    assert "1 2, 2 2" in capsys.readouterr().out
