"""Source: packets of samples from a pipe, such as standard input."""

import os
import select
import time

from semgjax.errors import InputError
from semgjax.streaming.packets import HEADER, Packet, packet_of, read_head
from semgjax.streaming.sources.packet_stream import described, nothing_yet, samples_of
from semgjax.streaming.sources.source import POLL, Described, Samples


class StdinSource:
    """Packets one after the other from a pipe or a file; its end, or a packet without samples, ends the stream.

    Not live: a sender that is faster than the decoder waits, as pipes make it wait.
    """

    live = False

    def __init__(self, number: int, wait: float) -> None:
        """
        Args:
            number: of an open file.
            wait: seconds until the first packet must have come.

        Raises:
            InputError: it is a terminal ("bad-option").
        """
        if os.isatty(number):
            raise InputError("--source -: standard input is a terminal; pipe packets of samples into it", "bad-option")
        self._number, self._wait, self._where = number, wait, "standard input"
        self._content = bytearray()
        self._closed = False
        self._about: Described | None = None
        self._first: Packet | None = None

    def describe(self) -> Described:
        """See `Source`."""
        if self._about is None:
            until = time.monotonic() + self._wait
            while (packet := self._packet()) is None and not self._closed:
                if time.monotonic() > until:
                    raise InputError(
                        f"{self._where}: no packet came in {self._wait:g} s; start the sender, or give a longer --wait",
                        "no-source",
                    )
            if packet is None:
                raise InputError(f"{self._where}: ended before the first packet; pipe one into it", "no-source")
            self._about, self._first = described(packet, self._where), packet
        return self._about

    def read(self) -> Samples | None:
        """See `Source`.

        Raises:
            InputError: also a pipe that ends within a packet ("damaged").
        """
        about = self.describe()
        packet, self._first = self._first or self._packet(), None
        if packet is None:
            return None if self._closed else nothing_yet()
        if not len(packet.emg_TxC):
            return None
        return samples_of(packet, about, self._where)

    def _packet(self) -> Packet | None:
        """The next packet, once it has come whole."""
        while (packet := self._whole()) is None and not self._closed:
            if not select.select([self._number], [], [], POLL)[0]:
                return None
            content = os.read(self._number, 1 << 18)
            self._closed = not content
            self._content += content
        if packet is None and self._content:
            size = len(self._content)
            self._content.clear()
            raise InputError(
                f"{self._where}: ended {size} bytes into a packet; the sender was cut off, start it again", "damaged"
            )
        return packet

    def _whole(self) -> Packet | None:
        if len(self._content) < HEADER.size:
            return None
        head = read_head(bytes(self._content[: HEADER.size]), self._where)
        end = HEADER.size + head.size
        if len(self._content) < end:
            return None
        packet = packet_of(head, bytes(self._content[HEADER.size : end]))
        del self._content[:end]
        return packet

    def clock_offset(self) -> float | None:
        """See `Source`."""
        return None

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return {}

    def close(self) -> None:
        """See `Source`."""
