"""Findings about a session's clock and electrodes, with all their thresholds.

The thresholds are ours: simulated sessions without faults stay below all of them, and they are wide enough for
what emg2qwerty's authors tell of theirs. No threshold was tuned on recordings of people.
"""

from collections.abc import Iterator

import numpy as np

from semgjax.data.quality.findings import Finding, Severity
from semgjax.data.quality.meter import MAINS, STUCK, Measures, peak_edges
from semgjax.data.sessions import SAMPLE_RATE

RATE_OFF, RATE_WRONG = 0.005, 0.05  # of the nominal rate
GAPS_MANY = 0.001  # of the session's time
TIES_MANY, TIES_MOST = 0.01, 0.1  # of the samples
TIE_LONG, TIE_STUCK = STUCK, SAMPLE_RATE  # samples in a row
FLAT_SHORT, FLAT_MUCH = 0.5, 0.1  # seconds; share of the session
STILL = 0.5  # share of the time without change that makes an electrode dead
WEAK, LOUD = 0.02, 8.0  # times the median RMS of the band
# Power over 50 ms, its 99th against its 5th percentile: noise without muscle stays near 2, typing is far above.
LIFELESS, LIVELY = 2.3, 8.0
DEAD_BAND = 8  # dead electrodes that make a band useless
CLIPPED, CLIPPED_LEAST = 1e-4, 20  # share and number of samples at the largest value
HUM, HUM_STRONG = 0.05, 0.25  # of the electrode's power
OUTLIER, OUTLIERS_MANY = 15.0, 10.0  # times the loudest electrode's RMS when typing; a minute
SCALE = (0.5, 500.0)  # microvolts, median RMS


def electrode_name(index: int) -> str:
    """Electrode 0-31 as "left 1" to "right 16"."""
    return f"{'left' if index < 16 else 'right'} {index % 16 + 1}"


def clock_findings(found: Measures) -> Iterator[Finding]:
    """Rate, gaps, jumps and ties; none when the sample times are unknown."""
    if found.rate is None:
        return
    off = abs(found.rate / SAMPLE_RATE - 1)
    if off > RATE_OFF:
        severity: Severity = "error" if off > RATE_WRONG else "warning"
        yield Finding("rate", severity, found.rate, f"{found.rate:.1f} samples a second")
    seconds = found.samples / SAMPLE_RATE
    if found.gaps:
        much = found.gap_seconds > GAPS_MANY * seconds
        text = f"{found.gaps} gaps, {found.gap_seconds:.2f} s missing"
        value = {"count": found.gaps, "seconds": found.gap_seconds}
        yield Finding("gaps", "warning" if much else "note", value, text)
    if found.jumps:
        text = f"{found.jumps} jumps of the clock, {found.jump_seconds:.1f} s"
        yield Finding("jumps", "warning", {"count": found.jumps, "seconds": found.jump_seconds}, text)
    share = found.ties / found.samples
    if share > TIES_MANY or found.longest_tie >= TIE_LONG:
        worse = share > TIES_MOST or found.longest_tie >= TIE_STUCK
        text = f"{share:.1%} of the samples tied, up to {found.longest_tie} in a row"
        value = {"share": share, "longest": found.longest_tie}
        yield Finding("ties", "warning" if worse else "note", value, text)


def signal_findings(found: Measures) -> Iterator[Finding]:
    """Whole bands, then electrodes, then amplitudes."""
    still = found.still / found.samples
    for band, name in enumerate(("left", "right")):
        lost = float(found.still[16 * band : 16 * band + 16].min()) / SAMPLE_RATE
        if lost >= FLAT_SHORT:
            much = lost > FLAT_MUCH * found.samples / SAMPLE_RATE
            text = f"{name} band flat for {lost:.1f} s"
            yield Finding("flat", "error" if much else "warning", {"band": name, "seconds": lost}, text)
    dead = _dead(found, still)
    if dead.any():
        most = max(int(dead[:16].sum()), int(dead[16:].sum()))
        yield _electrodes("dead", "error" if most >= DEAD_BAND else "warning", dead, "no contact")
    share = found.clipped / found.samples
    clipped = (share >= CLIPPED) & (found.clipped >= CLIPPED_LEAST) & (still < STILL)
    if clipped.any():
        yield _electrodes(
            "clipped", "warning", clipped, f"clipped, up to {share[clipped].max():.2%} of the time", share
        )
    hum = found.hum.max(axis=0)
    if (hum >= HUM).any():
        line = MAINS[int(found.hum.sum(axis=1).argmax())]
        severity: Severity = "warning" if hum.max() >= HUM_STRONG else "note"
        yield _electrodes("hum", severity, hum >= HUM, f"up to {hum.max():.0%} of the power at {line} Hz", hum)
    yield from _amplitudes(found, dead)


def _dead(found: Measures, still: np.ndarray) -> np.ndarray:
    """bool[32]: electrodes without contact. In a band that is silent as a whole, contact cannot be judged."""
    bands = np.arange(32) // 16
    median = np.array([np.median(found.rms[bands == band]) for band in (0, 1)])[bands]
    swing = (found.top / np.maximum(found.low, 1e-9)) ** 2
    lively = np.array([np.median(swing[bands == band]) >= LIVELY for band in (0, 1)])[bands]
    return (still >= STILL) | (found.rms < WEAK * median) | (lively & (swing < LIFELESS))


def _amplitudes(found: Measures, dead: np.ndarray) -> Iterator[Finding]:
    median = float(np.median(found.rms))
    if not SCALE[0] <= median <= SCALE[1] and not dead.all():
        yield Finding("scale", "warning", median, f"median RMS {median:.3g}, expected microvolts")
    bands = np.arange(32) // 16
    loud = ~dead & (found.rms > LOUD * np.array([np.median(found.rms[bands == band]) for band in (0, 1)])[bands])
    if loud.any():
        yield _electrodes("loud", "warning", loud, "far stronger than their band", found.rms)
    typing = np.array([np.sort(found.high[bands == band])[-2] for band in (0, 1)])[bands]  # one electrode may be off
    over = peak_edges()[None, :] > OUTLIER * np.maximum(typing, 1e-9)[:, None]
    counts = np.where(over, found.peaks, 0).sum(axis=1)
    a_minute = float(counts.sum()) / (found.samples / SAMPLE_RATE / 60)
    if counts.any():
        severity: Severity = "warning" if a_minute > OUTLIERS_MANY else "note"
        text = f"{int(counts.sum())} peaks above {OUTLIER:g} times the typing level ({a_minute:.1f} per minute)"
        value = {"count": int(counts.sum()), "a_minute": a_minute, "electrodes": np.flatnonzero(counts).tolist()}
        yield Finding("outliers", severity, value, text)


def _electrodes(
    code: str, severity: Severity, which: np.ndarray, text: str, values: np.ndarray | None = None
) -> Finding:
    indices = [int(index) for index in np.flatnonzero(which)]
    value: dict[str, list] = {"electrodes": indices}
    if values is not None:
        value |= {"values": [float(values[index]) for index in indices]}
    return Finding(code, severity, value, f"{_list(indices)}: {text}")


def _list(indices: list[int]) -> str:
    """Electrodes by band: "left 3, 4; right 16"."""
    parts = []
    for name, low in (("left", 0), ("right", 16)):
        numbers = [str(index - low + 1) for index in indices if low <= index < low + 16]
        if len(numbers) == 16:
            parts.append(f"all {name}")
        elif numbers:
            parts.append(f"{name} {', '.join(numbers)}")
    return "; ".join(parts)
