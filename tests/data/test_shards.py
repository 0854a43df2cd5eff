"""Shards against their sources: the same windows and labels; and every damage found and named."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec, fill_window, labels_of, list_windows, read_window
from semgjax.data.sessions import (
    announce,
    find_sessions,
    has_half,
    load_sessions,
    open_session,
    peek_sessions,
    read_emg,
    read_half,
)
from semgjax.data.shards import shard_read
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.manifest import FILE, SHARDS
from semgjax.data.shards.shard_format import RELATIVE_ERROR
from semgjax.data.shards.shard_read import OpenShards, read_header
from semgjax.errors import InputError
from tests.data.fixtures import random_emg, write_session
from tests.data.odd import SAMPLES, SPEC, write_odd_sessions
from tests.refused import refused


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(sessions of the HDF5 files, sessions of their shards), the shards' folder."""
    folder = tmp_path_factory.mktemp("both")
    ingest(write_odd_sessions(folder / "hdf5"), folder / "shards")
    return load_sessions(folder / "hdf5"), load_sessions(folder / "shards"), folder / "shards"


@pytest.fixture
def shard(tmp_path):
    """A shard of 3000 samples in 3 records of signal."""
    write_session(tmp_path / "hdf5" / "a.hdf5", 3000)
    ingest(tmp_path / "hdf5", tmp_path / "out")
    return find_sessions(tmp_path / "out")[0]


@pytest.mark.parametrize("spec", [SPEC, WindowSpec(333, 100, 0, 0), WindowSpec(2500, 2500, 1800, 200)])
def test_every_window_and_its_labels_are_those_of_the_source(both, spec):
    sources, shards, _ = both
    assert list_windows(sources, spec) == list_windows(shards, spec)
    seen = 0
    for source, shard in zip(sources, shards, strict=True):
        assert (shard.name, shard.user, shard.samples, shard.dropped) == (
            source.name,
            source.user,
            source.samples,
            source.dropped,
        )
        for start in range(0, source.samples, 97 if spec == SPEC else 997):
            for lag in (0, 7, -120):
                emg, *valid = read_window(source, start, spec, (lag,))
                found, *found_valid = read_window(shard, start, spec, (lag,))
                assert valid == found_valid
                assert (np.abs(found - emg) <= RELATIVE_ERROR * np.abs(emg) + 1e-7).all()
                half = np.full((spec.total, 32), np.nan, np.float16)
                assert fill_window(half, shard, start, spec, (lag,)) == tuple(valid)
                np.testing.assert_array_equal(half.astype(np.float32), found)
            stop = min(start + spec.length, source.samples)
            assert labels_of(shard, start, stop).tolist() == labels_of(source, start, stop).tolist()
            seen += len(labels_of(source, start, stop))
    assert seen > 10


def test_a_folder_of_shards_is_peeked_at_and_opened_like_one_of_files(both):
    sources, shards, folder = both
    assert {name: user for name, (_, user) in peek_sessions(folder).items()} == {s.name: s.user for s in sources}
    assert [session.samples for session in shards] == list(SAMPLES)
    assert all(has_half(session) for session in shards) and not any(has_half(session) for session in sources)
    with pytest.raises(ValueError):
        read_half(sources[0], 0, 1)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (6, 5), (0, 3001)])
def test_samples_outside_a_shard_are_refused(shard, start, stop):
    with pytest.raises(ValueError, match=r"\b3000\b"):
        read_emg(open_session(shard), start, stop)
    assert read_emg(open_session(shard), 3000, 3000).shape == (0, 32)


def test_a_flipped_bit_anywhere_gives_the_right_samples_or_names_the_record(shard):
    whole = shard.read_bytes()
    session = open_session(shard)
    emg = read_emg(session, 0, 3000)
    named = set()
    for place in range(70, len(whole), 4999):
        shard_read._SHARDS._readers.clear()
        changed = bytearray(whole)
        changed[place] ^= 4
        shard.write_bytes(changed)
        for record in range(3):
            try:
                found = read_emg(session, record * 1000, record * 1000 + 1000)
            except InputError as error:
                assert str(error).startswith(f"{shard}: ") and "\n" not in str(error)
                named.add(record if f"record {record + 1} " in str(error) else str(error))
            else:
                np.testing.assert_array_equal(found, emg[record * 1000 : record * 1000 + 1000])
    assert {0, 1, 2} <= named


