"""Training, from a configuration and a corpus to a finished run directory. Read it from top to bottom."""

import contextlib
import time
from pathlib import Path
from typing import Any

import jax

from semgjax.data.corpus import Corpus
from semgjax.data.pipeline import stream, train_data
from semgjax.errors import InputError, Preempted
from semgjax.evaluate.errors import Counts
from semgjax.files import folder_lock, write_json
from semgjax.model.config import ModelConfig
from semgjax.model.encoder import Params
from semgjax.parallel.mesh import make_mesh, place_batch, replicated
from semgjax.parallel.rules import shardings
from semgjax.parallel.runtime import check_started, is_first, on_first
from semgjax.train.batches import about_batch
from semgjax.train.checkpoint import Checkpoints, Kept, newest_step
from semgjax.train.clock import Clock
from semgjax.train.compiles import compile_count, use_cache
from semgjax.train.config import RunConfig
from semgjax.train.engine import Engine
from semgjax.train.log import Log
from semgjax.train.metrics import MetricsFile, read_metrics
from semgjax.train.preemption import termination
from semgjax.train.profile import profiler
from semgjax.train.progress import Progress
from semgjax.train.result import build_result
from semgjax.train.run import CHECKPOINTS, METRICS, RESULT, check_claim, claim, read_result
from semgjax.train.step import init_state, make_step, read_params, state_shapes
from semgjax.train.tracker import Everywhere, check_trackers, open_trackers
from semgjax.train.validate import make_validate
from semgjax.train.watchdog import watchdog

_DEFAULT = Engine()


def train(
    config: RunConfig,
    corpus: Corpus,
    out: Path,
    teacher: tuple[ModelConfig, Params] | None = None,
    engine: Engine = _DEFAULT,
) -> dict[str, Any]:
    """Train to the end, from wherever `out` stands; returns the result (result.json).

    The same call after a kill goes on from the newest checkpoint and ends with the same parameters, bit for bit,
    on the same number and kind of devices. With several processes all of them make this call, on one shared
    folder; the first writes the small files.

    Raises:
        InputError: bad configuration or data, or `out` holds something else or is in use.
        Diverged: loss or gradient stopped being finite.
        Preempted: SIGTERM came; the state is saved, the same call goes on.
    """
    check_started()
    check_trackers(engine.trackers)
    mesh = make_mesh(config.train.batch, engine.fsdp, config.train.accumulate)
    placed = shardings(state_shapes(config), mesh)
    hosts = (jax.process_index(), jax.process_count())
    data = train_data(corpus.train, config.window, config.augment, config.train.batch, config.train.seed, *hosts)
    check_claim(out, config)
    check_resume(out, engine)
    use_cache(engine.cache)
    with contextlib.ExitStack() as stack:
        on_first(lambda: stack.enter_context(folder_lock(out)))
        on_first(lambda: claim(out, config))
        result = read_result(out)
        if result is not None:
            return result

        # -- state: fresh, or the newest checkpoint ------------------------------------------------------------
        checkpoints = Checkpoints(out / CHECKPOINTS, Kept(engine.keep_last, engine.keep_best, engine.keep_every))
        state = jax.jit(lambda: init_state(config), out_shardings=placed)()
        state, times = checkpoints.restore(state, config.hash) or (state, {})
        start = int(state["step"])
        file = MetricsFile(out / METRICS)
        on_first(lambda: file.rewind(start))
        before = read_metrics(out / METRICS) if (out / METRICS).exists() else []

        # -- what watches the steps ----------------------------------------------------------------------------
        begun = time.monotonic()
        beat = stack.enter_context(watchdog(engine.watchdog))
        compiles = stack.enter_context(compile_count())
        profile = stack.enter_context(profiler(out / "profile", engine.profile_from, engine.profile_steps))
        progress = stack.enter_context(Progress(config.preset, config.train.steps, start, is_first()))
        trackers = open_trackers(engine.trackers, out, config, start) if is_first() else []
        for tracker in trackers:
            stack.callback(tracker.close)
        metrics = Everywhere([file, *trackers] if is_first() else [])
        clock = Clock(times)
        log = Log(config, metrics, clock, teacher and teacher[0], before, lambda step: about_batch(data, step))

        # -- the loop ------------------------------------------------------------------------------------------
        step_fn = make_step(config, mesh, teacher[0] if teacher else None, engine.remat)
        teacher_params = jax.device_put(teacher[1], replicated(mesh)) if teacher else None
        validate = make_validate(config, mesh, beat)
        batches = stream(data, start)
        sums = None
        with termination() as terminated:
            try:
                for step in range(start, config.train.steps):
                    profile(step, sums)
                    batch = place_batch(mesh, next(batches))
                    compiled = compiles()
                    state, sums = step_fn(state, batch, teacher_params)
                    done = step + 1
                    if done == start + 1:
                        clock.restart()  # the first step was compiled
                    elif done > start + 2 and compiles() > compiled:
                        progress.note(f"step {done}: compiled again; its batch has another shape or type")
                    progress.advance(log.add(sums, done))
                    cer = None
                    if done % config.train.evaluate_every == 0 and corpus.val and done < config.train.steps:
                        progress.show(log.flush(done))  # a state that is not finite is not worth a validation
                        with clock.apart():
                            total = sum(validate(read_params(state), corpus.val).values(), Counts())
                        cer = total.cer if total.characters else None
                        metrics.write({"step": done, "split": "val", "averaging": "pooled", "cer": cer})
                        progress.note(f"step {done}: validation CER {'(no keys)' if cer is None else f'{cer:.1f} %'}")
                    stop = terminated(done)  # asked once: a signal between two questions would stop without saving
                    if stop or done % config.train.checkpoint_every == 0 or done == config.train.steps:
                        # A state that is not finite must never replace the last good one.
                        progress.show(log.flush(done))
                        with clock.apart():
                            checkpoints.save(state, config.hash, clock.record, cer)
                    if stop and done < config.train.steps:
                        raise Preempted(f"{out}: asked to stop at step {done}; saved, run the same command to go on")
                    beat()
            finally:
                batches.close()
                checkpoints.close()

        # -- scores and result ---------------------------------------------------------------------------------
        params = read_params(state)
        scores = {part: validate(params, corpus.part(part)) for part in ("val", "test") if corpus.part(part)}
        seconds = time.monotonic() - begun
        body = build_result(config, corpus, data, params, scores, seconds, teacher and teacher[0])
        on_first(lambda: write_json(out / RESULT, "semgjax/result", 1, body))
        return body


def check_resume(out: Path, engine: Engine) -> None:
    """See that the folder's checkpoints are what engine.resume expects.

    Raises:
        InputError: they are not.
    """
    step = newest_step(out / CHECKPOINTS)
    if engine.resume == "must" and step is None:
        raise InputError(f"{out}: engine.resume is must, but there is no finished checkpoint; use auto to begin")
    if engine.resume == "never" and step is not None:
        raise InputError(
            f"{out}: engine.resume is never, but there is a checkpoint of step {step}; choose another folder"
        )
