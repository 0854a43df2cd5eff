"""The benchmark of the pipeline: its corpus is sound, and what it measures memory with sees a process's children."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import _data_corpus, _data_ours, data
from benchmarks._data_corpus import Base, write_sessions
from semgjax.cli.main import main
from semgjax.data.sessions import load_sessions, read_emg
from tests.data.fixtures import random_emg
from tests.refused import refused
from tests.runs import fails


@pytest.fixture
def base(monkeypatch):
    """Five seconds to be tiled to a minute."""
    monkeypatch.setattr(_data_corpus, "MINUTES", 1)
    rows = np.zeros(10_000, [("emg_right", "<f4", 16), ("time", "<f8"), ("emg_left", "<f4", 16)])
    rows["emg_left"], rows["emg_right"] = np.hsplit(random_emg(10_000), 2)
    return Base(rows, [(0.5, "a"), (4.9, "b")])


def test_tiled_sessions_are_sound_and_no_two_are_the_same(tmp_path, base):
    write_sessions(tmp_path, base, range(2))
    one, other = load_sessions(tmp_path)
    assert (one.samples, len(one.labels), len(other.labels)) == (120_000, 24, 24)
    assert (one.name, other.user) == ("s000", "u1")
    gap = np.diff(one.key_first)
    assert sorted({round(int(step), -2) for step in gap}) == [1200, 8800]  # 0.6 s and 4.4 s in turn
    assert not np.array_equal(read_emg(one, 0, 100), read_emg(other, 0, 100))


def test_the_corpus_is_built_once_and_the_loader_reads_its_links(tmp_path, base, monkeypatch, capsys):
    monkeypatch.setattr(data, "DISTINCT_HOURS", 0.5)
    monkeypatch.setattr(data, "base_session", lambda folder: base)
    monkeypatch.setattr(data, "WORKERS", 1)
    speed = data._corpus(tmp_path, 1.0)
    assert speed > 0
    monkeypatch.setattr(data, "base_session", lambda folder: pytest.fail("built again"))
    assert data._corpus(tmp_path, 1.0) == speed
    _data_ours.main(str(tmp_path / "shards"), "1", "8", "3", "2", "0")
    found = json.loads(capsys.readouterr().out)
    assert len(found["seconds"]) == 2
    assert (found["windows"], found["bytes"]) == (24, 24 * 10_000 * 32 * 2)
    with refused("out-exists", tmp_path):
        data._corpus(tmp_path, 2.0)


def test_memory_counts_a_process_and_its_children():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        while len(data._family(process.pid)) < 2:
            assert process.poll() is None
        family = data._family(process.pid)
        assert family[0] == process.pid and os.getpid() not in family
        assert sum(map(data._memory, family)) > data._memory(process.pid) > 1
    finally:
        process.communicate(b"\n")
    assert data._memory(process.pid) == 0


def test_without_torch_the_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(data.importlib.util, "find_spec", lambda name: None)
    assert "torch is not installed" in fails(capsys, ["bench", "data"])
    assert main(["bench", "data", "--json"]) == 2
