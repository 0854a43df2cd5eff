"""The page's server over real sockets: what it answers, what pages are sent, and that none of them delays a decoder."""

import contextlib
import http.client
import json
import re
import socket
import struct
import threading
import time

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from semgjax.data.band import TYPING, Band
from semgjax.streaming.live import Update
from semgjax.streaming.web.page_server import Page, open_page
from tests.refused import refused


@pytest.fixture
def page():
    with open_page(TYPING, "decoder\u202e", "source\n", port=0) as page:
        yield page


def own(page: Page) -> str:
    return page.url.removeprefix("http://").partition("/")[0]


def address_of(page: Page) -> tuple[str, int]:
    host, _, port = own(page).partition(":")
    return host, int(port)


def get(page: Page, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(own(page), timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


def open_socket(page: Page, token: str, origin: str | None = "own", **options) -> ClientConnection:
    origin = f"http://{own(page)}" if origin == "own" else origin
    return connect(f"ws://{own(page)}/socket?token={token}", origin=origin, max_size=None, **options)


def show_number(page: Page, number: int, text: str = "") -> None:
    page.show(Update(number / 100, np.full((20, 32), number, np.float32), text, "?", 4.0, 0))


def token_of(page: Page) -> str:
    return page.url.partition("token=")[2]


def read_page(page: Page, token: str) -> str:
    """Load the page; the token that its script opens the websocket with."""
    answer = get(page, f"/?token={token}")
    assert answer.status == 200
    return script_token(answer.text)


def script_token(text: str) -> str:
    """In the text of a page."""
    return re.search('name="token" content="(.*?)"', text)[1]


def received(connection: ClientConnection) -> tuple[str, list[int], dict]:
    """What a page receives until the end: all text, the numbers of its columns, and the last state."""
    text, columns, state = "", [], {}
    while state.get("ended") is None:
        message = connection.recv(timeout=20)
        if isinstance(message, bytes):
            count = (len(message) - 4) // (4 * 32 * 2)
            first = struct.unpack_from("<I", message)[0]
            columns += range(first, first + count)
        elif json.loads(message)["kind"] == "state":
            state = json.loads(message)
            text += state["committed"]
    return text, columns, state


def test_the_printed_address_opens_the_page_once_with_strict_headers(page):
    answer = get(page, "/?token=" + token_of(page))
    assert answer.status == 200 and answer.getheader("Content-Type") == "text/html; charset=utf-8"
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert set(re.findall(r"(?<=-src )[^;]+", policy)) == {"'none'", "'self'"}
    assert answer.getheader("Cache-Control") == "no-store" and answer.getheader("Referrer-Policy") == "no-referrer"
    assert answer.getheader("Access-Control-Allow-Origin") is None and answer.getheader("Server") is None
    assert get(page, "/?token=" + token_of(page)).status == 403
    for path, kind in re.findall(r'(?:href|src)="(/\w+\.(\w+))"', answer.text):
        part = get(page, path)
        assert part.status == 200 and kind[-2:] in part.getheader("Content-Type") + "js"
        assert part.getheader("Content-Security-Policy") == policy


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=" + "x" * 43, {}),
        ("/?token={}", {"Host": "evil.example"}),
        ("/?token={}", {"Origin": "http://evil.example"}),
        ("/?token={}", {"Sec-Purpose": "prefetch;prerender"}),
        ("/?token={}", {"Sec-Fetch-Dest": "iframe"}),
        ("/?token={}", {"Sec-Fetch-Dest": "empty"}),
    ],
)
def test_other_requests_get_403_and_leave_the_address_usable(page, path, headers):
    answer = get(page, path.format(token_of(page)), **headers)
    assert answer.status == 403 and answer.getheader("Content-Security-Policy")
    assert get(page, "/?token=" + token_of(page)).status == 200


def test_a_websocket_of_another_origin_or_without_its_token_gets_403(page):
    token = read_page(page, token_of(page))
    for wrong, origin in [
        (token, "http://evil.example"), (token, None), ("", "own"), (token_of(page), "own"), ("x" * 43, "own")
    ]:  # fmt: skip
        with pytest.raises(InvalidStatus) as error:
            open_socket(page, wrong, origin)
        assert error.value.response.status_code == 403
    with open_socket(page, token) as connection:
        assert json.loads(connection.recv(timeout=10))["kind"] == "about"
    with pytest.raises(InvalidStatus):
        open_socket(page, token)


def test_every_page_is_told_all_text_and_all_columns(page):
    with open_socket(page, read_page(page, token_of(page))) as first:
        about = json.loads(first.recv(timeout=10))
        assert about["decoder"] == r"decoder\u202e" and about["source"] == r"source\n"
        assert [ring["electrodes"] for ring in about["rings"]] == [16, 16] and about["columns"] == 1000
        for number in range(100):
            show_number(page, number, "é⌫"[number % 2])
        with open_socket(page, read_page(page, about["token"])) as second:
            show_number(page, 100, "z")
            page.close()
            for connection in (first, second):
                text, columns, state = received(connection)
                assert text == "é⌫" * 50 + "z" and columns == list(range(202))
                assert (state["ended"], state["tentative"], state["seconds"]) == ("ended", "?", 1.0)


