"""A typing simulator: text -> key presses -> muscles -> surface EMG, in emg2qwerty's session format."""

from semgjax.data.simulate.signal import Severity
from semgjax.data.simulate.write import simulate

__all__ = ["Severity", "simulate"]
