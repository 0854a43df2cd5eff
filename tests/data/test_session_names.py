"""Whether sessions are simulated or recorded is known by their names, also of what was made from them."""

import dataclasses

import numpy as np
import pytest

from semgjax.data.sessions import session_of_array
from semgjax.data.simulate.session_names import session_name, signals_of


def named(name: str, origin: str = ""):
    return dataclasses.replace(session_of_array(np.zeros((100, 32), np.float32)), name=name, origin=origin)


@pytest.mark.parametrize(
    ("sessions", "wanted"),
    [
        ([named(session_name(0, 1, 2)), named(session_name(7, 999, 99))], "simulated"),
        ([named("2021-06-02-keystrokes-dca-study@1")], "recorded"),
        ([named(session_name(0, 1, 2)), named("2021")], "simulated and recorded"),
        ([named("x", origin=session_name(0, 1, 2))], "simulated"),
        ([named(session_name(0, 1, 2), origin="2021")], "recorded"),
    ],
)
def test_sessions_are_recorded_unless_the_simulator_named_them(sessions, wanted):
    assert signals_of(sessions) == wanted


def test_no_session_has_no_kind():
    with pytest.raises(ValueError):
        signals_of([])
