"""Training one run, from a configuration and sessions to a finished run directory: one function, read from the top."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax

from semgjax.data.batching.batches import stream, train_data
from semgjax.data.batching.targets import Targets
from semgjax.data.corpus import Corpus
from semgjax.errors import InputError, Preempted
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.operations import Kernels, check_kernels
from semgjax.parallel.mesh import make_mesh, place_batch, replicated
from semgjax.parallel.runtime import check_started, is_first
from semgjax.training.checkpoint import Checkpoints, Kept
from semgjax.training.compiles import report_recompiles, use_cache
from semgjax.training.engine import Engine
from semgjax.training.lineage import NO_TEACHERS, Lineage, networks_of, oversized
from semgjax.training.mirror import working_folder
from semgjax.training.mixture import ignored, unlabelled_of
from semgjax.training.personal_params import keep_best
from semgjax.training.personal_result import check_start, personal_end
from semgjax.training.preemption import termination
from semgjax.training.profiler import profiler
from semgjax.training.progress import Progress
from semgjax.training.result import write_result
from semgjax.training.resume import check_resume, open_run, restore_newest
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import CHECKPOINTS, check_claim, read_result
from semgjax.training.run_log import RunLog
from semgjax.training.step import final_params, init_state, make_step, placed_shapes, read_params, state_shardings
from semgjax.training.tracker import check_trackers
from semgjax.training.validate import make_validate, pooled_rate
from semgjax.training.watchdog import watchdog

_DEFAULT = Engine()


def train(
    config: RunConfig,
    corpus: Corpus,
    out: Path | str,
    teachers: Sequence[tuple[Network, Params]] = (),
    engine: Engine = _DEFAULT,
    lineage: Lineage = NO_TEACHERS,
    cached: Callable[[], Targets] | None = None,
    base: Params | None = None,
) -> dict[str, Any]:
    """Train a run to its last step and return its result (result.json).

    A run that was stopped resumes from its newest checkpoint; on the same number and kind of devices it ends with the
    same parameters, bit for bit. A finished run returns its result. With several processes, all of them make this
    call on one shared folder; the first one writes the small files.

    Args:
        config: the run; its hash is the run's identity.
        corpus: sessions by split.
        out: run directory or address, new or of this same run.
        teachers: network and parameters of each teacher of a distilled run; () if its own average teaches it.
        engine: devices, memory, checkpoints kept; no part of the run's identity.
        lineage: what the result says of the teachers (`semgjax.distilling.teachers.lineage_of`).
        cached: with distill.cache, in place of teachers: opens their targets of the run's sessions (and computes them,
            semgjax.distilling.cache); called unless the run is finished.
        base: parameters that a personalised run (semgjax.personalising), or one with config.init, begins with.

    Raises:
        InputError: bad configuration or data, or `out` holds something else or is in use.
        Diverged: loss or gradient stopped being finite.
        Preempted: SIGTERM was received; the state is saved and the same call resumes.
        Unsaved: `out` is an address, and an upload to it failed for good.
    """
    check_started()
    config.check_band(corpus.band)
    _check_cached(config, cached is not None)
    check_start(config, corpus, base is not None)
    check_trackers(engine.trackers)
    kernels = Kernels(engine.attention, engine.convolution, engine.ctc)
    check_kernels(kernels, config.model, jax.default_backend(), config.train.compute)
    config.loss.in_form(engine.ctc)
    mesh = make_mesh(config.train.batch, engine.fsdp, config.train.accumulate)
    placed = state_shardings(config, mesh)
    steps = config.train.steps

    with working_folder(out) as (folder, publish), contextlib.ExitStack() as stack:
        # -- data: a stream of batches that depends on the seed and the step alone ------------------------------
        hosts = (jax.process_index(), jax.process_count())
        wanted = (config.window, config.augment, config.train.batch, config.train.seed, *hosts)
        data = train_data(corpus.train, *wanted, *unlabelled_of(config, corpus))

        # -- folder: locked; a finished run ends here -----------------------------------------------------------
        check_claim(folder, config)
        check_resume(folder, engine)
        use_cache(engine.cache)
        if cached is not None and read_result(folder) is None:
            data = data.with_targets(cached())
        result = open_run(folder, config, stack)
        if result is not None:
            return result

        # -- state: fresh, or the newest checkpoint -------------------------------------------------------------
        kept = Kept(engine.keep_last, engine.keep_best, engine.keep_every)
        checkpoints = Checkpoints(folder / CHECKPOINTS, kept, publish)
        saving = stack.enter_context(contextlib.ExitStack())  # closed before the scores: all checkpoints are on disk
        saving.callback(checkpoints.close)
        base = jax.device_put(base, replicated(mesh))  # it was loaded to one device
        state, start, times = restore_newest(checkpoints, placed_shapes(config, placed), config)
        if state is None:
            state = jax.jit(lambda base: init_state(config, base=base), out_shardings=placed)(base)

        # -- log, and what watches the steps --------------------------------------------------------------------
        beat = stack.enter_context(watchdog(engine.watchdog))
        profile = stack.enter_context(profiler(folder / "profile", engine.profile_from, engine.profile_steps))
        progress = stack.enter_context(Progress(config.preset, steps, start, is_first()))
        for line in (*ignored(config, corpus), *oversized(read_params(state), teachers), *lineage.warnings):
            progress.note(f"warning: {line}")
        networks = tuple(network for network, _ in teachers)
        taught = networks_of(config, networks)
        log = stack.enter_context(RunLog(config, folder, data, start, times, progress, engine.trackers, taught))

        # -- the step: one compiled function from (state, batch) to (state, sums); validation --------------------
        watched = stack.enter_context(report_recompiles(progress.note, start))
        advance = watched(make_step(config, mesh, networks, engine.remat, kernels))
        teacher_params = jax.device_put(tuple(params for _, params in teachers), replicated(mesh))
        validate = make_validate(config, mesh, beat)
        if config.personal is not None and start == 0:
            state = keep_best(state, pooled_rate(validate(read_params(state), corpus.val)), placed)

        # -- the loop -------------------------------------------------------------------------------------------
        batches = saving.enter_context(contextlib.closing(stream(data, start)))
        terminated = saving.enter_context(termination())
        sums = None
        for step in range(start + 1, steps + 1):
            profile(step - 1, sums)
            batch = place_batch(mesh, next(batches))
            state, sums = advance(state, batch, teacher_params)
            progress.advance(None)
            log.add(sums, step)

            saves, validates = config.train.saves(step), corpus.val and config.validates(step)
            if saves or validates:
                log.flush(step)  # raises before a state that is not finite is validated, or replaces a good one
            rate = None
            if validates:
                with log.clock.apart():
                    rate = pooled_rate(validate(read_params(state), corpus.val))
                    log.validation(step, rate)
                    if config.personal is not None:
                        state = keep_best(state, rate, placed)

            stop = terminated(step)
            if stop:
                log.flush(step)
            if saves or stop:
                with log.clock.apart():
                    checkpoints.save(state, config.hash, log.clock.record, rate)
            if stop and step < steps:
                raise Preempted(f"{folder}: stopped at step {step} and saved; run the same command to resume")
            beat()
        saving.close()

        # -- scores and result.json -----------------------------------------------------------------------------
        params = final_params(state)
        scores = {part: validate(params, corpus.part(part)) for part in ("val", "test") if corpus.part(part)}
        person = (
            None if base is None or config.personal is None else personal_end(config, corpus, state, base, validate)
        )
        return write_result(
            folder, config, corpus, data, params, scores, log.seconds, log.end(), taught, lineage, person
        )


def _check_cached(config: RunConfig, given: bool) -> None:
    """
    Raises:
        InputError: the run learns from cached targets and is given none, or the reverse ("conflict").
    """
    if config.cached != given:
        what = "has a cache and is given no targets" if config.cached else "has no cache and is given targets"
        raise InputError(f"the run {what}; start it by semgjax.distill", "conflict")
