"""A headless Chromium, driven by its DevTools protocol over a websocket."""

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium here (Debian: apt-get install chromium)"
_WORDS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip
_SECONDS = 120.0


class Tab:
    """A page of the browser."""

    def __init__(self, browser: ClientConnection, session: str, numbers: Iterator[int]) -> None:
        self._browser, self._session, self._numbers = browser, session, numbers

    def call(self, method: str, **options: Any) -> dict[str, Any]:
        """A command of the DevTools protocol, and its result."""
        return call(self._browser, next(self._numbers), method, options, self._session)

    def go(self, url: str) -> None:
        """Open an address, and wait until the page and its scripts are there."""
        assert "errorText" not in self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, which may be a promise."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def text(self, id: str) -> str:
        """What the element of this id shows."""
        return self.value(f"document.getElementById({id!r}).textContent")

    def wait(self, expression: str) -> None:
        """Until it is true."""
        end = time.monotonic() + _SECONDS
        while not self.value(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)

    def screenshot(self, out: Path, width: int, *, dark: bool = False, dots: float = 1.0) -> None:
        """The whole page at a width in pixels as PNG."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=dots, mobile=width < 600
        )
        time.sleep(0.3)  # for a drawing at this width
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        out.write_bytes(base64.b64decode(shot["data"]))


def call(browser: ClientConnection, number: int, method: str, options: dict, session: str = "") -> dict[str, Any]:
    """Send a command and wait for its result; events are passed over."""
    message = {"id": number, "method": method, "params": options} | ({"sessionId": session} if session else {})
    browser.send(json.dumps(message))
    while True:
        found = json.loads(browser.recv(timeout=_SECONDS))
        if found.get("id") == number:
            assert "error" not in found, found
            return found["result"]


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """A browser with a new profile in `folder`; gives a function that opens an empty tab."""
    assert PROGRAM is not None
    words = [PROGRAM, *_WORDS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port, path = _address(folder / "DevToolsActivePort", process)
        numbers = itertools.count(1)
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as browser:

            def tab() -> Tab:
                target = call(browser, next(numbers), "Target.createTarget", {"url": "about:blank"})["targetId"]
                options = {"targetId": target, "flatten": True}
                session = call(browser, next(numbers), "Target.attachToTarget", options)["sessionId"]
                return Tab(browser, session, numbers)

            yield tab
            call(browser, next(numbers), "Browser.close", {})
            process.wait(timeout=_SECONDS)
    finally:
        process.kill()
        process.wait()


def _address(file: Path, process: subprocess.Popen) -> tuple[str, str]:
    """Port and path that the browser writes down when it listens."""
    end = time.monotonic() + _SECONDS
    while not file.exists() or len(file.read_text().splitlines()) < 2:
        assert process.poll() is None and time.monotonic() < end, "Chromium does not start"
        time.sleep(0.05)
    port, path = file.read_text().splitlines()
    return port, path
