"""Live text in a terminal, in a pipe, or as JSON lines: listeners of `semgjax stream`."""

import json
import math
import shutil
import sys

from semgjax.cli.terminal import width_of
from semgjax.data.keys import BACKSPACE_GLYPH, ENTER_GLYPH, SHIFT_GLYPH
from semgjax.printable import printable
from semgjax.streaming.live import Update

_DIM, _PLAIN, _CLEAR = "\x1b[2m", "\x1b[0m", "\r\x1b[K"


class TerminalText:
    """The text as it is typed: what is final in plain letters, what may change after it, dim.

    Of keys: backspace takes back, within the line; enter begins a line; shift does not show, its letter is a capital.

    Args:
        keys: whether the text is of keys; names of other classes are shown as they are.
    """

    def __init__(self, keys: bool) -> None:
        self._keys, self._line, self._shown = keys, "", ""

    def __call__(self, update: Update) -> None:
        """Show an update."""
        width = shutil.get_terminal_size().columns - 1
        for glyph in update.committed:
            self._line, done = self._typed(self._line, glyph)
            if done or width_of(self._line) >= width:
                sys.stdout.write(f"{_CLEAR}{self._line}\n")
                self._line, self._shown = "", ""
        rest = self._line
        for glyph in update.tentative:
            typed, done = self._typed(rest, glyph)
            if done or width_of(typed) >= width:
                break
            rest = typed
        shared = len(self._line) if rest.startswith(self._line) else len(rest)
        shown = f"{rest[:shared]}{_DIM}{rest[shared:]}{_PLAIN}" if rest[shared:] else rest
        if shown != self._shown:
            self._shown = shown
            sys.stdout.write(f"{_CLEAR}{shown}")
            sys.stdout.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._line:
            sys.stdout.write("\n")
        sys.stdout.flush()

    def _typed(self, line: str, glyph: str) -> tuple[str, bool]:
        """The line after a key, and whether it is complete."""
        if self._keys and glyph == BACKSPACE_GLYPH:
            return line[:-1], False
        if self._keys and glyph == SHIFT_GLYPH:
            return line, False
        if self._keys and glyph == ENTER_GLYPH:
            return line, True
        return line + printable(glyph), False


class PlainText:
    """The final text as it comes, one glyph a key, as `semgjax evaluate` reads it; for pipes and files."""

    def __init__(self) -> None:
        self._any = False

    def __call__(self, update: Update) -> None:
        """Write what became final."""
        if update.committed:
            self._any = True
            sys.stdout.write(printable(update.committed))
            sys.stdout.flush()

    def end(self) -> None:
        """End the line."""
        if self._any:
            sys.stdout.write("\n")
        sys.stdout.flush()


class JsonText:
    """An object on a line of its own, whenever the text changed."""

    def __init__(self) -> None:
        self._tentative = ""

    def __call__(self, update: Update) -> None:
        """Write what changed."""
        if not update.committed and update.tentative == self._tentative:
            return
        self._tentative = update.tentative
        late = None if math.isnan(update.latency_ms) else round(update.latency_ms, 3)
        body = {
            "seconds": round(update.seconds, 6),
            "committed": update.committed,
            "tentative": update.tentative,
            "latency_ms": late,
            "dropped": update.dropped,
        }
        print(json.dumps(body), flush=True)

    def end(self) -> None:
        """Nothing to do."""
