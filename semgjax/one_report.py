"""A failed write of orbax is reported once, by the exception that it raises."""

import functools
import logging
import sys
from pathlib import Path

from semgjax.errors import system_fault

_CLOSED = "Event loop is closed"


@functools.cache
def report_once() -> None:
    """Stop the threads of orbax and tensorstore from printing errors that the save itself raises.

    On a full disk these are a thousand lines: the error of each pending write, and one more because the event loop that
    would have received it is closed. All other messages of these threads and loggers are still printed.
    """
    for name in ("asyncio", "absl"):
        logging.getLogger(name).addFilter(_is_news)
    before = sys.unraisablehook

    def hook(raised: "sys.UnraisableHookArgs") -> None:
        # tensorstore reports the end of each pending write to the event loop, which an earlier error has closed.
        trace = raised.exc_traceback
        from_loop = trace is not None and trace.tb_frame.f_code.co_name == "call_soon_threadsafe"
        if not (from_loop and raised.exc_type is RuntimeError and str(raised.exc_value) == _CLOSED):
            before(raised)

    sys.unraisablehook = hook


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is anything but a system error of a write, which the save raises too."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, Exception) or system_fault(error, Path()) is None
