"""SIGTERM as a wish to stop at the next step, not as death; many processes stop at the same step."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

import jax
from jax.experimental import multihost_utils


@contextlib.contextmanager
def termination() -> Iterator[Callable[[int], bool]]:
    """Within the block, SIGTERM is only noted; the yielded function, asked once after every step, tells to stop.

    For one process it is told as soon as the signal came; outside the main thread no handler can be set, and it is
    always False. With several, JAX notes the signal from start-up on, and the function is True in all of them
    after the same step, whichever got it.
    """
    if jax.process_count() > 1:
        yield multihost_utils.reached_preemption_sync_point
        return
    asked = threading.Event()

    def told(step: int) -> bool:
        return asked.is_set()

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)
