"""`semgjax bench distill`: a step with cached targets against one that asks the teacher, and the disk of a cache.

The paper's large teacher and tiny student, 8 windows of 5 s in float32, random weights; step times are medians of calls
in turn, after one call each to warm up, and include the batch's way to the device but not its reading from disk.
SEMGJAX_BENCH_ROUNDS (default 3) is how many. SEMGJAX_BENCH_SMALL=1 takes two small decoders and 2 windows instead.
"""

import dataclasses
import os
from collections.abc import Callable

import jax
import numpy as np

from benchmarks._random_batch import Batch, make_batch
from benchmarks.measure import Comparison, medians
from semgjax.data.batching.target_views import Kind, quantise
from semgjax.data.batching.windows import WindowSpec
from semgjax.model import network
from semgjax.model.config import ModelConfig
from semgjax.model.presets import preset
from semgjax.parallel.cores import use_cores
from semgjax.parallel.mesh import make_mesh, place_batch, replicated
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step, state_shardings

KINDS: tuple[Kind, ...] = ("float16", "int8")


def run() -> dict[str, Comparison]:
    """All comparisons."""
    rounds = int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "3"))
    if os.environ.get("SEMGJAX_BENCH_SMALL") == "1":
        return compare("ladder-32", "ladder-16", 2, rounds, WindowSpec(1000, 1000, 400, 200))
    use_cores(8)  # as `semgjax distill` does
    return compare("large", "tiny", 8, rounds, WindowSpec())


def compare(teacher: str, student: str, rows: int, rounds: int, spec: WindowSpec) -> dict[str, Comparison]:
    """Step time (cached against online) and disk (an hour of targets of one view against its signal in shards)."""
    model, taught = preset(student), preset(teacher)
    assert isinstance(model, ModelConfig) and isinstance(taught, ModelConfig) and model.stride == taught.stride
    config = RunConfig(student, model, "", spec, train=TrainConfig(batch=rows), distill=DistillConfig("t"))
    frames = spec.length // model.stride
    batch = make_batch(model, rows, spec)
    logs = np.asarray(jax.nn.log_softmax(np.random.default_rng(1).normal(0, 3, (rows, frames, model.classes))))
    steps, found = [_step(config, batch, taught)], {}
    for kind in KINDS:
        kept = dataclasses.replace(config.distill or DistillConfig("t"), cache=kind)
        own = dataclasses.replace(config, distill=kept, augment=dataclasses.replace(config.augment, jitter=False))
        steps.append(_step(own, batch | {"target": quantise(logs.astype(np.float32), kind)}))
    online, *cached = medians(steps, rounds)
    pair = f"{teacher} to {student}, {rows} windows of {spec.total / model.rate:g} s, float32"
    signal = 3600 * model.rate * model.channels * 2 / 1e6
    for kind, seconds in zip(KINDS, cached, strict=True):
        size = 3600 * model.rate / model.stride * model.classes * quantise(logs[0, :1], kind).itemsize / 1e6
        found[f"distill.step.{kind}"] = Comparison(seconds, online, "s", f"{pair}, cached against online")
        found[f"distill.disk.{kind}"] = Comparison(
            size, signal, "MB/h", "an hour of one view's targets against its signal in shards"
        )
    return found


def _step(config: RunConfig, batch: Batch, *teachers: ModelConfig) -> Callable[[], None]:
    """Compile a step; each call is one whole step."""
    mesh = make_mesh(config.train.batch)
    step = make_step(config, mesh, teachers)
    state = jax.jit(lambda: init_state(config), out_shardings=state_shardings(config, mesh))()
    params = tuple(jax.jit(lambda one=one: network.init(one, jax.random.key(1)))() for one in teachers)
    params = jax.device_put(params, replicated(mesh))

    def call() -> None:
        nonlocal state
        state, sums = step(state, place_batch(mesh, batch), params)
        jax.block_until_ready((sums, state))

    call()
    return call
