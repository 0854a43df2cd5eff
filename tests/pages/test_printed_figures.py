"""Every figure at the widths of one and of two columns: type, overprints, units, ticks, captions, ends."""

import functools
import re
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from semgjax.errors import InputError
from semgjax.pages.axis_names import log_ticks
from semgjax.pages.demo import curves as demo
from semgjax.pages.law_budgets import contour_figure, frontier_figure, valley_figure
from semgjax.pages.law_checks import influence_figure, profile_figure, residual_figure, rolling_figure
from semgjax.pages.law_curves import curve_figure, excess_figure, laws_figure
from semgjax.pages.law_plot import plot_size_curve
from semgjax.pages.marks import draw_ends, ring_outlying
from semgjax.pages.session_plot import stretch_figure
from semgjax.pages.style import DOUBLE, POINTS, SINGLE, new_figure
from semgjax.scaling.compare import compare_laws
from semgjax.scaling.decide.frontier import frontier
from tests.data.fixtures import START, typed, write_session
from tests.demo.examples import example
from tests.pages import made_fits as made
from tests.pages.printed import (
    covered_axes,
    cut_off,
    overlapping,
    shown_texts,
    tick_texts,
    unnamed_axes,
    without_unit,
)


@functools.cache
def rows_of(make):
    amounts = [1e18, 1e19, 1e20, 1e21] if make is made.tokens_fit else [1e5, 1e6, 1e7, 1e8]
    return frontier(make(), made.COST, amounts, ("N", "D"), evidence=made.evidence_of(make))


@functools.cache
def compared():
    return compare_laws(made.size_fit().table)


def budgets_of(make, width):
    return frontier_figure(make(), rows_of(make), made.COST, ("N", "D"), width)


TWO_PLACES = [{"N": 1e5, "D": 1.0}, {"N": 1e7, "D": 9.0}]
LAW_FIGURES = {
    "size curve": lambda w: plot_size_curve(made.size_fit(), title="Simulated typing, one seed each", width=w),
    "size curve with users": lambda w: plot_size_curve(
        made.size_fit(), (np.array([1e4, 2e6]), np.array([70.0, 9.0])), width=w
    ),
    "size curve of few sizes": lambda w: plot_size_curve(made.blocked_fit(), width=w),
    "size curve far out": lambda w: plot_size_curve(made.size_fit(), until=1e10, width=w),
    "long names": lambda w: plot_size_curve(made.named_fit(made.LONG, made.SHARE), width=w),
    "other scripts": lambda w: plot_size_curve(made.named_fit(made.OTHER, f"{made.CYRILLIC} $x_1$"), width=w),
    "curve": lambda w: curve_figure(made.size_evidence(), width=w, title="Error against size"),
    "curve of compute": lambda w: curve_figure(made.evidence_of(made.compute_fit), width=w),
    "curve of tokens": lambda w: curve_figure(made.evidence_of(made.tokens_fit), "D", width=w),
    "curve of users": lambda w: curve_figure(made.evidence_of(made.users_hours_fit), "U", width=w),
    "curve without ends": lambda w: curve_figure(made.evidence_of(made.open_fit), width=w, force=True),
    "curve of students": lambda w: curve_figure(made.evidence_of(made.students_fit), width=w),
    "saturating curve": lambda w: curve_figure(made.evidence_of(made.saturating_fit), width=w),
    "excess": lambda w: excess_figure(made.size_fit(), width=w),
    "laws": lambda w: laws_figure(compared(), width=w),
    "residuals of one input": lambda w: residual_figure(made.size_fit(), w),
    "residuals of two inputs": lambda w: residual_figure(made.tokens_fit(), w),
    "residuals of 500 runs": lambda w: residual_figure(made.many_fit(), w, np.linspace(0.0, 1.0, 500)),
    "profiles": lambda w: profile_figure(made.size_fit(), [{"N": 2e6}, {"N": 2e7}], width=w),
    "profiles of two inputs": lambda w: profile_figure(made.joint_fit(), TWO_PLACES, width=w),
    "influence": lambda w: influence_figure(made.size_fit(), {"N": 2e7}, w),
    "influence of tokens": lambda w: influence_figure(made.tokens_fit(), {"N": 4e10, "D": 1e11}, w),
    "rolling origin": lambda w: rolling_figure(made.size_fit(), width=w),
    "rolling origin of 500 runs": lambda w: rolling_figure(made.many_fit(), width=w),
    "contours": lambda w: contour_figure(made.joint_fit(), ("N", "D"), width=w),
    "contours of tokens": lambda w: contour_figure(made.tokens_fit(), ("N", "D"), width=w),
    "contours of users": lambda w: contour_figure(made.users_hours_fit(), ("U", "H"), width=w),
    "valleys": lambda w: valley_figure(made.tokens_fit(), made.COST, [1e18, 3e19, 1e21], ("N", "D"), width=w),
    "frontier": lambda w: budgets_of(made.tokens_fit, w),
    "frontier without ends": lambda w: budgets_of(made.open_fit, w),
}  # fmt: skip
WITH_BAND = ("size curve", "curve", "curve of compute", "saturating curve", "excess", "profiles")


