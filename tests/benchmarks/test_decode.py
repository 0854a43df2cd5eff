"""The benchmark of decoding: its small form runs."""

from benchmarks import decode


def test_the_small_form_compares_a_frame(monkeypatch):
    monkeypatch.setenv("SEMGJAX_BENCH_SMALL", "1")
    monkeypatch.setenv("SEMGJAX_BENCH_ROUNDS", "1")
    rows = decode.run()
    assert sorted(rows) == ["decode.beam_frame", "decode.beam_frame.rows8"]
    assert all(row.ours > 0 and row.peer > 0 and row.unit == "ms" for row in rows.values())
