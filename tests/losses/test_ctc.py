"""CTC against the sum over all alignments, and rows that have none."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.data.keys import BLANK, NUM_CLASSES
from semgjax.losses.ctc import ctc, feasible
from tests.model.small import quick_jit

ROOM = 4  # labels per row, padded


@functools.cache
def loss_and_gradient():
    """(logits, labels, counts) -> loss [B], feasible [B], gradient of the summed loss [B, T, K]."""

    def total(logits, labels, counts):
        loss, ok = ctc(logits, labels, counts)
        return loss.sum(), (loss, ok)

    def both(logits, labels, counts):
        (_, (loss, ok)), gradient = jax.value_and_grad(total, has_aux=True)(logits, labels, counts)
        return loss, ok, gradient

    return quick_jit(both)


def collapsed(path) -> tuple[int, ...]:
    """A path of classes -> its labels: repeats merged, then blanks dropped."""
    return tuple(k for k, _ in itertools.groupby(path) if k != BLANK)


def by_enumeration(logits_TxK: np.ndarray, labels: tuple[int, ...]) -> float:
    """-log of the probability of all paths that collapse to `labels`, float64; inf when there is none."""
    logits = logits_TxK.astype(np.float64)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    symbols = sorted({*labels, BLANK})  # a path with any other class collapses to something else
    paths = (p for p in itertools.product(symbols, repeat=len(logits)) if collapsed(p) == labels)
    total = sum(np.exp(sum(log_p[t, k] for t, k in enumerate(path))) for path in paths)
    return -np.log(total) if total else np.inf


def random_rows(frames: int, rows: int = 24) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Logits, and labels out of three classes, so that repeats are common; the first rows are hand-picked."""
    rng = np.random.default_rng(frames)
    logits = rng.normal(0, 2, (rows, frames, NUM_CLASSES)).astype(np.float32)
    picked = [(), (97,), (0, 0), (0, 0, 0), (0, 97, 97, 0)]
    drawn = [tuple(rng.choice([0, 5, 97], rng.integers(0, ROOM + 1)).tolist()) for _ in range(rows - len(picked))]
    return logits, picked + drawn


def padded(labels: list[tuple[int, ...]], fill: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rows = [[*row, *[fill] * (ROOM - len(row))] for row in labels]
    return np.array(rows, np.int32), np.array([len(row) for row in labels], np.int32)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
def test_the_loss_is_the_sum_over_all_alignments_and_zero_where_there_is_none(frames):
    logits, labels = random_rows(frames)
    loss, ok, gradient = loss_and_gradient()(logits, *padded(labels))
    wanted = np.array([by_enumeration(*row) for row in zip(logits, labels, strict=True)])
    possible = np.isfinite(wanted)
    assert possible.sum() >= 3 and not possible.all()
    np.testing.assert_array_equal(ok, possible)
    np.testing.assert_allclose(np.asarray(loss)[possible], wanted[possible], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(loss)[~possible], 0.0)
    np.testing.assert_array_equal(np.asarray(gradient)[~possible], 0.0)
    assert np.isfinite(gradient).all()
    assert np.abs(np.asarray(gradient)[possible]).max(axis=(1, 2)).min() > 1e-4


def test_the_alignments_above_are_more_than_a_hundred_cases():
    possible = [np.isfinite(by_enumeration(*row)) for t in range(1, 6) for row in zip(*random_rows(t), strict=True)]
    assert len(possible) >= 120 and sum(possible) >= 60


def test_a_row_that_cannot_be_aligned_leaves_the_others_as_they_are():
    logits, _ = random_rows(4)
    labels = [(5, 97), (0, 5), (97,), (), (0, 0), (5, 0, 97), (0,), (97, 97)] * 3
    with_bad = [labels[0], (0, 0, 0), *labels[2:]]
    loss, ok, gradient = loss_and_gradient()(logits, *padded(labels))
    loss_bad, ok_bad, gradient_bad = loss_and_gradient()(logits, *padded(with_bad))
    others = np.arange(24) != 1
    assert ok.all() and ok_bad.tolist() == others.tolist()
    np.testing.assert_array_equal(np.asarray(loss)[others], np.asarray(loss_bad)[others])
    np.testing.assert_array_equal(np.asarray(gradient)[others], np.asarray(gradient_bad)[others])


def test_what_pads_the_labels_has_no_influence():
    logits, labels = random_rows(5)
    zeros, sevens = (loss_and_gradient()(logits, *padded(labels, fill)) for fill in (0, 7))
    for one, other in zip(zeros, sevens, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "frames", "fits"),
    [
        ((), 0, True),
        ((1,), 0, False),
        ((1, 2, 3), 3, True),
        ((1, 2, 3), 2, False),
        ((1, 1), 2, False),
        ((1, 1), 3, True),
        ((0, 0, 0), 4, False),
        ((0, 0, 0), 5, True),
        ((1, 2, 1), 3, True),
        ((0,), 1, True),  # the padding repeats the label 0 and does not count
    ],
)
def test_labels_need_a_frame_each_and_one_between_repeats(labels, frames, fits):
    row, count = padded([labels])
    assert feasible(jnp.asarray(row), jnp.asarray(count), frames).tolist() == [fits]


@pytest.mark.parametrize("kind", [jnp.float16, jnp.bfloat16])
def test_half_precision_logits_are_summed_in_float32(kind):
    logits, labels = random_rows(5)
    rounded = jnp.asarray(logits, kind)
    loss, ok, gradient = loss_and_gradient()(rounded, *padded(labels))
    wanted, wanted_ok, _ = loss_and_gradient()(np.asarray(rounded, np.float32), *padded(labels))
    assert loss.dtype == jnp.float32 and gradient.dtype == kind
    np.testing.assert_array_equal(ok, wanted_ok)
    np.testing.assert_allclose(loss, wanted, rtol=1e-5, atol=1e-5)


def test_windows_without_room_for_labels_ask_for_blanks():
    logits, _ = random_rows(3, rows=5)
    loss, ok, _ = loss_and_gradient()(logits, np.zeros((5, 0), np.int32), np.zeros(5, np.int32))
    assert ok.all()
    np.testing.assert_allclose(loss, [by_enumeration(row, ()) for row in logits], rtol=1e-4)
