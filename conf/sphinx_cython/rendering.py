"""Turns templates and data into HTML, with Jinja and without Sphinx.

In a template, a line break beside a tag is layout for the reader of the template and no part of the
HTML, and so is the indentation after it: space between elements would be text, and in a listing
text is code. Any other line break is a space.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from jinja2.ext import Extension

from . import markup

TEMPLATES = Path(__file__).parent / "templates"
# Template names begin with it, so that they do not meet those of a theme.
PREFIX = "cython"

# A tag of Jinja, or a line break outside of one.
_LAYOUT = re.compile(r"(\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\})|\s*\n\s*", re.S)
_BEFORE, _AFTER = (">", "%}", "#}"), ("<", "{%", "{#")


class Layout(Extension):
    """Takes line breaks and indentation out of a template."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Turn layout into comments, which keep the line numbers of error messages."""

        def replace(match: re.Match[str]) -> str:
            if match[1]:
                return match[1]
            before, after = source[: match.start()], source[match.end() :]
            beside = before.endswith(_BEFORE) or after.startswith(_AFTER) or not (before and after)
            beside |= before.endswith("}}") and after.startswith("{{")
            return f"{'' if beside else ' '}{{#{match[0]}#}}"

        return _LAYOUT.sub(replace, source)


class Links:
    """Where a box links to. This one leads nowhere: for a box that is outside of a site."""

    def file(self, origin: Any, suffix: str) -> str:
        """Return the address of a file of an example; empty if it is not published."""
        return ""

    def line(self, origin: Any, number: int) -> str:
        """Return the address of a line in the listing on the example's own page, if it has one."""
        return ""

    def anchor(self, name: str) -> str:
        """Return the id for an anchor that is unique among those of its page."""
        return name


def make_environment(*overriding: BaseLoader) -> Environment:
    """Return what loads the templates.

    Args:
        overriding: Where to look for a template before the folder of this extension. With
            ``!`` in front of its name, a template there can extend the one that it replaces.
    """
    own = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=ChoiceLoader([*overriding, PrefixLoader({PREFIX: own, f"!{PREFIX}": own})]),
        autoescape=True,
        extensions=[Layout],
    )
    environment.filters |= {
        "blocks": markup.blocks,
        "breakable": markup.breakable,
        "cython": markup.cython_line,
        "cython_lines": markup.cython_lines,
        "fold_label": markup.fold_label,
        "fragments": markup.fragments,
        "label": markup.label,
        "line_count": markup.line_count,
        "plural": markup.plural,
    }
    environment.globals |= {"KINDS": markup.KINDS, "INSTRUCTIONS": markup.INSTRUCTIONS}
    return environment


@cache
def own_environment() -> Environment:
    """Return what loads the templates of this extension and no others."""
    return make_environment()


def render(
    template: str, context: Mapping[str, Any], environment: Environment | None = None
) -> str:
    """Return the HTML of a component.

    Args:
        template: Name of the template, such as ``listing.html``; its head lists what it needs.
        context: The names that the template needs. If left out, ``ids`` is empty, ``links`` lead
            nowhere, and ``key`` is None.
        environment: What loads the templates; by default those of this extension.

    Raises:
        jinja2.TemplateError: The template does not exist or does not work.
    """
    loader = environment or own_environment()
    defaults: dict[str, Any] = {"ids": (), "links": Links(), "key": None}
    return loader.get_template(f"{PREFIX}/{template}").render(defaults | dict(context))
