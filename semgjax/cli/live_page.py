"""The page of `semgjax stream --web`: opened before the source, closed after it."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from semgjax.errors import InputError
from semgjax.streaming.sources.choose import is_recorded

if TYPE_CHECKING:
    from semgjax.data.band import Band
    from semgjax.streaming.web.page_server import Page


def check_page(web: bool, port: int | None) -> None:
    """Look at the options before anything is loaded.

    Raises:
        InputError: a port without `web` ("conflict"), or no websockets ("missing-extra").
    """
    if port is not None and not web:
        raise InputError(f"--port {port} without --web, which it is for; add --web", "conflict")
    if web and importlib.util.find_spec("websockets") is None:
        raise InputError("--web needs websockets; install it with: pip install 'semgjax[stream]'", "missing-extra")


@contextlib.contextmanager
def live_page(
    web: bool, port: int | None, band: "Band", decoder: str, source: str, note: Callable[[str], None]
) -> Iterator["Page | None"]:
    """A page, its address reported by `note`; None without `web`.

    Raises:
        InputError: as `open_page`.
    """
    if not web:
        yield None
        return
    from semgjax.streaming.web.page_server import PORT, open_page

    recorded = is_recorded(source)
    with open_page(band, decoder, Path(source).name if recorded else source, PORT if port is None else port) as page:
        note(f"page at {page.url}" + (" (the file begins when it is open)" if recorded else ""))
        yield page
