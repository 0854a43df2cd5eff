"""The picture of a stretch: which samples it takes, and what is drawn of them."""

import matplotlib.image
import numpy as np
import pytest

from semgjax.data.sessions import load_sessions, open_session
from semgjax.data.shards.ingest import ingest
from semgjax.pages.session_plot import stretch, stretch_figure, write_picture
from tests.data.fixtures import START, typed, write_session
from tests.data.shards.gestures import RATE, gestures, write_shards
from tests.refused import refused


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """8 s of weak noise; in the third second left electrode 5 holds a strong tone of 250 Hz."""
    emg = np.random.default_rng(0).normal(0, 1, (16_000, 32)).astype(np.float32)
    emg[4000:6000, 4] += 50 * np.sin(2 * np.pi * 250 * np.arange(2000) / 2000)
    keys = typed("a b", first=START + 2.5, interval=0.5)
    return open_session(write_session(tmp_path_factory.mktemp("show") / "s.hdf5", emg=emg, keystrokes=keys))


def test_a_stretch_starts_at_the_time_given_or_where_keys_are(session):
    assert stretch(session, 2.0, 3.0) == (4000, 10_000)
    assert stretch(session, 7.0, 3.0) == (14_000, 16_000)
    assert stretch(session, None, 1.0) == (4800, 6800)


@pytest.mark.parametrize(
    ("at", "seconds", "code"),
    [
        (-0.1, 3.0, "bad-value"),
        (7.95, 3.0, "bad-value"),
        (float("nan"), 3.0, "bad-value"),
        (0.0, 0.01, "bad-value"),
        (0.0, 61.0, "bad-value"),
        (0.0, float("nan"), "bad-value"),
    ],
)
def test_a_stretch_that_is_not_there_is_an_input_error(session, at, seconds, code):
    with refused(code):
        stretch(session, at, seconds)


def test_a_session_of_a_few_samples_is_an_input_error(tmp_path):
    with refused("bad-value"):
        stretch(open_session(write_session(tmp_path / "a.hdf5", 255)), None, 1.0)


def test_the_signal_its_keys_its_spectrum_and_its_electrodes_are_drawn(session):
    figure = stretch_figure(session, 4000, 8000)
    left, left_power, right, right_power = figure.axes[:4]
    # sixteen electrodes, and the scale bar beside the right ones
    signal = [line for line in left.lines if len(line.get_xdata()) == 4000]
    assert len(signal) == 16
    assert np.ptp(signal[4].get_ydata()) > 90 > 20 > np.ptp(signal[5].get_ydata())
    assert [text.get_text() for text in left.texts] == ["a", "\u2423", "b"]
    marks = [line.get_xdata()[0] for line in right.lines if list(line.get_ydata()) == [0, 1]]
    np.testing.assert_allclose(marks[:3], [0.5, 1.0, 1.5], atol=1e-6)
    power = left_power.images[0].get_array()
    low, high = left_power.images[0].get_extent()[2:]
    loudest = power[:, : power.shape[1] // 3].mean(axis=1).argmax()
    assert low + (loudest + 0.5) / len(power) * (high - low) == pytest.approx(250, abs=8)
    assert right_power.images[0].get_array().max() < power.max() - 20
    rings = [axes for axes in figure.axes if axes.name == "polar"]
    assert any(axes.get_xlabel().endswith("(\u00b5V)") for axes in figure.axes)
    heights = [[bar.get_height() for bar in ring.patches] for ring in rings]
    assert [len(one) for one in heights] == [16, 16]
    assert int(np.argmax(heights[0])) == 4 and heights[0][4] == 1.0
    assert max(heights[1]) < 0.1


def test_a_shard_is_drawn_as_its_file_is(session, tmp_path):
    ingest(session.path.parent, tmp_path / "shards")
    (shard,) = load_sessions(tmp_path / "shards")
    drawn, wanted = (stretch_figure(one, 4000, 4500).axes[0].lines for one in (shard, session))
    for line, other in zip(drawn, wanted, strict=True):
        np.testing.assert_allclose(line.get_ydata(), other.get_ydata(), rtol=2e-3, atol=0.1)


def test_a_session_of_any_band_is_drawn(tmp_path):
    folder = write_shards(tmp_path / "shards", [gestures("a1", "a")])
    (session,) = load_sessions(folder)
    start, stop = stretch(session, None, 8.0)
    assert (start, stop) == (24 * RATE - RATE // 10, 32 * RATE - RATE // 10)
    for width in (89.0, 183.0):
        figure = stretch_figure(session, start, stop, width)
        signal, power = figure.axes[:2]
        assert len([line for line in signal.lines if len(line.get_xdata()) == 8 * RATE]) == 8
        assert [text.get_text() for text in signal.texts[:2]] == ["flexion", "radial"]
        assert power.images[0].get_extent()[2:] == [0, RATE / 2]
        assert [len(axes.patches) for axes in figure.axes if axes.name == "polar"] == [8]


def test_the_picture_is_written_whole_and_alike_each_time(session, tmp_path):
    for name in "ab":
        write_picture(session, 4000, 4500, tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    image = matplotlib.image.imread(tmp_path / "a.png")
    assert image.shape[1] == pytest.approx(183 / 25.4 * 200, abs=1)
    assert len(np.unique(image[..., :3].reshape(-1, 3), axis=0)) > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
