"""Read EDF and BDF files: header checked, samples scaled to microvolts.

Format: 256 bytes of ASCII header, 256 more per signal, then records; a record holds for each signal in turn its
samples of one stretch of time as little-endian integers of 16 bits (EDF, www.edfplus.info/specs/edf.html) or of 24
(BDF, www.biosemi.com/faq/file_format.htm).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.readers.edf_times import check_continuous
from semgjax.errors import InputError, system_fault

# By the unit's text with every kind of micro sign as u; "mv" and "v" do not occur, and megavolts are impossible.
_MICROVOLTS = {"uV": 1.0, "uv": 1.0, "UV": 1.0, "microV": 1.0, "mV": 1e3, "V": 1e6}
_MICRO = re.compile("\u00b5|\u03bc|\u00c2\u00b5|\u00ce\u00bc")  # also UTF-8 read as Latin-1
_NO_SIGNAL = re.compile(r"(bdf |edf )?annotations?|status|stat|trig(ger)?s?( ?\d+)?|sti(m)?( ?\d+)?|marker|event", re.I)
_ANNOTATIONS = re.compile(r"(bdf |edf )?annotations?", re.I)
_MOST_SIGNALS = 9999
_SAMPLE_BYTES = {b"\xffBIOSEMI": 3, b"0       ": 2}
_AGAIN = "download or write the file again"


@dataclass(frozen=True)
class Channel:
    """One signal: digital value d means gain * d + offset microvolts; `at` is its first byte in a record."""

    label: str
    gain: float
    offset: float
    at: int


@dataclass(frozen=True)
class Edf:
    """A file's header.

    Attributes:
        rate: samples a second.
        sample_bytes: bytes of a sample, 2 or 3.
        per_record: samples of a channel in a record.
        channels: the signals, without annotations and status.
        remarks: wrong entries of the header that were corrected by the file's size.
    """

    path: Path
    rate: float
    sample_bytes: int
    records: int
    per_record: int
    record_bytes: int
    data_at: int
    channels: tuple[Channel, ...]
    remarks: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """Samples of each channel."""
        return self.records * self.per_record


def read_edf(path: Path) -> Edf:
    """Read and check the header, and compare it with the file's length.

    A count of records that does not fit the file's size is replaced by the size's, where that is a whole number: the
    device had not closed the file (EDF writes -1 until then).

    Raises:
        InputError: neither EDF nor BDF, a field that is not a number, another unit, mixed rates, or a truncated file.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(256)
            sample_bytes = _SAMPLE_BYTES.get(head[:8], 0)
            if len(head) < 256 or not sample_bytes:
                raise InputError(f"{path}: is neither an EDF nor a BDF file; {_AGAIN}", "bad-header")
            signals = _whole(path, head, 252, 4, "number of signals")
            rest = file.read(min(max(signals, 0), _MOST_SIGNALS) * 256)
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "no-file") from None
    except OSError as error:
        raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "unreadable") from None
    data_at, records = (_whole(path, head, at, 8, what) for at, what in ((184, "header bytes"), (236, "records")))
    seconds = _number(path, head, 244, 8, "duration of a record")
    if signals < 1 or len(rest) < signals * 256 or data_at != 256 * (1 + signals) or records < -1 or seconds <= 0:
        raise InputError(
            f"{path}: header says {signals} signals, {data_at} header bytes, {records} records of {seconds:g} s; "
            f"{_AGAIN}",
            "bad-header",
        )
    fields = _Fields(path, rest, signals)
    counts = [fields.whole(index, 216, 8, "samples of a record") for index in range(signals)]
    record_bytes = sample_bytes * sum(counts)
    held, rest_bytes = divmod(size - data_at, record_bytes) if min(counts) > 0 else (0, 1)
    if held < 1 or rest_bytes:
        raise InputError(
            f"{path}: has {size} bytes, which is not a whole number of its header's records; {_AGAIN}", "bad-header"
        )
    remarks = () if records == held else (f"header says {records} records, the file holds {held}",)
    channels, notes, lengths, at = [], [], set(), 0
    for index in range(signals):
        if _ANNOTATIONS.fullmatch(fields.text(index, 0, 16)):
            notes.append((at, sample_bytes * counts[index]))
        if not _NO_SIGNAL.fullmatch(fields.text(index, 0, 16)):
            channels.append(fields.channel(index, at))
            lengths.add(counts[index])
        at += sample_bytes * counts[index]
    if len(lengths) != 1:
        raise InputError(
            f"{path}: signals have {sorted(lengths)} samples a record, expected one rate; {_AGAIN}", "bad-header"
        )
    per_record = lengths.pop()
    if head[192:197] in (b"BDF+D", b"EDF+D"):
        check_continuous(path, data_at, at, held, seconds, notes)
    return Edf(path, per_record / seconds, sample_bytes, held, per_record, at, data_at, tuple(channels), remarks)


