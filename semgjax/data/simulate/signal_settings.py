"""Settings of the simulated signal: how muscles work for a press, and what disturbs a recording."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["clean", "mild", "harsh"]


@dataclass(frozen=True)
class SignalSettings:
    """Times in seconds, amplitudes in microvolts, frequencies in Hz."""

    amplitude: float = 72.0  # RMS of a fully driven muscle under its electrode
    resting: float = 0.03  # drive of every muscle at rest
    rise: float = 0.085  # an activation starts this long before the key goes down (electromechanical delay) ...
    fall: float = 0.045  # ... and ends this long after
    held: float = 0.25  # drive while the key is held, as a share of the peak
    force: float = 0.15  # log-normal sigma of a press's strength
    looseness: float = 0.10  # log-normal sigma of each muscle's share in a press
    lead_jitter: float = 0.006  # sigma of the activation's shift against the key
    high_pass: float = 40.0  # as the real recordings are
    noise_edge: float = 500.0  # upper edge of electrode noise, which the recording's anti-alias filter sets
    clock_jitter: float = 25e-6  # sigma of the time stamps
    tie_rate: float = 2e-4  # share of samples stamped like the one before


@dataclass(frozen=True)
class Disturbance:
    """Noise and artefacts of a recording. Amplitudes in microvolts."""

    noise: float  # RMS of electrode noise
    hum: float  # largest amplitude of mains hum at an electrode
    artefacts: float  # motion artefacts a minute
    artefact_size: tuple[float, float]  # peak, range
    dead: float  # chance that an electrode has no contact for a session


SIGNAL = SignalSettings()
DISTURBANCES: dict[str, Disturbance] = {
    "clean": Disturbance(noise=0.5, hum=0.0, artefacts=0.0, artefact_size=(0.0, 0.0), dead=0.0),
    "mild": Disturbance(noise=2.0, hum=1.5, artefacts=2.0, artefact_size=(100.0, 400.0), dead=0.0),
    "harsh": Disturbance(noise=6.0, hum=8.0, artefacts=15.0, artefact_size=(200.0, 900.0), dead=0.03),
}