def test_what_waits_for_a_browser_goes_on_when_the_page_is_open_not_when_it_is_loaded(page):
    waiting = threading.Thread(target=page.wait, args=(threading.Event(),))
    waiting.start()
    token = read_page(page, token_of(page))
    waiting.join(timeout=0.2)
    assert waiting.is_alive()
    with open_socket(page, token):
        waiting.join(timeout=20)
        assert not waiting.is_alive()


def test_what_waits_for_a_browser_can_be_stopped(page):
    stop = threading.Event()
    stop.set()
    page.wait(stop)


def test_an_address_that_was_used_is_replaced_so_that_any_page_can_open_another(page):
    with open_socket(page, read_page(page, token_of(page))) as connection:
        token = json.loads(connection.recv(timeout=10))["token"]
        assert get(page, f"/?token={token}").status == 200
        news = json.loads(connection.recv(timeout=10))
        assert news["kind"] == "token" and get(page, f"/?token={token}").status == 403
        assert get(page, f"/?token={news['token']}").status == 200


def test_a_browser_that_reads_nothing_delays_nobody_and_one_that_reads_misses_nothing(page):
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(address_of(page))
    with open_socket(page, read_page(page, token_of(page)), max_queue=1, sock=narrow) as stalled:
        token = json.loads(stalled.recv(timeout=10))["token"]
        with open_socket(page, read_page(page, token)) as reading:
            # More text than the buffers between them hold: one page reads nothing, and the board waits for nobody.
            text = [f"{number} " * 2000 for number in range(1000)]
            for number, part in enumerate(text):
                show_number(page, number, part)
            page.close()
            assert received(reading)[0] == "".join(text)
        with pytest.raises(ConnectionClosed):
            received(stalled)


def test_pings_keep_a_page_open(page):
    with open_socket(page, read_page(page, token_of(page))) as connection:
        assert connection.ping("x" * 125).wait(timeout=20)
        show_number(page, 0, "on")
        page.close()
        assert received(connection)[0] == "on"


@pytest.mark.parametrize("message", ["", "hello", b"\0" * 100_000])
def test_a_page_that_sends_something_is_closed(page, message):
    with open_socket(page, read_page(page, token_of(page))) as connection:
        connection.send(message)
        with pytest.raises(ConnectionClosed) as error:
            received(connection)
        assert error.value.rcvd.code in (1008, 1009)


def test_too_many_pages_are_refused_until_one_is_closed(page):
    token = token_of(page)
    with contextlib.ExitStack() as pages:
        for _ in range(16):
            connection = pages.enter_context(open_socket(page, read_page(page, token)))
            token = json.loads(connection.recv(timeout=10))["token"]
        assert get(page, f"/?token={token}").status == 503
    end = time.monotonic() + 10
    while (answer := get(page, f"/?token={token}")).status == 503:
        assert time.monotonic() < end
    with open_socket(page, script_token(answer.text)) as connection:
        show_number(page, 0, "on")
        page.close()
        assert received(connection)[0] == "on"


def test_an_error_of_the_decoder_is_told_as_a_stop():
    with contextlib.ExitStack() as browser:
        with pytest.raises(ZeroDivisionError), open_page(Band((8,), 200.0, ("a", "b")), "d", "s", port=0) as page:
            connection = browser.enter_context(open_socket(page, read_page(page, token_of(page))))
            assert json.loads(connection.recv(timeout=10))["unit"] == ""
            raise ZeroDivisionError
        assert received(connection)[2]["ended"] == "stopped"


def test_it_listens_on_this_machine_only(page):
    port = address_of(page)[1]
    for other in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {
        "127.0.0.1"
    }:
        with pytest.raises(OSError), socket.create_connection((other, port), timeout=2):
            pass


def test_a_port_in_use_and_numbers_that_are_no_ports_are_refused(page):
    port = address_of(page)[1]
    with refused("port-in-use", port):
        open_page(TYPING, "d", "s", port)
    for wrong in (-1, 65536):
        with refused("bad-value", wrong):
            open_page(TYPING, "d", "s", wrong)
    page.close()
    open_page(TYPING, "d", "s", port).close()


def test_bytes_that_are_no_request_leave_the_server_working(page, caplog):
    for junk in (b"", b"\x16\x03\x01\x02", b"GET / HTTP/9\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(address_of(page), timeout=10) as raw:
            raw.sendall(junk)
    assert get(page, "/?token=" + token_of(page)).status == 200
    assert not caplog.records
