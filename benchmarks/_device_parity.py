"""Whether a device computes what this machine's CPU computes in float32: networks, CTC and attention.

Bounds. Relative to the largest logit, to the loss, and to the gradient's norm (`BOUNDS`): float32 with products in full
float32 may differ by the order of sums; with a device's own default (TF32 on recent GPUs, bfloat16 passes on TPUs) by
the 10 or 8 bits that it multiplies with, and bfloat16 by the 8 bits that every activation is rounded to.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks._ctc_float64 import ctc_float64
from benchmarks._device_figures import Figure
from benchmarks._random_batch import Batch, make_batch
from semgjax.data.batching.windows import WindowSpec
from semgjax.evaluate.stitched import valid_samples
from semgjax.kernels.blocks import block_attention
from semgjax.kernels.cudnn import cudnn_attention
from semgjax.kernels.tiles import tiled_attention
from semgjax.losses.ctc import ctc
from semgjax.model import encoder, network
from semgjax.model.kind import Network
from semgjax.model.operations import AUTO, REFERENCE, Attention, CTCForm, Kernels
from semgjax.model.presets import preset
from semgjax.training.criterion import loss_and_sums
from semgjax.training.run_config import RunConfig, TrainConfig, recipe

BOUNDS = {"exact": (1e-4, 1e-4, 1e-3), "float32": (3e-2, 2e-2, 1e-1), "bfloat16": (6e-2, 3e-2, 2e-1)}
"""largest difference of logits, loss and gradient by the arithmetic of the device"""
SMALL_SPEC = WindowSpec(1000, 1000, 400, 200)


def cpu() -> Any:
    """The CPU, also beside an accelerator."""
    return jax.devices("cpu")[0]


def differences(found: Any, wanted: Any) -> tuple[float, float, float]:
    """Of (logits, loss, gradient): relative to the largest logit, to the loss, and in the gradient's norm."""
    logits, other = (np.asarray(x[0], np.float64) for x in (found, wanted))
    loss, other_loss = float(found[1]), float(wanted[1])
    gradient, other_gradient = (
        np.concatenate([np.ravel(np.asarray(leaf, np.float64)) for leaf in jax.tree.leaves(x[2])])
        for x in (found, wanted)
    )
    return (
        float(np.abs(logits - other).max() / np.abs(other).max()),
        abs(loss - other_loss) / abs(other_loss),
        float(np.linalg.norm(gradient - other_gradient) / np.linalg.norm(other_gradient)),
    )


def outputs(config: RunConfig, kernels: Kernels, remat: Any = "cheap") -> Callable[..., Any]:
    """(parameters, batch) -> logits, loss and gradient without dropout, to be jitted."""

    def compute(params: Any, batch: Any) -> Any:
        emg = batch["emg"].astype(config.train.compute)
        valid = valid_samples(batch["valid"], emg.shape[1])
        logits = network.apply(config.model, params, emg, valid, None, remat, None, kernels)

        def loss(params: Any) -> Any:
            return loss_and_sums(config, params, batch, None, (), remat, None, kernels)[0]

        value, gradient = jax.value_and_grad(loss)(params)
        return logits.astype(jnp.float32), value, gradient

    return compute


def case(name: str, rows: int, small: bool) -> tuple[RunConfig, Batch]:
    """A preset and a batch whose first row begins with padding."""
    model = preset(name)
    spec = SMALL_SPEC if small and name.startswith("ladder") else recipe(name).window
    batch = make_batch(model, rows, spec)  # type: ignore[arg-type]
    batch["valid"][0, 0] = spec.total // 3
    return RunConfig(name, model, "", window=spec, train=TrainConfig(batch=rows)), batch


def kernel_choices(model: Network, kind: str, half: bool) -> Iterator[Kernels]:
    """Every form of attention, of convolution and of CTC that this network and device can have."""
    yield AUTO
    if kind == "gpu":
        yield Kernels(ctc="fused")
    yield Kernels(convolution="products")
    if model.ATTENDS:
        forms: list[Attention] = ["reference", "tiles"]
        forms += ["blocks"] if getattr(model, "attention_window", None) is not None else []
        forms += ["cudnn"] if kind == "gpu" and half else []
        yield from (Kernels(form, "reference") for form in forms)


def one_network(name: str, small: bool) -> list[Figure]:
    """Logits, loss and gradient of a preset in every form, on the device against the CPU's float32 and definitions."""
    device, found = jax.devices()[0], []
    config, batch = case(name, 2 if small else 4, small)
    with jax.default_device(cpu()), jax.default_matmul_precision("highest"):
        params = jax.jit(lambda: network.init(config.model, jax.random.key(0)))()
        wanted = jax.device_get(jax.jit(outputs(config, REFERENCE))(params, batch))
    here = jax.device_put((jax.device_get(params), batch), device)
    for arithmetic, bounds in BOUNDS.items():
        compute: Literal["float32", "bfloat16"] = "bfloat16" if arithmetic == "bfloat16" else "float32"
        own = dataclasses.replace(config, train=dataclasses.replace(config.train, compute=compute))
        choices = list(kernel_choices(config.model, device.platform, compute == "bfloat16"))
        if small:  # a CPU has one arithmetic of float32, and its automatic choice is tiles and products
            forms = {"exact": [AUTO, Kernels("blocks", "reference", "fused")], "bfloat16": [AUTO]}
            choices = forms.get(arithmetic, [])
        elif arithmetic == "float32":  # the device's default of products says the same of every form
            choices = choices[:1]
        for kernels in choices:
            with jax.default_matmul_precision("highest" if arithmetic == "exact" else None):
                got = jax.device_get(jax.jit(outputs(own, kernels))(*here))
            key = f"{arithmetic}.{kernels.attention}.{kernels.convolution}.{kernels.ctc}"
            parts = zip(("logits", "loss", "gradient"), differences(got, wanted), bounds, strict=True)
            found += [Figure(f"{key}.{part}", value, bound=bound) for part, value, bound in parts]
    return found


