"""CTC as one kernel for a GPU, interpreted on a CPU: the scan's values; its code for a GPU is lowered, never run."""

import functools
import os
import subprocess
import sys

import jax
import jax.experimental.pallas.mosaic_gpu  # noqa: F401  (sets a variable, which no test is to be blamed for)
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from semgjax.kernels.alignments import alignments
from semgjax.losses.ctc import ctc
from semgjax.losses.loss import CTC, Loss
from tests.model.small import quick_jit
from tests.refused import refused


@functools.cache
def both(form: str):
    """(logits, labels, counts, weights) -> loss [B], feasible [B], gradient of the weighted loss."""

    def total(logits, labels, counts, weights):
        loss, ok = ctc(logits, labels, counts, form)
        return (loss * weights).sum(), (loss, ok)

    def value_and_gradient(*inputs):
        (_, (loss, ok)), gradient = jax.value_and_grad(total, has_aux=True)(*inputs)
        return loss, ok, gradient

    return quick_jit(value_and_gradient)


def assert_scan_is_fused(logits, labels, counts, weights=None) -> np.ndarray:
    """Compare losses, rows that fit and gradients; returns the losses."""
    weights = np.linspace(0.5, 2, len(counts)).astype(np.float32) if weights is None else weights
    wanted, found = (both(form)(logits, labels, counts, weights) for form in ("scan", "fused"))
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found[2], wanted[2], atol=1e-5)
    np.testing.assert_allclose(quick_jit(lambda *x: ctc(*x, "fused")[0])(logits, labels, counts), found[0], rtol=1e-6)
    return np.asarray(wanted[0])


def random_rows(seed: int, rows: int, frames: int, classes: int, room: int, labels: int):
    """Logits, labels drawn from the first `labels` classes (few: many repeats), counts from none to all."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (rows, frames, classes)).astype(np.float32)
    return logits, rng.integers(0, labels, (rows, room)).astype(np.int32), rng.integers(0, room + 1, rows)


# Few kinds of labels, so that many repeat; as many labels as a warp has threads, and one less; one frame.
@pytest.mark.parametrize(("frames", "classes", "room", "labels"), [(40, 99, 32, 3), (9, 4, 31, 3), (1, 3, 1, 2)])
def test_the_kernel_gives_the_scans_losses_and_gradients(frames, classes, room, labels):
    logits, rows, counts = random_rows(frames, 6, frames, classes, room, labels)
    counts[:3] = 0, 1, room
    losses = assert_scan_is_fused(logits, rows, counts.astype(np.int32))
    assert losses[0] > 0


def test_rows_without_an_alignment_and_rows_with_nan_are_as_in_the_scan():
    logits, labels, _ = random_rows(0, 4, 4, 6, 3, 5)
    labels[0] = 1  # 1 1 1 needs five frames
    logits[1, 2, 0] = np.nan
    logits[3, :, 2] = -np.inf
    labels[3, 0] = 2
    losses = assert_scan_is_fused(logits, labels, np.array([3, 2, 0, 1], np.int32))
    assert losses[0] == 0 and np.isnan(losses[1]) and losses[2] > 0 and losses[3] > 9e4


def test_rows_without_weight_room_or_frames_are_as_in_the_scan():
    logits, labels, counts = random_rows(3, 3, 8, 5, 4, 4)
    assert_scan_is_fused(logits, labels, counts.astype(np.int32), np.array([0, 1, 0], np.float32))
    assert_scan_is_fused(logits, labels[:, :0], np.zeros(3, np.int32))
    assert_scan_is_fused(logits[:, :0], labels, np.zeros(3, np.int32))


def test_half_precision_is_summed_in_float32():
    logits, labels, counts = random_rows(5, 4, 12, 6, 4, 5)
    assert_scan_is_fused(jnp.asarray(logits, jnp.bfloat16), labels, counts.astype(np.int32))


def test_rows_under_vmap_and_under_shard_map_are_the_batchs():
    logits, labels, counts = random_rows(6, 4, 10, 6, 3, 5)
    counts = counts.astype(np.int32)
    wanted = both("scan")(logits, labels, counts, np.ones(4, np.float32))

    def row(logits, labels, count):
        return ctc(logits[None], labels[None], count[None], "fused")[0][0]

    loss, gradient = quick_jit(jax.vmap(jax.value_and_grad(row)))(logits, labels, counts)
    np.testing.assert_allclose(loss, wanted[0], rtol=1e-5)
    np.testing.assert_allclose(gradient, wanted[2], atol=1e-5)
    rows = PartitionSpec("rows")
    mesh = jax.make_mesh((1,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
    split = jax.shard_map(
        lambda *x: jax.vmap(jax.value_and_grad(row))(*x), mesh=mesh, in_specs=rows, out_specs=rows, check_vma=False
    )
    for ours, theirs in zip(quick_jit(split)(logits, labels, counts), (loss, gradient), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_loss_ctc_takes_either_form():
    logits, labels, counts = random_rows(8, 3, 10, 6, 3, 5)
    batch = {"labels": labels, "label_count": counts.astype(np.int32)}
    wanted, found = (quick_jit(lambda x, form=form: CTC().in_form(form)(x, batch, batch)) for form in ("scan", "fused"))
    for one, other in zip(jax.tree.leaves(found(logits)), jax.tree.leaves(wanted(logits)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


class Mean(Loss):
    def __call__(self, logits_BxTxK, batch, whole):
        return logits_BxTxK.mean(), {}


class Doubled(CTC):
    def __call__(self, logits_BxTxK, batch, whole):
        loss, sums = super().__call__(logits_BxTxK, batch, whole)
        return 2 * loss, sums


@pytest.mark.parametrize("loss", [Mean(), Doubled()])
def test_a_loss_that_knows_the_scan_alone_is_itself_there_and_refuses_another_form(loss):
    assert loss.in_form("scan") is loss
    with refused("conflict"):
        loss.in_form("fused")


_STEP = """
import dataclasses, jax, numpy as np
from benchmarks._random_batch import make_batch
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.operations import Kernels
from semgjax.model.presets import preset
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.run_config import RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step
model, spec = preset("ladder-16"), WindowSpec(1000, 1000, 400, 200)
for count in (1, 2):
    for form in ("scan", "fused"):
        config = RunConfig("t", model, "", window=spec, train=TrainConfig(batch=4, accumulate=2))
        mesh = make_mesh(4, accumulate=2, devices=jax.devices()[:count])
        step = make_step(config, mesh, (), "cheap", Kernels(ctc=form))
        state, sums = step(init_state(config), place_batch(mesh, make_batch(model, 4, spec)), ())
        print(float(sums["ctc"]), float(sums["gradient_norm"]))
