"""Text tables with a semgjax.toml: signal and events as they were written, in every dialect."""

import numpy as np
import pytest

from semgjax.data.sessions import load_sessions, read_emg
from semgjax.data.shards.ingest import ingest
from semgjax.data.tabular import clean_text
from semgjax.data.tabular.declaration import TableOptions, read_declaration
from semgjax.data.tabular.delimited import read_blocks
from semgjax.data.tabular.table_source import find_items
from tests.data.tabular.table_folders import TOML, declared, samples, written
from tests.refused import refused


def opened(folder):
    """The recordings of a folder by name."""
    items, _ = find_items(folder, read_declaration(folder))
    found = [item.form.open(item.files) for item in items]
    return {recording.name: recording for recording in found}


def emg_of(recording):
    return np.concatenate(list(recording.blocks()))


def events_of(recording):
    names = [recording.classes[label] for label in recording.labels]
    return list(zip(names, recording.key_first.tolist(), recording.key_end.tolist(), strict=True))


EVENTS = [("fist", 5, 11), ("point", 20, 29)]


def plain(rows):
    return np.array([[float(cell) for cell in row[:2]] for row in rows], np.float32)


def test_a_table_becomes_a_session_with_its_events(tmp_path):
    rows = samples()
    written(declared(tmp_path) / "ann-1.csv", rows)
    recording = opened(tmp_path)["ann-1"]
    assert (recording.user, recording.rate, recording.rings, recording.samples) == ("ann", 100.0, (2,), 40)
    assert (emg_of(recording) == plain(rows)).all()
    assert events_of(recording) == EVENTS
    assert (recording.key_last == recording.key_first).all()
    assert recording.joints == ()


def quoted(rows):
    return [[f'"{cell}"' for cell in row] for row in rows]


