"""A finding on a fit or an answer: a code, a severity and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Diagnostic:
    """One finding. error: the fit answers no question; warning: it answers with the stated reserve."""

    code: str
    severity: Severity
    message: str


def blocks(found: Iterable[Diagnostic]) -> bool:
    """Whether one of the findings forbids a headline number."""
    return any(d.severity == "error" for d in found)
