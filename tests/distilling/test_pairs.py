"""Pairs of teacher and student that fit, are adapted, or are refused by the name of what differs."""

from dataclasses import replace

import pytest

from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import KEY_NAMES
from semgjax.distilling.pairs import check_classes, check_pair
from semgjax.model.presets import preset
from semgjax.training.run_config import RunConfig
from tests.guides.toy_network import PowerNetwork
from tests.refused import refused
from tests.runs import WINDOW

MODEL = preset("ladder-16")
TEACHER = RunConfig("ladder-16", MODEL, "d", WINDOW)
HAND = Band((8,), 200.0, ("fist", "open", "point"))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (("fist", "pinch", "point"), ("class 1", "'open'", "'pinch'")),
        (("fist", "open"), ("class 2", "'point'", "has no more")),
        (None, ("class 0", "'fist'", repr(KEY_NAMES[0]))),
    ],
)
def test_the_first_class_that_differs_is_named(other, named):
    check_classes(HAND, HAND)
    with refused("band-misfit", *named):
        check_classes(HAND, replace(HAND, classes=other))


@pytest.mark.parametrize("band", [Band((32,)), Band((16, 16), 1000.0)])
def test_sessions_of_other_electrodes_or_another_rate_are_refused(band):
    with refused("band-misfit", band, TYPING):
        check_pair(MODEL, band, TEACHER)


@pytest.mark.parametrize(
    ("student", "window", "named"),
    [
        (replace(MODEL, conv_strides=(5, 5, 2), conv_kernels=(11, 5, 4)), WINDOW, ("stride", 50, 40)),
        (preset("tds"), WINDOW, ("stride", 16, 40)),
        (replace(MODEL, conv_strides=(5, 4, 4), emission_delay=160), WINDOW, ("window.length 1000", 80)),
        (replace(MODEL, emission_delay=240), WINDOW, ("window.right 200", "emission_delay 240")),
        (replace(MODEL, channels=16), WINDOW, ("channels", 16, 32)),
    ],
)
def test_frames_and_windows_that_do_not_fit_are_refused(student, window, named):
    with refused("conflict", *named):
        check_pair(student, TYPING, replace(TEACHER, window=window))


def test_frames_of_a_whole_multiple_and_other_delays_fit():
    wide = replace(TEACHER, window=WindowSpec(1600, 1600, 400, 400))
    for strides, delay in (((5, 2, 2), 0), ((5, 2, 4), 160), ((5, 4, 4), 80)):
        check_pair(replace(MODEL, conv_strides=strides, emission_delay=delay), TYPING, wide)


def test_a_delay_of_part_of_a_frame_fits_only_the_same_delay():
    odd = PowerNetwork(emission_delay=30)
    check_pair(odd, TYPING, RunConfig("power", odd, "d", WINDOW))
    with refused("conflict", "emission_delay", 30):
        check_pair(odd, TYPING, RunConfig("power", PowerNetwork(), "d", WINDOW))