DIALECTS = {
    "crlf": (dict(end="\r\n", last="\r\n"), {}, lambda rows: rows),
    "old mac": (dict(end="\r", last="\r"), {}, lambda rows: rows),
    "no newline at the end": (dict(last=""), {}, lambda rows: rows),
    "tab": (dict(delimiter="\t"), {"columns": 'columns = 4\ndelimiter = "\\t"'}, lambda rows: rows),
    "semicolon": (dict(delimiter=";"), {"columns": 'columns = 4\ndelimiter = ";"'}, lambda rows: rows),
    "blanks": (dict(delimiter="   "), {"columns": 'columns = 4\ndelimiter = "space"'}, lambda rows: rows),
    "blank after comma": (dict(delimiter=", "), {}, lambda rows: rows),
    "quotes": ({}, {}, quoted),
    "decimal comma": (
        dict(delimiter=";"),
        {"columns": 'columns = 4\ndelimiter = ";"\ndecimal = ","'},
        lambda rows: [[f"{row[0]},0", f"{row[1]},00", *row[2:]] for row in rows],
    ),
    "quoted decimal comma": (
        {},
        {"columns": 'columns = 4\ndelimiter = ";"\ndecimal = ","'},
        lambda rows: [[";".join([f'"{row[0]},0"', f'"{row[1]}"', *row[2:]])] for row in rows],
    ),
    "quoted delimiter": (
        {},
        {"columns": "columns = 5", "time = 3": "time = 3", "column": "column = 4"},
        lambda rows: [[*row, '"a, b"'] for row in rows],
    ),
    "byte order mark": ({}, {}, lambda rows: [["\ufeff" + rows[0][0], *rows[0][1:]], *rows[1:]]),
    "trailing delimiter": ({}, {"columns": "columns = 5"}, lambda rows: [[*row, ""] for row in rows]),
    "blank lines": ({}, {}, lambda rows: [row for pair in zip(rows, [[""]] * len(rows), strict=True) for row in pair]),
    "comments": (
        {},
        {"columns": 'columns = 4\ncomment = "#"'},
        lambda rows: [["# a, b"], *rows[:7], [" # c"], *rows[7:]],
    ),
    "lines before": ({}, {"columns": "columns = 4\nskip = 2"}, lambda rows: [["made by us"], ["x" * 9, "1"], *rows]),
    "floats": ({}, {}, lambda rows: [[f"{row[0]}.0e0", f"{row[1]}.", row[2], row[3]] for row in rows]),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_signal_and_events(tmp_path, dialect):
    layout, changes, change = DIALECTS[dialect]
    changes = {name: line for name, line in changes.items() if " = " not in name}
    rows = samples()
    written(declared(tmp_path, **changes) / "ann-1.csv", change(rows), **layout)
    recording = opened(tmp_path)["ann-1"]
    assert (emg_of(recording) == plain(rows)).all()
    assert events_of(recording) == EVENTS


def test_columns_by_name_are_found_wherever_they_stand(tmp_path):
    rows = samples()
    text = TOML.replace("columns = 4", "columns = 4\nheader = true").replace("[1, 2]", '["emg 1 (uV)", "emg 2"]')
    text = text.replace("time = 3", 'time = "t"').replace("column = 4", 'column = "class"')
    written(declared(tmp_path, text) / "ann-1.csv", [["emg 1 (uV)", '"emg 2"', "t", "class"], *rows])
    turned = [["class", "emg 2", "emg 1 (uV)", "t"], *([row[3], row[1], row[0], row[2]] for row in rows)]
    written(tmp_path / "bob-1.csv", turned)
    ann, bob = opened(tmp_path).values()
    assert (emg_of(ann) == emg_of(bob)).all() and (emg_of(ann) == plain(rows)).all()
    assert events_of(ann) == events_of(bob) == EVENTS


def test_labels_may_be_words_and_several_may_be_one_class(tmp_path):
    words = {"0": "no gesture", "1": "fist", "2": "Fist!"}
    rows = [[*row[:3], words[row[3]]] for row in samples()]
    changes = {'"1"': '"fist" = "fist"', '"2"': '"Fist!" = "fist"', "rest": 'rest = ["no gesture"]'}
    written(declared(tmp_path, **changes) / "ann-1.csv", rows)
    recording = opened(tmp_path)["ann-1"]
    assert recording.classes == ("fist",)
    assert events_of(recording) == [("fist", 5, 11), ("fist", 20, 29)]


def test_blocks_and_one_block_give_the_same(tmp_path, monkeypatch):
    rows = samples(400)
    written(declared(tmp_path) / "ann-1.csv", rows)
    whole = opened(tmp_path)["ann-1"]
    monkeypatch.setattr(clean_text.chunks, "__defaults__", ("utf-8", 97))
    monkeypatch.setattr("semgjax.data.tabular.table_parts._KEPT", 100)
    pieces = opened(tmp_path)["ann-1"]
    assert (emg_of(whole) == emg_of(pieces)).all() and len(list(pieces.blocks())) > 10
    assert events_of(whole) == events_of(pieces) == EVENTS


def test_parts_are_joined_in_order_and_no_event_crosses_a_joint(tmp_path):
    declared(tmp_path, pattern='pattern = "{user}/{session}/{part}.csv"')
    parts = {number: samples(20 + number, number) for number in (10, 2, 1)}
    for number, rows in parts.items():
        for row in rows:
            row[3] = "1"
        written(tmp_path / f"ann/7/{number}.csv", rows)
    recording = opened(tmp_path)["ann-7"]
    assert recording.joints == (21, 43)
    assert (emg_of(recording) == np.concatenate([plain(parts[n]) for n in (1, 2, 10)])).all()
    assert events_of(recording) == [("fist", 0, 20), ("fist", 21, 42), ("fist", 43, 72)]


def test_the_label_may_stand_in_the_path(tmp_path):
    names = {'"1"': '"close" = "fist"', '"2"': '"two" = "point"', "rest": 'rest = ["no one"]'}
    declared(tmp_path, pattern='pattern = "{user}_{label}_{part}.csv"', source='source = "path"', column="", **names)
    for label, part in (("close", "2"), ("no one", "1"), ("two", "3")):
        written(tmp_path / f"ann_{label}_{part}.csv", samples(30))
    assert events_of(opened(tmp_path)["ann"]) == [("fist", 30, 59), ("point", 60, 89)]


EVENTS_TOML = """
[events]
pattern = "{user}-{session}.events.tsv"
delimiter = "\\t"
onset = "onset"
label = "type"
end = "stop"
"""


def with_events(folder, table, extra=""):
    declared(folder, TOML + EVENTS_TOML + extra, source='source = "events"', column="", rest='rest = ["rest"]')
    written(folder / "ann-1.csv", samples())
    (folder / "ann-1.events.tsv").write_text(table)
    return folder


def test_events_may_stand_in_a_table_beside(tmp_path):
    table = "onset\tstop\ttype\n0.2\t0.295\t2\n0.052\t0.11\t1\n0.01\t0.02\trest\n"
    recording = opened(with_events(tmp_path, table))["ann-1"]
    assert events_of(recording) == [("fist", 6, 11), ("point", 20, 29)]
    assert recording.key_last.tolist() == [5, 20]
    _, left_out = find_items(tmp_path, read_declaration(tmp_path))
    assert left_out == []


@pytest.mark.parametrize(
    ("extra", "table", "expected"),
    [
        ('end_is = "after"\n', "onset\tstop\ttype\n0.05\t0.12\t1\n0.2\t0.3\t2\n", EVENTS),
        ('unit = "ms"\n', "onset\tstop\ttype\n50\t110\t1\n200\t290\t2\n", EVENTS),
        ('unit = "samples"\nfirst_sample = 1\n', "onset\tstop\ttype\n6\t12\t1\n21\t30\t2\n", EVENTS),
    ],
)
def test_the_unit_of_events_is_declared(tmp_path, extra, table, expected):
    assert events_of(opened(with_events(tmp_path, table, extra))["ann-1"]) == expected


def test_a_gap_is_refused_or_a_joint_as_declared(tmp_path):
    rows = samples()
    for row in rows[8:]:
        row[2] = str(int(row[2]) + 5000)
    path = written(declared(tmp_path) / "ann-1.csv", rows)
    with refused("gap-in-signal", path, "line 9"):
        opened(tmp_path)
    declared(tmp_path, rate='rate = 100\ngaps = "joint"')
    recording = opened(tmp_path)["ann-1"]
    assert recording.joints == (8,)
    assert events_of(recording) == [("fist", 5, 7), ("fist", 8, 11), ("point", 20, 29)]


def test_volts_become_microvolts(tmp_path):
    rows = samples()
    written(declared(tmp_path, rate='rate = 100\nunit = "mV"\nscale = 0.5') / "ann-1.csv", rows)
    assert (emg_of(opened(tmp_path)["ann-1"]) == plain(rows) * 500).all()


def test_ingest_keeps_ends_joints_rings_and_recognises_finished_sessions(tmp_path):
    src = declared(tmp_path / "src", pattern='pattern = "{user}/{session}/{part}.csv"')
    rows = {part: samples(40, int(part)) for part in ("1", "2")}
    for part, found in rows.items():
        written(src / f"ann/1/{part}.csv", found)
        written(src / f"bob/1/{part}.csv", found)
    (src / "ann/notes.txt").write_text("x")
    done = ingest(src, tmp_path / "out")
    assert (done.made, [skip["source"] for skip in done.skipped]) == (2, ["ann/notes.txt"])
    ann = load_sessions(tmp_path / "out", ["ann-1"])[0]
    assert (ann.joints, ann.rings, ann.classes, ann.rate) == ((40,), (2,), ("fist", "point"), 100.0)
    assert ann.key_end.tolist() == [11, 29, 51, 69]
    assert (read_emg(ann, 0, 80) == np.concatenate([plain(rows["1"]), plain(rows["2"])])).all()
    assert ingest(src, tmp_path / "out").reused == 2
    again = ingest(src, tmp_path / "filtered", table=TableOptions(filters={"highpass": 10.0}))
    assert again.made == 2 and {row.source for row in again.rows}.isdisjoint(row.source for row in done.rows)


def test_text_is_read_as_the_nearest_float64(tmp_path):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(300, 2)) * 10.0 ** rng.integers(-9, 9, (300, 1))
    rows = [[repr(float(a)), repr(float(b)), str(10 * n), "0"] for n, (a, b) in enumerate(values)]
    path = written(declared(tmp_path) / "ann-1.csv", rows)
    part = read_declaration(tmp_path).text
    found = np.concatenate([block.emg_TxC for block in read_blocks(path, part, [2, 1], "", "")])
    assert (found == values[:, ::-1]).all()


def test_the_place_of_a_label_is_counted_only_for_a_message(tmp_path, monkeypatch):
    def counted(*_):
        raise AssertionError("lines were counted although nothing is wrong")

    monkeypatch.setattr("semgjax.data.tabular.delimited.line_of_row", counted)
    written(declared(tmp_path) / "ann-1.csv", samples())
    assert events_of(opened(tmp_path)["ann-1"]) == EVENTS
