"""Source: packets of samples over UDP, one a datagram; lost ones show in the numbers, and a few out of order are put
back."""

import heapq
import socket
import time
from collections import Counter

from semgjax.errors import InputError, system_fault
from semgjax.streaming.packets import Packet, decode_packet
from semgjax.streaming.sources.packet_stream import described, nothing_yet, samples_of
from semgjax.streaming.sources.source import POLL, Described, Samples

_BUFFER = 1 << 23  # bytes that the system is asked to hold; it may give less
_HELD, _HELD_SECONDS = 8, 0.03
"""packets after a missing one, and seconds since then, until it counts as lost"""


class UdpSource:
    """A port on which one sender's packets arrive. Those of other senders, and what is no packet, are counted."""

    live = True

    def __init__(self, host: str, port: int, wait: float) -> None:
        """Open the port.

        Args:
            host: address on which to listen; 127.0.0.1 takes packets of this machine only.
            wait: seconds until the first packet must have come.

        Raises:
            InputError: the port is taken or cannot be opened.
        """
        self._where, self._wait = f"udp:{host}:{port}", wait
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            fault = system_fault(error, self._where)
            raise fault or InputError(
                f"{self._where}: cannot be opened ({error}); choose another", "no-source"
            ) from None
        self._socket.settimeout(POLL)
        self._sender: tuple[str, int] | None = None
        self._ignored: Counter[str] = Counter()
        self._about: Described | None = None
        self._next: int | None = None
        self._held: list[tuple[int, int, Packet]] = []
        self._since = 0.0
        self._count = 0
        self._ended = False

    @property
    def port(self) -> int:
        """The port that is open."""
        return int(self._socket.getsockname()[1])

    def describe(self) -> Described:
        """See `Source`."""
        if self._about is None:
            until = time.monotonic() + self._wait
            while (packet := self._receive()) is None:
                if time.monotonic() > until:
                    seen = "".join(f", but {count} {name}" for name, count in self._ignored.items())
                    raise InputError(
                        f"{self._where}: no packet came in {self._wait:g} s{seen}; start the sender, or give a "
                        "longer --wait",
                        "no-source",
                    )
            self._about = described(packet, self._where)
            self._hold(packet)
        return self._about

    def read(self) -> Samples | None:
        """See `Source`."""
        about = self.describe()
        packet = self._due()
        if packet is None and not self._ended:
            received = self._receive()
            if received is not None:
                self._hold(received)
            packet = self._due()
        if packet is None:
            return None if self._ended and not self._held else nothing_yet()
        if not len(packet.emg_TxC):
            return None
        return samples_of(packet, about, self._where)

    def _receive(self) -> Packet | None:
        try:
            content, sender = self._socket.recvfrom(1 << 16)
        except TimeoutError:
            return None
        if self._sender is not None and sender != self._sender:
            self._ignored["packets of another sender"] += 1
            return None
        try:
            packet = decode_packet(content, self._where)
        except InputError:  # anyone can send anything to a port: counted, and said at the end
            self._ignored["datagrams that are no packets"] += 1
            return None
        self._sender = sender
        return packet

    def _hold(self, packet: Packet) -> None:
        if not len(packet.emg_TxC):
            self._ended = True
            return
        if not self._held:
            self._since = time.monotonic()
        self._count += 1
        heapq.heappush(self._held, (packet.first, self._count, packet))

    def _due(self) -> Packet | None:
        """The next packet in order, if it has come or what lies before it counts as lost."""
        if not self._held:
            return None
        first, _, packet = self._held[0]
        in_order = first < 0 or self._next is None or packet.fresh or first <= self._next
        late = len(self._held) > _HELD or time.monotonic() - self._since > _HELD_SECONDS or self._ended
        if not in_order and not late:
            return None
        heapq.heappop(self._held)
        self._next = None if first < 0 else first + len(packet.emg_TxC)
        return packet

    def clock_offset(self) -> float | None:
        """See `Source`."""
        return None

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return dict(self._ignored)

    def close(self) -> None:
        """See `Source`."""
        self._socket.close()
