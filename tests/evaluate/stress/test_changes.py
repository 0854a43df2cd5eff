"""Each change of a signal has the strength that it was asked for, and is the same whenever it is made."""

import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.data.sessions import Session, session_of_array
from semgjax.evaluate.stress.kinds import KINDS, kind_named
from semgjax.evaluate.stress.sampling import support
from semgjax.evaluate.stress.stressed import stressed
from tests.refused import refused

SMALL = Band((8,), 200.0, ("fist", "flexion"))
BANDS = pytest.mark.parametrize("band", [TYPING, SMALL], ids=["typing", "small"])


def session_on(band: Band, seconds: float = 10.0, name: str = "s") -> Session:
    """Noise of another strength and mean on every electrode."""
    rng = np.random.default_rng(3)
    emg = rng.standard_normal((round(seconds * band.rate), band.channels))
    return session_of_array(emg * np.linspace(1, 50, band.channels) + 5.0, band, name)


def change(session: Session, name: str, level: float, seed: int = 0) -> np.ndarray:
    before = session.array.copy()
    found = stressed(session, session.array, kind_named(name), level, seed)
    assert session.array.tobytes() == before.tobytes()
    return found.emg[:]


def power_at(emg_T: np.ndarray, hertz: float, rate: float) -> float:
    """Amplitude of a sine of this frequency in the signal."""
    phase = np.exp(-2j * np.pi * hertz / rate * np.arange(len(emg_T)))
    return float(2 * abs(np.mean(emg_T * phase)))


@BANDS
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_clean_is_the_session_itself_and_every_level_is_finite_float32_and_drawn_from_seed_and_name(band, kind):
    session, twin = session_on(band), session_on(band, name="another")
    assert stressed(session, session.array, kind, kind.clean) is session
    for level in kind.levels:
        if kind.misfit(band, level):
            continue
        emg = change(session, kind.name, level)
        assert emg.dtype == np.float32 and emg.shape == session.array.shape and np.isfinite(emg).all()
        assert emg.tobytes() != session.array.tobytes()
        assert emg.tobytes() == change(session, kind.name, level).tobytes()
    drawn = kind.name in ("noise", "hum-50", "hum-60", "lost-electrodes", "drift", "lost-held", "lost-zero")
    hardest = max(level for level in kind.levels if not kind.misfit(band, level))
    emg = change(session, kind.name, hardest)
    assert (emg.tobytes() != change(session, kind.name, hardest, seed=1).tobytes()) == drawn
    assert (emg.tobytes() != change(twin, kind.name, hardest).tobytes()) == drawn


@BANDS
@pytest.mark.parametrize("snr", [20.0, 0.0, -10.0])
def test_noise_has_the_wanted_ratio_on_every_electrode_and_is_white_and_independent(band, snr):
    session = session_on(band)
    added = change(session, "noise", snr).astype(np.float64) - session.array
    measured = 10 * np.log10(session.array.var(axis=0, dtype=np.float64) / added.var(axis=0))
    assert np.abs(measured - snr).max() < 0.1
    unit = added / added.std(axis=0)
    assert np.abs(np.corrcoef(unit.T) - np.eye(band.channels)).max() < 6 / np.sqrt(len(unit))
    power = (np.abs(np.fft.rfft(unit, axis=0)) ** 2).mean(axis=1)
    halves = np.array_split(power[1:], 2)
    assert halves[0].mean() / halves[1].mean() == pytest.approx(1, abs=0.15)


