"""A check for refused input: the code, one line, and the names that the message must hold."""

import contextlib
from collections.abc import Iterator

import pytest

from semgjax.errors import InputError


@contextlib.contextmanager
def refused(code: str, *names: str) -> Iterator[pytest.ExceptionInfo[InputError]]:
    """See that what is done inside raises an InputError of this code, in one line that holds all `names`."""
    with pytest.raises(InputError) as caught:
        yield caught
    message = str(caught.value)
    assert caught.value.code == code, message
    assert "\n" not in message and all(name in message for name in names), message
