"""The pages of the documentation: their text, code blocks, links, and the command lines that they quote."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HISTORY = {"docs/log.md", "CHANGELOG.md"}
"""What these quote was true on its day."""
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *DOCS.rglob("*.md")])
FENCE = re.compile(r"^(?P<ticks>```+|:::+)(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=ticks)\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string, as "python" or "{code-cell} ipython3", and its body without options."""

    info: str
    body: str

    @property
    def executed(self) -> bool:
        """Whether the build runs it."""
        return self.info.startswith("{code-cell}")


def name_of(page: Path) -> str:
    """A page's path as messages and test names show it."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    found = []
    for match in FENCE.finditer(page.read_text()):
        body = re.sub(r"\A(?::[\w-]+:[^\n]*\n)+\n?", "", match["body"])
        found.append(Block(match["info"].strip(), body))
    return found


def prose_of(page: Path) -> str:
    """A page without its fenced blocks of code; admonitions are prose."""
    return FENCE.sub(lambda match: match["body"] if match["ticks"].startswith(":") else "", page.read_text())


def command_lines(text: str) -> list[list[str]]:
    """The `semgjax ...` lines of a shell script as words, without redirections; a line continues after a backslash."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = (re.sub(r"^\s*(?:\$ |\.venv/bin/)?", "", line) for line in joined.splitlines())
    found = []
    for line in lines:
        if line.startswith("semgjax "):
            words = shlex.split(line, comments=True)[1:]
            ends = [at for at, word in enumerate(words) if re.match(r"[\d&]?>|\||&&|;", word)]
            found.append(words[: ends[0]] if ends else words)
    return found


def quoted_commands(page: Path) -> list[list[str]]:
    """Whole command lines: those of shell blocks, `%%bash` cells and, where a page has no fences, indented lines."""
    found = []
    for block in blocks_of(page):
        if block.info in ("sh", "bash", "console") or block.body.startswith("%%bash"):
            found += command_lines(block.body)
    indented = "\n".join(re.findall(r"^ {4}(\S.*)$", prose_of(page), re.MULTILINE))
    return found + command_lines(indented)


def mentioned_commands(page: Path) -> list[list[str]]:
    """Command lines in running text, `semgjax sweep run DIR --pack 8`; they may leave required options out."""
    inline = re.findall(r"(?<!`)`(semgjax [^`]+)`(?!`)", prose_of(page))
    return [shlex.split(re.sub(r"\s+", " ", text))[1:] for text in inline]


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
