"""Directive `command-line`: the commands, arguments and options of one command group, read from its parser."""

import inspect
import re
from argparse import Action, ArgumentParser
from collections.abc import Callable
from typing import Any

from docutils import nodes
from parsers import commands_of, parser_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class CommandLine(SphinxDirective):
    """`{command-line} GROUP`: a section for each command, with a list of its options."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        group = self.arguments[0]
        out: list[nodes.Node] = []
        for name, function in commands_of(group).items():
            body = described(f"semgjax {group} {name}".rstrip(), function)
            if name:
                title = f"semgjax {group} {name}"
                section = nodes.section("", nodes.title(text=title), *body, names=[nodes.fully_normalize_name(title)])
                self.state.document.note_implicit_target(section, section)
                body = [section]
            out += body
        return out


def described(program: str, function: Callable[..., Any]) -> list[nodes.Node]:
    """What a command does, and its options under the titles of their groups."""
    does = re.sub(r"\s+", " ", (inspect.getdoc(function) or "").split("\nArgs:")[0]).strip()
    out: list[nodes.Node] = [nodes.paragraph(text=does)]
    for title, actions in grouped(parser_of(program, function)):
        if title not in ("options", "positional arguments"):
            out.append(nodes.rubric(text=title))
        out.append(options(actions))
    return out


def grouped(parser: ArgumentParser) -> list[tuple[str, list[Action]]]:
    """The actions of a parser under the titles of its groups; help itself left out."""
    groups = [(g.title or "", [a for a in g._group_actions if a.dest != "help"]) for g in parser._action_groups]
    return [(title, actions) for title, actions in groups if actions]


def options(actions: list[Action]) -> nodes.definition_list:
    """A definition list: how an option is written, and what it means."""
    items = []
    for action in actions:
        names = ", ".join(action.option_strings) or action.dest.upper()
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or ''}"
        term = nodes.term("", "", nodes.literal(text=names + value.rstrip()))
        said = re.sub(r"\s+", " ", (action.help or "").replace("%%", "%")).strip()
        if said.count("(default: ") > 1:  # one in words, and the parser's own
            said = said[: said.rindex("(default: ")].rstrip()
        items.append(nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph(text=said or "-"))))
    return nodes.definition_list("", *items, classes=["options"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