def ctc_rows(small: bool) -> list[Figure]:
    """CTC of long windows against float64, in both forms; more labels than frames must give exactly zero."""
    device, found, results = jax.devices()[0], [], {}
    frames, count = (60, 12) if small else (1600, 120)
    rng = np.random.default_rng(0)
    labels, counts = rng.integers(0, 20, (2, count)).astype(np.int32), np.array([count, count // 2], np.int32)
    labels[0, 4:8] = 3  # repeats
    logits = rng.normal(0, 3, (2, frames, 99)).astype(np.float32)
    exact = [ctc_float64(logits[row], labels[row, : counts[row]]) for row in range(2)]
    forms: tuple[CTCForm, ...] = ("scan", "fused") if small or device.platform == "gpu" else ("scan",)
    note = f"{frames} frames, {count} and {count // 2} labels"
    for form in forms:
        run = jax.jit(jax.value_and_grad(lambda *x, form=form: ctc_total(form, *x), has_aux=True))
        (_, loss), gradient = jax.device_get(run(*jax.device_put((logits, labels, counts), device)))
        results[form] = loss, gradient
        worst = max(abs(loss[row] - exact[row][0]) / exact[row][0] for row in range(2))
        slope = max(np.abs(gradient[row] - exact[row][1]).max() for row in range(2))
        (_, none), flat = run(*jax.device_put((logits[:, : count // 2 - 1], labels, counts), device))
        found += [
            Figure(f"{form}.loss", float(worst), bound=2e-6, note=note),
            Figure(f"{form}.gradient", float(slope), bound=5e-4, note=note),
            Figure(f"{form}.more_labels_than_frames", float(jnp.abs(none).max() + jnp.abs(flat).max()), bound=0.0),
        ]
    if len(results) == 2:
        (loss, gradient), (other_loss, other_gradient) = results.values()
        found.append(Figure("fused.against_scan.loss", float(np.abs(loss / other_loss - 1).max()), bound=1e-5))
        found.append(Figure("fused.against_scan.gradient", float(np.abs(gradient - other_gradient).max()), bound=1e-5))
    return found


def ctc_total(form: CTCForm, logits: Any, labels: Any, counts: Any) -> Any:
    loss = ctc(logits, labels, counts, form)[0]
    return loss.sum(), loss


def attention(small: bool) -> list[Figure]:
    """Forms of attention with padding, with and without a window, against the CPU's; queries without a key give 0."""
    device, found = jax.devices()[0], []
    time, width = (40, 8) if small else (500, 64)
    rng = np.random.default_rng(0)
    q, k, v, upstream = (rng.normal(size=(3, time, 4, width)).astype(np.float32) for _ in range(4))
    valid = np.ones((3, time), bool)
    valid[0, : time // 3] = False
    valid[2] = False  # a window without signal
    for window in (None, 16) if small else (None, 50, 128):
        for causal in (True,) if small else (True, False):
            with jax.default_device(cpu()), jax.default_matmul_precision("highest"):
                wanted = jax.device_get(
                    attention_gradients(encoder.attention, window, causal)(q, k, v, upstream, valid)
                )
            for name, form in attention_forms(device.platform, window).items():
                kinds = (jnp.bfloat16,) if name == "cudnn" else (jnp.float32, jnp.bfloat16)
                for kind in kinds[:1] if small else kinds:
                    inputs = [*(jnp.asarray(x, kind) for x in (q, k, v)), upstream, valid]
                    with jax.default_matmul_precision("highest"):
                        run = attention_gradients(form, window, causal)
                        got = jax.device_get(run(*jax.device_put(inputs, device)))
                    key = f"{name}.{jnp.dtype(kind).name}.window_{window or 'none'}.{'causal' if causal else 'both'}"
                    bound = 1e-4 if kind == jnp.float32 else 4e-2
                    for part, ours, theirs in zip(("out", "q", "k", "v"), got, wanted, strict=True):
                        worst = np.abs(np.asarray(ours, np.float64) - theirs).max() / np.abs(theirs).max()
                        found.append(Figure(f"{key}.{part}", float(worst), bound=bound))
                    empty = np.abs(np.asarray(got[0], np.float64)[2]).max()
                    found.append(Figure(f"{key}.without_keys", float(empty), bound=0.0))
    return found


def attention_forms(kind: str, window: int | None) -> dict[str, Callable[..., jax.Array]]:
    forms: dict[str, Callable[..., jax.Array]] = {"reference": encoder.attention, "tiles": tiled_attention}
    if window is not None:
        forms["blocks"] = block_attention
    if kind == "gpu":
        forms["cudnn"] = cudnn_attention
    return forms


def attention_gradients(form: Callable[..., jax.Array], window: int | None, causal: bool) -> Any:
    def compute(q: Any, k: Any, v: Any, upstream: Any, valid: Any) -> Any:
        def total(q: Any, k: Any, v: Any) -> Any:
            out = form(q, k, v, valid, window, causal).astype(jnp.float32)
            return (out * upstream).sum(), out

        (_, out), gradients = jax.value_and_grad(total, (0, 1, 2), has_aux=True)(q, k, v)
        return out, *gradients

    return jax.jit(compute)
