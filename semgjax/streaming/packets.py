"""The packets in which UDP senders, pipes and unfinished recordings hold samples: a header of 48 bytes, then float32.

All numbers are little-endian: docs/reference/formats.md, "Packets of samples".
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError

MAGIC, VERSION = b"SEMG", 1
HEADER = struct.Struct("<4sHHIIqddd")
FRESH = 1
"""flag: the device began anew, so these samples do not follow the last ones"""
MOST_CHANNELS, MOST_SAMPLES = 4096, 1 << 20
_BAD = "bad-packet"


@dataclass(frozen=True, eq=False)
class Packet:
    """Some samples, and when they were.

    Attributes:
        emg_TxC: float32. No samples: the end of the stream.
        rate: samples a second, nominal.
        first: number of the first sample; -1 if the sender does not count.
        time: of the first sample, seconds of the device's clock; NaN if it has none.
        sent: unix seconds when the sender wrote the packet; NaN if it does not say.
        fresh: the device began anew.
    """

    emg_TxC: np.ndarray
    rate: float
    first: int = -1
    time: float = math.nan
    sent: float = math.nan
    fresh: bool = False


@dataclass(frozen=True)
class Head:
    """The header of a packet, checked."""

    channels: int
    samples: int
    first: int
    rate: float
    time: float
    sent: float
    fresh: bool

    @property
    def size(self) -> int:
        """Bytes of the samples that follow."""
        return 4 * self.channels * self.samples


def encode_packet(packet: Packet) -> bytes:
    """The bytes of a packet."""
    samples, channels = packet.emg_TxC.shape
    flags = FRESH if packet.fresh else 0
    head = HEADER.pack(MAGIC, VERSION, channels, samples, flags, packet.first, packet.rate, packet.time, packet.sent)
    return head + np.ascontiguousarray(packet.emg_TxC, "<f4").tobytes()


def read_head(content: bytes, where: str) -> Head:
    """The header at the start of these bytes, HEADER.size or more.

    Raises:
        InputError: it is none, of another version, or its numbers cannot be ("bad-packet").
    """
    magic, version, channels, samples, flags, first, rate, time, sent = HEADER.unpack_from(content)
    if magic != MAGIC:
        raise InputError(f"{where}: a packet begins with {magic!r}, expected {MAGIC!r}; see Packets of samples", _BAD)
    if version != VERSION:
        raise InputError(f"{where}: packet version {version}, this semgjax reads {VERSION}; send that one", _BAD)
    if not (1 <= channels <= MOST_CHANNELS and samples <= MOST_SAMPLES and first >= -1 and flags in (0, FRESH)):
        text = f"{channels} channels, {samples} samples, first {first}, flags {flags}"
        raise InputError(f"{where}: a packet of {text}; these cannot be", _BAD)
    if not (math.isfinite(rate) and rate > 0) or math.isinf(time) or math.isinf(sent):
        raise InputError(f"{where}: a packet of rate {rate}, time {time}, sent {sent}; give finite ones", _BAD)
    return Head(channels, samples, first, rate, time, sent, bool(flags))


def packet_of(head: Head, body: bytes) -> Packet:
    """The packet of a header and the `head.size` bytes after it."""
    emg = np.frombuffer(body, "<f4").reshape(head.samples, head.channels).astype(np.float32)
    return Packet(emg, head.rate, head.first, head.time, head.sent, head.fresh)


def decode_packet(content: bytes, where: str) -> Packet:
    """A packet that is alone in these bytes, such as a datagram.

    Raises:
        InputError: as `read_head`, or its length is not that of its header ("bad-packet").
    """
    if len(content) < HEADER.size:
        raise InputError(f"{where}: a packet of {len(content)} bytes; the header has {HEADER.size}", _BAD)
    head = read_head(content, where)
    if len(content) != HEADER.size + head.size:
        text = f"{len(content)} bytes; its header says {HEADER.size + head.size}"
        raise InputError(f"{where}: a packet of {text}", _BAD)
    return packet_of(head, content[HEADER.size :])
