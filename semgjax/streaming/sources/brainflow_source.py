"""Source: a board that BrainFlow knows (extra "brainflow"), with its package numbers."""

import time
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.streaming.sources.packet_stream import nothing_yet
from semgjax.streaming.sources.source import POLL, Described, Samples

_BUFFER = 60  # seconds that BrainFlow holds
_STEP = 0.005  # seconds between two looks for samples
_WRAPS = 256
"""package numbers of most boards begin again after 255; those of others are larger"""


class BrainflowSource:
    """A board's EMG channels.

    Boards whose package numbers go up by one have their lost samples counted by them, and where more than one round of
    numbers may be missing, by the times. Other boards have their times only.
    """

    live = True

    def __init__(self, board: str, wait: float) -> None:
        """Connect and start.

        Args:
            board: name of BrainFlow's BoardIds or its number, then parameters: SYNTHETIC_BOARD, or
                CYTON_BOARD,serial_port=/dev/ttyUSB0.
            wait: seconds until the first samples must have come.

        Raises:
            InputError: BrainFlow is not installed ("missing-extra"), no such board or parameter ("unknown-name"), no
                EMG channels, or no answer ("no-source").
        """
        name, *given = board.split(",")
        self._where, self._wait = f"brainflow:{name}", wait
        try:
            from brainflow.board_shim import BoardIds, BoardShim, BrainFlowError, BrainFlowInputParams
        except ImportError as error:  # also of pkg_resources, which BrainFlow takes from setuptools
            raise InputError(
                f"--source {self._where}: brainflow cannot be imported ({error}); pip install 'semgjax[brainflow]'",
                "missing-extra",
            ) from None
        number = _number(name, {one.name: one.value for one in BoardIds}, self._where)
        BoardShim.disable_board_logger()  # its lines would mix with the text
        try:
            rows = BoardShim.get_board_descr(number)
            self._rows, self._stamps = rows.get("emg_channels", []), rows["timestamp_channel"]
            self._numbers, rate = rows.get("package_num_channel"), float(rows["sampling_rate"])
            if not self._rows:
                raise InputError(f"{self._where}: the board has no EMG channels; choose another", "no-source")
            self._about = Described(self._where, rate, len(self._rows))
            self._board = BoardShim(number, _parameters(BrainFlowInputParams(), given, self._where))
            self._board.prepare_session()
            self._board.start_stream(int(_BUFFER * rate))
        except BrainFlowError as error:
            raise InputError(
                f"{self._where}: does not start ({error}); is it on, and the port right?", "no-source"
            ) from None
        self._kept: np.ndarray | None = None
        self._last: tuple[int, int, float] | None = None
        self._counts = True

    def describe(self) -> Described:
        """See `Source`."""
        if self._kept is None:
            until = time.monotonic() + self._wait
            while self._board.get_board_data_count() < max(self._about.rate / 4, 2):
                if time.monotonic() > until:
                    raise InputError(f"{self._where}: no samples in {self._wait:g} s; is the board on?", "no-source")
                time.sleep(_STEP)
            self._kept = self._board.get_board_data()
            self._counts = self._numbers is not None and _counts(self._kept[self._numbers])
        return self._about

    def read(self) -> Samples | None:
        """See `Source`."""
        self.describe()
        until = time.monotonic() + POLL
        assert self._kept is not None
        data, self._kept = self._kept, np.zeros((0, 0))
        while not data.size:
            data = self._board.get_board_data()
            if not data.size:
                if time.monotonic() > until:
                    return nothing_yet()
                time.sleep(_STEP)
        received, times = time.monotonic(), data[self._stamps]
        emg_TxC = np.ascontiguousarray(data[self._rows].T, np.float32)
        if not self._counts:
            return Samples(emg_TxC, None, times, received)
        numbers = self._unwrapped(data[self._numbers].astype(np.int64), times)
        # Within one read numbers may jump too: samples that are missing are reported as lost.
        whole = np.full((int(numbers[-1] - numbers[0]) + 1, emg_TxC.shape[1]), np.nan, np.float32)
        whole[numbers - numbers[0]] = emg_TxC
        return Samples(whole, int(numbers[0]), None, received)

    def _unwrapped(self, numbers: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Package numbers without wrapping."""
        round_ = _WRAPS if numbers.max() < _WRAPS else 1 << 16
        found = np.zeros(len(numbers), np.int64)
        for at, (number, stamp) in enumerate(zip(numbers.tolist(), times.tolist(), strict=True)):
            if self._last is None:
                found[at] = number
            else:
                before, place, then = self._last
                step = (number - before) % round_ or round_
                rounds = round(((stamp - then) * self._about.rate - step) / round_)
                found[at] = place + step + max(rounds, 0) * round_
            self._last = (number, int(found[at]), stamp)
        return found

    def clock_offset(self) -> float | None:
        """See `Source`."""
        return None

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return {}

    def close(self) -> None:
        """See `Source`."""
        self._board.stop_stream()
        self._board.release_session()


def _counts(numbers: np.ndarray) -> bool:
    """Whether nearly all numbers are one more than the last."""
    return len(numbers) > 1 and bool(np.mean(np.diff(numbers) == 1) > 0.9)


def _number(name: str, boards: dict[str, int], where: str) -> int:
    known = {**boards, **{str(value): value for value in boards.values()}}
    if name not in known:
        near = ", ".join(sorted(one for one in boards if name.split("_")[0].upper() in one)[:4]) or "SYNTHETIC_BOARD"
        raise InputError(
            f"{where}: no such board; choose a name of BrainFlow's BoardIds, such as {near}", "unknown-name"
        )
    return known[name]


def _parameters(params: Any, given: list[str], where: str) -> Any:
    known = sorted(vars(params))
    for text in given:
        name, _, value = text.partition("=")
        if name not in known:
            raise InputError(f"{where}: no parameter {name!r}; choose among {', '.join(known)}", "unknown-name")
        whole = isinstance(getattr(params, name), int)
        if whole and not value.lstrip("-").isdecimal():
            raise InputError(f"{where}: {name} is {value!r}; give a whole number", "bad-value")
        setattr(params, name, int(value) if whole else value)
    return params
