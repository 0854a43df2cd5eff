"""Chunks of the open XDF format, as bytes: one stream of float32 samples with a time each, and its clock's offsets.

https://github.com/sccn/xdf/wiki/Specifications, version 1.0.
"""

import struct
from xml.sax.saxutils import escape

import numpy as np

STREAM = 1
_FILE_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK_OFFSET, _BOUNDARY, _STREAM_FOOTER = range(1, 7)
_MARK = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")


def file_header() -> bytes:
    """The first bytes of a file."""
    return b"XDF:" + _chunk(_FILE_HEADER, b'<?xml version="1.0"?><info><version>1.0</version></info>')


def stream_header(name: str, rate: float, channels: int, created: float, unit: str = "") -> bytes:
    """What the stream is.

    Args:
        rate: nominal, Hz.
        created: seconds of the clock of the times.
        unit: of the values; "" if it is not known.
    """
    shown = f"<unit>{escape(unit)}</unit>" if unit else ""
    labels = "".join(f"<channel><label>{n}</label>{shown}<type>EMG</type></channel>" for n in range(channels))
    text = (
        f'<?xml version="1.0"?><info><name>{escape(name)}</name><type>EMG</type>'
        f"<channel_count>{channels}</channel_count><nominal_srate>{rate!r}</nominal_srate>"
        f"<channel_format>float32</channel_format><created_at>{created!r}</created_at>"
        f"<desc><channels>{labels}</channels></desc></info>"
    )
    return _chunk(_STREAM_HEADER, struct.pack("<I", STREAM) + text.encode())


def samples(times_T: np.ndarray, emg_TxC: np.ndarray) -> bytes:
    """Samples, each with its time."""
    one = np.dtype([("size", "u1"), ("time", "<f8"), ("values", "<f4", (emg_TxC.shape[1],))])
    rows = np.empty(len(emg_TxC), one)
    rows["size"], rows["time"], rows["values"] = 8, times_T, emg_TxC
    return _chunk(_SAMPLES, struct.pack("<IBI", STREAM, 4, len(rows)) + rows.tobytes())


def clock_offset(at: float, offset: float) -> bytes:
    """At this time of the recorder's clock, the recorder's clock minus that of the times was this; seconds."""
    return _chunk(_CLOCK_OFFSET, struct.pack("<Idd", STREAM, at, offset))


def boundary() -> bytes:
    """A mark at which a reader can resume after damage."""
    return _chunk(_BOUNDARY, _MARK)


def stream_footer(first: float, last: float, count: int) -> bytes:
    """First and last time, and how many samples there are."""
    text = (
        f'<?xml version="1.0"?><info><first_timestamp>{first!r}</first_timestamp>'
        f"<last_timestamp>{last!r}</last_timestamp><sample_count>{count}</sample_count></info>"
    )
    return _chunk(_STREAM_FOOTER, struct.pack("<I", STREAM) + text.encode())


def _chunk(tag: int, content: bytes) -> bytes:
    size = len(content) + 2
    length = struct.pack("<BB", 1, size) if size < 256 else struct.pack("<BI", 4, size)
    return length + struct.pack("<H", tag) + content
