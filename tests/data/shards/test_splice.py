"""Spliced shards: the signal of every event at its new place, marked, the same bytes each time; what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.data.sessions import load_sessions, open_session, read_emg
from semgjax.data.shards.manifest import read_manifest
from semgjax.data.shards.splice import splice_shards
from semgjax.data.shards.splice_plan import SpliceRule
from tests.data.shards.gestures import CLASSES, RATE, gestures, write_shards
from tests.refused import refused

RULE = SpliceRule(orders=3, events=4)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "shards"
    names = [("a1", "a"), ("a2", "a"), ("b1", "b")]
    return write_shards(folder, [gestures(name, user) for name, user in names])


@pytest.fixture(scope="module")
def spliced(recorded, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("spliced") / "out"
    done = splice_shards(recorded, folder, RULE)
    assert (done.ingested.made, done.ingested.skipped, done.events, done.left_out) == (9, [], 27, {})
    return folder


def test_an_event_has_its_own_signal_at_its_new_place(recorded, spliced):
    origin = load_sessions(recorded, ["a1"])[0]
    source = read_emg(origin, 0, origin.samples)
    session = load_sessions(spliced, ["a1-order-01"])[0]
    emg = read_emg(session, 0, session.samples)
    at = {row.tobytes(): place for place, row in enumerate(source)}
    assert len(at) == len(source)
    places = np.array([at[row.tobytes()] for row in emg])
    first, end = places[session.key_first], places[session.key_end]
    index = np.searchsorted(origin.key_first, first)
    assert sorted(index) == list(range(9)) and list(origin.key_first[index]) == list(first)
    assert list(origin.labels[index]) == list(session.labels)
    assert list(end - first) == list(session.key_end - session.key_first)
    assert (end <= origin.key_end[index]).all()
    assert list(session.key_last) == list(session.key_first)
    assert set(np.flatnonzero(np.diff(places) != 1) + 1) <= set(session.joints)


def test_a_spliced_session_says_what_it_is(recorded, spliced):
    origin = load_sessions(recorded, ["b1"])[0]
    for session in load_sessions(spliced, [f"b1-order-0{order}" for order in range(3)]):
        assert session.spliced and not origin.spliced
        assert (session.origin, session.origin_samples, session.user) == ("b1", origin.samples, "b")
        assert session.band == origin.band and session.classes == CLASSES
    rows = {row.name: row for row in read_manifest(spliced)}
    assert len(rows) == 9
    assert (rows["b1-order-02"].origin, rows["b1-order-02"].origin_samples) == ("b1", origin.samples)


def test_the_orders_of_a_session_and_those_of_two_sessions_differ(spliced):
    texts = [session.text for session in load_sessions(spliced)]
    assert len(set(texts)) == 9
    assert len({" ".join(sorted(text.split())) for text in texts}) == 1


def test_the_same_rule_gives_the_same_bytes_and_more_orders_are_added(recorded, spliced, tmp_path):
    splice_shards(recorded, tmp_path / "again", RULE)
    before = {path.name: path.read_bytes() for path in (spliced / "shards").iterdir()}
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "again" / "shards").iterdir()}
    more = splice_shards(recorded, tmp_path / "again", replace(RULE, orders=4))
    assert (more.ingested.made, more.ingested.reused) == (3, 9)


def test_another_rule_into_the_same_folder_is_refused(recorded, spliced, tmp_path):
    splice_shards(recorded, tmp_path / "out", RULE)
    with refused("duplicate-session", "a1-order-00"):
        splice_shards(recorded, tmp_path / "out", replace(RULE, seed=1))


def test_what_is_spliced_is_not_spliced_again(recorded, spliced, tmp_path):
    with refused("conflict", "a1-order-00", "a1"):
        splice_shards(spliced, tmp_path / "out", RULE)
    with refused("conflict", recorded):
        splice_shards(recorded, recorded, RULE)
    with refused("no-file", tmp_path):
        splice_shards(tmp_path, tmp_path / "out", RULE)
    assert not (tmp_path / "out").exists()


def test_sessions_without_ends_or_with_events_of_no_class_are_left_out_and_counted(tmp_path):
    good, other, bad = gestures("good", "a"), gestures("other", "a"), gestures("bad", "b")
    unknown = good.key_end.copy()
    unknown[4] = -1
    recordings = [
        replace(good, key_end=unknown),
        replace(other, key_end=None),
        replace(bad, dropped={"wave": 2}),
    ]
    folder = write_shards(tmp_path / "shards", recordings)
    done = splice_shards(folder, tmp_path / "out", RULE)
    # The unknown end, and the event after it in the same recording
    assert done.left_out == {"no_end": (2 + 9, 2)} and done.events == 7
    assert {row.origin for row in done.ingested.rows} == {"good"}
    assert [skip["source"] for skip in done.ingested.skipped] == ["bad", "other"]
    assert "wave" in done.ingested.skipped[0]["reason"]


def test_a_folder_without_an_event_to_cut_out_is_refused(tmp_path):
    folder = write_shards(tmp_path / "shards", [replace(gestures("a", "a"), key_end=None)])
    with refused("no-sessions", folder, "a"):
        splice_shards(folder, tmp_path / "out", RULE)
    with refused("no-sessions", folder, "a"):
        splice_shards(folder, tmp_path / "out", SpliceRule(rest=(3.0, 4.0)))
    assert not (tmp_path / "out").exists()


def test_the_command_reports_what_it_made(recorded, tmp_path, capsys):
    words = ["data", "splice", str(recorded), str(tmp_path / "out"), "--orders", "2", "--rest", "0.5", "0.6"]
    assert main([*words, "--hold", "1", "1.5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sessions"], found["origins"], found["users"], found["events"]) == (6, 3, 2, 27)
    assert found["recorded_hours"] == pytest.approx(3 * 42 / 3600)
    session = open_session(next((tmp_path / "out" / "shards").iterdir()))
    hold = session.key_end - session.key_first + 1
    assert hold.min() >= RATE and hold.max() <= 1.5 * RATE


def test_a_wrong_option_is_one_line(recorded, tmp_path, capsys):
    for words in (["--rest", "0.9", "0.3"], ["--orders", "0"], ["--hold", "0", "1"], ["--workers", "0"]):
        assert main(["data", "splice", str(recorded), str(tmp_path / "out"), *words]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
