"""The size curve's figure: what it shows and how it is written."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.pages.axis_names import short_number
from semgjax.pages.law_plot import plot_size_curve, save_figure
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import POWER
from semgjax.scaling.table import Table

SIZES = np.geomspace(2e4, 2e6, 6)
Y = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.02 * np.random.default_rng(0).standard_normal(6))
TABLE = Table({"N": SIZES}, Y, "%", "cer", {"N": "params"}, "results.csv", {"averaging": "macro"})


def labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def line_of(axes, start):
    return next(line for line in axes.lines if str(line.get_label()).startswith(start))


def test_the_figure_shows_points_curve_band_and_floor():
    figure = plot_size_curve(fit_law(TABLE), title="Simulated")
    (axes,) = figure.axes
    assert [text.split(" ")[0] for text in labels(figure)] == ["95%", "floor", "fit:", "measured,"]
    np.testing.assert_array_equal(line_of(axes, "measured").get_ydata(), Y)
    curve = line_of(axes, "fit:")
    assert SIZES[0] <= curve.get_xdata().min() and curve.get_xdata().max() <= SIZES[-1]
    np.testing.assert_array_equal(curve.get_ydata(), predict(fit_law(TABLE), curve.get_xdata()))
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "Model parameters (count)"
    assert axes.get_ylabel() == "Character error rate (%)"
    assert axes.get_title(loc="left") == "Simulated"


def test_single_users_are_drawn_when_given():
    users = (np.array([2e4, 2e4, 2e6]), np.array([90.0, 50.0, 12.0]))
    (axes,) = plot_size_curve(fit_law(TABLE), users).axes
    np.testing.assert_array_equal(line_of(axes, "single held-out users (3 points)").get_ydata(), users[1])
    assert axes.get_ylim()[1] > 90.0


def test_what_lies_beyond_the_sweep_is_shaded_up_to_where_it_was_asked():
    (axes,) = plot_size_curve(fit_law(TABLE), until=1e8).axes
    shade = axes.patches[0]
    assert shade.get_x() == pytest.approx(SIZES[-1])
    assert shade.get_x() + shade.get_width() == pytest.approx(1e8)
    assert axes.get_xlim()[1] == pytest.approx(1e8)


def test_a_fit_without_interval_has_no_band_and_is_drawn_only_if_forced():
    fit = fit_law(Table({"N": SIZES[:3]}, Y[:3]))
    figure = plot_size_curve(fit, force=True)
    assert not figure.axes[0].collections
    assert any("no interval" in text for text in labels(figure))
    assert any("not identified" in text for text in labels(figure))
    figure = plot_size_curve(fit)
    assert len(figure.axes[0].lines) == 1
    assert any("few-levels" in text for text in labels(figure)) and "few-levels" in figure.caption


def test_a_law_without_floor_draws_none():
    assert not any("floor" in text for text in labels(plot_size_curve(fit_law(TABLE, POWER))))


@pytest.mark.parametrize(
    ("name", "first"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")], ids=lambda v: str(v)
)
def test_a_figure_is_written_in_the_format_of_its_name(tmp_path, name, first):
    save_figure(plot_size_curve(fit_law(TABLE)), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(first)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        save_figure(plot_size_curve(fit_law(TABLE)), tmp_path / "a.jpeg")
    assert caught.value.code == "bad-value"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (999.0, "999"), (1500.0, "1.5k"), (2217827.0, "2.22M"), (1e6, "1M"), (3.2e9, "3.2B")],
)
def test_numbers_on_axes_are_short(value, text):
    assert short_number(value) == text
