"""Packets of samples: the bytes that the documentation states, and refusals of others."""

import struct

import numpy as np
import pytest

from semgjax.streaming.packets import HEADER, Packet, decode_packet, encode_packet
from tests.refused import refused

EMG = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_a_packet_has_the_documented_bytes():
    found = encode_packet(Packet(EMG, 2000.0, first=7, time=1.5, sent=2.5, fresh=True))
    head = struct.pack("<4sHHIIqddd", b"SEMG", 1, 2, 3, 1, 7, 2000.0, 1.5, 2.5)
    assert HEADER.size == 48 and found == head + EMG.astype("<f4").tobytes()


def test_a_packet_reads_back():
    found = decode_packet(encode_packet(Packet(EMG, 200.0)), "here")
    np.testing.assert_array_equal(found.emg_TxC, EMG)
    assert (found.rate, found.first, found.fresh) == (200.0, -1, False)
    assert np.isnan(found.time) and np.isnan(found.sent)


@pytest.mark.parametrize(
    ("at", "value", "named"),
    [
        (0, b"EEG!", "EEG!"),
        (4, struct.pack("<H", 2), "version 2"),
        (6, struct.pack("<H", 0), "0 channels"),
        (12, struct.pack("<I", 4), "flags 4"),
        (16, struct.pack("<q", -2), "first -2"),
        (24, struct.pack("<d", 0.0), "rate 0"),
        (24, struct.pack("<d", float("nan")), "rate nan"),
        (32, struct.pack("<d", float("inf")), "time inf"),
        (8, struct.pack("<I", 4), "80"),
    ],
)
def test_another_header_is_refused(at, value, named):
    content = bytearray(encode_packet(Packet(EMG, 2000.0)))
    content[at : at + len(value)] = value
    with refused("bad-packet", "here", named):
        decode_packet(bytes(content), "here")


def test_a_packet_that_is_too_short_is_refused():
    with refused("bad-packet", "47"):
        decode_packet(bytes(47), "here")
