"""The page "From a run to a phone or a microcontroller": its commands for LiteRT do what it says, as they are written.

The build of the documentation runs the page's other commands.
"""

import importlib.util
import json

import pytest

from semgjax.cli.main import main
from semgjax.exporting.formats.litert_files import CONVERTER
from tests.docs.pages import DOCS, blocks_of, command_lines

PAGE = DOCS / "guides" / "wristband.md"
(LITERT,) = (block.body for block in blocks_of(PAGE) if block.info == "sh")
needs_litert = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("ai_edge_litert", "ai_edge_quantizer", "litert_converter"))),
    reason="the extra litert or its converter is not installed (docs/guides/wristband.md)",
)


def test_the_page_installs_the_version_of_the_converter_that_works():
    assert f"pip install --no-deps litert-converter=={CONVERTER}\n" in LITERT and "'semgjax[litert]'" in LITERT


@needs_litert
@pytest.mark.slow
def test_the_commands_for_litert_run_as_they_are_written(tmp_path, monkeypatch, capsys):
    """In a folder made by the page's own first commands, with a shorter training: 20 s of processor time."""
    monkeypatch.chdir(tmp_path)
    first = next(block.body for block in blocks_of(PAGE) if "semgjax data simulate" in block.body)
    simulate, splits, train = command_lines(first)
    assert train[-2:] == ["--train.steps", "400"]
    for words in (simulate, splits, [*train[:-1], "4", "--train.batch", "8"]):
        assert main(words) == 0
    *exports, stream = command_lines(LITERT)
    capsys.readouterr()
    for words in exports:
        assert main(words) == 0
        assert capsys.readouterr().out.count("verified: ") == 4
    assert [words[words.index("--out") + 1] for words in exports] == ["exports/litert", "exports/litert-int8"]
    for name, int8 in (("litert", ""), ("litert-int8", ".int8")):
        assert {path.name for path in (tmp_path / "exports" / name).glob("*.tflite")} == {
            f"offline{int8}.tflite",
            f"step{int8}.tflite",
        }
    assert main([*stream, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert (summary["seconds"], summary["dropped"], summary["ended"]) == (120.0, 0, "the source ended")