@functools.cache
def law_figure(name: str, width: float) -> Figure:
    """One of LAW_FIGURES, for tests that only look at it."""
    return LAW_FIGURES[name](width)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """6 s of noise with keys in quick succession."""
    emg = np.random.default_rng(0).normal(0, 10, (12_000, 32)).astype(np.float32)
    keys = typed("the quick brown fox Jumps_over", first=START + 1.0, interval=0.12)
    folder = tmp_path_factory.mktemp("printed")
    from semgjax.data.sessions import open_session

    return SimpleNamespace(
        session=open_session(write_session(folder / "s.hdf5", emg=emg, keystrokes=keys)), folder=folder
    )


@pytest.fixture(scope="module")
def other_figures(session, tmp_path_factory):
    """The figures that need sessions, by name."""
    from semgjax.data.batching.windows import WindowSpec
    from semgjax.data.quality.session_checks import check_sessions
    from semgjax.pages.check_figures import overview_figure, session_figure

    inputs = example(tmp_path_factory.mktemp("demo"))
    rows = check_sessions([session.folder / "s.hdf5"], WindowSpec()).sessions
    return {
        "stretch": lambda w: stretch_figure(session.session, 0, 12_000, w),
        "overview": lambda w: overview_figure(rows, w),
        "session": lambda w: session_figure(rows[0], w),
        "demo signal": lambda w: demo.emg_figure(session.session, 0, 12_000, w),
        "demo learning": lambda w: demo.learning_figure(inputs, w),
        "demo scaling": lambda w: demo.scaling_figure(inputs, w),
        "demo users": lambda w: demo.users_figure(inputs, w),
    }


def faults_of(figure: Figure, width: float) -> dict:
    """What is wrong with a figure in print; empty if nothing is."""
    shown = shown_texts(figure)
    found = {
        "width": [] if figure.get_size_inches()[0] == pytest.approx(width / 25.4) else [figure.get_size_inches()],
        "type": [words for words, text, _ in shown if text.get_fontsize() < POINTS],
        "overprints": overlapping(shown),
        "cut off": cut_off(figure, shown),
        "legend on axes": covered_axes(figure),
        "no unit": without_unit(figure),
        "no name": [unnamed_axes(figure)] if unnamed_axes(figure) else [],
    }
    return {name: what for name, what in found.items() if what}


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
@pytest.mark.parametrize("name", LAW_FIGURES)
def test_a_figure_of_a_law_can_be_printed(name, width):
    figure = law_figure(name, width)
    assert faults_of(figure, width) == {}
    assert re.search(r"\bn = \d+", figure.caption)
    if name in WITH_BAND:
        assert "interval" in figure.caption and "95%" in figure.caption


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
@pytest.mark.parametrize(
    "name", ["stretch", "overview", "session", "demo signal", "demo learning", "demo scaling", "demo users"]
)
def test_a_figure_of_sessions_and_of_the_demo_can_be_printed(other_figures, name, width):
    assert faults_of(other_figures[name](width), width) == {}


