"""Who may have the page of a live decoder: only its own address, its own origin, and a token that nobody has used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from semgjax.streaming.web.tokens import Tokens

HOST = "127.0.0.1"
SOCKET = "/socket"
"""path of the websocket; a page's script has it too"""
TOKEN = "?token="

# The browser loads and runs nothing that this server does not give, and no other site may show the page in a frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
# They hold nothing of the stream, so they need no token.
_STATIC = {"/live.js": "text/javascript", "/live.css": "text/css", "/icon.svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        method: such as GET.
        path: with its query.
        hosts: every Host header.
        origins: every Origin header.
        ahead: it was made ahead of the user's wish (`Sec-Purpose: prefetch`).
        into: what the browser makes of it (`Sec-Fetch-Dest`), such as a document or an iframe; "" if it does not say.
        full: as many pages are open as there may be.
    """

    method: str
    path: str
    hosts: Sequence[str]
    origins: Sequence[str]
    ahead: bool = False
    into: str = ""
    full: bool = False


@dataclass(frozen=True)
class Answer:
    """A response without a websocket."""

    status: int
    body: str
    kind: str = "text/plain"


def address(port: int) -> str:
    """What a page's Host header says; a browser leaves the usual port out."""
    return HOST if port == 80 else f"{HOST}:{port}"


def answer(asked: Asked, own: str, tokens: Tokens) -> Answer | None:
    """The response; None if the websocket may be opened.

    A Host that is another name leads here by another site's DNS entry, and an Origin that is another one is another
    site's script: both are refused before a token is looked at.

    Args:
        own: this server's `address`.
    """
    path, mark, query = asked.path.partition("?")
    own_origin = f"http://{own}"
    if list(asked.hosts) != [own]:
        return Answer(403, f"This page is at http://{own} only.\n")
    if any(origin != own_origin for origin in asked.origins):
        return Answer(403, "Other sites may not read this page.\n")
    if asked.method != "GET":
        return Answer(405, "This server answers GET only.\n")
    if path in _STATIC:
        return Answer(200, _static()[path], _STATIC[path])
    if path not in ("/", SOCKET):
        return Answer(404, "There is no such page.\n")
    if path == SOCKET and list(asked.origins) != [own_origin]:
        return Answer(403, "Only the page itself may open its websocket.\n")
    if asked.ahead:
        return Answer(403, "The address opens one page, so it is not loaded ahead.\n")
    if path == "/" and asked.into not in ("", "document"):
        return Answer(403, "The page opens as a page only, in no other page and no script.\n")
    if asked.full:
        return Answer(503, "Too many pages are open; close one of them and load this one again.\n")
    given = mark + query
    if not given.startswith(TOKEN) or not tokens.spend(given.removeprefix(TOKEN)):
        return Answer(403, _SPENT)
    return None if path == SOCKET else Answer(200, _static()["/"].replace("{token}", tokens.make()), "text/html")


_SPENT = (
    "This address opens no page: its token is missing or has been used. An address opens one page.\n"
    "Take the one that semgjax stream printed, or, if that is used, the one in the address bar of an open page.\n"
)


@cache
def _static() -> Mapping[str, str]:
    folder = files("semgjax.streaming.web") / "static"
    names = {"/": "live.html"} | {path: path[1:] for path in _STATIC}
    return {path: (folder / name).read_text("utf-8") for path, name in names.items()}
