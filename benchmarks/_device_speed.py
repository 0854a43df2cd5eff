"""How fast a device trains: steps, attention, CTC, the feed of windows, packs, compiling, distillation.

Times are of whole calls that wait for the device, after one call that compiles; a figure is the median of `ROUNDS`.
"""

import contextlib
import importlib.util
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import distill
from benchmarks._device_figures import SIZES, SMALL, Absent, Figure, spread
from benchmarks._device_parity import SMALL_SPEC, attention_forms, attention_gradients, ctc_total
from benchmarks._random_batch import make_batch
from benchmarks._train_packed import configs_of, steps_of, write_sessions
from benchmarks.measure import alternate
from semgjax.data.batching.batches import AHEAD, TrainData, stream, train_data
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import load_corpus
from semgjax.model.flops import train_flops
from semgjax.model.presets import preset
from semgjax.parallel.hardware import peak_flops
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.run_config import RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step, state_shardings

ROUNDS = int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "5"))
BATCHES = (640, 320, 160, 80, 40, 16)
"""the paper's batch first, then what a smaller device may hold"""


def timed(key: str, call: Callable[[], object], unit: str = "ms", scale: float = 1e3, note: str = "") -> Figure:
    """Compile by one call, then measure."""
    call()
    return spread(key, [scale * second for second in alternate([call], ROUNDS)[0]], unit, note)


def _step(config: RunConfig, spec: WindowSpec) -> Callable[[], None]:
    mesh = make_mesh(config.train.batch)
    step = make_step(config, mesh)
    state = jax.jit(lambda: init_state(config), out_shardings=state_shardings(config, mesh))()
    batch = place_batch(mesh, make_batch(config.model, config.train.batch, spec))  # type: ignore[arg-type]

    def call() -> None:
        nonlocal state
        state, sums = step(state, batch, ())
        jax.block_until_ready((sums, state))

    return call


def step(name: str, small: bool) -> list[Figure]:
    """A preset's training step in bfloat16 at the paper's batch, or at the largest of BATCHES that fits."""
    model, spec, found = preset(name), SMALL_SPEC if small else WindowSpec(), []
    for batch in (2,) if small else BATCHES:
        if batch % jax.device_count():
            continue
        config = RunConfig(name, model, "", spec, train=TrainConfig(batch=batch, compute="bfloat16"))
        try:
            row = timed("step", _step(config, spec), note=f"batch {batch}, bfloat16")
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            found.append(Figure("batch_that_does_not_fit", batch, "windows"))
            continue
        return [*found, row, *_rates(row, batch, batch * train_flops(model, spec.total), spec, model.stride)]
    raise Absent(f"no batch of {BATCHES} fits {jax.device_count()} devices")


def _rates(row: Figure, batch: int, flops: float, spec: WindowSpec, stride: int) -> Iterator[Figure]:
    """What a step's time means per second; a token is a frame of the network."""
    assert row.low is not None and row.high is not None
    peak = peak_flops(jax.devices()[0].device_kind)
    amounts = [("windows", batch, "1/s"), ("tokens", batch * spec.total / stride, "1/s"), ("flops", flops, "1/s")]
    if peak is not None:
        amounts.append(("utilisation", flops / (peak * jax.device_count()), "of the bfloat16 peak"))
    for word, amount, unit in amounts:
        value, most, least = (amount / (second / 1e3) for second in (row.value, row.low, row.high))
        yield Figure(word, value, unit, low=least, high=most, note=row.note)


