"""The page in a real browser: what it shows, and what other pages and used addresses get."""

import http.server
import re
import threading
from pathlib import Path

import jax
import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import open_session, read_emg
from semgjax.data.simulate import simulate
from semgjax.decode.greedy import greedy
from semgjax.exporting.export_folder import write_export
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.streaming.live import Update
from semgjax.streaming.web.page_server import open_page
from tests.chromium import MISSING, PROGRAM, chromium
from tests.runs import start

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

TEXT = " the <b>quick</b>\u232b fox\u23ce  \u21e7Caf\u00e9 &amp; \U0001f600\u23ce"
# Of each canvas the number of points that are neither empty nor of the colours of its ground.
PAINTED = """[...document.querySelectorAll('canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(60, 0, canvas.width - 60, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
})"""
STATE = "document.getElementById('status').dataset.state"


@pytest.fixture(scope="module")
def new_tab(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser") / "profile") as new_tab:
        yield new_tab


def talkative_export(folder: Path) -> tuple[Path, dict]:
    """An export of an untrained network whose head is wide enough for many kinds of keys; and its parameters."""
    config = preset("keys-6")
    params = jax.jit(lambda: network.init(config, jax.random.key(0)))()
    params["head"]["kernel"] = np.random.default_rng(0).normal(size=(6, config.classes)).astype(np.float32)
    write_export(config, WindowSpec(), TYPING, params, {"preset": "keys-6"}, folder)
    return folder, params


def offline_text(params: dict, session: Path) -> str:
    """The greedy text of a whole session at once."""
    config, opened = preset("keys-6"), open_session(session)
    late = config.emission_delay // config.stride
    frames = -(-opened.samples // config.stride) + late
    emg_TxC = np.zeros((frames * config.stride, config.channels), np.float32)
    emg_TxC[: opened.samples] = read_emg(opened, 0, opened.samples)
    valid_T = np.arange(len(emg_TxC)) < opened.samples
    logits = jax.jit(lambda p, x, ok: network.apply(config, p, x, ok))(params, emg_TxC[None], valid_T[None])
    return TYPING.text(greedy(np.asarray(logits)[0, late:]))


@pytest.mark.slow
def test_the_printed_address_shows_the_text_of_the_replayed_session_as_it_is_offline(new_tab, tmp_path):
    export, params = talkative_export(tmp_path / "export")
    simulate(tmp_path / "sessions", users=1, sessions=1, minutes=0.1, seed=0, severity="clean")
    (session,) = (tmp_path / "sessions").glob("*.hdf5")
    expected = offline_text(params, session)
    assert len(expected) > 20 and len(set(expected)) > 5
    process = start(["stream", str(export), "--source", str(session), "--web", "--port", "0"])
    try:
        address = next(
            found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line))
        )
        tab = new_tab()
        tab.go(address)
        tab.wait(f"{STATE} === 'live'")
        again = new_tab()
        again.go(address)
        assert again.value("document.getElementById('text')") is None
        tab.wait(f"{STATE} === 'ended'")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert tab.text("committed") == expected and tab.text("tentative") == ""
    assert out.replace("\n", "") == expected.replace("\n", "")
    assert (tab.text("time"), tab.text("dropped")) == ("0:06.0", "0")
    tab.call("Page.bringToFront")  # a hidden page draws nothing
    tab.wait(f"{PAINTED}.every((share) => share > 0.02)")


def part(band: Band, number: int, committed: str = "", dropped: int = 0) -> Update:
    emg_TxC = np.random.default_rng(number).normal(size=(round(band.rate / 2), band.channels)).astype(np.float32)
    emg_TxC[:dropped] = np.nan
    return Update(number / 2, emg_TxC, committed, "?\u232b", 7.25, dropped)


def test_the_page_shows_text_numbers_and_every_ring_and_keeps_them_after_the_end(new_tab):
    tab = new_tab()
    with open_page(TYPING, "<i>decoder</i>", "source", port=0) as page:
        tab.go(page.url)
        page.show(part(TYPING, 1, TEXT, dropped=100))
        tab.wait(f"{STATE} === 'live'")
        page.show(part(TYPING, 2, "x", dropped=100))
    tab.wait(f"{STATE} === 'ended'")
    assert tab.text("committed") == TEXT + "x" and tab.text("tentative") == "?\u232b"
    assert tab.value("document.querySelectorAll('#committed br').length") == 2
    assert (tab.text("decoder"), tab.text("time"), tab.text("dropped")) == ("<i>decoder</i>", "0:01.0", "100")
    assert "7.3" in tab.text("latency") and "7.3" in tab.text("latency-high")
    tab.wait(f"{PAINTED}.every((share) => share > 0.02)")
    assert len(tab.value(PAINTED)) == 2


def test_a_band_of_one_ring_at_a_low_rate_is_drawn_too(new_tab):
    band, tab = Band((8,), 200.0, ("fist", "open")), new_tab()
    with open_page(band, "d", "s", port=0) as page:
        tab.go(page.url)
        for number in range(1, 11):
            page.show(part(band, number, "fist "))
        tab.wait(f"{STATE} === 'live'")
    tab.wait(f"{STATE} === 'ended'")
    assert tab.text("committed") == "fist " * 10
    tab.wait(f"{PAINTED}.every((share) => share > 0.02)")
    assert len(tab.value(PAINTED)) == 1


def test_a_used_address_shows_nothing_a_reloaded_page_everything(new_tab):
    with open_page(TYPING, "d", "s", port=0) as page:
        first, second = new_tab(), new_tab()
        first.go(page.url)
        page.show(part(TYPING, 1, "abc"))
        first.wait(f"{STATE} === 'live'")
        for address in (page.url, page.url.partition("?")[0]):
            second.go(address)
            assert second.value("document.getElementById('text')") is None
            assert "token" in second.value("document.body.textContent")
        second.go(first.value("location.href"))
        page.show(part(TYPING, 2, "def"))
        second.wait("document.getElementById('committed').textContent === 'abcdef'")
        first.wait("document.getElementById('committed').textContent === 'abcdef'")
        assert first.value("location.href") != page.url
        first.call("Page.reload")
        first.wait(f"document.readyState === 'complete' && {STATE} === 'live'")
        assert first.text("committed") == "abcdef"


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere():
    """The address of another origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_of_another_origin_reads_nothing_even_with_a_token(new_tab, elsewhere):
    with open_page(TYPING, "d", "s", port=0) as page:
        own, other = new_tab(), new_tab()
        own.go(page.url)
        page.show(part(TYPING, 1, "secret"))
        own.wait(f"{STATE} === 'live'")
        address = own.value("location.href")
        other.go(elsewhere)
        socket = address.replace("http://", "ws://").replace("/?", "/socket?")
        opened = """new Promise((done) => { const socket = new WebSocket('%s');
          socket.onopen = () => done(true); socket.onerror = () => done(false); })"""
        assert other.value(opened % socket) is False
        assert other.value(f"fetch('{address}').then(() => true, () => false)") is False
        other.value(f"fetch('{address}', {{mode: 'no-cors'}}).then(() => 0, () => 0)")  # an answer that nobody can read
        framed = """new Promise((done) => { const frame = document.createElement('iframe'); frame.src = '%s';
          frame.onload = () => done(true); document.body.append(frame); })"""
        other.value(framed % address)
        # None of that has spent the token; and the page itself loads nothing from elsewhere.
        assert own.value(opened % socket) is True
        blocked = """new Promise((done) => { const image = new Image(); image.src = '%s/image.png';
          document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective)); })"""
        assert own.value(blocked % elsewhere) == "img-src"
