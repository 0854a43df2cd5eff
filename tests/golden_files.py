"""Golden files: expected values under tests/golden, rewritten by `pytest --update-golden`.

Rewriting is legitimate when a change is meant to alter what the file holds (a new array in the state, another
initialisation, another rule) and the change's note says so; never to silence a difference nobody can explain.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"


def _read(request: pytest.FixtureRequest, name: str, text: str) -> str:
    path = GOLDEN / name
    if request.config.getoption("--update-golden"):
        path.write_text(text)
    assert path.exists(), f"{path} is missing; write it with: pytest --update-golden"
    return path.read_text()


def check_golden(request: pytest.FixtureRequest, name: str, text: str) -> None:
    """The text is the file's, byte for byte."""
    assert text == _read(request, name, text)


def check_golden_numbers(request: pytest.FixtureRequest, name: str, values: dict[str, Any], rtol: float) -> None:
    """The numbers are the file's, within `rtol`: their last bits differ between kinds of processor."""
    expected = json.loads(_read(request, name, json.dumps(values, indent=1) + "\n"))
    assert values.keys() == expected.keys()
    for key, value in values.items():
        np.testing.assert_allclose(value, expected[key], rtol=rtol, err_msg=key)
