"""The server of a live decoder's page: on 127.0.0.1 only, in a thread of its own, one websocket a page."""

import asyncio
import errno
import json
import socket
import struct
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from semgjax.data.band import Band, names_of_rings
from semgjax.errors import InputError
from semgjax.printable import printable
from semgjax.streaming.live import Update
from semgjax.streaming.web.board import SECONDS, Board, Seen
from semgjax.streaming.web.gate import HEADERS, HOST, TOKEN, Asked, address, answer
from semgjax.streaming.web.tokens import Tokens

PORT = 8423
_PERIOD = 1 / 30  # seconds between two messages to a page
_LOOK = 0.1  # seconds between looks at an event that something else sets
_GOODBYE = 2.0  # seconds in which pages receive the end of the stream
_CLOSE = 1.0  # seconds that a browser has to answer a close
_MOST_PAGES = 16
_CONTROL = 125  # bytes of a ping at most
_HIGHEST_PORT = 65535

_Ready = Future[tuple[asyncio.Event, asyncio.AbstractEventLoop]]
"""done when the server listens: sets its end, and its loop"""


@dataclass(frozen=True, eq=False)
class Page:
    """A server that runs; a context manager, too.

    Attributes:
        url: opens one page. The address bar of an open page holds one for the next.
    """

    url: str
    _board: Board
    _opened: threading.Event
    _stop: asyncio.Event
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

    def show(self, update: Update) -> None:
        """Let every page show it; returns at once, whatever the browsers do."""
        self._board.show(update)

    def wait(self, stop: threading.Event) -> None:
        """Until a browser has opened the page, or `stop` is set."""
        while not self._opened.wait(_LOOK) and not stop.is_set():
            pass

    def close(self, why: str = "ended") -> None:
        """Send the pages why nothing more comes; they keep what they show. Waits 3 seconds for slow ones at most."""
        if self._thread.is_alive():
            self._board.end(why)
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> "Page":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close() if error is None else self.close("stopped")


@dataclass(frozen=True, eq=False)
class _Desk:
    """What the server's coroutines share."""

    own: str
    about: dict[str, Any]
    board: Board
    tokens: Tokens
    opened: threading.Event = field(default_factory=threading.Event)
    pages: set[ServerConnection] = field(default_factory=set)


def open_page(band: Band, decoder: str, source: str, port: int = PORT) -> Page:
    """Serve the page until it is closed.

    Args:
        band: of the signal that updates bring.
        decoder, source: their names, which the page shows.
        port: 0 for one that is free.

    Raises:
        InputError: the port is no port ("bad-value"), taken ("port-in-use") or reserved ("no-permission").
    """
    listening = _listen(port)
    own = address(listening.getsockname()[1])
    board, tokens = Board(band), Tokens()
    about = {
        "decoder": printable(decoder),
        "source": printable(source),
        "band": str(band),
        "rings": [
            {"name": name, "electrodes": electrodes}
            for name, electrodes in zip(names_of_rings(band), band.rings, strict=True)
        ],
        "unit": "µV" if band.classes is None else "",
        "rate": band.rate,
        "seconds": SECONDS,
        "columns": board.columns,
    }
    desk = _Desk(own, about, board, tokens)
    ready: _Ready = Future()
    thread = threading.Thread(target=_run, args=(desk, listening, ready), name="page", daemon=True)
    thread.start()
    stop, loop = ready.result()
    return Page(f"http://{own}/{TOKEN}{tokens.make()}", board, desk.opened, stop, loop, thread)


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= _HIGHEST_PORT:
        raise InputError(f"port {port}: give 1024 to {_HIGHEST_PORT}, or 0 for one that is free", "bad-value")
    try:
        return socket.create_server((HOST, port))
    except PermissionError:
        raise InputError(f"port {port}: the system reserves it; name one from 1024 on", "no-permission") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        words = f"port {port}: another program listens on it; name another port, or 0 for one that is free"
        raise InputError(words, "port-in-use") from None


def _run(desk: _Desk, listening: socket.socket, ready: _Ready) -> None:
    try:
        asyncio.run(_serve(desk, listening, ready))
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)


async def _serve(desk: _Desk, listening: socket.socket, ready: _Ready) -> None:
    stop = asyncio.Event()

    async def page(connection: ServerConnection) -> None:
        await _tell(desk, connection)

    def gate(connection: ServerConnection, request: Request) -> Response | None:
        return _answer(desk, connection, request)

    # A page sends nothing but answers to pings. What it is sent is as good as random bits: no compression.
    async with serve(
        page, sock=listening, process_request=gate, compression=None, server_header=None, max_size=_CONTROL,
        close_timeout=_CLOSE,
    ):  # fmt: skip
        ready.set_result((stop, asyncio.get_running_loop()))
        await stop.wait()
        end = asyncio.get_running_loop().time() + _GOODBYE
        while desk.pages and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_PERIOD)
        # One that has not read the end by now is not waited for.
        for connection in desk.pages:
            connection.transport.abort()


def _answer(desk: _Desk, connection: ServerConnection, request: Request) -> Response | None:
    headers = request.headers
    asked = Asked(
        request.method,
        request.path,
        hosts=headers.get_all("Host"),
        origins=headers.get_all("Origin"),
        ahead=any("prefetch" in purpose for purpose in headers.get_all("Sec-Purpose") + headers.get_all("Purpose")),
        into=" ".join(headers.get_all("Sec-Fetch-Dest")),
        full=len(desk.pages) >= _MOST_PAGES,
    )
    found = answer(asked, desk.own, desk.tokens)
    if found is None:
        return None
    response = connection.respond(found.status, found.body)
    del response.headers["Content-Type"]
    response.headers.update({"Content-Type": f"{found.kind}; charset=utf-8", **HEADERS})
    return response


async def _tell(desk: _Desk, connection: ServerConnection) -> None:
    """One page, until it is closed or the stream is over.

    `send` waits while the browser does not read, and the board continues: of the signal only the newest is sent then.
    """
    desk.pages.add(connection)
    desk.opened.set()
    token, seen = desk.tokens.make(), Seen()
    try:
        await connection.send(json.dumps({"kind": "about", "token": token, **desk.about}))
        while True:
            if not desk.tokens.unspent(token):  # it opened another page
                token = desk.tokens.make()
                await connection.send(json.dumps({"kind": "token", "token": token}))
            news = desk.board.news(seen)
            if news is not None:
                seen = news.seen
                if len(news.columns):
                    await connection.send(struct.pack("<I", news.first) + news.columns.astype("<f4").tobytes())
                await connection.send(json.dumps({"kind": "state", **news.state}))
                if news.state["ended"] is not None:
                    return
            await _pause(connection)
    except ConnectionClosed:
        return
    finally:
        desk.pages.discard(connection)


async def _pause(connection: ServerConnection) -> None:
    """Wait for one period, and notice a page that closes.

    Raises:
        ConnectionClosed: it has closed, or sent something and is closed for that.
    """
    try:
        async with asyncio.timeout(_PERIOD):
            await connection.recv()
    except TimeoutError:
        return
    await connection.close(CloseCode.POLICY_VIOLATION, "a page only listens")
