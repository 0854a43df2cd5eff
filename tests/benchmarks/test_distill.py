"""The benchmark of cached targets: its small form runs, and it counts the disk right."""

import pytest

from benchmarks import distill


def test_the_small_form_compares_steps_and_disk(monkeypatch):
    monkeypatch.setenv("SEMGJAX_BENCH_SMALL", "1")
    monkeypatch.setenv("SEMGJAX_BENCH_ROUNDS", "1")
    rows = distill.run()
    assert sorted(rows) == [f"distill.{what}.{kind}" for what in ("disk", "step") for kind in ("float16", "int8")]
    assert all(row.ours > 0 and row.peer > 0 for row in rows.values())
    assert rows["distill.disk.float16"].ours == pytest.approx(2 * rows["distill.disk.int8"].ours)
    assert rows["distill.disk.int8"].peer == pytest.approx(3600 * 2000 * 32 * 2 / 1e6)