def test_a_flipped_bit_in_the_header_is_found(shard):
    changed = bytearray(shard.read_bytes())
    changed[changed.index(b'"user"') + 1] ^= 1
    shard.write_bytes(changed)
    with refused("damaged"):
        open_session(shard)


def test_a_shard_cut_short_anywhere_is_found_and_named(shard):
    whole = shard.read_bytes()
    for size in [0, 10, *range(1000, len(whole), 30_011), len(whole) - 1]:
        shard.write_bytes(whole[:size])
        with pytest.raises(InputError) as caught:
            read_header(shard)
        assert str(caught.value).startswith(f"{shard}: ") and "\n" not in str(caught.value)
        with refused("damaged"):
            find_sessions(shard.parents[1])


def test_a_missing_shard_is_named_with_its_session(shard):
    session = open_session(shard)
    shard.unlink()
    with refused("no-file", f"{shard.name}"):
        load_sessions(shard.parents[1])
    with refused("no-file"):
        read_emg(session, 0, 10)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"version": 3', '"version": 9', "wrong-version"),
        ('"schema": "semgjax/manifest"', '"schema": "other"', "wrong-schema"),
        ('"storage"', "[", "bad-json"),
    ],
)
def test_a_manifest_of_another_schema_or_version_is_refused(shard, old, new, code):
    path = shard.parents[1] / FILE
    path.write_text(path.read_text().replace(old, new))
    with refused(code, f"{FILE}: "):
        load_sessions(shard.parents[1])


@pytest.mark.parametrize("name", ["../out/x", "/etc/passwd", "..", ""])
def test_a_manifest_whose_file_names_lead_elsewhere_is_refused(shard, name):
    path = shard.parents[1] / FILE
    path.write_text(path.read_text().replace(shard.name, name))
    with refused("bad-path"):
        load_sessions(shard.parents[1])


def test_a_folder_whose_ingest_was_not_finished_is_refused(shard):
    (shard.parents[1] / FILE).unlink()
    assert (shard.parents[1] / SHARDS).is_dir()
    with refused("not-finished"):
        load_sessions(shard.parents[1])


def test_threads_read_the_right_stretches_of_more_shards_than_are_kept_open(both, monkeypatch):
    monkeypatch.setattr(shard_read, "_SHARDS", OpenShards(limit=2))
    _, shards, _ = both
    whole = [read_emg(session, 0, session.samples) for session in shards]
    rng = np.random.default_rng(0)
    jobs = [(which, int(rng.integers(0, SAMPLES[which] - 90))) for which in rng.integers(0, 4, 400)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda job: read_emg(shards[job[0]], job[1], job[1] + 90), jobs))
    for (which, start), emg in zip(jobs, found, strict=True):
        np.testing.assert_array_equal(emg, whole[which][start : start + 90])
    assert len(shard_read._SHARDS) == 2


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_reads_a_shard_that_its_parent_has_open(shard, method):
    session = open_session(shard)
    emg = read_emg(session, 0, 3000)
    with multiprocessing.get_context(method).Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply_async(read_emg, (session, 5, 2990)).get(60), emg[5:2990])
    np.testing.assert_array_equal(read_emg(session, 5, 2990), emg[5:2990])


def test_no_open_shard_crosses_a_fork(shard):
    shards = OpenShards(limit=2)
    shards.reader(shard)
    assert len(shards) == 1
    child = os.fork()
    if not child:
        os._exit(len(shards))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("factor", [1e-6, 1e4])
def test_a_signal_in_another_unit_is_read_in_that_unit(tmp_path, factor):
    emg = random_emg(2500) * np.float32(factor)
    write_session(tmp_path / "hdf5" / "a.hdf5", emg=emg)
    ingest(tmp_path / "hdf5", tmp_path / "out")
    session = load_sessions(tmp_path / "out")[0]
    assert not has_half(session)
    np.testing.assert_allclose(read_emg(session, 0, 2500), emg, rtol=2 * RELATIVE_ERROR, atol=1e-6 * factor)


def test_announcing_samples_changes_nothing_and_leaves_a_missing_shard_to_the_reader(shard, both):
    session = open_session(shard)
    for start, stop in ((-50, 10), (0, 3000), (2990, 5000), (4000, 5000)):
        announce(session, start, stop)
    assert read_emg(session, 0, 3000).shape == (3000, 32)
    announce(both[0][0], 0, 10)  # an HDF5 file
    shard.unlink()
    announce(session, 0, 10)
