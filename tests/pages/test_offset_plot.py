"""The figure of offsets: a bar for each of them, one for symbols without a match, and what its caption says."""

import numpy as np
import pytest

from semgjax.losses.student_summary import StudentSummary
from semgjax.pages.offset_plot import offsets_figure
from semgjax.pages.style import DOUBLE, SINGLE
from tests.pages.printed import shown_texts


def summary(offsets, unmatched) -> StudentSummary:
    return StudentSummary((90, 100), None, None, None, None, None, tuple(offsets), unmatched)


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
def test_bars_are_shares_of_the_teachers_symbols_and_the_last_one_is_for_those_without_a_match(width):
    offsets = [0] * 8 + [30, 10] + [0] * 7
    figure = offsets_figure(summary(offsets, 10), width)
    bars = {round(bar.get_x() + bar.get_width() / 2, 1): bar.get_height() for bar in figure.axes[0].patches}
    assert [bars[float(place)] for place in (-8, 0, 1, 8)] == [0.0, 60.0, 20.0, 0.0]
    assert bars[10.5] == 20.0 and sum(bars.values()) == pytest.approx(100.0)
    assert "50 symbols" in figure.caption and "steps 90 to 100" in figure.caption and "8 frames" in figure.caption
    assert {"-8", "0", "+8", "none"} <= {text for text, _, _ in shown_texts(figure)}


def test_a_teacher_without_symbols_draws_empty_axes():
    figure = offsets_figure(summary([0] * 17, 0))
    assert not np.any([bar.get_height() for bar in figure.axes[0].patches])
