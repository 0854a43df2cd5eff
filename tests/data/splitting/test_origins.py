"""Sessions spliced from one recording: one session in every split, and its hours counted once."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.readers.recording import Recording
from semgjax.data.shards.splice import splice_shards
from semgjax.data.shards.splice_plan import SpliceRule
from semgjax.data.splitting.inventory import KnownSession, list_folder, recordings_of
from semgjax.data.splitting.origins import check_apart, recorded_hours, with_orders
from semgjax.data.splitting.splits import Split, leave_users_out, read_split, write_split
from semgjax.data.splitting.subsets import nested_subset
from tests.data.shards.gestures import gestures, write_shards
from tests.refused import refused

HOUR = 2000 * 3600


def orders(recording: str, user: str, hours: float = 1.0, count: int = 3) -> list[KnownSession]:
    names = [f"{recording}-order-{order:02d}" for order in range(count)]
    return [KnownSession(name, user, HOUR // 3, (), 2000.0, recording, round(hours * HOUR)) for name in names]


ROWS = [row for user in "abc" for day in "123" for row in orders(f"{user}{day}", user)]
PAIRS = [(row.session, row.recording) for row in ROWS]


def names(recording: str) -> list[str]:
    return [f"{recording}-order-0{order}" for order in range(3)]


def test_recordings_are_what_was_recorded():
    found = recordings_of(ROWS)
    assert [row.session for row in found] == [f"{user}{day}" for user in "abc" for day in "123"]
    assert {row.samples for row in found} == {HOUR} and not any(row.origin for row in found)
    plain = KnownSession("a1", "a", HOUR, ("loud",))
    assert recordings_of([*ROWS, plain])[0] == plain


def test_the_train_part_has_all_orders_and_the_scored_ones_the_first():
    of_recordings = leave_users_out([(row.session, row.user) for row in recordings_of(ROWS)], 1, 0.2, 0)
    split = with_orders(of_recordings, PAIRS)
    assert set(split.train) == {name for known in of_recordings.train for name in names(known)}
    for part in ("val", "test"):
        assert getattr(split, part) == tuple(f"{known}-order-00" for known in getattr(of_recordings, part))
    assert len(split.test) == 3 and len(split.val) == 1 and len(split.train) == 3 * 5


def test_a_split_of_sessions_as_recorded_stays_as_it_is():
    split = Split(("a",), ("b",), ("c",), {})
    assert with_orders(split, [("a", "a"), ("b", "b"), ("c", "c")]) is split


def test_a_recording_beside_its_orders_is_scored_itself():
    split = with_orders(Split(("a1",), ("b1",), (), {}), [*PAIRS, ("a1", "a1"), ("b1", "b1")])
    assert split.train == ("a1", *names("a1")) and split.val == ("b1",)


def test_orders_of_one_recording_in_two_parts_are_refused(tmp_path):
    split = Split(("a1-order-00",), ("a1-order-01",), (), {})
    with refused("one-recording", "a1-order-00", "a1-order-01", "a1"):
        with_orders(split, PAIRS)
    with refused("one-recording", tmp_path):
        check_apart(Split(("a1-order-00",), (), ("a1",), {}), dict(PAIRS), tmp_path)
    with refused("conflict", "a1-order-00"):
        check_apart(Split(("a1-order-00",), (), (), {}, {"a1-order-00": 9}), dict(PAIRS))


def test_recorded_hours_count_a_recording_once():
    assert recorded_hours((row.session, row) for row in ROWS) == pytest.approx(9)
    plain = KnownSession("a1", "a", HOUR)
    assert recorded_hours((row.session, row) for row in [plain, *ROWS]) == pytest.approx(9)
    assert recorded_hours((row.session, row) for row in [KnownSession("z", "a", HOUR // 2)]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "hours, taken", [(None, 3), (0.2, 1), (1.0, 1), (1.4, 1), (1.6, 2), (2.5, 3), (3.0, 3), (4.0, 3)]
)
def test_a_subset_takes_whole_recordings(hours, taken):
    whole = with_orders(Split(tuple(row.session for row in recordings_of(ROWS)), (), (), {}), PAIRS)
    found = nested_subset(whole, ROWS, users=2, hours_per_user=hours)
    assert not found.limits and len(found.train) == 2 * taken * 3
    assert {name[:2] for name in found.train} == {name[:2] for name in found.train if name.endswith("02")}
    assert found.rule["short_users"] == (2 if hours == 4.0 else 0)
    more = nested_subset(whole, ROWS, users=3, hours_per_user=None)
    assert set(found.train) <= set(more.train)


def test_a_subset_of_plain_sessions_at_another_rate_is_cut_at_its_hours():
    rows = [KnownSession(name, "a", 200 * 3600, (), 200.0) for name in ("x", "y")]
    found = nested_subset(Split(("x", "y"), (), (), {}), rows, hours_per_user=1.5)
    assert list(found.limits.values()) == [100 * 3600]


@pytest.fixture(scope="module")
def spliced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spliced")
    recorded = write_shards(folder / "recorded", [gestures(f"{user}{day}", user) for user in "abc" for day in "12"])
    splice_shards(recorded, folder / "out", SpliceRule(orders=2))
    return folder / "out"


@pytest.mark.parametrize("kind", [["leave-users-out", "--test-users", "1"], ["folds", "--folds", "3"]])
def test_no_split_has_a_recording_in_two_parts(spliced, tmp_path, capsys, kind):
    assert main(["data", "splits", str(spliced), "--kind", *kind, "--out", str(tmp_path / "s.json")]) == 0
    recording = {row.session: row.recording for row in list_folder(spliced)}
    files = list(tmp_path.iterdir())
    tested = []
    for path in files:
        split = read_split(path)
        check_apart(split, recording)
        tested += split.test
        assert len(split.test) == 2 and len(split.val) == 1 and len(split.train) == 3 * 2
    assert len(set(tested)) == 2 * len(files)
    # 42 s a recording
    assert f"{3 * 42 / 3600:.2f} h" in capsys.readouterr().out


def test_the_official_split_of_recordings_is_made_of_their_orders(spliced, tmp_path):
    columns = "user,session,duration_mins,quality_check_tags\n"
    rows = [f"u{user},u{user}-{day},1,[]\n" for user in range(3) for day in range(6)]
    known = [row for user in range(3) for day in range(6) for row in orders(f"u{user}-{day}", f"u{user}", 1 / 60, 2)]
    from semgjax.cli.data_splits import _make
    from semgjax.data.splitting.inventory import read_metadata

    (tmp_path / "metadata.csv").write_text(columns + "".join(rows))
    pairs = [(row.session, row.recording) for row in known]
    split = with_orders(_make("generic", read_metadata(tmp_path / "metadata.csv"), {"test_users": 1})[""], pairs)
    assert (len(split.train), len(split.val), len(split.test)) == (2 * 4 * 2, 2 * 2, 2)
    check_apart(split, dict(pairs))


def keys(name: str, user: str) -> Recording:
    """Keys with ends, as if an isolated key were held for a second: a band that every decoder takes."""
    samples, onset = 2000 * 30, np.arange(2, 28, 4) * 2000
    emg = np.random.default_rng(list(name.encode())).normal(0, 14, (samples, 32)).astype(np.float32)
    return Recording(
        name, user, 2000.0, 32, samples, np.arange(len(onset), dtype=np.int32), onset, onset, lambda: iter([emg]),
        key_end=onset + 2000,
    )  # fmt: skip


def test_a_corpus_counts_a_recording_once_and_refuses_it_in_two_parts(tmp_path):
    recorded = write_shards(tmp_path / "recorded", [keys("a1", "a"), keys("b1", "b")])
    splice_shards(recorded, tmp_path / "out", SpliceRule(orders=3))
    split = Split(tuple(names("a1")), (), ("b1-order-00",), {})
    write_split(tmp_path / "out" / "splits.json", split)
    corpus = load_corpus(tmp_path / "out")
    assert corpus.train_hours == pytest.approx(30 / 3600)
    assert (corpus.keys["train"].inside, corpus.keys["train"].sessions) == (7, 1)
    write_split(tmp_path / "wrong.json", replace(split, test=("a1-order-01",), train=("a1-order-00",)))
    with refused("one-recording", tmp_path / "wrong.json", "a1-order-01"):
        load_corpus(tmp_path / "out", tmp_path / "wrong.json")
