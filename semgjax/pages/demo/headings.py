"""The sections of the demo's report: their order, headings and links. Writes nothing."""

from semgjax.pages.html import Html, el

TITLES = {
    "signal": "What the decoder sees",
    "learning": "How they learned",
    "law": "Error against size",
    "users": "Every held-out user",
    "sizes": "Size, speed and the export",
    "made": "How it was made",
}
"""The sections after the headline, in order: name in the page's address -> heading."""


def contents() -> Html:
    """Links to the sections."""
    links = (el("li", el("a", title, href=f"#{name}")) for name, title in TITLES.items())
    return el("nav", el("ol", *links), aria_label="sections")


def section(name: str, *children: str) -> Html:
    """One of TITLES."""
    return el("section", el("h2", TITLES[name]), *children, id=name)
