"""The start of a run: its folder locked and claimed, what engine.resume allows, and the newest checkpoint."""

import contextlib
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.files import folder_lock
from semgjax.parallel.runtime import on_first
from semgjax.training.checkpoint import Checkpoints, check_or_sign, newest_step
from semgjax.training.engine import Engine
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import CHECKPOINTS, claim, read_result
from semgjax.training.step import State


def check_resume(out: Path, engine: Engine) -> None:
    """Check the folder's checkpoints against engine.resume.

    Raises:
        InputError: there is none where one must be ("not-finished"), or one where none may be ("conflict").
    """
    step = newest_step(out / CHECKPOINTS)
    if engine.resume == "must" and step is None:
        raise InputError(
            f"{out}: engine.resume is must, but there is no finished checkpoint; use auto to begin", "not-finished"
        )
    if engine.resume == "never" and step is not None:
        raise InputError(
            f"{out}: engine.resume is never, but there is a checkpoint of step {step}; choose another folder",
            "conflict",
        )


def open_run(out: Path, config: RunConfig, stack: contextlib.ExitStack) -> dict[str, Any] | None:
    """Lock and claim the folder, until `stack` closes; returns the result of a finished run, else None.

    Raises:
        InputError: the folder is in use or holds something else, or the finished run's checkpoint is damaged.
    """
    on_first(lambda: stack.enter_context(folder_lock(out)))
    on_first(lambda: claim(out, config))
    result = read_result(out)
    if result is not None:
        on_first(lambda: check_or_sign(out / CHECKPOINTS))
    return result


def restore_newest(
    checkpoints: Checkpoints, like: State, config: RunConfig
) -> tuple[State | None, int, dict[str, float]]:
    """The newest checkpoint's state, step and clock; (None, 0, {}) when the run is new.

    Args:
        like: shapes of the state, with their shardings.

    Raises:
        InputError: the checkpoint is damaged or belongs to another run.
    """
    state, times = checkpoints.restore(like, config.hash) or (None, {})
    return state, 0 if state is None else int(state["step"]), times
