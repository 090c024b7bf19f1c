"""``cython-key``: what the marks on C and on instructions mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from ..domain import record
from .base import add_component, cython_node

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


class cython_key(cython_node):
    """Has no data: the marks are the same everywhere."""

    template = "key.html"

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return nothing: without colors there are no marks to explain."""
        return []


class KeyDirective(SphinxDirective):
    """Explains what the marks on C and on instructions mean.

    On every other page, the first box with C names the kinds of C, and links to the page that has
    this directive.
    """

    def run(self) -> list[nodes.Node]:
        """Make the node and register the page."""
        record(self.env, self.env.docname).key = True
        return [cython_key(data=None)]


class MarkFirst(SphinxPostTransform):
    """Marks the first box of a page with C in it: it names the kinds of C, unless the key does."""

    default_priority = 100

    def run(self, **kwargs: Any) -> None:
        """Mark it in one document."""
        first = next((node for node in self.document.findall(cython_node) if node.has_c), None)
        if first is not None and not isinstance(first, cython_key):
            first["first"] = True


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-key", KeyDirective, cython_key)
    app.add_post_transform(MarkFirst)
