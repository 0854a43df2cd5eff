"""A student beside its teacher at the end of training: lines put together, and what is missing stays missing."""

import pytest

from semgjax.losses.student_summary import summary_of, summary_words

NOTHING = {"agreement": None, "kl_spikes": None, "kl_blanks": None, "confidence": None, "overconfidence": None}


def line(step: int, agreement: float = 0.5, offsets: tuple[int, ...] = (0, 0, 1, 3, 0), unmatched: int = 1) -> dict:
    means = {"kl_spikes": 2 * agreement, "kl_blanks": 0.1, "confidence": 0.9, "overconfidence": 0.9 - agreement}
    return {"step": step, "agreement": agreement, "offsets": list(offsets), "unmatched": unmatched, **means}


def test_the_lines_of_the_last_tenth_count_together():
    lines = [line(10 * n, agreement=0.0, offsets=(9, 0, 0, 0, 0)) for n in range(1, 19)]
    lines += [line(190, 0.6), {"step": 190, "split": "val", "cer": 9.0}, line(200, 0.8, (0, 1, 0, 2, 1), 3)]
    found = summary_of(lines)
    assert found is not None and found.steps == (190, 200)
    assert found.agreement == pytest.approx(0.7) and found.kl_spikes == pytest.approx(1.4)
    assert found.overconfidence == pytest.approx(0.2)
    assert (found.offsets, found.unmatched, found.symbols) == ((0, 1, 1, 5, 1), 4, 12)
    assert (found.median, found.within(0), found.within(1), found.without) == (1, 1 / 8, 7 / 8, 1 / 3)
    assert len(summary_words(found)) == 3


def test_the_last_line_counts_however_few_there_are():
    found = summary_of([line(1), line(2)])
    assert found is not None and found.steps == (2, 2)


def test_a_run_without_a_teacher_has_none():
    assert summary_of([]) is None
    assert summary_of([{"step": 1, "loss": 3.0, "blank": 0.9, "emitted": 0.0, "expected": 50}]) is None


def test_numbers_of_which_nothing_was_counted_are_none_and_have_no_words():
    found = summary_of([{"step": 5, **NOTHING, "offsets": [0] * 17, "unmatched": 0}])
    assert found is not None
    assert (found.median, found.within(1), found.without, found.agreement) == (None, None, None, None)
    assert summary_words(found) == []
    silent = summary_of([line(5, offsets=(0,) * 5, unmatched=4)])
    assert silent is not None and (silent.median, silent.without) == (None, 1.0)
    mixed = summary_of([{**line(100), **NOTHING}, line(109, 0.4), line(110, 0.6)])
    assert mixed is not None and mixed.agreement == pytest.approx(0.5)