def test_noise_leaves_a_silent_electrode_silent():
    session = session_on(SMALL)
    session.array[:, 2] = 0.0
    emg = change(session, "noise", 0.0)
    assert not emg[:, 2].any() and emg[:, 3].any()


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_is_a_line_of_the_wanted_amplitude_at_the_mains_and_its_harmonics(mains):
    session = session_on(TYPING)
    added = change(session, f"hum-{mains:g}", 0.5).astype(np.float64) - session.array
    for channel in (0, 31):
        deviation = session.array[:, channel].std(dtype=np.float64)
        for harmonic in (1, 2, 3, 4, 5):
            found = power_at(added[:, channel], harmonic * mains, TYPING.rate)
            assert found == pytest.approx(0.5 * deviation / harmonic, rel=0.01)
        assert power_at(added[:, channel], mains + 7, TYPING.rate) < 0.01 * deviation
    assert np.corrcoef(added[:, 0], added[:, 31])[0, 1] == pytest.approx(1, abs=1e-4)


def test_hum_skips_what_a_slow_band_cannot_hold():
    session = session_on(SMALL)
    added = change(session, "hum-60", 1.0).astype(np.float64)[:, 1] - session.array[:, 1]
    deviation = session.array[:, 1].std(dtype=np.float64)
    assert power_at(added, 60, 200) == pytest.approx(deviation, rel=0.01)
    assert added.std() == pytest.approx(deviation / np.sqrt(2), rel=0.01)  # nothing besides, no alias of 120 Hz
    assert kind_named("hum-60").note(SMALL) and not kind_named("hum-60").note(TYPING)
    slow = session_on(Band((8,), 100.0, ("fist",)))
    with refused("bad-value", "hum-50"):
        change(slow, "hum-50", 1.0)


@BANDS
def test_lost_electrodes_are_silent_in_number_and_nested(band):
    session, before = session_on(band), set()
    for count in (1, 2, 4):
        emg = change(session, "lost-electrodes", count)
        silent = {channel for channel in range(band.channels) if not emg[:, channel].any()}
        assert len(silent) == count and silent > before
        others = sorted(set(range(band.channels)) - silent)
        assert (emg[:, others] == session.array[:, others]).all()
        before = silent


