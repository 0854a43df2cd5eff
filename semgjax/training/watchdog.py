"""A thread that ends a stalled process: it prints all stacks to stderr and exits with code 75."""

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Iterator

from semgjax.errors import Preempted


@contextlib.contextmanager
def watchdog(seconds: float) -> Iterator[Callable[[], None]]:
    """Within the block the yielded function must be called again within `seconds`; 0: no limit.

    A collective whose peer died waits for ever; after an exit the scheduler restarts the run from its checkpoint.
    """
    if not seconds:
        yield lambda: None
        return
    moved, over = threading.Event(), threading.Event()

    def watch() -> None:
        while moved.wait(seconds):
            moved.clear()
            if over.is_set():
                return
        print(f"semgjax: error: no step within {seconds:g} s (engine.watchdog); where it stands:", file=sys.stderr)
        faulthandler.dump_traceback(all_threads=True)
        sys.stderr.flush()
        os._exit(Preempted.exit_code)

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield moved.set
    finally:
        over.set()
        moved.set()
        thread.join()
