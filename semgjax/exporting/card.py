"""README.md of an export: the card of the decoder."""

from typing import Any


def card(body: dict[str, Any]) -> str:
    """The card's text, from the body of model.json."""
    return f"# {body['source'].get('preset', 'decoder')}\n\n{body['params']:,} parameters, format {body['format']}.\n"
