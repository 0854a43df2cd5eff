"""Training, from a configuration and a corpus to a finished run directory. Read it from top to bottom."""

import time
from pathlib import Path
from typing import Any

import jax

from semgjax.data.corpus import Corpus
from semgjax.data.pipeline import stream, train_data
from semgjax.errors import Preempted
from semgjax.evaluate.errors import Counts
from semgjax.evaluate.sessions import evaluate_greedy, make_forward
from semgjax.files import folder_lock, write_json
from semgjax.model.config import ModelConfig
from semgjax.model.encoder import Params
from semgjax.parallel.mesh import by_batch, data_mesh, replicated
from semgjax.train.checkpoint import Checkpoints
from semgjax.train.config import RunConfig
from semgjax.train.log import Log
from semgjax.train.metrics import MetricsFile
from semgjax.train.preemption import termination
from semgjax.train.progress import Progress
from semgjax.train.result import build_result
from semgjax.train.run import CHECKPOINTS, METRICS, RESULT, check_claim, claim, read_result
from semgjax.train.step import init_state, make_step


def train(
    config: RunConfig, corpus: Corpus, out: Path, teacher: tuple[ModelConfig, Params] | None = None
) -> dict[str, Any]:
    """Train to the end, from wherever `out` stands; returns the result (result.json).

    The same call after a kill goes on from the newest checkpoint and ends with the same parameters, bit for bit,
    on the same number and kind of devices.

    Raises:
        InputError: bad configuration or data, or `out` holds something else or is in use.
        Diverged: loss or gradient stopped being finite.
        Preempted: SIGTERM came; the state is saved, the same call goes on.
    """
    mesh = data_mesh(config.train.batch)
    data = train_data(corpus.train, config.window, config.augment, config.train.batch, config.train.seed)
    check_claim(out, config)
    with folder_lock(out):
        claim(out, config)
        result = read_result(out)
        if result is not None:
            return result

        # -- state: fresh, or the newest checkpoint ------------------------------------------------------------
        checkpoints = Checkpoints(out / CHECKPOINTS)
        state = jax.jit(lambda: init_state(config), out_shardings=replicated(mesh))()
        state = checkpoints.restore(state, config.hash) or state
        start = int(state["step"])
        metrics = MetricsFile(out / METRICS)
        metrics.rewind(start)

        # -- the loop ------------------------------------------------------------------------------------------
        step_fn = make_step(config, mesh, teacher[0] if teacher else None)
        teacher_params = jax.device_put(teacher[1], replicated(mesh)) if teacher else None
        forward = make_forward(config.model, config.window)

        def evaluate(part: str) -> dict[str, Counts]:
            sessions = corpus.part(part)
            return evaluate_greedy(forward, config.model, state["params"], sessions, config.window, config.train.batch)

        begun = time.monotonic()
        log = Log(config, metrics)
        batches = stream(data, start)
        with Progress(config.preset, config.train.steps, start) as progress, termination() as terminated:
            try:
                for step in range(start, config.train.steps):
                    batch = jax.device_put(next(batches), by_batch(mesh))
                    state, sums = step_fn(state, batch, teacher_params)
                    line = log.add(sums, step + 1)
                    progress.advance(line)
                    done = step + 1
                    if done % config.train.evaluate_every == 0 and corpus.val and done < config.train.steps:
                        total = sum(evaluate("val").values(), Counts())
                        cer = total.cer if total.characters else None
                        metrics.write({"step": done, "split": "val", "averaging": "pooled", "cer": cer})
                        progress.note(f"step {done}: validation CER {'(no keys)' if cer is None else f'{cer:.1f} %'}")
                    stop = terminated()  # asked once: a signal between two questions would stop without saving
                    if stop or done % config.train.checkpoint_every == 0 or done == config.train.steps:
                        log.flush(done)  # a state that is not finite must never replace the last good one
                        checkpoints.save(state, config.hash)
                    if stop and done < config.train.steps:
                        raise Preempted(f"{out}: asked to stop at step {done}; saved, run the same command to go on")
            finally:
                batches.close()
                checkpoints.close()

        # -- scores and result ---------------------------------------------------------------------------------
        scores = {part: evaluate(part) for part in ("val", "test") if corpus.part(part)}
        seconds = time.monotonic() - begun
        body = build_result(config, corpus, data, state["params"], scores, seconds, teacher and teacher[0])
        write_json(out / RESULT, "semgjax/result", 1, body)
        return body
