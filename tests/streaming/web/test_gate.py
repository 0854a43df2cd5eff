"""Which requests are answered, and which of them spend a token."""

import pytest

from semgjax.streaming.web.gate import Asked, address, answer
from semgjax.streaming.web.tokens import Tokens

OWN = "127.0.0.1:8423"


def asked(path, host=OWN, origin=None, method="GET", ahead=False) -> Asked:
    return Asked(method, path, [host], [] if origin is None else [origin], ahead)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


def test_a_token_opens_one_page_whose_own_token_opens_one_websocket(tokens):
    token = tokens.make()
    page = answer(asked(f"/?token={token}"), OWN, tokens)
    assert (page.status, page.kind) == (200, "text/html")
    second = page.body.partition('name="token" content="')[2].partition('"')[0]
    assert len(second) == 43 and second != token
    assert answer(asked(f"/?token={token}"), OWN, tokens).status == 403
    socket = asked(f"/socket?token={second}", origin=f"http://{OWN}")
    assert answer(socket, OWN, tokens) is None
    assert answer(socket, OWN, tokens).status == 403


@pytest.mark.parametrize(
    "query", ["", "?", "?token=", "?token", "?other={}", "?token={}x", "?token={}&a=1", "?a=1&token={}"]
)
def test_a_page_without_its_token_is_refused_and_the_token_stays(tokens, query):
    token = tokens.make()
    assert answer(asked("/" + query.format(token)), OWN, tokens).status == 403
    assert answer(asked(f"/socket{query.format(token)}", origin=f"http://{OWN}"), OWN, tokens).status == 403
    assert tokens.spend(token)


@pytest.mark.parametrize(
    "host", ["localhost:8423", "evil.example", "evil.example:8423", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:8423.", ""]
)
def test_another_host_is_refused_for_everything_and_spends_nothing(tokens, host):
    token = tokens.make()
    for path in ("/", f"/?token={token}", f"/socket?token={token}", "/live.js"):
        assert answer(asked(path, host, f"http://{OWN}"), OWN, tokens).status == 403
        assert answer(Asked("GET", path, [OWN, host], []), OWN, tokens).status == 403
        assert answer(Asked("GET", path, [], []), OWN, tokens).status == 403
    assert tokens.spend(token)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:8423", "http://127.0.0.1:8424", "http://localhost:8423", "null"],
)
def test_another_origin_is_refused_for_everything_and_spends_nothing(tokens, origin):
    token = tokens.make()
    for path in (f"/?token={token}", f"/socket?token={token}", "/live.js"):
        assert answer(asked(path, origin=origin), OWN, tokens).status == 403
        assert answer(Asked("GET", path, [OWN], [f"http://{OWN}", origin]), OWN, tokens).status == 403
    assert tokens.spend(token)


def test_a_websocket_needs_an_origin(tokens):
    token = tokens.make()
    assert answer(asked(f"/socket?token={token}"), OWN, tokens).status == 403
    assert tokens.spend(token)


def test_a_browser_that_loads_ahead_does_not_spend_the_token(tokens):
    token = tokens.make()
    assert answer(asked(f"/?token={token}", ahead=True), OWN, tokens).status == 403
    assert answer(asked(f"/?token={token}"), OWN, tokens).status == 200


@pytest.mark.parametrize("path", ["/page", "/../errors.py", "//", "/live.js/", "/live.html", "/static/live.js"])
def test_other_paths_are_unknown(tokens, path):
    assert answer(asked(path), OWN, tokens).status == 404


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_other_methods_are_refused(tokens, method):
    token = tokens.make()
    assert answer(asked(f"/?token={token}", method=method), OWN, tokens).status == 405
    assert tokens.spend(token)


def test_the_page_names_no_other_place(tokens):
    bodies = [answer(asked(path), OWN, tokens).body for path in ("/live.js", "/live.css", "/icon.svg")]
    bodies.append(answer(asked(f"/?token={tokens.make()}"), OWN, tokens).body)
    text = "\n".join(bodies).replace('xmlns="http://www.w3.org/2000/svg"', "").replace("ws://${location.host}", "")
    assert "//" not in "".join(
        line for line in text.splitlines() if not line.lstrip().startswith("//") and "; //" not in line
    )
    for word in ("onclick=", "style=", "<script>", "<style", "innerHTML", "eval("):
        assert word not in text


def test_the_usual_port_is_left_out_as_browsers_do():
    assert (address(80), address(8423)) == ("127.0.0.1", OWN)


def test_old_tokens_are_forgotten_not_kept_without_end(tokens):
    made = [tokens.make() for _ in range(65)]
    assert len(set(made)) == 65
    assert not tokens.spend(made[0]) and tokens.spend(made[1]) and tokens.spend(made[64])
    assert tokens.unspent(made[2]) and not tokens.unspent(made[1])
    assert not tokens.spend("ä")
