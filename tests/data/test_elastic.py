"""Batches that do not depend on how they are loaded: workers, hosts, threads, and the step that loading starts at."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semgjax.data.batching.augment import AugmentConfig, augment_recipe
from semgjax.data.batching.batches import eval_chunks, eval_windows, session_chunks, stream, train_data
from semgjax.data.batching.windows import labels_of, list_windows
from semgjax.data.sessions import load_sessions
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.shard_format import RELATIVE_ERROR
from tests.data.odd import SPEC, write_odd_sessions
from tests.refused import refused

AUGMENT = AugmentConfig(roll=2, lag=40, jitter=True)
STRONG = replace(augment_recipe("robust"), lag=40, silence=0.3)
STEP = 137
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elastic")
    ingest(write_odd_sessions(folder / "hdf5"), folder / "shards")
    return folder


@pytest.fixture(scope="module")
def sessions(folders):
    return load_sessions(folders / "shards")


def data(sessions, host=0, hosts=1, augment=AUGMENT):
    return train_data(sessions, SPEC, augment, 6, seed=9, host=host, hosts=hosts)


def joined(parts):
    """The hosts' rows as one batch."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize(
    ("workers", "hosts", "augment"),
    [
        pytest.param(0, 1, AUGMENT, id="one host"),
        pytest.param(0, 2, AUGMENT, id="two hosts"),
        pytest.param(2, 1, AUGMENT, id="two workers"),
        pytest.param(0, 2, STRONG, id="two hosts, every change"),
        pytest.param(2, 2, STRONG, id="two hosts with two workers, every change", marks=pytest.mark.slow),
    ],
)
def test_workers_hosts_and_a_resume_give_the_same_global_batches(sessions, workers, hosts, augment):
    wanted = [data(sessions, augment=augment).batches[step] for step in range(STEP, STEP + 3)]
    streams = [stream(data(sessions, host, hosts, augment), STEP, workers=workers) for host in range(hosts)]
    for batch in wanted:
        assert_same(joined([next(rows) for rows in streams]), batch)
    for rows in streams:
        rows.close()
    assert len({batch["emg"].tobytes() for batch in wanted}) == 3


