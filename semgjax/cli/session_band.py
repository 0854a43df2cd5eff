"""The band of the sessions that a command line names, before its other options are parsed: it gives their defaults."""

from pathlib import Path

from semgjax.cli.parse import word_after
from semgjax.data.band import TYPING, Band
from semgjax.data.corpus import read_band


def band_of(words: list[str]) -> Band:
    """The band of the sessions of --data; without that option that of two wrists and keys.

    Raises:
        InputError: as `read_band`.
    """
    data, splits = word_after(words, "--data", ""), word_after(words, "--splits", "")
    return read_band(Path(data), Path(splits) if splits else None) if data else TYPING
