"""Refusals in tests: the code, the file or value that the message names, and that it is one line."""

from typing import Any

import pytest

from semgjax.errors import InputError, SemgjaxError


def refused(code: str, *named: object, kind: type[SemgjaxError] = InputError) -> Any:
    """`pytest.raises` for an error with this code whose one line names all of `named`."""

    def fits(error: SemgjaxError) -> bool:
        text = str(error)
        return error.code == code and "\n" not in text and all(str(part) in text for part in named)

    return pytest.raises(kind, check=fits)
