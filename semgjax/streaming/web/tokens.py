"""Tokens of which each opens something once; they are compared in constant time."""

import hmac
import secrets

_MOST = 64
_BYTES = 32


class Tokens:
    """Those that are made and not spent yet: at most 64, of which the oldest is forgotten for a newer one."""

    def __init__(self) -> None:
        self._unspent: list[str] = []

    def make(self) -> str:
        """A new one of 43 letters, digits, - and _."""
        token = secrets.token_urlsafe(_BYTES)
        self._unspent = [*self._unspent[1 - _MOST :], token]
        return token

    def spend(self, text: str) -> bool:
        """Whether `text` is a token that nobody has spent; from now on it is spent."""
        given = text.encode()
        # Every one is compared, so that the time says nothing of which one was alike.
        same = [hmac.compare_digest(token.encode(), given) for token in self._unspent]
        self._unspent = [token for token, hit in zip(self._unspent, same, strict=True) if not hit]
        return any(same)

    def unspent(self, token: str) -> bool:
        """Whether a token of our own can still be spent; not for text from outside, which `spend` compares."""
        return token in self._unspent
