"""A typing simulator: text -> key presses -> muscles -> surface EMG, in emg2qwerty's session format."""

from semgjax.data.simulate.signal_settings import Severity
from semgjax.data.simulate.write import People, simulate

__all__ = ["People", "Severity", "simulate"]
