"""CTC against the sum over all alignments, against a float64 recursion and optax, and rows that have no alignment."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from semgjax.data.keys import BLANK, NUM_CLASSES
from semgjax.losses.ctc import align, ctc, feasible
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


def random_rows(frames: int, rows: int = 72) -> tuple[np.ndarray, list[tuple[int, ...]]]:
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
    np.testing.assert_allclose(np.asarray(loss)[possible], wanted[possible], rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(loss)[~possible], 0.0)
    np.testing.assert_array_equal(np.asarray(gradient)[~possible], 0.0)
    assert np.isfinite(gradient).all()
    assert np.abs(np.asarray(gradient)[possible]).max(axis=(1, 2)).min() > 1e-4


def test_the_alignments_above_are_more_than_two_hundred_cases():
    possible = [np.isfinite(by_enumeration(*row)) for t in range(1, 6) for row in zip(*random_rows(t), strict=True)]
    assert sum(possible) >= 200 and len(possible) - sum(possible) >= 100


def test_a_row_that_cannot_be_aligned_leaves_the_others_as_they_are():
    logits, _ = random_rows(4, rows=24)
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


def by_recursion(logits_TxK: np.ndarray, labels: list[int]) -> tuple[float, np.ndarray, np.ndarray]:
    """Loss, gradient [T, K] and probabilities of the 2 N + 1 states [T, S], in logarithms and float64."""
    logits = logits_TxK.astype(np.float64)
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    frames, states = len(logits), np.full(2 * len(labels) + 1, BLANK)
    states[1::2] = labels
    skip = np.zeros(len(states), bool)
    skip[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])

    def forward(log_q: np.ndarray, skip: np.ndarray) -> np.ndarray:
        rows = np.full((frames, len(states)), -np.inf)
        rows[0, :2] = log_q[0, :2]
        for t in range(1, frames):
            one, two = (np.concatenate([np.full(n, -np.inf), rows[t - 1]])[: len(states)] for n in (1, 2))
            paths = np.logaddexp(rows[t - 1], one)
            rows[t] = np.where(skip, np.logaddexp(paths, two), paths) + log_q[t]
        return rows

    log_q = log_p[:, states]
    skip_back = np.zeros(len(states), bool)
    skip_back[:-2] = skip[2:]
    alpha, beta = forward(log_q, skip), forward(log_q[::-1, ::-1], skip_back[::-1])[::-1, ::-1]
    joint = alpha + beta - log_q
    total = np.logaddexp.reduce(alpha[-1, -2:])
    occupancy = np.exp(joint - total)
    wanted = np.stack([occupancy[:, states == k].sum(axis=1) for k in range(logits.shape[1])], axis=1)
    return -total, np.exp(log_p) - wanted, occupancy


def test_the_recursion_in_float64_is_the_sum_over_all_alignments():
    logits, labels = random_rows(5)
    for row, wanted in zip(logits[:12], labels[:12], strict=True):
        if np.isfinite(by_enumeration(row, wanted)):
            assert by_recursion(row, list(wanted))[0] == pytest.approx(by_enumeration(row, wanted), rel=1e-12)


def long_case(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """16 s of a 100 Hz decoder with 120 keys, some of them repeated."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 20, 120).astype(np.int32)
    labels[40:44] = 3
    return rng.normal(0, spread, (1, 1600, NUM_CLASSES)).astype(np.float32), labels


# Of nearly flat, wild, and hopelessly wrong outputs; then those of a decoder that is sure of the blank.
@pytest.mark.parametrize(("spread", "blank"), [(0.1, 0), (3.0, 0), (20.0, 0), (1.0, 30.0)])
def test_sixteen_seconds_with_120_keys_have_the_gradient_of_float64(spread, blank):
    logits, labels = long_case(spread)
    logits[..., BLANK] += blank
    loss, ok, gradient = loss_and_gradient()(logits, labels[None], np.array([120], np.int32))
    wanted, wanted_gradient, _ = by_recursion(logits[0], labels.tolist())
    assert ok.all()
    assert float(loss[0]) == pytest.approx(wanted, rel=1e-6)
    assert np.abs(wanted_gradient).max() > 0.5
    assert np.abs(np.asarray(gradient[0]) - wanted_gradient).max() <= 5e-4


def test_alignment_gives_the_probability_of_every_label_and_blank_at_every_frame():
    logits, labels = long_case(2.0)
    found = quick_jit(align)(logits[:, :300], labels[None, :40], np.array([30], np.int32))
    _, _, wanted = by_recursion(logits[0, :300], labels[:30].tolist())
    np.testing.assert_allclose(found.labels[0, :, :30], wanted[:, 1::2], atol=1e-5)
    np.testing.assert_allclose(found.blanks[0, :, :31], wanted[:, ::2], atol=1e-5)
    assert not np.asarray(found.labels[0, :, 30:]).any() and not np.asarray(found.blanks[0, :, 31:]).any()


def test_the_loss_and_its_gradient_are_the_librarys():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (6, 40, NUM_CLASSES)).astype(np.float32)
    labels, counts = rng.integers(0, 4, (6, 9)).astype(np.int32), np.array([0, 1, 5, 9, 9, 3], np.int32)
    loss, ok, gradient = loss_and_gradient()(logits, labels, counts)

    def library(x):
        padding = (np.arange(9)[None] >= counts[:, None]).astype(np.float32)
        each = optax.ctc_loss(x, jnp.zeros(x.shape[:2]), labels, padding, blank_id=BLANK)
        return each.sum(), each

    (_, wanted), wanted_gradient = quick_jit(jax.value_and_grad(library, has_aux=True))(logits)
    assert ok.all()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    np.testing.assert_allclose(gradient, wanted_gradient, atol=1e-4)


def test_a_batch_gives_what_its_rows_give_alone_also_under_vmap():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (4, 20, NUM_CLASSES)).astype(np.float32)
    labels, counts = rng.integers(0, 97, (4, 5)).astype(np.int32), np.array([5, 0, 3, 4], np.int32)

    def row(logits, labels, count):
        return ctc(logits[None], labels[None], count[None])[0][0]

    together = loss_and_gradient()(logits, labels, counts)
    alone, gradient = quick_jit(jax.vmap(jax.value_and_grad(row)))(logits, labels, counts)
    np.testing.assert_allclose(together[0], alone, rtol=1e-6)
    np.testing.assert_allclose(together[2], gradient, atol=1e-6)


def test_a_row_with_nan_says_so_and_an_infeasible_one_stays_zero():
    logits, _ = random_rows(4, rows=3)
    logits[0, 2, 7] = logits[1, 2, 7] = np.nan
    loss, ok, gradient = loss_and_gradient()(logits, *padded([(5,), (0, 0, 0), (97,)]))
    assert ok.tolist() == [True, False, True]
    assert np.isnan(loss[0]) and np.isnan(gradient[0]).any()
    assert loss[1] == 0 and not np.asarray(gradient[1]).any()
    assert np.isfinite(loss[2]) and np.isfinite(gradient[2]).all()


def test_a_label_that_is_ruled_out_costs_much_and_gives_a_finite_gradient_towards_it():
    logits, _ = random_rows(4, rows=1)
    logits[..., 5] = -np.inf
    loss, ok, gradient = loss_and_gradient()(logits, *padded([(5,)]))
    assert ok.all() and 9e4 < float(loss[0]) < 2e5
    assert np.isfinite(gradient).all() and float(gradient[0, :, 5].sum()) == pytest.approx(-1.0, abs=1e-5)
