from dataclasses import replace

import numpy as np
import pytest

from semgjax.data.sessions import open_session
from semgjax.pages.demo import curves as figures
from semgjax.pages.demo.views import heldout_cer
from semgjax.pages.figure_bytes import svg_bytes
from semgjax.pages.stretch import choose_stretch, keys_in
from tests.data.fixtures import START, typed, write_session
from tests.demo.examples import example, run


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return example(tmp_path_factory.mktemp("demo"))


def session_of(tmp_path, samples, **options):
    return open_session(write_session(tmp_path / "s.hdf5", samples, **options))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def line(axes, label):
    return next(drawn for drawn in axes.get_lines() if drawn.get_label().startswith(label))


def test_the_stretch_begins_shortly_before_a_key_of_the_second_half(tmp_path):
    keys = typed("abcdefghij", first=START + 1.0, interval=1.0)
    assert choose_stretch(session_of(tmp_path, 20_000, keystrokes=keys)) == (9_800, 15_800)


@pytest.mark.parametrize(
    ("samples", "keys", "expected"),
    [
        (20_000, typed("a", first=START + 9.5), (14_000, 20_000)),  # no room for three seconds after the key
        (20_000, typed("a", first=START + 0.01), (0, 6_000)),  # a key of the first half only
        (20_000, [], (0, 6_000)),
        (3_000, typed("a", first=START + 1.0), (0, 3_000)),
    ],
)
def test_the_stretch_stays_within_the_session(tmp_path, samples, keys, expected):
    assert choose_stretch(session_of(tmp_path, samples, keystrokes=keys)) == expected


def test_the_signal_shows_each_key_of_the_stretch_at_its_time_and_no_other(tmp_path):
    session = session_of(tmp_path, 12_000, keystrokes=typed("x a$b", first=START + 0.5, interval=1.0))
    start, stop = 2_000, 8_000
    assert keys_in(session, start, stop) == [(0.5, "\u2423"), (1.5, "a"), (2.5, "$")]
    left, right = figures.emg_figure(session, start, stop).axes
    assert texts(left) == ["\u2423", "a", "$"]
    for axes in (left, right):
        upright = [drawn.get_xdata()[0] for drawn in axes.get_lines() if len(drawn.get_xdata()) == 2][:3]
        assert upright == [0.5, 1.5, 2.5]


def test_the_signal_has_the_left_band_above_and_the_right_below(tmp_path):
    emg = np.zeros((4_000, 32), np.float32)
    emg[1_000, 3], emg[2_000, 16 + 5] = 100.0, 50.0
    session = session_of(tmp_path, 4_000, emg=emg)
    left, right = figures.emg_figure(session, 0, 4_000).axes
    for axes, electrode, sample, value in ((left, 3, 1_000, 100.0), (right, 5, 2_000, 50.0)):
        long = [drawn.get_ydata() for drawn in axes.get_lines() if len(drawn.get_ydata()) == 4_000]
        assert len(long) == 16
        peaks = [drawn.max() - drawn.min() for drawn in long]
        assert np.argmax(peaks) == electrode
        assert np.argmax(long[electrode]) == sample
        assert peaks[electrode] == pytest.approx(value)


def test_keys_in_quick_succession_do_not_cover_each_other(tmp_path):
    session = session_of(tmp_path, 6_000, keystrokes=typed("abc", first=START + 0.5, interval=0.03))
    left, _ = figures.emg_figure(session, 0, 6_000).axes
    assert len({text.xyann[1] for text in left.texts}) == 3


def test_learning_curves_hold_every_run_and_end_with_the_validation_of_the_result(inputs):
    loss, error = figures.learning_figure(inputs).axes
    assert len(loss.get_lines()) == len(error.get_lines()) == 6
    student = line(error, "ladder-32, 84k (distilled)")
    assert student.get_xdata().tolist() == [20, 40]
    assert student.get_ydata().tolist() == [88.5, pytest.approx(100 * 29 / 300)]
    assert line(loss, "ladder-32, 84k (distilled)").get_xdata().tolist() == [20, 40]


def test_learning_curves_of_runs_without_validation_are_drawn_all_the_same(inputs):
    bare = replace(run("ladder-16", 21_043, 371), metrics=[])
    bare.result["scores"] = [row for row in bare.result["scores"] if row["split"] == "test"]
    loss, error = figures.learning_figure(replace(inputs, ladder=(bare, *inputs.ladder[1:]))).axes
    assert len(loss.get_lines()) == len(error.get_lines()) == 5


def test_the_scaling_figure_shows_users_and_the_student_beside_the_fit(inputs):
    axes = figures.scaling_figure(inputs).axes[0]
    assert len(line(axes, "single held-out users").get_xdata()) == 12
    student = line(axes, "distilled (not part of the fit)")
    assert student.get_xdata() == [84_035] and student.get_ydata() == [heldout_cer(inputs.distilled)]


def test_one_model_has_one_colour_in_every_figure(inputs):
    _, error = figures.learning_figure(inputs).axes
    scaling, users = figures.scaling_figure(inputs).axes[0], figures.users_figure(inputs).axes[0]
    for role in figures.COLOURS:
        curve = next(drawn for drawn in error.get_lines() if f"({role})" in drawn.get_label())
        colours = {drawn.get_color() for drawn in (curve, line(scaling, role), line(users, role))}
        assert colours == {figures.COLOURS[role]}
    drawn = [drawn for drawn in error.get_lines() if drawn.get_color() in figures.COLOURS.values()]
    assert len(drawn) == 3


def test_users_are_shown_by_name_even_one_that_looks_like_mathematics(inputs):
    name = "$x_{$ <b>"
    odd = run("ladder-96", 812_003, 47, users=(name, "user007"))
    figure = figures.users_figure(replace(inputs, teacher=odd))
    svg_bytes(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [name, "user003", "user007", "user011", "mean of users"]


def test_a_figure_is_the_same_bytes_each_time_without_a_date(inputs):
    first, second = (svg_bytes(figures.users_figure(inputs)) for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first