def torch_step(name: str, small: bool) -> list[Figure]:
    """The same network in PyTorch on the same device: bfloat16 autocast, compiled, fused AdamW.

    Raises:
        Absent: PyTorch is not installed, or sees no GPU, or no batch fits.
    """
    _need_torch(small)
    from benchmarks._device_torch import FULL, step_of

    model, spec, found = preset(name), SMALL_SPEC if small else WindowSpec(), []
    for batch in (2,) if small else BATCHES:
        note = f"batch {batch}, bfloat16 autocast" + ("" if small else ", compiled")
        try:
            row = timed("step", step_of(name, batch, spec), note=note)
        except FULL:
            found.append(Figure("batch_that_does_not_fit", batch, "windows"))
            continue
        return [*found, row, *_rates(row, batch, batch * train_flops(model, spec.total), spec, model.stride)]
    raise Absent(f"no batch of {BATCHES} fits")


def torch_ctc(small: bool) -> list[Figure]:
    """PyTorch's own CTC and, where it takes the rows, cuDNN's, at the shape of speed.ctc.

    Raises:
        Absent: PyTorch is not installed, or sees no GPU.
    """
    _need_torch(small)
    from benchmarks._device_torch import ctc_calls

    return [timed(name, call) for name, call in ctc_calls(*_ctc_case(small)).items()]


def _need_torch(small: bool) -> None:
    if importlib.util.find_spec("torch") is None:
        raise Absent("PyTorch is not installed")
    import torch

    if not (small or torch.cuda.is_available()):
        raise Absent("PyTorch sees no GPU here")


def attention(small: bool) -> list[Figure]:
    """Forms of attention side by side, forward and backward, with a window and without."""
    kind = jax.devices()[0].platform
    batch, times, heads, width = (2, (40,), 2, 8) if small else (64, (500, 2000), 16, 64)
    found = []
    for length in times:
        shape, rng = (batch, length, heads, width), np.random.default_rng(0)
        q, k, v = (jax.device_put(jnp.asarray(rng.normal(size=shape), jnp.bfloat16)) for _ in range(3))
        upstream, valid = jnp.asarray(rng.normal(size=shape), jnp.float32), jnp.ones(shape[:2], bool)
        for window in (16,) if small else (None, 128):
            for name, form in attention_forms(kind, window).items():
                run = attention_gradients(form, window, True)

                def call(run: Any = run, inputs: Any = (q, k, v, upstream, valid)) -> None:
                    jax.block_until_ready(run(*inputs))

                note = f"{batch} windows, {heads} heads of {width}, bfloat16, forward and backward"
                found.append(timed(f"{name}.{length}.window_{window or 'none'}", call, note=note))
    return found


def _ctc_case(small: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, frames, room = (4, 40, 6) if small else (640, 400, 32)
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (rows, frames, 99)).astype(np.float32)
    return logits, rng.integers(0, 98, (rows, room)).astype(np.int32), np.full(rows, room, np.int32)


def ctc_alone(small: bool) -> list[Figure]:
    """CTC's loss and gradient in each form, for the paper's batch of 4 s windows."""
    case = jax.device_put(_ctc_case(small))
    found = []
    for form in ("scan", "fused") if small or jax.devices()[0].platform == "gpu" else ("scan",):
        run = jax.jit(jax.value_and_grad(lambda *x, form=form: ctc_total(form, *x), has_aux=True))
        note = f"{case[0].shape[0]} rows, {case[0].shape[1]} frames" + (", interpreted" if small else "")
        call = lambda run=run: jax.block_until_ready(run(*case))  # noqa: E731
        found.append(timed(form, call, note=note if form == "fused" else note.removesuffix(", interpreted")))
    return found


