"""Tables of any content: read as they stand, or refused with one line."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semgjax.errors import CODES, InputError
from semgjax.scaling.read import read_table
from tests.fuzz.outcome import bounded

MAPPING = {"N": "size", "y": "error"}
positive = st.floats(1e-12, 1e12, allow_nan=False, allow_infinity=False)
points = st.lists(st.tuples(positive, positive), min_size=1, max_size=12, unique_by=lambda point: point[0])
# Pieces that real exports hold, where a number, a separator or a line end belongs.
PIECES = [
    '"',
    '""',
    ",",
    ";",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\ufeff",
    "\u2028",
    "\x1b",
    "\ud800",
    "é",
    "=1+1",
    "#",
    "nan",
    "inf",
    "-inf",
    "n/a",
    "1e400",
    "-1",
    "0",
    "1e-400",
    "60.723",
    "60,723",
    "1_000",
    "６４",
    "12 %",
    "0x10",
    "True",
    "sep=;",
    "size",
    "size,error",
    " ",
    "'",
    "1.5M",
]


def read(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        return read_table(path, MAPPING, {}, inputs=("N",))


@bounded
@given(points, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
def test_a_sound_table_gives_its_own_numbers_however_it_is_written(rows, end, quoted, signed, noted):
    cell = (lambda text: f'"{text}"') if quoted else (lambda text: text)
    lines = [",".join(map(cell, ["size", *(["note"] if noted else []), "error"]))]
    for size, error in rows:
        notes = ['"a, ""b""\n c"'] if noted else []
        lines.append(",".join([cell(repr(size)), *notes, cell(repr(error))]))
    table = read((b"\xef\xbb\xbf" if signed else b"") + (end.join(lines) + end).encode())
    assert np.array_equal(table.x["N"], [size for size, _ in rows])
    assert np.array_equal(table.y, [error for _, error in rows])


@bounded
@given(
    points, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4), st.sampled_from(PIECES)), min_size=1, max_size=4)
)
def test_a_damaged_table_is_refused_with_a_code_or_gives_numbers_that_stand_in_it(rows, damages):
    text = "size,error\n" + "".join(f"{size!r},{error!r}\n" for size, error in rows)
    for place, removed, piece in damages:
        place %= len(text) + 1
        text = text[:place] + piece + text[place + removed :]
    content = text.encode("utf-8", "surrogatepass")
    try:
        table = read(content)
    except InputError as error:
        assert error.code in CODES
        return
    assert len(table.y) == len(table.x["N"]) <= text.count("\n") + text.count("\r") + 1
    for values in (table.x["N"], table.y):
        assert np.all(np.isfinite(values) & (values > 0))
    # A number that is read stands in the file, digit for digit.
    numbers = set()
    for token in text.replace('"', " ").replace(",", " ").replace(";", " ").replace("\t", " ").split():
        try:
            numbers.add(float(token.strip("'")))
        except ValueError:
            continue
    assert set(table.y.tolist()) | set(table.x["N"].tolist()) <= numbers


@bounded
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_code_or_read(content):
    try:
        read(content)
    except InputError as error:
        assert error.code in CODES
