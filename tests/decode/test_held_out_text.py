"""Text that validation or test sessions typed is found; text that shares common phrases with them is not."""

import json
from pathlib import Path

import pytest

from semgjax.cli.main import main
from semgjax.decode.held_out_text import check_held_out
from tests.data.fixtures import START, typed, write_session
from tests.refused import refused

LONG = "seven red boats drift past our old harbour wall"
LINES = ("my aunt paints tiny wooden owls", "never lend him your ladder", "how are you", "thank you very much", "cut")
COMMON = ("thank you very much", "how are you", "see you tomorrow", "thank you very much for your help")


def keys(text: str) -> list[dict]:
    """Keystrokes of a text: a line end is enter, < is backspace, a capital is shift and the capital."""
    names = {"\n": "Key.enter", "<": "Key.backspace"}
    shifted = "".join(f"\x00{key}" if key.isupper() else key for key in text)
    made = typed(shifted, first=START + 0.2, interval=0.03)
    for one, key in zip(made, shifted, strict=True):
        one["key"] = {**names, "\x00": "Key.shift"}.get(key, one["key"])
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Sessions of which all but s0 are held out, with their split."""
    folder = tmp_path_factory.mktemp("held_out")
    texts = {
        "s0": "what the training session typed is no secret here",
        "s1": f"Seven red BOATX<S drift past our old harbour wall\n{COMMON[3]}\n",
        "s2": "\n".join(LINES),
        "s3": "Don't ask Zo\u00eb about quinces",
        "s4": "hello",
    }
    for name, text in texts.items():
        write_session(folder / f"{name}.hdf5", 17_000, user=name, keystrokes=keys(text.replace("\u00eb", "e")))
    listed = folder / "listed.json"
    listed.write_text(json.dumps({"train": ["s0"], "val": ["s1"], "test": ["s2", "s3", "s4"]}))
    words = ["data", "splits", folder, "--kind", "listed", "--names", listed, "--out", folder / "splits.json"]
    assert main([*map(str, words)]) == 0
    return folder


@pytest.mark.parametrize(
    ("text", "session"),
    [
        (f"Some words first.\n{LONG.upper()}!", "s1"),
        ("seven red boats drift past\nour old harbour", "s1"),
        ("Seven, red - boats: drift (past) our old harbour", "s1"),
        ("seven red boats\tdrift past our old harbour", "s1"),
        (" and ".join(LINES[:2]), "s2"),
        ("\n".join(LINES[:2]) + "\nmuch else that nobody typed", "s2"),
        ("We heard: \u201cDon\u2019t ask Zo\u00eb about quinces\u201d, and left", "s3"),
        ("dont ask zoe\u0308 about quinces and then", "s3"),
    ],
)
def test_what_a_held_out_session_typed_is_refused(data, text, session):
    with refused("conflict", "source.txt", session):
        check_held_out(Path("source.txt"), text, data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what the training session typed is no secret here",
        "seven red boats drift past our old pier",
        ". ".join(COMMON) + ". Hello!",
        "never lend him your ladder",
        "ask zoe about quinces",
        LINES[0] + " " + COMMON[1],
        "my aunt paints tiny wooden owl",
    ],
)
def test_a_few_common_words_are_no_reason(data, text):
    check_held_out(Path("source.txt"), text, data)
