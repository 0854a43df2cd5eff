"""Streams of a beam search: what is committed and the rest are the whole search, and little is kept."""

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from semgjax.decode.beam import beam_search_batch, make_beam_search
from semgjax.decode.beam_commit import Stream, begin_stream, commit, extend, uncommitted
from semgjax.decode.beam_options import BeamOptions
from tests.decode.random_models import BLANK, GLYPHS, random_emissions, random_model
from tests.refused import refused

ROWS = 2  # in all searches here, so that one compiled program serves them
OPTIONS = BeamOptions(beam=8, top=5, lm_weight=0.5, insertion_bonus=0.5, finish=True)


def search_of(with_model: bool):
    return make_beam_search(OPTIONS, random_model() if with_model else None, GLYPHS)


def typing(seed: int, rows: int, length: int) -> np.ndarray:
    """Emissions of a decoder that is mostly sure: blanks, and every few frames one key among others."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (rows, length, BLANK + 1))
    values[..., BLANK] += 5
    for row in range(rows):
        keyed = np.flatnonzero(rng.random(length) < 0.15)
        values[row, keyed, rng.integers(0, BLANK, len(keyed))] += 7
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def kept(stream: Stream) -> int:
    """Labels that a stream holds."""
    return sum(len(added) for row in stream.pending for added in row)


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_committed_and_the_rest_are_the_whole_search(seed, with_model):
    rng, rows, length = np.random.default_rng(seed), ROWS, 120
    emissions = typing(seed, rows, length) if seed % 2 else random_emissions(seed, rows, length, BLANK + 1)
    search = search_of(with_model)
    whole = beam_search_batch(search, emissions, best=8)
    cuts = [0, *sorted(rng.integers(0, length + 1, 9)), length]
    stream, parts = begin_stream(search, rows), [[] for _ in range(rows)]
    for start, end in zip(cuts, cuts[1:], strict=False):
        stream = extend(search, stream, emissions[:, start:end])
        if rng.random() < 0.7:
            committed, stream = commit(stream)
            for row in range(rows):
                parts[row].append(committed[row])
    for row, found in enumerate(uncommitted(search, stream, 8)):
        assert len(found) == len(whole[row])
        for one, expected in zip(found, whole[row], strict=True):
            labels = np.concatenate([*(part.labels for part in parts[row]), one.labels])
            frames = np.concatenate([*(part.frames for part in parts[row]), one.frames])
            assert (labels.tolist(), frames.tolist()) == (expected.labels.tolist(), expected.frames.tolist())
            assert one.score == pytest.approx(expected.score, abs=1e-5)


def test_a_long_stream_with_a_limit_keeps_little_and_reads_nearly_the_same():
    search, most = search_of(True), 20
    emissions = typing(7, ROWS, 6000)
    stream, text, kept_after = begin_stream(search, ROWS), [], []
    shapes = [part.shape for part in stream.state]
    for start in range(0, 6000, 200):
        (committed, _), stream = commit(extend(search, stream, emissions[:, start : start + 200]), most)
        text.extend(committed.labels.tolist())
        assert len(stream.pending[0][0]) <= most
        kept_after.append(kept(stream))
    assert [part.shape for part in stream.state] == shapes
    assert max(kept_after) <= ROWS * OPTIONS.beam * (most + 5) and len(text) > 800
    ((last,), _) = uncommitted(search, stream)
    text.extend(last.labels.tolist())
    ((best,), _) = beam_search_batch(search, emissions)
    assert Levenshtein.distance(text, best.labels.tolist()) < 0.03 * len(text)
    # What is removed makes room for other hypotheses, so that the score may be better as well.
    assert last.score > best.score - 3.0


def test_without_room_the_best_hypothesis_is_committed_as_it_is():
    search = search_of(True)
    stream = extend(search, begin_stream(search, ROWS), random_emissions(2, ROWS, 40, BLANK + 1))
    plain = [entries[0] for entries in stream.pending]
    committed, after = commit(stream, most=0)
    for row, expected in enumerate(plain):
        assert list(zip(committed[row].labels, committed[row].frames, strict=True)) == list(expected)
        assert len(expected) > 0 and after.pending[row][0] == ()
    later = extend(search, after, random_emissions(3, ROWS, 40, BLANK + 1))
    assert [len(row) for row in uncommitted(search, later, 8)] == [8, 8]


def test_silence_adds_nothing_to_what_is_kept():
    search = search_of(False)
    silence = np.full((ROWS, 200, BLANK + 1), -40.0)
    silence[..., BLANK] = 0.0
    _, before = commit(extend(search, begin_stream(search, ROWS), random_emissions(1, ROWS, 20, BLANK + 1)))
    stream = extend(search, before, silence)
    assert kept(before) > 0
    for _ in range(20):
        _, stream = commit(extend(search, stream, silence))
    assert kept(stream) <= kept(before)
    assert int(stream.state.frames[0]) == 20 + 21 * 200


def test_a_commit_changes_no_stream_and_a_second_one_finds_nothing_more():
    search = search_of(True)
    stream = extend(search, begin_stream(search, ROWS), typing(1, ROWS, 100), np.array([100, 0]))
    pending = stream.pending
    (first, other), after = commit(stream)
    assert len(first.labels) > 0 and len(other.labels) == 0 and stream.pending == pending
    (again, _), last = commit(after)
    assert len(again.labels) == 0 and last.pending == after.pending


def test_fewer_than_one_hypothesis_and_other_rows_are_refused():
    search = search_of(False)
    stream = begin_stream(search, ROWS)
    with refused("bad-value", "best", 0):
        uncommitted(search, stream, 0)
    with refused("bad-value", "most", -1):
        commit(stream, -1)
    with refused("bad-shape", 1, 2):
        extend(search, stream, typing(0, 1, 4))
