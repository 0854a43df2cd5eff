"""Write the map of docs/architecture.md: one line a module, the first sentence of its docstring."""

import ast
import re
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"


def summary(path: Path) -> str:
    """The first paragraph of a module's docstring on one line, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).rstrip(".").replace("|", r"\|").replace("<", r"\<")


def rows() -> str:
    """One table per package: its modules in order, and what each does."""
    paths = [p.relative_to(ROOT) for p in sorted((ROOT / "semgjax").rglob("*.py")) if p.name != "__init__.py"]
    text = ""
    for folder, found in groupby(sorted(paths, key=lambda p: (p.parent.as_posix(), p.name)), key=lambda p: p.parent):
        about = summary(ROOT / folder / "__init__.py")
        text += f"\n### {folder.as_posix()}\n" + (f"\n{about}.\n" if about else "")
        text += "\n| module | what it does |\n|---|---|\n"
        text += "".join(f"| {path.name} | {summary(ROOT / path)} |\n" for path in found)
    return text


def page(text: str) -> str:
    """The page with its map made anew."""
    return re.sub(r"(## Map\n.*?\n)\n### .*", lambda match: match[1] + rows(), text, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
