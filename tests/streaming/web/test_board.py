"""What pages are sent: minima and maxima of the newest seconds, and every letter."""

import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.streaming.live import Update
from semgjax.streaming.web.board import SECONDS, Board, Seen


def update(emg_TxC, committed="", tentative="", latency_ms=5.0, dropped=0, seconds=1.0) -> Update:
    return Update(seconds, np.asarray(emg_TxC, np.float32), committed, tentative, latency_ms, dropped)


@pytest.mark.parametrize("band", [TYPING, Band((8,), 200.0, ("a", "b")), Band((5, 3, 1), 777.0)])
@pytest.mark.parametrize("part", [1, 20, 333])
def test_columns_are_the_extremes_of_their_samples_whatever_the_parts(band, part):
    board = Board(band)
    emg_TxC = np.random.default_rng(0).normal(size=(1500, band.channels)).astype(np.float32)
    for at in range(0, len(emg_TxC), part):
        board.show(update(emg_TxC[at : at + part]))
    news = board.news(Seen())
    whole = len(emg_TxC) // board.samples
    first = max(0, whole - board.columns)
    pieces = emg_TxC[: whole * board.samples].reshape(whole, board.samples, -1)[first:]
    assert news.first == first
    np.testing.assert_array_equal(news.columns, np.stack([pieces.min(axis=1), pieces.max(axis=1)], axis=-1))
    assert board.columns * board.samples / band.rate == pytest.approx(SECONDS, rel=0.01)


def test_lost_samples_count_in_no_column_and_a_column_of_them_is_empty():
    board = Board(TYPING)
    emg_TxC = np.ones((3 * board.samples, 32))
    emg_TxC[: board.samples] = np.nan
    emg_TxC[board.samples] = np.nan
    board.show(update(emg_TxC, dropped=board.samples + 1))
    news = board.news(Seen())
    assert np.isnan(news.columns[0]).all() and (news.columns[1:] == 1).all()
    assert news.state["dropped"] == board.samples + 1


def test_a_part_longer_than_the_page_leaves_its_end():
    board = Board(Band((2,), 100.0))
    board.show(update(np.arange(2 * 1203).reshape(1203, 2)))
    news = board.news(Seen())
    assert (news.first, len(news.columns)) == (1203 - board.columns, board.columns)
    assert news.columns[-1, 1, 1] == 2 * 1203 - 1


def test_a_page_that_reads_seldom_gets_every_letter_and_only_the_newest_signal():
    board = Board(TYPING)
    often, seldom, seen_often, seen_seldom = "", "", Seen(), Seen()
    for number in range(700):
        board.show(update(np.full((20, 32), number), "⌫"[number % 3 :] + "a", str(number)))
        news = board.news(seen_often)
        often, seen_often = often + news.state["committed"], news.seen
        if number in (3, 690):
            late = board.news(seen_seldom)
            seldom, seen_seldom = seldom + late.state["committed"], late.seen
    late = board.news(seen_seldom)
    assert seldom + late.state["committed"] == often and len(often) == 700 + 234
    assert len(board.news(seen_seldom._replace(column=0)).columns) == board.columns
    assert late.state["tentative"] == "699" and late.columns[-1, 0, 0] == 699
    assert board.news(late.seen) is None


def test_the_latency_is_the_median_and_the_99th_percentile_of_the_newest_parts():
    board = Board(TYPING)
    assert board.news(Seen(version=-1)).state["latency_ms"] is None
    for latency in [1000.0] * 10 + [float("nan")] + list(range(500)):
        board.show(update(np.zeros((0, 32)), latency_ms=latency))
    state = board.news(Seen()).state
    assert state["latency_ms"] == 249.5 and state["latency_high_ms"] == pytest.approx(494.01)


def test_the_end_is_news():
    board = Board(TYPING)
    seen = Seen()
    assert board.news(seen) is None
    board.end("ended")
    assert board.news(seen).state["ended"] == "ended"
