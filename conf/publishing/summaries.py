"""A description for each page of an example, made of its docstring.

Pages that people write have theirs in the front matter (``html_meta``); a page of an example is two
lines of Markdown, and what is to be said of it stands in the example.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# What search engines show of a description.
LONGEST = 160
EXAMPLES = "examples/"


def has_description(doctree: nodes.document) -> bool:
    """Whether the author of a page has described it."""
    return any(meta.get("name") == "description" for meta in doctree.findall(nodes.meta))


def summarise(doctree: nodes.document) -> str:
    """Return the title of a page and as much of its first paragraphs as fits."""
    title = next(iter(doctree.findall(nodes.title))).astext()
    texts = [" ".join(paragraph.astext().split()) for paragraph in doctree.findall(nodes.paragraph)]
    summary = f"{title}.pyx: {texts[0]}"
    if len(texts) > 1 and len(f"{summary} {texts[1]}") <= LONGEST:
        summary = f"{summary} {texts[1]}"
    return textwrap.shorten(summary, LONGEST, placeholder=" …")


def describe_example(app: Sphinx, doctree: nodes.document) -> None:
    """Describe the page of an example, unless its author did (``doctree-read``)."""
    name = app.env.docname
    if name.startswith(EXAMPLES) and not has_description(doctree):
        doctree.insert(0, nodes.meta(name="description", content=summarise(doctree)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handler."""
    app.connect("doctree-read", describe_example)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
