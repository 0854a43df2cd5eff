"""Findings about a session's clock and electrodes, with all their thresholds.

Times are in seconds, so they hold at any rate. The thresholds are ours: simulated sessions without faults stay below
all of them, and they are wide enough for what emg2qwerty's authors report of theirs. Those of gesture sets were looked
at on 82 recorded sessions (docs/log.md).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from semgjax.data.quality.findings import Finding, Severity
from semgjax.data.quality.meter import MAINS, SLOW, STUCK, Measures, peak_edges

RATE_OFF, RATE_WRONG = 0.005, 0.05  # of the nominal rate
GAPS_MANY = 0.001  # of the session's time
TIES_MANY, TIES_MOST = 0.01, 0.1  # of the samples
TIE_LONG, TIE_STUCK = STUCK, 1.0  # samples in a row; seconds
FLAT_SHORT, FLAT_MUCH = 0.5, 0.1  # seconds; share of the session
STILL = 0.5  # share of the time without change that makes an electrode dead
WEAK, LOUD = 0.02, 8.0  # times the median RMS of the band
# Power over a short time, its 99th against its 5th percentile: noise without muscle stays near 2, typing is far above.
LIFELESS, LIVELY = 2.3, 8.0
DEAD_BAND = 0.5  # share of dead electrodes that makes a band useless
CLIPPED, CLIPPED_LEAST = 1e-4, 20  # share and number of samples at the largest value
CLIPPED_MUCH = 0.01  # of gestures, which are stronger than typing and which 8 bits often clip a little
HUM, HUM_STRONG = 0.05, 0.25  # of the electrode's power
DRIFT, DRIFT_STRONG, DRIFT_WHITE = 0.25, 0.5, 3.0  # of the electrode's power; times what white noise would have
OUTLIER, OUTLIERS_MANY = 15.0, 10.0  # times the loudest electrode's RMS when typing; a minute
SCALE = (0.5, 500.0)  # microvolts, median RMS, of typing: other sets have other units


def ring_name(rings: Sequence[int], ring: int) -> str:
    """Two rings are "left" and "right", others "ring 1", "ring 2", ..."""
    return ("left", "right")[ring] if len(rings) == 2 else f"ring {ring + 1}"


def band_name(rings: Sequence[int], ring: int) -> str:
    """A ring in a sentence: "left band", "band" or "ring 3"."""
    return (
        "band" if len(rings) == 1 else f"{ring_name(rings, ring)} band" if len(rings) == 2 else ring_name(rings, ring)
    )


def clock_findings(found: Measures) -> Iterator[Finding]:
    """Rate, gaps, jumps and ties; none when the sample times are unknown."""
    if found.rate is None:
        return
    off = abs(found.rate / found.band.rate - 1)
    if off > RATE_OFF:
        severity: Severity = "error" if off > RATE_WRONG else "warning"
        yield Finding("rate", severity, found.rate, f"{found.rate:.1f} samples a second")
    seconds = found.samples / found.band.rate
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
        worse = share > TIES_MOST or found.longest_tie >= TIE_STUCK * found.band.rate
        text = f"{share:.1%} of the samples tied, up to {found.longest_tie} in a row"
        value = {"share": share, "longest": found.longest_tie}
        yield Finding("ties", "warning" if worse else "note", value, text)


def signal_findings(found: Measures) -> Iterator[Finding]:
    """Whole bands, then electrodes, then amplitudes."""
    still, rate, rings = found.still / found.samples, found.band.rate, found.band.rings
    for ring in range(len(rings)):
        lost = float(found.still[found.ring_of == ring].min()) / rate
        if lost >= FLAT_SHORT:
            much = lost > FLAT_MUCH * found.samples / rate
            text = f"{band_name(rings, ring)} flat for {lost:.1f} s"
            value = {"band": ring_name(rings, ring), "seconds": lost}
            yield Finding("flat", "error" if much else "warning", value, text)
    dead = _dead(found, still)
    if dead.any():
        most = max(float(dead[found.ring_of == ring].mean()) for ring in range(len(rings)))
        yield _electrodes(found, "dead", "error" if most >= DEAD_BAND else "warning", dead, "no contact")
    share = found.clipped / found.samples
    clipped = (share >= CLIPPED) & (found.clipped >= CLIPPED_LEAST) & (still < STILL)
    if clipped.any():
        worst = float(share[clipped].max())
        level: Severity = "warning" if found.band.classes is None or worst >= CLIPPED_MUCH else "note"
        yield _electrodes(found, "clipped", level, clipped, f"clipped, up to {worst:.2%} of the time", share)
    hum = found.hum.max(axis=0)
    if (hum >= HUM).any():
        line = MAINS[int(found.hum.sum(axis=1).argmax())]
        severity: Severity = "warning" if hum.max() >= HUM_STRONG else "note"
        yield _electrodes(found, "hum", severity, hum >= HUM, f"up to {hum.max():.0%} of the power at {line} Hz", hum)
    white = DRIFT_WHITE * SLOW / (rate / 2)
    if white < 1 and (drift := ~dead & (found.slow >= max(DRIFT, white))).any():
        most = float(found.slow[drift].max())
        severity = "warning" if most >= max(DRIFT_STRONG, white) else "note"
        yield _electrodes(found, "drift", severity, drift, f"up to {most:.0%} of the power below {SLOW} Hz", found.slow)
    yield from _amplitudes(found, dead)


def _dead(found: Measures, still: np.ndarray) -> np.ndarray:
    """bool[C]: electrodes without contact. In a band that is silent as a whole, contact cannot be judged."""
    median = _of_ring(found, found.rms)
    swing = (found.top / np.maximum(found.low, 1e-9)) ** 2
    lively = _of_ring(found, swing) >= LIVELY
    lifeless = lively & (swing < LIFELESS) & (found.slow < DRIFT_STRONG)  # a large offset hides muscles
    return (still >= STILL) | (found.rms < WEAK * median) | lifeless


def _of_ring(found: Measures, values_C: np.ndarray) -> np.ndarray:
    """For every electrode the median of its ring, [C]."""
    rings = range(len(found.band.rings))
    return np.array([np.median(values_C[found.ring_of == ring]) for ring in rings])[found.ring_of]


def _amplitudes(found: Measures, dead: np.ndarray) -> Iterator[Finding]:
    median = float(np.median(found.rms))
    if found.band.classes is None and not SCALE[0] <= median <= SCALE[1] and not dead.all():
        yield Finding("scale", "warning", median, f"median RMS {median:.3g}, expected microvolts")
    loud = ~dead & (found.rms > LOUD * _of_ring(found, found.rms))
    if loud.any():
        yield _electrodes(found, "loud", "warning", loud, "far stronger than their band", found.rms)
    # The second loudest: one electrode may be off.
    highest = [np.sort(found.high[found.ring_of == ring])[-2:][0] for ring in range(len(found.band.rings))]
    busy = np.array(highest)[found.ring_of]
    over = peak_edges()[None, :] > OUTLIER * np.maximum(busy, 1e-9)[:, None]
    counts = np.where(over, found.peaks, 0).sum(axis=1)
    a_minute = float(counts.sum()) / (found.samples / found.band.rate / 60)
    if counts.any():
        severity: Severity = "warning" if a_minute > OUTLIERS_MANY else "note"
        text = f"{int(counts.sum())} peaks above {OUTLIER:g} times the usual level ({a_minute:.1f} per minute)"
        value = {"count": int(counts.sum()), "a_minute": a_minute, "electrodes": np.flatnonzero(counts).tolist()}
        yield Finding("outliers", severity, value, text)


def _electrodes(
    found: Measures, code: str, severity: Severity, which: np.ndarray, text: str, values: np.ndarray | None = None
) -> Finding:
    indices = [int(index) for index in np.flatnonzero(which)]
    value: dict[str, list] = {"electrodes": indices}
    if values is not None:
        value |= {"values": [float(values[index]) for index in indices]}
    return Finding(code, severity, value, f"{electrode_list(indices, found.band.rings)}: {text}")


def electrode_list(indices: Sequence[int], rings: Sequence[int]) -> str:
    """Electrodes by ring, counted from 1: "left 3, 4; right 16", or "electrodes 3, 4" of a single ring."""
    parts, low = [], 0
    for ring, size in enumerate(rings):
        numbers = [str(index - low + 1) for index in indices if low <= index < low + size]
        name = "electrodes" if len(rings) == 1 else ring_name(rings, ring)
        if len(numbers) == size:
            parts.append(f"all {name}")
        elif numbers:
            parts.append(f"{name}{': ' if len(rings) > 2 else ' '}{', '.join(numbers)}")
        low += size
    return "; ".join(parts)