def edf_blocks(edf: Edf, order: list[int], samples: int) -> Iterator[np.ndarray]:
    """The signal in microvolts, in blocks of about `samples`: float32 [n, channels].

    Args:
        order: which of `edf.channels`, in which order.
    """
    chosen = [edf.channels[index] for index in order]
    gain, offset = (np.array([getattr(c, name) for c in chosen], np.float64) for name in ("gain", "offset"))
    width = edf.sample_bytes * edf.per_record
    together = max(1, samples // edf.per_record)
    with open(edf.path, "rb") as file:
        file.seek(edf.data_at)
        for first in range(0, edf.records, together):
            count = min(together, edf.records - first)
            raw = np.frombuffer(file.read(count * edf.record_bytes), np.uint8)
            if len(raw) < count * edf.record_bytes:
                raise InputError(f"{edf.path}: is cut short at record {first}; {_AGAIN}", "damaged")
            raw = raw.reshape(count, edf.record_bytes)
            digital = np.empty((count, edf.per_record, len(chosen)), np.int32)
            padded = np.zeros((count, edf.per_record, 4), np.uint8)
            for column, channel in enumerate(chosen):
                sample = raw[:, channel.at : channel.at + width].reshape(count, edf.per_record, edf.sample_bytes)
                padded[:, :, 4 - edf.sample_bytes :] = sample
                # The shift extends the sign.
                digital[:, :, column] = padded.view("<i4")[:, :, 0] >> 8 * (4 - edf.sample_bytes)
            flat = digital.reshape(-1, len(chosen))
            yield (flat * gain + offset).astype(np.float32)


@dataclass(frozen=True)
class _Fields:
    """The header of the signals: each field for all signals, then the next field."""

    path: Path
    data: bytes
    signals: int

    def text(self, index: int, before: int, width: int) -> str:
        """The field that follows `before` bytes per signal of other fields."""
        at = before * self.signals + index * width
        return self.data[at : at + width].decode("latin-1").strip(" \0\t")

    def whole(self, index: int, before: int, width: int, what: str) -> int:
        return _whole(self.path, self.data, before * self.signals + index * width, width, what)

    def number(self, index: int, before: int, width: int, what: str) -> float:
        return _number(self.path, self.data, before * self.signals + index * width, width, what)

    def channel(self, index: int, at: int) -> Channel:
        label, unit = self.text(index, 0, 16), self.text(index, 96, 8)
        low, high, digital_low, digital_high = (
            self.number(index, before, 8, "range") for before in (104, 112, 120, 128)
        )
        unit = _MICRO.sub("u", unit).strip()
        if unit not in _MICROVOLTS:
            raise InputError(
                f"{self.path}: signal {label!r} is in {unit!r}, expected uV, mV or V; {_AGAIN}", "unknown-unit"
            )
        if digital_high <= digital_low or high == low:
            raise InputError(f"{self.path}: signal {label!r} has an empty range; {_AGAIN}", "bad-header")
        gain = (high - low) / (digital_high - digital_low) * _MICROVOLTS[unit]
        return Channel(label, gain, low * _MICROVOLTS[unit] - digital_low * gain, at)


def _number(path: Path, data: bytes, at: int, width: int, what: str) -> float:
    text = data[at : at + width].decode("latin-1").strip(" \0\t")
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: {what} in the header is {text!r}, expected a number; {_AGAIN}", "bad-header")
    return value


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _whole(path: Path, data: bytes, at: int, width: int, what: str) -> int:
    value = _number(path, data, at, width, what)
    if value != int(value):
        raise InputError(f"{path}: {what} in the header is {value:g}, expected a whole number; {_AGAIN}", "bad-header")
    return int(value)