"""


@pytest.mark.slow  # 40 s: four training steps to compile
def test_a_training_step_is_the_same_in_either_form_on_one_and_on_two_devices():
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": "2"}
    done = subprocess.run([sys.executable, "-c", _STEP], env=environment, check=True, capture_output=True, text=True)
    figures = np.array([line.split() for line in done.stdout.splitlines()], float)
    assert figures.shape == (4, 2) and (figures > 0).all()
    np.testing.assert_allclose(figures, np.broadcast_to(figures[0], figures.shape), rtol=1e-5)


@pytest.mark.slow  # 10 s
def test_sixteen_seconds_with_120_keys_are_as_in_the_scan():
    logits, labels, _ = random_rows(7, 2, 1600, 99, 120, 20)
    assert_scan_is_fused(logits, labels, np.array([120, 77], np.int32))


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_kernel_lowers_to_code_for_a_gpu_with_its_barrier(both_ways):
    shapes = [((2, 400, 99), jnp.float32), ((2, 70), jnp.int32), ((2,), jnp.int32)]
    # JAX 0.12 asks what GPU it lowers for; 0.10 lowers without one.
    gpu = jax.sharding.AbstractDevice("NVIDIA H100 80GB HBM3", 132, "gpu")
    mesh = jax.sharding.AbstractMesh((1,), ("rows",), abstract_device=gpu)
    with jax.sharding.use_abstract_mesh(mesh):
        traced = jax.jit(functools.partial(alignments, both_ways=both_ways)).trace(
            *(jax.ShapeDtypeStruct(shape, kind) for shape, kind in shapes)
        )
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
    assert "xla.gpu.triton" in text
    assert "debug_barrier" in str(traced.jaxpr)
