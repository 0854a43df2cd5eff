"""`semgjax bench train`: our training step against the same network in PyTorch, on the same batch and cores.

16 windows of 5 s in float32: forward, backward, clipping and AdamW, dropout and time masks on both sides. PyTorch runs
eager with its scaled_dot_product_attention, causal or with the same band as mask. Medians of calls in turn, after one
call each to warm up. SEMGJAX_BENCH_ROUNDS (default 5) is how many. SEMGJAX_BENCH_ONLY (comma-separated starts of keys)
measures a part; train.packed compares with our own trials apart. Needs `pip install .[bench]`.
"""

import dataclasses
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Comparison, medians
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig
from semgjax.model.presets import preset
from semgjax.parallel.cores import use_cores

Rows = dict[str, Comparison]
_LADDER = "ladder-64"


def run() -> Rows:
    """All comparisons, or those that SEMGJAX_BENCH_ONLY names.

    Raises:
        InputError: torch is not installed; a key is unknown.
    """
    parts: dict[str, Callable[[str], Rows]] = {
        "train.ctc": _ctc,
        "train.tiny.step": lambda key: _step(key, _full("tiny")),
        "train.tiny.sliding.step": lambda key: _step(key, preset("tiny")),
        "train.small.step": lambda key: _step(key, _full("small")),
        "train.small.sliding.step": lambda key: _step(key, preset("small")),
        f"train.{_LADDER}.step": lambda key: _step(key, preset(_LADDER)),
        "train.tiny.compiled": lambda key: _step(key, _full("tiny"), compiled=True),
        "train.tiny.memory": _memory,
        "train.window": _windows,
        "train.packed": _packed,
        "train.packed.step": _packed_step,
    }
    only = os.environ.get("SEMGJAX_BENCH_ONLY")
    chosen = list(parts) if only is None else [key for key in parts if key.startswith(tuple(only.split(",")))]
    if not chosen:
        raise InputError(f"SEMGJAX_BENCH_ONLY {only!r} names no key; there are: {', '.join(parts)}", "unknown-name")
    if any(not key.startswith("train.packed") for key in chosen):
        if importlib.util.find_spec("torch") is None:
            raise InputError(
                "torch is not installed; pip install 'semgjax[bench]' from this source checkout", "missing-extra"
            )
        from benchmarks._random_batch import ROWS

        use_cores(ROWS)  # as `semgjax train` does
    return {name: row for key in chosen for name, row in parts[key](key).items()}


def _full(name: str) -> ModelConfig:
    from benchmarks._train_sides import full

    return full(name)


def _rounds() -> int:
    return int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "5"))


def _step(key: str, model: ModelConfig, compiled: bool = False) -> Rows:
    from benchmarks._random_batch import ROWS, make_batch
    from benchmarks._train_sides import our_step, torch_step

    batch = make_batch(model)
    ours, peer = medians([our_step(model, batch), torch_step(model, batch, compiled)], _rounds())
    window = "full attention" if model.attention_window is None else f"a window of {model.attention_window} frames"
    side = "torch.compile" if compiled else "PyTorch eager"
    return {key: Comparison(ours, peer, "s", f"{ROWS} windows of 5 s, float32, {window}, against {side}")}


def _ctc(key: str) -> Rows:
    """The loss and its gradient alone, rows split over the devices as in the step: 16 of 4 s at 100 frames a second."""
    import jax
    import numpy as np
    import torch

    from benchmarks import _torch_model
    from benchmarks._random_batch import LABELS, ROWS, make_batch
    from benchmarks._train_sides import full
    from semgjax.losses.ctc import ctc
    from semgjax.parallel.mesh import by_batch, make_mesh

    batch = make_batch(full("tiny"))
    logits = np.random.default_rng(1).normal(0, 2, (ROWS, 400, 99)).astype(np.float32)
    split = by_batch(make_mesh(ROWS))
    rows = jax.device_put((logits, batch["labels"], batch["label_count"]), split)
    gradient = jax.jit(jax.value_and_grad(lambda x, labels, count: ctc(x, labels, count)[0].sum()))
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    theirs = torch.from_numpy(logits).requires_grad_()
    labels, counts = (torch.from_numpy(batch[name].astype(np.int64)) for name in ("labels", "label_count"))

    def ours() -> None:
        jax.block_until_ready(gradient(*rows))

    def peer() -> None:
        theirs.grad = None
        _torch_model.ctc(theirs, labels, counts).backward()

    ours()
    peer()
    note = f"loss and gradient of logits, {ROWS} rows of 400 frames, {LABELS} keys each, against PyTorch's ctc_loss"
    return {key: Comparison(*medians([ours, peer], 4 * _rounds()), "s", note)}


def _packed(key: str) -> Rows:
    """Eight short trials by the local engine: two packs of four on a core each, against two trials at a time.

    Raises:
        RuntimeError: losses differ by more than 1e-5.
    """
    from benchmarks._train_packed import NAME, STEPS, TRIALS, largest_difference, planned, seconds_of, write_sessions

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_sessions(folder / "sessions")
        packed, apart = (planned(folder / "sessions", folder / name) for name in ("packed", "apart"))
        slots = ("--slots", "2", "--cores", "1")
        ours, peer = seconds_of(packed, *slots, "--pack", str(TRIALS // 2)), seconds_of(apart, *slots)
        worst = largest_difference(packed, apart)
    if worst > 1e-5:
        raise RuntimeError(f"losses of packed trials differ by {worst:.2g} from those apart")
    note = (
        f"{TRIALS} trials of {NAME}, {STEPS} steps each, 2 slots of a core: packs of {TRIALS // 2} against one by one, "
        f"start-up, compilation and scores included; once; losses differ by at most {worst:.1e}"
    )
    return {key: Comparison(ours, peer, "s", note)}


def _packed_step(key: str) -> Rows:
    from benchmarks._train_packed import NAME, TRIALS, steps_of, write_sessions

    with tempfile.TemporaryDirectory() as place:
        write_sessions(Path(place))
        ours, peer = medians(steps_of(Path(place)), _rounds())
    note = f"a step of {TRIALS} trials of {NAME} in one process, packed against one after the other"
    return {key: Comparison(ours, peer, "s", note)}


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
    from benchmarks._random_batch import SPEC, make_batch
    from benchmarks._train_sides import our_step

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
