"""A description of each page, for search engines and for links shown on other sites.

It is ours: ``llms.txt`` and the results of search show the same description, so all that
``sphinxext-opengraph`` could replace is the template of the card, ``social.html``.
"""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# What search engines show of a description, and what is too little to tell pages apart.
LONGEST = 160
SHORTEST = 50


def description(doctree: nodes.document) -> tuple[str, bool]:
    """Return the description of a page, and whether its author gave it (``html_meta``).

    Without one it is the beginning of the text: pages of this site begin with the answer, and those
    of examples with the docstring.
    """
    for meta in doctree.findall(nodes.meta):
        if meta.get("name") == "description":
            return str(meta["content"]), True
    text = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph, addnodes.compact_paragraph):  # an entry of a table of contents
            continue
        text = " ".join([*text.split(), *paragraph.astext().split()])
        if len(text) >= SHORTEST:
            break
    return textwrap.shorten(text, LONGEST, placeholder=" …"), False


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a page a description, and hand it to the template for the social card."""
    if doctree is None:
        return
    text, given = description(doctree)
    context["description"] = text
    if text and not given:
        context["metatags"] += f'<meta name="description" content="{html.escape(text)}" />\n'


def setup(app: Sphinx) -> None:
    """Register the event handler."""
    app.connect("html-page-context", describe)
