"""`semgjax bench train`: our training step against the same network in PyTorch, on the same batch and cores.

16 windows of 5 s in float32: forward, backward, clipping and AdamW, dropout and time masks on both sides. PyTorch runs
eager with its scaled_dot_product_attention, causal or with the same band as mask. Medians of calls in turn, after one
call each to warm up. SEMGJAX_BENCH_ROUNDS (default 5) is how many. SEMGJAX_BENCH_ONLY (comma-separated starts of keys)
measures a part. Needs `pip install .[bench]`.
"""

import dataclasses
import importlib.util
import os
import statistics
import subprocess
import sys
from collections.abc import Callable

from benchmarks.measure import Comparison, medians
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig, preset

Rows = dict[str, Comparison]
_LADDER = "ladder-64"


def run() -> Rows:
    """All comparisons, or those that SEMGJAX_BENCH_ONLY names.

    Raises:
        InputError: torch is not installed; a key is unknown.
    """
    if importlib.util.find_spec("torch") is None:
        raise InputError("torch is not installed; pip install 'semgjax[bench]' from this source checkout")
    from benchmarks._train_sides import full

    parts: dict[str, Callable[[str], Rows]] = {
        "train.ctc": _ctc,
        "train.tiny.step": lambda key: _step(key, full("tiny")),
        "train.tiny.sliding.step": lambda key: _step(key, preset("tiny")),
        "train.small.step": lambda key: _step(key, full("small")),
        "train.small.sliding.step": lambda key: _step(key, preset("small")),
        f"train.{_LADDER}.step": lambda key: _step(key, preset(_LADDER)),
        "train.tiny.compiled": lambda key: _step(key, full("tiny"), compiled=True),
        "train.tiny.memory": _memory,
        "train.window": _windows,
    }
    only = os.environ.get("SEMGJAX_BENCH_ONLY")
    chosen = list(parts) if only is None else [key for key in parts if key.startswith(tuple(only.split(",")))]
    if not chosen:
        raise InputError(f"SEMGJAX_BENCH_ONLY {only!r} names no key; there are: {', '.join(parts)}")
    return {name: row for key in chosen for name, row in parts[key](key).items()}


def _rounds() -> int:
    return int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "5"))


def _step(key: str, model: ModelConfig, compiled: bool = False) -> Rows:
    from benchmarks._train_sides import ROWS, make_batch, our_step, torch_step

    batch = make_batch(model)
    ours, peer = medians([our_step(model, batch), torch_step(model, batch, compiled)], _rounds())
    window = "full attention" if model.attention_window is None else f"a window of {model.attention_window} frames"
    side = "torch.compile" if compiled else "PyTorch eager"
    return {key: Comparison(ours, peer, "s", f"{ROWS} windows of 5 s, float32, {window}, against {side}")}


def _ctc(key: str) -> Rows:
    """The loss and its gradient alone: 16 rows of 4 s at 100 frames a second."""
    import jax
    import numpy as np
    import torch

    from benchmarks import _torch_model
    from benchmarks._train_sides import LABELS, ROWS, full, make_batch
    from semgjax.losses.ctc import ctc

    batch = make_batch(full("tiny"))
    logits = np.random.default_rng(1).normal(0, 2, (ROWS, 400, 99)).astype(np.float32)
    gradient = jax.jit(jax.value_and_grad(lambda x: ctc(x, batch["labels"], batch["label_count"])[0].sum()))
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    theirs = torch.from_numpy(logits).requires_grad_()
    labels, counts = (torch.from_numpy(batch[name].astype(np.int64)) for name in ("labels", "label_count"))

    def ours() -> None:
        jax.block_until_ready(gradient(logits))

    def peer() -> None:
        theirs.grad = None
        _torch_model.ctc(theirs, labels, counts).backward()

    ours()
    peer()
    note = f"loss and gradient of logits, {ROWS} rows of 400 frames, {LABELS} keys each, against PyTorch's ctc_loss"
    return {key: Comparison(*medians([ours, peer], 4 * _rounds()), "s", note)}


def _memory(key: str) -> Rows:
    """The most memory that two steps take above loading and batch, each side in processes of its own."""
    found = []
    for side in ("ours", "torch"):
        command = [sys.executable, "-m", "benchmarks._train_memory", side, "tiny"]
        outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(3)]
        found.append(statistics.median(float(text.split()[-1]) for text in outputs))
    note = "most memory of two steps of tiny, full attention, compiling included, above the libraries and the batch"
    return {key: Comparison(*found, "MB", note)}


def _windows(key: str) -> Rows:
    """Time per second of signal when windows get longer, with the sliding window; the peer is our 4 s core."""
    from benchmarks._train_sides import SPEC, make_batch, our_step

    model, steps = preset("tiny"), []
    seconds = (4, 8, 16)
    for length in seconds:
        spec = dataclasses.replace(SPEC, length=2000 * length, stride=2000 * length)
        rows = 32 // length
        steps.append((our_step(model, make_batch(model, rows, spec), spec), rows * spec.total / 2000))
    times = medians([step for step, _ in steps], _rounds())
    rates = [time / signal for time, (_, signal) in zip(times, steps, strict=True)]
    return {
        f"{key}.{length}s": Comparison(rate, rates[0], "s/s", f"tiny, cores of {length} s (with context) against 4 s")
        for length, rate in zip(seconds[1:], rates[1:], strict=True)
    }
