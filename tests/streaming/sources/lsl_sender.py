"""A process that sends a signal as an LSL stream: NAME CHANNELS RATE SECONDS [SKIP_AT SKIP]; the samples are numbers.

Of every sample all channels hold its number. From sample SKIP_AT on, SKIP numbers and their times are left out.
"""

import sys
import time

import numpy as np
import pylsl


def main(name, channels, rate, seconds, skip_at=0, skip=0):
    info = pylsl.StreamInfo(name, "EMG", channels, rate, "float32", f"{name}-source")
    outlet = pylsl.StreamOutlet(info)
    if not outlet.wait_for_consumers(60):
        raise SystemExit("nobody listens")
    size, begun, at = max(round(rate / 100), 1), pylsl.local_clock(), 0
    total = round(seconds * rate)
    while at < total:
        size_now = min(size, total - at)
        due = begun + (at + size_now) / rate
        time.sleep(max(due - pylsl.local_clock(), 0.0))
        numbers = np.arange(at, at + size_now)
        at += size_now
        if skip and skip_at <= numbers[-1] < skip_at + skip:
            continue
        values = np.repeat(numbers[:, None].astype(np.float32), channels, axis=1)
        outlet.push_chunk(np.ascontiguousarray(values), due)
    time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:3]), *(float(word) for word in sys.argv[3:5]),
         *(int(word) for word in sys.argv[5:]))  # fmt: skip
