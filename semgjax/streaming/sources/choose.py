"""The source of a word: FILE, lsl:NAME, brainflow:BOARD, udp:PORT, or - for standard input."""

from pathlib import Path

from semgjax.errors import InputError
from semgjax.streaming.sources.source import Source

_LOCAL = "127.0.0.1"


def is_recorded(word: str) -> bool:
    """Whether the word names a session's file, not a device or a stream."""
    kind, colon, _ = word.partition(":")
    return word != "-" and not (colon and kind in ("lsl", "brainflow", "udp"))


def open_source(word: str, wait: float = 10.0, fast: bool = False) -> Source:
    """Open the source.

    Args:
        word: lsl:NAME, brainflow:BOARD[,PARAMETER=VALUE...], udp:[ADDRESS:]PORT, -, or a session's file.
        wait: seconds to wait for the device.
        fast: read a file as fast as it is decoded, not at the pace at which it was recorded.

    Raises:
        InputError: the word names none ("unknown-name", "bad-value"), fast for another source than a file
            ("conflict"), or as the source.
    """
    kind, colon, rest = word.partition(":")
    is_file = is_recorded(word)
    if fast and not is_file:
        raise InputError(f"--source {word}: comes at its own pace; leave --fast out", "conflict")
    if is_file:
        from semgjax.streaming.sources.file_source import FileSource

        return FileSource(Path(word), fast)
    if not rest and word != "-":
        raise InputError(f"--source {word}: name the stream, the board or the port after the colon", "bad-value")
    if word == "-":
        from semgjax.streaming.sources.stdin_source import StdinSource

        return StdinSource(0, wait)
    if kind == "lsl":
        from semgjax.streaming.sources.lsl_source import LslSource

        return LslSource(rest, wait)
    if kind == "brainflow":
        from semgjax.streaming.sources.brainflow_source import BrainflowSource

        return BrainflowSource(rest, wait)
    from semgjax.streaming.sources.udp_source import UdpSource

    host, _, port = rest.rpartition(":")
    if not (port.isdecimal() and port.isascii() and 0 <= int(port) < 65536):
        raise InputError(f"--source {word}: the port is {port!r}; give a number from 1 to 65535", "bad-value")
    return UdpSource(host or _LOCAL, int(port), wait)