HOST = """
import sys
from pathlib import Path
import numpy as np
from semgjax.data.batching.batches import stream
from semgjax.data.sessions import load_sessions
from tests.data.test_elastic import STEP, STRONG, data

if __name__ == "__main__":
    folder, host, hosts, workers, out = Path(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5]
    rows = stream(data(load_sessions(folder), host, hosts, STRONG), STEP, workers=workers)
    for number in range(3):
        np.savez(f"{out}.{number}.npz", **next(rows))
    rows.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_two_processes_give_the_global_batches_of_one(folders, sessions, tmp_path, workers):
    script = tmp_path / "host.py"
    script.write_text(HOST)
    words = [[folders / "shards", host, 2, workers, tmp_path / f"host{host}"] for host in range(2)]
    running = [
        subprocess.Popen([sys.executable, script, *map(str, line)], env=os.environ | {"PYTHONPATH": str(ROOT)})
        for line in words
    ]
    assert [process.wait(timeout=300) for process in running] == [0, 0]
    for number in range(3):
        parts = [dict(np.load(tmp_path / f"host{host}.{number}.npz")) for host in range(2)]
        assert_same(joined(parts), data(sessions, augment=STRONG).batches[STEP + number])


def test_only_what_moves_samples_keeps_a_shards_own_type_of_number(sessions):
    assert {data(sessions).batches[step]["emg"].dtype for step in range(4)} == {np.dtype(np.float16)}
    assert {data(sessions, augment=STRONG).batches[step]["emg"].dtype for step in range(4)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("hosts", [2, 3, 6])
def test_a_host_has_its_place_in_every_global_batch(sessions, hosts):
    whole = data(sessions)
    for step in (0, 1, 50):
        parts = [data(sessions, host, hosts).batches[step] for host in range(hosts)]
        assert all(len(part["emg"]) == 6 // hosts for part in parts)
        assert_same(joined(parts), whole.batches[step])


@pytest.mark.parametrize(("host", "hosts"), [(0, 4), (2, 2), (-1, 2), (0, 0)])
def test_hosts_that_cannot_share_a_batch_are_refused(sessions, host, hosts):
    with refused("bad-value"):
        data(sessions, host, hosts)
    with refused("bad-value"):
        next(eval_chunks(sessions, SPEC, 6, host, hosts))


def test_batches_of_shards_are_the_rounded_batches_of_their_sources(folders, sessions):
    sources = load_sessions(folders / "hdf5")
    for step in range(4):
        rounded, exact = data(sessions).batches[step], data(sources).batches[step]
        assert (rounded["emg"].dtype, exact["emg"].dtype) == (np.float16, np.float32)
        assert (np.abs(rounded["emg"] - exact["emg"]) <= RELATIVE_ERROR * np.abs(exact["emg"]) + 1e-7).all()
        for name in ("valid", "labels", "label_count"):
            np.testing.assert_array_equal(rounded[name], exact[name])
    mixed = data([*sessions[:1], *sources[1:]]).batches[0]
    assert mixed["emg"].dtype == np.float32


def test_a_damaged_record_stops_a_stream_with_the_shards_name(tmp_path, folders):
    ingest(folders / "hdf5", tmp_path / "out")
    sessions = load_sessions(tmp_path / "out")
    for session in sessions:
        content = bytearray(session.path.read_bytes())
        content[-100_000 if len(content) > 200_000 else len(content) // 2] ^= 1
        session.path.write_bytes(content)
    for workers in (0, 1):
        rows = stream(data(sessions), 0, workers=workers)
        with refused("damaged"):
            for _ in range(30):
                next(rows)
        rows.close()


@pytest.mark.parametrize("hosts", [1, 2, 4])
@pytest.mark.parametrize("load", [eval_chunks, eval_windows])
def test_evaluation_has_as_many_batches_on_every_host_and_every_row_once(sessions, load, hosts):
    parts = [list(load(sessions, SPEC, 8, host, hosts)) for host in range(hosts)]
    assert len({len(part) for part in parts}) == 1
    assert {batch["emg"].shape for part in parts for batch in part} == {(8 // hosts, SPEC.total, 32)}
    whole = [joined(batches) for batches in zip(*parts, strict=True)]
    places = [(int(w), int(s)) for b in whole for w, s in zip(b["session"], b["start"], strict=True) if w >= 0]
    if load is eval_windows:
        assert places == list_windows(sessions, SPEC)[0]
    else:
        assert places == [(w, s) for w, one in enumerate(sessions) for s in range(0, one.samples, SPEC.length)]
    for batch in whole:
        empty = batch["session"] < 0
        assert not batch["emg"][empty].any() and not batch["valid"][empty].any()


def test_chunks_of_all_sessions_are_the_chunks_of_each(sessions):
    rows = [(emg, valid) for batch in eval_chunks(sessions, SPEC, 8) for emg, valid in _rows(batch)]
    wanted = [
        (emg, valid)
        for session in sessions
        for batch in session_chunks(session, SPEC, 3)
        for emg, valid in _rows(batch)
        if valid.any()
    ]
    for (emg, valid), (wanted_emg, wanted_valid) in zip(rows, wanted, strict=False):
        np.testing.assert_array_equal(emg, wanted_emg)
        np.testing.assert_array_equal(valid, wanted_valid)
    assert len(wanted) <= len(rows) < len(wanted) + 8


def _rows(batch):
    return zip(batch["emg"], batch["valid"], strict=True)


def test_windows_for_evaluation_have_the_labels_of_their_cores(sessions):
    for batch in eval_windows(sessions, SPEC, 8):
        for which, start, labels, count in zip(
            batch["session"], batch["start"], batch["labels"], batch["label_count"], strict=True
        ):
            wanted = [] if which < 0 else labels_of(sessions[which], start, start + SPEC.length).tolist()
            assert labels[:count].tolist() == wanted and not labels[count:].any()
