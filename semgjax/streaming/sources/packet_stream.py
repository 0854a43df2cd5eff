"""What sources of packets share: the first one describes the stream, and the others must agree with it."""

import time

import numpy as np

from semgjax.errors import InputError
from semgjax.streaming.packets import Packet
from semgjax.streaming.sources.source import Described, Samples

NOTHING = np.zeros((0, 1), np.float32)


def described(packet: Packet, where: str) -> Described:
    """What the first packet says."""
    return Described(where, packet.rate, packet.emg_TxC.shape[1])


def samples_of(packet: Packet, about: Described, where: str) -> Samples:
    """The samples of a packet that has just arrived.

    Raises:
        InputError: its channels or its rate are not those of the first one ("bad-packet").
    """
    found = (packet.emg_TxC.shape[1], packet.rate)
    if found != (about.channels, about.rate):
        raise InputError(
            f"{where}: a packet of {found[0]} channels at {found[1]:g} Hz after one of {about.channels} at "
            f"{about.rate:g} Hz; a stream keeps to one kind",
            "bad-packet",
        )
    times = None
    if np.isfinite(packet.time):
        times = packet.time + np.arange(len(packet.emg_TxC)) / packet.rate
    first = packet.first if packet.first >= 0 else None
    return Samples(packet.emg_TxC, first, times, time.monotonic(), packet.fresh)


def nothing_yet() -> Samples:
    """What `read` gives when nothing came."""
    return Samples(NOTHING, None, None, time.monotonic())
