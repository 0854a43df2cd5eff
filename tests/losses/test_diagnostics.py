"""Diagnostics of a batch against plain loops over rows, frames and symbols."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.losses.diagnostics import (
    REACH,
    STUDENT,
    TEACHER,
    diagnostic_metrics,
    diagnostics,
    read,
    symbol_offsets,
)

ROWS, FRAMES, CLASSES = 4, 40, 5
BLANK = CLASSES - 1


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Student's and teacher's logits, valid frames and label counts; the student follows the teacher in part."""
    rng = np.random.default_rng(3)
    teacher = rng.normal(0, 2, (ROWS, FRAMES, CLASSES))
    teacher[..., BLANK] += 2.0
    student = 0.6 * np.roll(teacher, 2, axis=1) + rng.normal(0, 1, teacher.shape)
    valid = np.ones((ROWS, FRAMES), bool)
    valid[1, 25:] = valid[2, :7] = False
    return student, teacher, valid, np.array([3, 2, 0, 5], np.int32)


def log_p(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def symbols(logits: np.ndarray, valid: np.ndarray) -> list[tuple[int, int]]:
    """(frame, class) of one row's greedy symbols."""
    found, before = [], BLANK
    for frame in range(len(logits)):
        best = int(np.argmax(logits[frame])) if valid[frame] else BLANK
        if best not in (BLANK, before):
            found.append((frame, best))
        before = best
    return found


def slow(student, teacher, valid) -> dict[str, list[float]]:
    """The values that the members of a line are means or counts of."""
    out: dict[str, list[float]] = {name: [] for name in ("blank", "spikes", "blanks", "agreed", "sure", "same", "off")}
    ours, theirs = log_p(student), log_p(teacher)
    for b in range(len(student)):
        for t in np.flatnonzero(valid[b]):
            out["blank"].append(np.exp(ours[b, t, BLANK]))
            kl = float(sum(np.exp(theirs[b, t, k]) * (theirs[b, t, k] - ours[b, t, k]) for k in range(CLASSES)))
            best, known = int(np.argmax(ours[b, t])), int(np.argmax(theirs[b, t]))
            out["blanks" if known == BLANK else "spikes"].append(kl)
            if known != BLANK:
                out["agreed"].append(best == known)
            if best != BLANK:
                out["sure"].append(np.exp(ours[b, t, best]))
                out["same"].append(best == known)
        read_here = symbols(student[b], valid[b])
        for frame, name in symbols(teacher[b], valid[b]):
            near = [f - frame for f, other in read_here if other == name and abs(f - frame) <= REACH]
            out["off"].append(min(near, key=lambda d: (abs(d), d)) if near else np.nan)
    return out


def line_of(student, teacher, valid, counts, **more):
    sums = diagnostics(jnp.array(student), None if teacher is None else jnp.array(teacher), jnp.array(valid),
                       {"label_count": jnp.array(counts), **more})  # fmt: skip
    return diagnostic_metrics({name: np.asarray(values) for name, values in sums.items()})


def test_every_member_is_what_plain_loops_find(pair):
    student, teacher, valid, counts = pair
    line, wanted = line_of(student, teacher, valid, counts), slow(student, teacher, valid)
    assert line["blank"] == pytest.approx(np.mean(wanted["blank"]), rel=1e-5)
    emitted = sum(len(symbols(student[b], valid[b])) for b in range(ROWS))
    assert line["emitted"] == pytest.approx(emitted / counts.sum()) and line["expected"] == counts.sum()
    assert line["kl_spikes"] == pytest.approx(np.mean(wanted["spikes"]), rel=1e-5)
    assert line["kl_blanks"] == pytest.approx(np.mean(wanted["blanks"]), rel=1e-5)
    assert line["agreement"] == pytest.approx(np.mean(wanted["agreed"]))
    assert line["confidence"] == pytest.approx(np.mean(wanted["sure"]), rel=1e-5)
    assert line["overconfidence"] == pytest.approx(np.mean(wanted["sure"]) - np.mean(wanted["same"]), rel=1e-4)
    offsets = np.array(wanted["off"])
    assert line["offsets"] == [int((offsets == d).sum()) for d in range(-REACH, REACH + 1)]
    assert line["unmatched"] == int(np.isnan(offsets).sum()) > 0


def test_a_copy_of_the_teacher_has_no_divergence_and_lies_on_its_symbols(pair):
    _, teacher, valid, counts = pair
    line = line_of(teacher, teacher, valid, counts)
    assert line["kl_spikes"] == line["kl_blanks"] == 0.0 and line["agreement"] == 1.0
    assert line["offsets"][REACH] == sum(line["offsets"]) > 0 and line["unmatched"] == 0


@pytest.mark.parametrize("shift", [-REACH, -1, 3, REACH])
def test_a_shifted_symbol_is_counted_at_its_offset(shift):
    logits = np.zeros((2, 1, FRAMES, CLASSES), np.float32)
    logits[..., BLANK] = 1.0
    logits[0, 0, 20, 2] = logits[1, 0, 20 + shift, 2] = 5.0
    teacher, student = (read(jnp.array(one), jnp.ones((1, FRAMES), bool)) for one in logits)
    assert np.flatnonzero(symbol_offsets(student, teacher)).tolist() == [REACH + shift]


@pytest.mark.parametrize("of_student", [(20 + REACH + 1, 2), (20, 3)])
def test_a_symbol_that_is_too_far_or_of_another_class_is_no_match(of_student):
    logits = np.zeros((2, 1, FRAMES, CLASSES), np.float32)
    logits[..., BLANK] = 1.0
    logits[0, 0, 20, 2] = logits[1, 0, of_student[0], of_student[1]] = 5.0
    line = line_of(logits[1], logits[0], np.ones((1, FRAMES), bool), np.array([1]))
    assert sum(line["offsets"]) == 0 and line["unmatched"] == 1


def test_the_sums_of_parts_add_up_to_those_of_the_batch(pair):
    student, teacher, valid, counts = pair
    labelled = np.array([True, False, True, False])

    def sums(rows):
        return diagnostics(jnp.array(student[rows]), jnp.array(teacher[rows]), jnp.array(valid[rows]),
                           {"label_count": jnp.array(counts[rows]), "labelled": jnp.array(labelled[rows])})  # fmt: skip

    whole, parts = sums(slice(None)), (sums(slice(0, None, 2)), sums(slice(1, None, 2)))
    for name in (STUDENT, TEACHER):
        np.testing.assert_allclose(parts[0][name] + parts[1][name], whole[name], rtol=1e-5)


def test_no_gradient_comes_from_them(pair):
    student, teacher, valid, counts = (jnp.array(x) for x in pair)

    def total(student, teacher):
        return sum(x.sum() for x in diagnostics(student, teacher, valid, {"label_count": counts}).values())

    for gradient in jax.grad(total, argnums=(0, 1))(student, teacher):
        assert not np.any(gradient)


def test_a_row_without_labels_is_measured_by_the_teachers_symbols_or_not_at_all(pair):
    student, teacher, valid, counts = pair
    labelled = np.array([True, False, True, False])
    read_here = [len(symbols(student[b], valid[b])) for b in range(ROWS)]
    known = [int(counts[b]) if labelled[b] else len(symbols(teacher[b], valid[b])) for b in range(ROWS)]
    line = line_of(student, teacher, valid, counts, labelled=jnp.array(labelled))
    assert (line["expected"], line["emitted"]) == (sum(known), pytest.approx(sum(read_here) / sum(known)))
    line = line_of(student, None, valid, counts, labelled=jnp.array(labelled))
    ours = sum(n for n, kept in zip(read_here, labelled, strict=True) if kept)
    assert (line["expected"], line["emitted"]) == (3, pytest.approx(ours / 3)) and "kl_spikes" not in line


def test_nothing_counted_gives_no_number(pair):
    student, teacher, valid, _ = pair
    nothing = np.zeros_like(valid)
    line = line_of(student, teacher, nothing, np.zeros(ROWS, np.int32))
    names = ("blank", "emitted", "kl_spikes", "kl_blanks", "agreement", "confidence", "overconfidence")
    assert all(line[name] is None for name in names)
    assert sum(line["offsets"]) == line["unmatched"] == line["expected"] == 0
    assert diagnostic_metrics({}) == {}


def test_they_are_the_same_under_vmap_and_jit(pair):
    student, teacher, valid, counts = (jnp.array(x) for x in pair)
    plain = diagnostics(student, teacher, valid, {"label_count": counts})
    packed = jax.jit(jax.vmap(lambda s, t: diagnostics(s, t, valid, {"label_count": counts})))(
        student[None], teacher[None]
    )
    for name, values in plain.items():
        np.testing.assert_allclose(packed[name][0], values, rtol=1e-5)
