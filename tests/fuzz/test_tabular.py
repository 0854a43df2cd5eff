"""Text tables and declarations of any content: read as they stand, or refused with one line."""

import csv
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semgjax.data.tabular.declaration import read_declaration
from semgjax.data.tabular.describe import describe
from semgjax.data.tabular.table_source import find_items
from semgjax.errors import CODES, InputError
from tests.data.tabular.table_folders import TOML, samples
from tests.fuzz.outcome import bounded
from tests.fuzz.test_tables import PIECES

LINES = [",".join(row) for row in samples(24)]


@st.composite
def damaged(draw, text: str) -> str:
    """A text with a few pieces put in or in place of others."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 3)) :]
    return text


def read(folder: Path):
    """The signal of all sessions, or None if they are refused with one line."""
    try:
        items, _ = find_items(folder, read_declaration(folder))
        recordings = [item.form.open(item.files) for item in items]
        return [np.concatenate(list(recording.blocks())) for recording in recordings]
    except InputError as error:
        assert error.code in CODES and "\n" not in str(error)
        return None


@bounded
@given(damaged("\n".join(LINES)))
def test_a_damaged_table_is_refused_or_holds_what_the_csv_module_finds(text):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "semgjax.toml").write_text(TOML)
        (folder / "ann-1.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        found = read(folder)
        if found is None:
            return
        plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        rows = [row for row in csv.reader(plain.split("\n"), skipinitialspace=True) if row]
        assert (found[0] == np.array([[float(row[0]), float(row[1])] for row in rows], np.float32)).all()


@bounded
@given(damaged(TOML))
def test_a_damaged_declaration_is_refused_or_read(text):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "semgjax.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        (folder / "ann-1.csv").write_text("\n".join(LINES))
        read(folder)


@bounded
@given(damaged("\n".join(["a,b,time (ms),class", *LINES])))
def test_describe_writes_a_declaration_or_refuses(text):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ann-1.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            describe(folder)
        except InputError as error:
            assert error.code in CODES and "\n" not in str(error)
            assert not (folder / "semgjax.toml").exists()
            return
        read(folder)
