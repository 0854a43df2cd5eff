"""A source's samples made what the decoder was trained on: electrodes, unit, rate and causal filters."""

from dataclasses import dataclass

import numpy as np
from scipy import signal as scipy_signal

from semgjax.data.band import Band
from semgjax.data.tabular.conditioning import sections
from semgjax.data.tabular.declaration import FiltersPart
from semgjax.errors import InputError
from semgjax.streaming.resample import Resampler
from semgjax.streaming.sources.source import Described
from semgjax.streaming.timeline import Placed

STRETCH, SHRINK = 16, 1000
"""how many times lower or higher than the decoder's a source's rate may be: below, hardly anything of the signal is
left; above, each sample would be a sum of too many"""
MOST_SCALE = 1e8
"""largest factor of a unit: LARGEST times it, squared, is still a float32"""
_NO_FILTERS = FiltersPart()


@dataclass(frozen=True)
class Conditioning:
    """What is done to samples before they are decoded.

    Attributes:
        channels: numbers of the source's channels, from 0, in the decoder's order; () for all as they are.
        scale: factor of every value, after which it is in the unit of the training data.
        filters: causal ones, as at ingest of the training data.
        resample: take a source of another rate, and follow the rate at which samples really come.
    """

    channels: tuple[int, ...] = ()
    scale: float = 1.0
    filters: FiltersPart = _NO_FILTERS
    resample: bool = False


def check_source(about: Described, band: Band, conditioning: Conditioning) -> Described:
    """The source with its chosen channels, if the decoder can read it.

    Raises:
        InputError: another number of channels, or a channel that it has not ("channel-count"); another rate, or one
            that is too far from the decoder's to be converted ("rate-differs"); filters or a scale that cannot be
            ("bad-value").
    """
    for number in conditioning.channels:
        if not 0 <= number < about.channels:
            raise InputError(
                f"{about.name}: has no channel {number}; give numbers from 0 to {about.channels - 1}", "channel-count"
            )
    channels = len(conditioning.channels) or about.channels
    if channels != band.channels:
        remedy = "choose them with --channels" if about.channels > band.channels else "choose another source or decoder"
        raise InputError(
            f"{about.name}: {channels} channels; the decoder takes {band.channels}: {remedy}", "channel-count"
        )
    if about.rate != band.rate and not conditioning.resample:
        raise InputError(
            f"{about.name}: {about.rate:g} samples a second; the decoder takes {band.rate:g}: --resample converts them",
            "rate-differs",
        )
    if not 1 / STRETCH <= about.rate / band.rate <= SHRINK:
        raise InputError(
            f"{about.name}: {about.rate:g} samples a second; the decoder takes {band.rate:g}, to which "
            f"{band.rate / STRETCH:g} to {band.rate * SHRINK:g} can be converted: choose another source",
            "rate-differs",
        )
    if not 1 / MOST_SCALE <= abs(conditioning.scale) <= MOST_SCALE:
        raise InputError(
            f"the factor of the signal is {conditioning.scale:g}; give one from {1 / MOST_SCALE:g} to {MOST_SCALE:g} "
            "with --scale or the declaration",
            "bad-value",
        )
    for name in ("highpass", "notch"):
        value = getattr(conditioning.filters, name)
        if not 0 <= value < band.rate / 2:
            raise InputError(f"filters.{name} is {value} Hz; give one below {band.rate / 2:g}", "bad-value")
    return Described(about.name, about.rate, channels)


class Incoming:
    """The way of placed samples to the decoder; its state has a fixed size.

    Filters are those of ingest, at the decoder's rate, in float64, with the state at a start of a signal that has
    always been its first sample. Lost samples hold the last value, so that a filter sees no step.

    Attributes:
        delay: seconds that resampling waits for later samples.
    """

    def __init__(self, about: Described, band: Band, conditioning: Conditioning) -> None:
        self._about, self._band, self._conditioning = about, band, conditioning
        self._sections = sections(conditioning.filters, band.rate)
        self._rate = about.rate
        self._begin()
        self.delay = 0.0 if self._resampler is None else self._resampler.delay

    def _begin(self) -> None:
        self._filter: np.ndarray | None = None
        self._resampler = None
        if self._conditioning.resample:
            self._resampler = Resampler(self._about.rate, self._band.rate, self._band.channels)
            self._resampler.follow(self._rate)

    def follow(self, rate: float) -> None:
        """Samples really come at this rate."""
        self._rate = rate
        if self._resampler is not None:
            self._resampler.follow(rate)

    def add(self, placed: Placed) -> tuple[np.ndarray, np.ndarray]:
        """The samples that the decoder gets now, float32 [T, C], and which of them are there, bool [T]."""
        emg_TxC = placed.emg_TxC * np.float32(self._conditioning.scale)
        valid_T = placed.valid_T
        if self._resampler is not None:
            emg_TxC, valid_T = self._resampler.add(emg_TxC, valid_T)
        return self._filtered(emg_TxC), valid_T

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The last samples of a signal; the next ones begin another."""
        none = np.zeros((0, self._band.channels), np.float32), np.zeros(0, bool)
        emg_TxC, valid_T = none if self._resampler is None else self._resampler.finish()
        found = self._filtered(emg_TxC), valid_T
        self._begin()
        return found

    def _filtered(self, emg_TxC: np.ndarray) -> np.ndarray:
        if not len(self._sections) or not len(emg_TxC):
            return emg_TxC
        if self._filter is None:
            self._filter = scipy_signal.sosfilt_zi(self._sections)[:, :, None] * emg_TxC[0].astype(np.float64)
        found, self._filter = scipy_signal.sosfilt(self._sections, emg_TxC.astype(np.float64), axis=0, zi=self._filter)
        return found.astype(np.float32)
