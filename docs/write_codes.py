"""Write the table of codes in docs/errors.md from semgjax.errors.CODES."""

import re
from pathlib import Path

from semgjax.errors import CODES

PAGE = Path(__file__).parent / "errors.md"


def main() -> None:
    """Replace the rows below the table's head."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in CODES.items())
    text = PAGE.read_text(encoding="utf-8")
    found = re.sub(r"(\| code \| means \|\n\|---\|---\|\n)(?:\|.*\|\n)*", lambda match: match[1] + rows, text)
    PAGE.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
