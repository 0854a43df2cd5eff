"""Links, code and command lines of the documentation hold; the build itself is `make docs`."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest
import tyro

import semgjax
from semgjax.cli import main as command
from semgjax.errors import InputError
from tests.docs.pages import DOCS, HISTORY, PAGES, anchor, blocks_of, mentioned_commands, name_of, prose_of
from tests.docs.pages import quoted_commands as quoted

SITE = sorted(DOCS.rglob("*.md"))
spec = importlib.util.spec_from_file_location("parsers", DOCS / "_ext" / "parsers.py")
assert spec is not None and spec.loader is not None
PARSERS = importlib.util.module_from_spec(spec)
spec.loader.exec_module(PARSERS)
LIVING = [page for page in PAGES if name_of(page) not in HISTORY]
QUOTED = [(name_of(page), words) for page in LIVING for words in quoted(page)]
MENTIONED = [(name_of(page), words) for page in LIVING for words in mentioned_commands(page)]


def identify(value):
    return " ".join(value)[:60] if isinstance(value, list) else value


def anchors_of(page: Path) -> set[str]:
    """Anchors of a page: its headings, its (labels)=, and the sections that its directives generate."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {anchor(heading) for heading in headings} | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_internal_link_leads_to_a_file_and_a_heading_that_exist(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, part = target.partition("#")
        place = page if not path else (page.parent / path).resolve()
        assert place.exists(), target
        if part and place.suffix == ".md":
            assert part in anchors_of(place), target


@pytest.mark.parametrize("page", SITE, ids=name_of)
def test_every_page_is_in_a_table_of_contents(page):
    listed = set()
    for index in SITE:
        for block in blocks_of(index):
            if block.info == "{toctree}":
                for entry in block.body.split():
                    folder, _, name = entry.rpartition("/")
                    listed |= set((index.parent / folder).resolve().glob(f"{name}.md"))
    assert page == DOCS / "index.md" or page in listed


@pytest.mark.parametrize("page", SITE, ids=name_of)
def test_python_code_of_a_page_parses(page):
    for block in blocks_of(page):
        code = block.body.lstrip()
        if block.info in ("python", "py") or (block.executed and not code.startswith("%%bash")):
            ast.parse(re.sub(r"\A%%writefile .*\.toml\n(?s:.*)|\A%%.*\n", "", code))


@pytest.fixture
def parsed_only(monkeypatch):
    """The real parser, whose result is not carried out."""
    real = tyro.cli

    def cli(*args, **options):
        real(*args, **options)
        return lambda: None

    monkeypatch.setattr(tyro, "cli", cli)


@pytest.mark.parametrize(("page", "words"), QUOTED, ids=identify)
def test_a_command_line_in_a_block_is_accepted_by_the_parser(page, words, parsed_only):
    assert command._run(words) == 0


def test_a_command_line_with_an_unknown_option_is_not_accepted(parsed_only):
    for words in (["train", "--preset", "tiny", "--no-such", "1"], ["sweep", "nothing"], ["data", "ingest"]):
        with pytest.raises(InputError):
            command._run(words)


@cache
def options_of(group: str, name: str) -> set[str]:
    """The options of a command, for a transformer's preset and for the baseline's."""
    both = [PARSERS.commands_of(group, words)[name] for words in ((), ("--preset", "tds"))]
    parsers = [PARSERS.parser_of("semgjax", function) for function in both]
    return {option for parser in parsers for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize(("page", "words"), MENTIONED, ids=identify)
def test_a_command_in_running_text_names_a_command_and_options_that_exist(page, words):
    group, rest = words[0], words[1:]
    if group.startswith("-") or not rest:
        assert group in (*command.GROUPS, "--help", "--version")
        return
    commands = PARSERS.commands_of(group)
    name = "" if "" in commands else rest[0]
    assert name in commands
    assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options_of(group, name)


def test_every_public_name_is_in_the_reference():
    text = (DOCS / "reference" / "api.md").read_text()
    listed = re.findall(r"^\.\. auto(?:function|class|exception):: (\w+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(semgjax.__all__)


@pytest.mark.parametrize("group", command.GROUPS)
def test_every_command_group_is_in_the_reference(group):
    assert f"```{{command-line}} {group}\n" in (DOCS / "reference" / "command-line.md").read_text()
