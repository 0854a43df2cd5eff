"""A failed write of orbax is reported once: as the exception that it raises. Writes nothing."""

import functools
import logging
import sys
from pathlib import Path

from semgjax.errors import system_fault

_CLOSED = "Event loop is closed"


@functools.cache
def report_once() -> None:
    """Stop the threads of orbax and tensorstore from printing what the save itself raises.

    On a full disk that is a thousand lines: each pending write's error, and that the event loop which would have taken
    it is closed by then. Everything else that these threads and loggers say is still printed.
    """
    for name in ("asyncio", "absl"):
        logging.getLogger(name).addFilter(_is_news)
    before = sys.unraisablehook

    def hook(raised: "sys.UnraisableHookArgs") -> None:
        # tensorstore tells each pending write's end to the event loop, which an earlier one's error has closed.
        trace = raised.exc_traceback
        told = trace is not None and trace.tb_frame.f_code.co_name == "call_soon_threadsafe"
        if not (told and raised.exc_type is RuntimeError and str(raised.exc_value) == _CLOSED):
            before(raised)

    sys.unraisablehook = hook


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is anything but what the system said of a write, which the save raises too."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, Exception) or system_fault(error, Path()) is None
