"""`semgjax stream`: live text from a wristband, a stream, a board or a recorded session."""

import contextlib
import json as jsonlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from semgjax.cli.live_page import check_page, live_page
from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say
from semgjax.decode.beam_options import BeamOptions
from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.streaming.incoming import Conditioning

_AGAIN = 1.0  # seconds
_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def stream(
    model: tyro.conf.Positional[str],
    /,
    *,
    source: Annotated[str, tyro.conf.arg(metavar="FILE|lsl:NAME|brainflow:BOARD|udp:[ADDRESS:]PORT|-")],
    decoder: Literal["greedy", "beam"] = "greedy",
    lm: Path | None = None,
    beam: BeamOptions = BeamOptions(),  # noqa: B008
    open_keys: int = 200,
    record: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE.hdf5|FILE.xdf")] = (),
    user: str = "live",
    channels: tuple[int, ...] = (),
    scale: float | None = None,
    declaration: Annotated[Path | None, tyro.conf.arg(metavar="SEMGJAX.TOML")] = None,
    resample: bool = False,
    fast: bool = False,
    wait: float = 10.0,
    web: bool = False,
    port: int | None = None,
    json: bool = False,
) -> int:
    """Decode a signal while it is recorded: the text as it comes, and at the end how it went.

    Ctrl-C ends the stream: what was read is decoded, the recording is completed, and the exit code is 130.

    Args:
        model: finished run directory or an export of a network that sees the past only
        source: a session's file; an LSL stream; a BrainFlow board, as in SYNTHETIC_BOARD or
            CYTON_BOARD,serial_port=/dev/ttyUSB0; packets by UDP, from this machine unless an address to listen on is
            given; or packets from standard input
        decoder: greedy takes the best class of each frame; beam searches for the best sequence
        lm: character language model of the beam, from semgjax lm train or an ARPA file
        beam: options of the beam search
        open_keys: keys that the beam may still change; older ones become final
        record: record the samples, as a session of emg2qwerty's format or as XDF; several files may be named
        user: of a recorded session
        channels: numbers of the source's channels, from 0, in the order of the decoder's electrodes (default: all)
        scale: factor from the source's unit to that of the training data
        declaration: semgjax.toml with which the training data were ingested: its unit and filters are applied
        resample: convert a source of another sample rate, and follow the rate at which samples really arrive
        fast: read a file as fast as it is decoded
        wait: seconds to wait for the source, and without a sample before it counts as ended
        web: show text, latency and signal on a page for a browser of this machine; a file begins when the page is open
        port: of the page, 0 for one that is free (default: 8423)
        json: print a JSON object a line whenever the text changes, and the summary as the last one
    """
    _check(decoder, beam, open_keys, wait)
    check_page(web, port)
    from semgjax.api.live_decoders import live_decoder
    from semgjax.cli.live_text import JsonText, PlainText, TerminalText
    from semgjax.evaluate.decoders import Decoder
    from semgjax.streaming.live import run_live
    from semgjax.streaming.recording.recorder import Recorder, open_recorders
    from semgjax.streaming.sources.choose import is_recorded, open_source
    from semgjax.streaming.sources.source import Described

    found = live_decoder(model, Decoder(decoder, lm, beam), open_keys)
    conditioning = _conditioning(channels, scale, declaration, resample, found.band.rate)
    shown: JsonText | PlainText | TerminalText = JsonText() if json else PlainText()
    if not json and sys.stdout.isatty():
        shown = TerminalText(found.band.classes is None)

    def note(line: str) -> None:
        say(f"semgjax: {line}", error=True)

    found.warm()  # before the source is open: samples that come meanwhile would be late
    with _interruptible() as (stop, codes, begun), live_page(web, port, found.band, model, source, note) as page:
        opened = open_source(source, wait, fast)

        def recorders(about: Described) -> list[Recorder]:
            begun.set()
            return open_recorders(record, about, opened.live, user, note)

        if page and is_recorded(source):
            page.wait(stop)
        listeners = [shown, *([page.show] if page else [])]
        summary = run_live(opened, found, listeners, conditioning, recorders, stop, note, wait)
        if page and summary.error is not None:
            page.close("stopped")
    shown.end()
    if json:
        print(jsonlib.dumps({"summary": summary.as_json()}))
    else:
        say("\n".join(summary.lines("keys" if found.band.classes is None else "events")), lines=True, error=True)
    if summary.error is not None:
        raise summary.error
    return codes[0] if codes else 0


def _check(decoder: str, beam: BeamOptions, open_keys: int, wait: float) -> None:
    if decoder == "greedy" and beam != BeamOptions():
        raise InputError("--beam options with greedy decoding, which has none; add --decoder beam", "conflict")
    if open_keys < 1:
        raise InputError(f"--open-keys {open_keys}: give 1 or more", "bad-value")
    if not 0 < wait < 1e6:
        raise InputError(f"--wait {wait}: give a number of seconds above 0", "bad-value")


def _conditioning(
    channels: tuple[int, ...], scale: float | None, declaration: Path | None, resample: bool, rate: float
) -> "Conditioning":
    from semgjax.data.tabular.declaration import read_declaration
    from semgjax.streaming.incoming import Conditioning

    factor = 1.0 if scale is None else scale
    if declaration is None:
        return Conditioning(channels, factor, resample=resample)
    read = read_declaration(declaration.parent, declaration)
    if read.signal.rate != rate:
        raise InputError(
            f"{declaration}: signal.rate is {read.signal.rate:g}; the decoder takes {rate:g}: give the declaration of "
            "its training data",
            "rate-differs",
        )
    if read.filters.gain == "session" and scale is None:
        raise InputError(
            f"{declaration}: filters.gain is session: the gain of a session is not known before its end; give the "
            "factor with --scale, or train on sessions without one",
            "conflict",
        )
    return Conditioning(channels, factor * read.signal.factor, read.filters, resample)


@contextlib.contextmanager
def _interruptible() -> Iterator[tuple[threading.Event, list[int], threading.Event]]:
    """Ctrl-C and SIGTERM set the first event, and the exit code is kept; one more, a second later, interrupts at once.

    So does the first one before the second event is set: while a source is waited for, nothing is there to complete.
    """
    stop, codes, begun, asked = threading.Event(), list[int](), threading.Event(), 0.0

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if not begun.is_set():
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(_CODES[signal.SIGTERM])
        if not stop.is_set():
            asked = time.monotonic()
            codes.append(_CODES[signal.Signals(number)])
            stop.set()
        elif time.monotonic() - asked > _AGAIN:  # a wrapper such as timeout sends the first one twice
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in _CODES}
    try:
        yield stop, codes, begun
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("stream", {"": stream}, words)
