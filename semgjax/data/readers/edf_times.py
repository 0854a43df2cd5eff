"""Check by their time stamps that the records of a discontinuous BDF or EDF file have no gaps.

In BDF+D and EDF+D each record begins with a time-stamped annotation, "+SECONDS" and the bytes 20, 20 (EDF+
specification, 2.2.4).
"""

import re
from collections.abc import Sequence
from pathlib import Path

from semgjax.errors import InputError

_STAMP = re.compile(rb"([+-]\d+(?:\.\d*)?)\x14\x14")
_LATE = 0.001
"""tolerance of a time stamp in seconds: stamps are written with few digits"""


def check_continuous(
    path: Path, data_at: int, record_bytes: int, records: int, seconds: float, notes: Sequence[tuple[int, int]]
) -> None:
    """Check that a discontinuous file has no gap between its records: keys after a gap would be misplaced.

    Args:
        notes: (first byte in a record, number of bytes) of each annotation signal.

    Raises:
        InputError: there is a gap, or a record without its time ("gap-in-signal").
    """
    if not notes:
        raise InputError(
            f"{path}: is discontinuous and has no annotations, so its sample times are unknown", "gap-in-signal"
        )
    at, size = notes[0]
    begin = 0.0
    with open(path, "rb") as file:
        for record in range(records):
            file.seek(data_at + record * record_bytes + at)
            stamp = _STAMP.match(file.read(size))
            if stamp is None:
                raise InputError(f"{path}: record {record} of this discontinuous file has no time", "gap-in-signal")
            time = float(stamp[1])
            begin = time if record == 0 else begin
            late = time - begin - record * seconds
            if abs(late) > _LATE:
                raise InputError(
                    f"{path}: record {record} begins {late:+.3f} s off the end of the one before; write each "
                    "continuous stretch as a session of its own",
                    "gap-in-signal",
                )
