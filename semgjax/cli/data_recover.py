"""`semgjax data recover`: a recording that was cut off, made the session that it would have become."""

from pathlib import Path

import tyro

from semgjax.cli.terminal import say


def recover(part: tyro.conf.Positional[Path], *, out: Path | None = None, user: str = "live") -> None:
    """Make a session of the packets that `semgjax stream --record FILE.hdf5` left in FILE.hdf5.part.

    Args:
        part: the file that was left; it stays where it is
        out: the session to write (default: the name without .part)
        user: of the session
    """
    from semgjax.errors import InputError
    from semgjax.streaming.recording.hdf5_recording import write_session
    from semgjax.streaming.recording.recorder import PART

    if out is None and part.suffix != PART:
        raise InputError(f"{part}: does not end in {PART}; name the session to write with --out", "bad-path")
    out = part.with_suffix("") if out is None else out
    seconds = write_session(part, out, user)
    say(f"{out}: {seconds:.1f} s; {part} is no longer needed")
