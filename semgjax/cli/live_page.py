"""The page of `semgjax stream --web`: opened before the source, closed after it."""

import contextlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from semgjax.data.band import Band
from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.streaming.web.page_server import Page


@contextlib.contextmanager
def live_page(
    web: bool,
    port: int | None,
    band: Band,
    decoder: str,
    source: str,
    stop: threading.Event,
    note: Callable[[str], None],
) -> Iterator["Page | None"]:
    """A page whose address `note` is told, or None without `web`; waits until it is open if the source is a file.

    Raises:
        InputError: a port without `web` ("conflict"), no websockets ("missing-extra"), or as `open_page`.
    """
    if not web:
        if port is not None:
            raise InputError(f"--port {port} without --web, which it is for; add --web", "conflict")
        yield None
        return
    if importlib.util.find_spec("websockets") is None:
        raise InputError("--web needs websockets; install it with: pip install 'semgjax[stream]'", "missing-extra")
    from semgjax.streaming.web.page_server import PORT, open_page

    is_file = Path(source).is_file()
    with open_page(band, decoder, Path(source).name if is_file else source, PORT if port is None else port) as page:
        note(f"page at {page.url}" + ("; the file begins when it is open" if is_file else ""))
        if is_file:
            page.wait(stop)
        yield page
