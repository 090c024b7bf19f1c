"""Lists of pages in the text: with the titles of the pages, whatever the page tree calls them.

The tree at the side has to fit on one screen, so tables of contents give short names to pages whose
titles are questions. Where there is room, the question is the better name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx import addnodes

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def use_titles(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Forget the short names in one page (``doctree-resolved``); the tree is made elsewhere."""
    for tree in doctree.findall(addnodes.toctree):
        tree["entries"] = [
            (None if target in app.env.found_docs else name, target)
            for name, target in tree["entries"]
        ]


def setup(app: Sphinx) -> None:
    """Register the event handler."""
    app.connect("doctree-resolved", use_titles)
