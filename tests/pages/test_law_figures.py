"""What the pictures show, and when they refuse."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.pages.figure_bytes import svg_bytes
from semgjax.pages.law_budgets import contour_figure, valley_figure
from semgjax.pages.law_checks import influence_figure, profile_figure, residual_figure, rolling_figure
from semgjax.pages.law_curves import curve_figure, excess_figure, middle
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.rolling import rolling_origin
from semgjax.scaling.table import table_of
from tests.scaling.decide.made import SIZES, joint_evidence, joint_fit, size_evidence, size_fit


def labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_the_curve_has_its_points_three_bands_and_the_shade_beyond():
    figure = curve_figure(size_evidence())
    (axes,) = figure.axes
    assert [text.split(":")[0] for text in labels(figure)] == [
        "extrapolation", "choice", "sampling", "fit", "measured (18 runs)"
    ]  # fmt: skip
    shade = axes.patches[0]
    assert shade.get_x() == pytest.approx(SIZES.max())
    assert shade.get_x() + shade.get_width() == pytest.approx(10.0 * SIZES.max())
    points = next(line for line in axes.lines if str(line.get_label()).startswith("measured"))
    np.testing.assert_array_equal(points.get_ydata(), size_fit().table.y)
    record = axes.collections[0].get_paths()[0].vertices
    assert record[:, 0].min() >= SIZES.max() * 0.99


@pytest.mark.slow
def test_runs_off_the_centre_of_a_star_are_pale():
    figure = curve_figure(joint_evidence(), "D")
    assert middle(joint_fit(), "D") == {"N": pytest.approx(1e5)}
    assert any("(4 runs)" in text for text in labels(figure))


def test_the_excess_is_what_lies_above_the_floor():
    fit = size_fit()
    (axes,) = excess_figure(fit).axes
    line = axes.lines[0]
    np.testing.assert_allclose(line.get_ydata(), predict(fit, line.get_xdata()) - fit.parameters["E"])
    with pytest.raises(InputError) as caught:
        excess_figure(joint_fit())
    assert caught.value.code == "wrong-law"


def test_residuals_are_shown_in_per_cent():
    axes = residual_figure(size_fit()).axes
    np.testing.assert_allclose(axes[0].lines[1].get_ydata(), 100 * np.expm1(size_fit().residuals))


def test_at_most_three_residual_panels_are_beside_each_other():
    axes = residual_figure(joint_fit()).axes
    assert len(axes) == 4
    assert [one.get_subplotspec().rowspan.start for one in axes] == [0, 0, 0, 1]
    assert [one.get_subplotspec().rowspan.start for one in residual_figure(joint_fit(), 89.0).axes] == [0, 1, 2, 3]


def test_profiles_touch_zero_at_the_fit_and_cross_the_line():
    fit = size_fit()
    (axes,) = profile_figure(fit, [{"N": 2e6}, {"N": 2e7}]).axes
    for line, size in zip(axes.lines[:2], (2e6, 2e7), strict=True):
        x, y = line.get_xdata(), line.get_ydata()
        assert x[np.argmin(y)] == pytest.approx(float(predict(fit, size)), rel=1e-6) and y.min() < 0.1
        assert y[0] > 2.0 and y[-1] > 2.0
    with pytest.raises(InputError) as caught:
        profile_figure(fit_law(table_of([1e4, 1e5, 1e6], [40.0, 20.0, 12.0])), [{"N": 1e6}])
    assert caught.value.code == "too-few-levels"


def test_influence_has_a_bar_for_every_run():
    (axes,) = influence_figure(size_fit(), {"N": 2e7}).axes
    assert len(axes.patches) == 18
    by_row = sorted(axes.patches, key=lambda bar: bar.get_y())
    widths = [abs(bar.get_width()) for bar in by_row]
    assert widths == sorted(widths)


def test_the_rolling_origin_shows_each_next_level_or_says_that_there_are_too_few():
    points = rolling_figure(size_fit()).axes[0].collections[1]
    counts = [row.fitted_points for row in rolling_origin(size_fit()).rows]
    assert points.get_array().tolist() == counts and len(points.get_offsets()) >= 2
    with pytest.raises(InputError) as caught:
        rolling_figure(fit_law(table_of([1e4, 1e5, 1e6], [40.0, 20.0, 12.0])))
    assert caught.value.code == "too-few-levels"


def test_contours_frame_the_sweep_and_valleys_mark_their_lowest_place():
    fit = joint_fit()
    axes, _ = contour_figure(fit, ("N", "D")).axes
    assert axes.get_xlim()[1] == pytest.approx(8.0 * fit.table.x["N"].max())
    axes, _ = valley_figure(fit, read_cost("6*N*D"), [6e5], ("N", "D")).axes
    curve, star = axes.lines[0], axes.lines[1]
    assert star.get_ydata()[0] <= curve.get_ydata().min() * (1 + 1e-9)


def test_the_same_figure_gives_the_same_bytes():
    assert svg_bytes(residual_figure(size_fit())) == svg_bytes(residual_figure(size_fit()))