@pytest.mark.parametrize(
    ("name", "panel", "which"),
    [
        ("curve of compute", 0, "x"),
        ("size curve far out", 0, "x"),
        ("curve of tokens", 0, "x"),
        ("valleys", 0, "x"),
        ("frontier", 0, "x"),
        ("frontier", 2, "x"),
        ("contours of tokens", 0, "y"),
    ],
)
def test_an_axis_of_compute_or_of_many_decades_is_in_powers_of_ten(name, panel, which):
    figure = law_figure(name, SINGLE)
    shown_texts(figure)
    labels = list(tick_texts(figure.axes[panel], which))
    assert len(labels) >= 2
    assert all(re.fullmatch(r"\$(\d(\.\d)?\{\\times\})?10\^\{\d+\}\$", label) for label in labels)
    axis = figure.axes[panel].xaxis if which == "x" else figure.axes[panel].yaxis
    assert all(label.get_parse_math() for label in axis.get_majorticklabels())


@pytest.mark.parametrize(
    ("low", "high", "powers", "shown"),
    [
        (1e17, 1e21, True, True),
        (1e4, 2e7, False, True),
        (2e4, 2e5, False, False),
        (3e18, 8e18, True, True),
        (5.0, 40.0, False, False),
        (1.8, 2.1, False, False),
        (1e-30, 1e30, False, True),
    ],
)
def test_a_logarithmic_axis_has_ticks_within_it_and_no_more_than_have_room(low, high, powers, shown):
    for room in (3, 6, 12):
        ticks, in_powers = log_ticks(low, high, room, powers)
        assert in_powers is shown
        assert 1 <= len(ticks) <= 2 * room + 1
        assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
        assert ticks == sorted(set(ticks))


def test_colour_that_carries_a_number_has_a_bar_with_its_name_and_unit():
    for name, label in {
        "contours of tokens": "loss (unit of the table)",
        "valleys": "Cost of a run (FLOP)",
        "rolling origin": "Runs that the law was fitted to (count)",
    }.items():
        figure = law_figure(name, DOUBLE)
        assert label in [" ".join(axes.get_ylabel().split()) for axes in figure.axes[1:]]


def test_a_blocked_fit_is_drawn_as_its_runs_alone_unless_forced():
    fit = made.blocked_fit()
    (axes,) = plot_size_curve(fit).axes
    assert [str(line.get_label()).split(" ")[0] for line in axes.lines] == ["measured"]
    assert not axes.collections
    (forced,) = plot_size_curve(fit, force=True).axes
    assert len(forced.lines) > 1
    (axes,) = curve_figure(made.evidence_of(made.blocked_fit)).axes
    assert len(axes.lines) == 1


def test_an_end_that_nothing_bounds_is_an_arrow_and_no_line_leaves_the_axes_by_much():
    figure, (axes,) = new_figure(DOUBLE)
    axes.set_ylim(0.0, 50.0)
    x = np.arange(8.0)
    low, high = np.full(8, 5.0), np.array([9.0, 9.0, 9.0, 1e307, np.inf, np.inf, 1e250, 1e307])
    assert draw_ends(axes, x, low, high)
    drawn = axes.collections[0].get_paths()[0].vertices
    assert np.isfinite(drawn).all() and drawn[:, 1].max() <= 500.0
    (arrows,) = axes.lines
    assert arrows.get_marker() == "^"
    np.testing.assert_array_equal(arrows.get_xdata(), x[3:])
    assert not draw_ends(axes, x, low, low + 1.0)


def test_runs_of_low_weight_are_ringed_the_wider_the_less_they_weigh():
    figure, (axes,) = new_figure(DOUBLE)
    ring_outlying(axes, np.arange(4.0), np.ones(4), np.array([1.0, 0.4, 0.9, 0.0]))
    (rings,) = axes.collections
    np.testing.assert_array_equal(rings.get_offsets()[:, 0], [1.0, 3.0])
    assert rings.get_sizes()[1] > rings.get_sizes()[0] and "(2)" in rings.get_label()
    ring_outlying(axes, np.arange(4.0), np.ones(4), np.ones(4))
    assert len(axes.collections) == 1


@pytest.mark.parametrize("width", [10.0, 2000.0, float("nan")])
def test_a_width_that_no_page_has_is_refused(width):
    with pytest.raises(InputError) as caught:
        plot_size_curve(made.size_fit(), width=width)
    assert caught.value.code == "bad-value"


def test_what_no_font_can_draw_is_written_out_and_what_one_can_stays():
    shown = [words for words, *_ in shown_texts(law_figure("other scripts", DOUBLE))]
    assert any(f"{made.CYRILLIC} $x_1$" in words for words in shown)
    assert any("\\u53c2\\u6570" in words or made.OTHER in words for words in shown)
