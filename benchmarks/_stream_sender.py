"""Noise as an LSL stream of 32 channels at 2 kHz, in chunks of 10 ms: NAME SECONDS."""

import sys
import time

import numpy as np
import pylsl

RATE, CHANNELS, CHUNK = 2000, 32, 20


def main(name: str, seconds: float) -> None:
    """Send from when somebody listens."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", CHANNELS, RATE, "float32", name))
    noise = (20 * np.random.default_rng(0).normal(size=(100, CHUNK, CHANNELS))).astype(np.float32)
    if not outlet.wait_for_consumers(600):
        raise SystemExit("nobody listens")
    begun = pylsl.local_clock()
    for at in range(round(seconds * RATE / CHUNK)):
        due = begun + (at + 1) * CHUNK / RATE
        time.sleep(max(due - pylsl.local_clock(), 0.0))
        outlet.push_chunk(noise[at % len(noise)], due)
    time.sleep(1.0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
