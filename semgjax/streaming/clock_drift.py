"""How fast a device's clock runs against the host's, from samples that arrive late by a random amount.

A sample arrives after it was taken, never before. The least lateness of each second is therefore near the transport's
own, and a line through these minima is the clock: its sums need the same memory for a minute and for a day.
"""

import math

_BIN = 1.0  # seconds
LEAST = 5
"""seconds before there is an estimate"""


class Drift:
    """A running line through the least lateness of every second.

    Attributes:
        seconds: bins that count.
    """

    def __init__(self) -> None:
        self.seconds = 0
        self._first: tuple[float, float] | None = None
        self._bin = 0
        self._least: tuple[float, float] | None = None
        self._x = self._y = self._xx = self._xy = self._yy = 0.0

    def add(self, device: float, host: float) -> None:
        """A sample's time by the device's clock, and when it arrived by the host's; both in seconds."""
        if self._first is None:
            self._first = (device, host)
        since = device - self._first[0]
        late = (host - self._first[1]) - since
        number = int(since // _BIN)
        if number != self._bin:
            self._close()
            self._bin = number
        if self._least is None or late < self._least[1]:
            self._least = (since, late)

    def _close(self) -> None:
        if self._least is None:
            return
        x, y = self._least
        self._least = None
        self.seconds += 1
        self._x, self._y = self._x + x, self._y + y
        self._xx, self._xy, self._yy = self._xx + x * x, self._xy + x * y, self._yy + y * y

    @property
    def slope(self) -> float | None:
        """Seconds that the host's clock gains on the device's in each second of the device's; None for too few."""
        spread = self._spread()
        return None if spread is None else self._joint() / spread

    @property
    def doubt(self) -> float:
        """Standard error of the slope; infinite for too few seconds."""
        spread, slope = self._spread(), self.slope
        if spread is None or slope is None:
            return math.inf
        n = self.seconds
        rest = max(self._yy - self._y * self._y / n - slope * self._joint(), 0.0)
        return math.sqrt(rest / (n - 2) / spread)

    def host_time(self, device: float) -> float | None:
        """The host's time at which a sample of this device's time was taken, but for the least lateness."""
        slope = self.slope
        if slope is None or self._first is None:
            return None
        middle_x, middle_y = self._x / self.seconds, self._y / self.seconds
        since = device - self._first[0]
        return self._first[1] + since + middle_y + slope * (since - middle_x)

    def _spread(self) -> float | None:
        if self.seconds < LEAST:
            return None
        spread = self._xx - self._x * self._x / self.seconds
        return spread if spread > 0 else None

    def _joint(self) -> float:
        return self._xy - self._x * self._y / self.seconds
