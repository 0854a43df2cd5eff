"""The figure of errors under stress shows every point, and its page says what was left out."""

import pytest

from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stress.curve import Curve, point_of
from semgjax.pages.stress_page import render, rows_of, stress_figure
from semgjax.pages.style import SINGLE
from tests.pages.printed import covered_axes, cut_off, overlapping, shown_texts, without_unit

CLEAN = {"a": Counts(100, 10), "b": Counts(100, 30)}


def curves(users: int = 2) -> tuple:
    own = dict(list(CLEAN.items())[:users])

    def point(level: float, errors: int):
        return point_of(level, f"{level:g}", {user: Counts(100, errors) for user in own}, own)

    mild = Curve("turn", "turned", "turn (places)", (point(-1.0, 25), point(1.0, 40)), 1, {}, "")
    harsh = Curve(
        "noise", "noise <b>", "noise (dB)", (point(10.0, 50), point(0.0, 140)), 0, {"-10": "too much"}, "part"
    )
    none = Curve("hum-50", "hum", "ratio", (), 0, {"0.1": "too slow"}, "")
    return point_of(None, "clean", own, own), (mild, none, harsh)


@pytest.mark.parametrize("width", [183.0, SINGLE])
@pytest.mark.parametrize("users", [1, 2])
def test_every_point_lies_inside_its_panel_and_a_kind_without_levels_has_none(width, users):
    start, drawn = curves(users)
    figure = stress_figure(start, drawn, "CER", width)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["turn", "noise"]
    wanted = [[25, start.error, 40], [start.error, 50, 140]]
    for axes, errors in zip(panels, wanted, strict=True):
        line = next(line for line in axes.lines if line.get_marker() == "o")
        assert list(line.get_ydata()) == errors
        low, high = axes.get_ylim()
        assert low == 0.0 and high > max(max(one.get_ydata()) for one in axes.lines)
    assert [text.get_text() for text in panels[0].get_xticklabels()] == ["-1", "0", "1"]
    assert [text.get_text() for text in panels[1].get_xticklabels()] == ["clean", "10", "0"]
    shown = shown_texts(figure)
    assert not (overlapping(shown) or cut_off(figure, shown) or covered_axes(figure) or without_unit(figure))


def test_the_page_has_every_row_and_reason_as_text():
    start, drawn = curves()
    page = render(start, drawn, "CER", "run <1>")
    assert rows_of(drawn[2])[1] == ("0", "140.0", "[140.0, 140.0]", "+120.0", "[+110.0, +130.0]", "2 of 2")
    assert all(f">{cell}<" in page for curve in drawn for row in rows_of(curve) for cell in row)
    assert "too slow" in page and "too much" in page and "part" in page
    assert "noise &lt;b&gt;" in page and "run &lt;1&gt;" in page
    alone, single = curves(1)
    assert rows_of(single[0])[0] == ("-1", "25.0", "-", "+15.0", "-", "1 of 1")
    assert render(alone, single, "CER", "x") == render(alone, single, "CER", "x")