def feed(small: bool) -> list[Figure]:
    """Windows a second that this machine reads, cuts and augments; and how far steps are held up by it."""
    found, device = [], jax.device_count()
    with tempfile.TemporaryDirectory() as place:
        write_sessions(Path(place))
        corpus, base = load_corpus(Path(place)), configs_of(Path(place))[0]
        with contextlib.closing(stream(train_data(corpus.train, base.window, base.augment, 16, 0), 0)) as batches:
            row = timed("batch", lambda: next(batches), note="16 windows, nothing else to do")
        assert row.low is not None and row.high is not None
        rates = [16 / (second / 1e3) for second in (row.value, row.high, row.low)]
        found += [row, Figure("windows", rates[0], "1/s", low=rates[1], high=rates[2])]
        for name in (SMALL,) if small else SIZES:
            rows = 2 * device if small else 64 * device
            spec = SMALL_SPEC if small else WindowSpec()
            config = RunConfig(name, preset(name), "", spec, train=TrainConfig(batch=rows, compute="bfloat16"))
            data = train_data(corpus.train, spec, base.augment, rows, 0)
            share = fed(config, data, 6 if small else 60)
            note = f"batch {rows}, bfloat16, as in training: two threads read ahead"
            found.append(Figure(f"{name}.fed", share, "of the pace", note=note))
    return found


def fed(config: RunConfig, data: TrainData, steps: int) -> float:
    """Pace of steps that wait for their windows, of the pace of steps that have the same windows each time."""
    mesh = make_mesh(config.train.batch)
    step = make_step(config, mesh)
    state = jax.jit(lambda: init_state(config), out_shardings=state_shardings(config, mesh))()

    def seconds(batches: Iterator[Any], steps: int) -> float:
        nonlocal state
        begun = time.perf_counter()
        for _ in range(steps):
            state, _ = step(state, place_batch(mesh, next(batches)), ())
        jax.block_until_ready(state)
        return time.perf_counter() - begun

    with contextlib.closing(stream(data, 0)) as batches:
        same = itertools.repeat(next(batches))
        seconds(same, 1)  # compiled
        seconds(batches, AHEAD + 2)  # what was read ahead while the step was compiled
        return seconds(same, steps) / seconds(batches, steps)


def packed(small: bool) -> list[Figure]:
    """Steps of several trials in one program against one after the other."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        write_sessions(Path(place))
        for trials in (2,) if small else (2, 4, 16, 64):
            if trials % jax.device_count():
                continue
            together, apart = alternate(steps_of(Path(place), trials), ROUNDS)
            gains = [b / a for a, b in zip(together, apart, strict=True)]
            found += [
                spread(f"{trials}.together", [1e3 * x for x in together], "ms"),
                spread(f"{trials}.apart", [1e3 * x for x in apart], "ms"),
                spread(f"{trials}.gain", gains, "times", "trials an hour in a pack against one by one"),
            ]
    return found


def distilled(small: bool) -> list[Figure]:
    """Distillation with cached targets against asking the teacher in every step."""
    sizes = ("ladder-32", "ladder-16", 2) if small else ("large", "tiny", 8)
    rows = distill.compare(*sizes, 2 if small else ROUNDS, SMALL_SPEC if small else WindowSpec())
    found = []
    for key, row in rows.items():
        if key.startswith("distill.step."):
            kind = key.rpartition(".")[2]
            found += [Figure(f"{kind}.cached", 1e3 * row.ours, "ms", note=row.note)]
            found += [Figure(f"{kind}.online", 1e3 * row.peer, "ms", note=row.note)]
    return found


_FIRST = """
import time; begun = time.perf_counter()
from benchmarks._device_speed import first_call
first_call({small}); print(time.perf_counter() - begun)
"""


def first_call(small: bool) -> None:
    """The first training step of a process."""
    name, spec = (SMALL, SMALL_SPEC) if small else ("small", WindowSpec())
    _step(RunConfig(name, preset(name), "", spec, train=TrainConfig(batch=16)), spec)()


def first_step(small: bool) -> list[Figure]:
    """Seconds from the start of a process to the end of its first step, without and with compiled programs on disk."""
    found = []
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": cache,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        for key in ("cold", "warm"):
            begun = time.perf_counter()
            command = [sys.executable, "-c", _FIRST.format(small=small)]
            subprocess.run(command, env=environment, check=True, capture_output=True)
            found.append(Figure(key, time.perf_counter() - begun, "s", note="start of the process included"))
    return found