@BANDS
def test_a_whole_turn_rolls_and_two_fractions_make_their_sum(band):
    session = session_on(band)
    starts = np.cumsum([0, *band.rings])
    rings = [slice(low, high) for low, high in zip(starts, starts[1:], strict=False)]
    for places in (-2, 1):
        emg = change(session, "turn", places)
        for ring in rings:
            assert (emg[:, ring] == np.roll(session.array[:, ring], places, axis=1)).all()
    # Without the alternating pattern, which has no phase, the interpolation is exact.
    alternating = np.tile([1, -1], band.channels // 2)
    for ring in rings:
        part = session.array[:, ring]
        part -= np.outer(part @ alternating[ring] / part.shape[1], alternating[ring])
    half = stressed(session, session.array, kind_named("turn"), 0.5)
    twice = change(half, "turn", 0.5)
    for ring in rings:
        assert twice[:, ring] == pytest.approx(np.roll(session.array[:, ring], 1, axis=1), abs=1e-2)


@BANDS
def test_gains_drift_evenly_in_decibels_up_or_down(band):
    session = session_on(band)
    session.array[:] = 1.0
    decibels = 20 * np.log10(change(session, "drift", 6.0).astype(np.float64))
    wanted = np.linspace(0, 6, len(decibels))
    up = decibels[-1] > 0
    assert 0 < up.sum() < band.channels
    assert decibels[:, up] == pytest.approx(np.tile(wanted[:, None], up.sum()), abs=1e-4)
    assert decibels[:, ~up] == pytest.approx(np.tile(-wanted[:, None], (~up).sum()), abs=1e-4)


@BANDS
def test_lost_packets_are_the_wanted_share_nested_and_held_or_zero(band):
    session, length = session_on(band), max(1, round(0.01 * band.rate))
    before = np.zeros(session.samples, bool)
    for share in (0.1, 0.3):
        zero, held = change(session, "lost-zero", share), change(session, "lost-held", share)
        gone = ~zero.any(axis=1)
        assert gone.mean() == pytest.approx(share, abs=0.001) and (gone | ~before).all()
        assert (gone.reshape(-1, length).all(axis=1) == gone.reshape(-1, length).any(axis=1)).all()
        assert (zero[~gone] == session.array[~gone]).all()
        before = gone
    # The two kinds draw their own places, so those of the held ones are found by what repeats.
    repeats = (held[1:] == held[:-1]).all(axis=1)
    assert repeats.mean() == pytest.approx(0.3, abs=0.005)
    kept = np.flatnonzero(~repeats) + 1
    assert (held[kept] == session.array[kept]).mean() > 0.999
    assert not change(session, "lost-held", 1.0).any()


@BANDS
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_lower_rate_has_no_power_above_its_half_and_keeps_what_lies_below_in_place(band, factor):
    session = session_on(band, 20.0)
    emg = change(session, "rate", factor).astype(np.float64)
    middle = slice(2 * support(factor), -2 * support(factor))
    taper = np.blackman(len(emg[middle]))[:, None]
    before = np.fft.rfft((session.array[middle] - 5.0) * taper, axis=0)
    after = np.fft.rfft((emg[middle] - 5.0) * taper, axis=0)
    hertz = np.fft.rfftfreq(len(taper), 1 / band.rate)
    limit = band.rate / 2 / factor
    above = hertz > 1.01 * limit
    assert (np.abs(after[above]) ** 2).mean() < 1e-7 * (np.abs(before[above]) ** 2).mean()
    below = (hertz > 0.02 * limit) & (hertz < 0.75 * limit)
    assert np.abs(after[below] - before[below]).max() < 2e-3 * np.abs(before[below]).max()


def test_fewer_electrodes_are_kept_and_the_others_lie_between_round_the_ring():
    session = session_on(Band((8, 6), 200.0, ("fist",)), 1.0)
    emg, array = change(session, "fewer-electrodes", 2), session.array
    assert (emg[:, ::2] == array[:, ::2]).all()
    assert emg[:, 3] == pytest.approx((array[:, 2] + array[:, 4]) / 2, rel=1e-5)
    assert emg[:, 7] == pytest.approx((array[:, 6] + array[:, 0]) / 2, rel=1e-5)
    assert emg[:, 13] == pytest.approx((array[:, 12] + array[:, 8]) / 2, rel=1e-5)
    every4 = change(session, "fewer-electrodes", 4)
    assert every4[:, 1] == pytest.approx(0.75 * array[:, 0] + 0.25 * array[:, 4], rel=1e-5)
    assert every4[:, 13] == pytest.approx((array[:, 12] + array[:, 8]) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "level", "code"),
    [
        ("noise", float("nan"), "not-finite"),
        ("noise", -np.inf, "not-finite"),
        ("noise", 500.0, "bad-value"),
        ("hum-50", -0.1, "bad-value"),
        ("lost-electrodes", 1.5, "bad-value"),
        ("lost-electrodes", 8.0, "bad-value"),
        ("turn", 4.5, "bad-value"),
        ("turn", np.inf, "not-finite"),
        ("drift", -1.0, "bad-value"),
        ("lost-zero", 1.1, "bad-value"),
        ("rate", 0.0, "bad-value"),
        ("rate", 2.5, "bad-value"),
        ("fewer-electrodes", 8.0, "bad-value"),
    ],
)
def test_levels_that_mean_nothing_are_refused(name, level, code):
    session = session_on(SMALL, 1.0)
    with refused(code, name):
        change(session, name, level)


def test_unknown_kinds_wrong_rings_and_sessions_shorter_than_the_filter_are_refused():
    with refused("unknown-name", "nose"):
        kind_named("nose")
    session = session_on(SMALL, 1.0)
    with refused("bad-value", "rate", support(8)):
        change(session, "rate", 8)
    with refused("channel-count", session.name):
        stressed(session, session.array[:, :7], kind_named("turn"), 1.0)
