"""Plan files with anything in them: points of known options, or one line."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from semgjax.errors import CODES, InputError
from semgjax.sweep.planfile import MOST_TRIALS, known_options, read_plan_file, shipped_plans
from tests.fuzz.outcome import bounded

SHIPPED = {name: path.read_text() for name, path in shipped_plans().items()}
values = st.sampled_from(
    [
        "nan",
        "inf",
        "-inf",
        "true",
        '"６４"',
        "1e400",
        "-1",
        "0",
        "10" * 12,
        "[]",
        "[[]]",
        "{}",
        '"\\u202e"',
        "1979-05-27",
        "[" * 2000 + "]" * 2000,
        "[1, 1]",
        '"ladder-64"',
        "0x10",
        "1_000",
        "'''a\nb'''",
    ]
)


def read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.toml"
        path.write_bytes(content)
        try:
            plan = read_plan_file(path)
        except InputError as error:
            assert error.code in CODES
            return
        assert 1 <= len(plan.points) <= MOST_TRIALS
        for point in plan.points:
            assert {name for name in point.options if not name.startswith("distill.")} <= set(known_options())


@bounded
@given(
    st.sampled_from(sorted(SHIPPED)),
    st.sampled_from(["set", "vary", "star", "students", "name", "surprise"]),
    st.sampled_from(known_options()),
    values,
)
def test_a_plan_with_an_odd_value_is_read_or_refused(name, table, option, value):
    read(f'{SHIPPED[name]}\n[{table}.extra]\n"{option}" = {value}\n'.encode())
    read(f'name = "a"\n[set]\npreset = "tiny"\n[{table}]\n"{option}" = {value}\n'.encode())
    read(f'name = "a"\n[set]\n"{option}" = {value}\n[vary]\n"train.seed" = [0, 1]\n'.encode())


@bounded
@given(st.sampled_from(sorted(SHIPPED)), st.integers(0, 2000), st.integers(0, 20), st.binary(max_size=8))
def test_a_plan_with_bytes_changed_is_read_or_refused(name, place, removed, piece):
    content = SHIPPED[name].encode()
    place %= len(content)
    read(content[:place] + piece + content[place + removed :])


@bounded
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_refused(content):
    read(content)
