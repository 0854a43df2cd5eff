"""SIGTERM as a request to save and stop after the current step; all processes stop at the same step."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

import jax
from jax.experimental import multihost_utils


@contextlib.contextmanager
def termination() -> Iterator[Callable[[int], bool]]:
    """Within the block SIGTERM is recorded; the yielded function, called once after every step, returns True to stop.

    With one process it is True once the signal was received; outside the main thread no handler can be set, and it is
    always False. With several, JAX records the signal from start-up on, and the function is True in all of them after
    the same step, whichever received it.
    """
    if jax.process_count() > 1:
        yield multihost_utils.reached_preemption_sync_point
        return
    asked = threading.Event()

    def received(step: int) -> bool:
        return asked.is_set()

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
