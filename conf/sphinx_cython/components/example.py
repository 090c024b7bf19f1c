"""``cython-example``: the page of an example: its docstring, its listing, its downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes

from ..domain import ExamplePage, cython_domain
from .base import CythonDirective, NotBuilt
from .listing import ListingDirective, cython_listing

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class ExampleDirective(ListingDirective):
    """Makes the page of an example: its docstring, then its listing with downloads.

    Links from other pages lead to the listing on this page, so it has all lines.
    """

    option_spec: ClassVar[dict[str, Any]] = CythonDirective.option_spec

    def run(self) -> list[nodes.Node]:
        """Put the docstring in front of the listing."""
        result = super().run()
        if result and isinstance(result[0], cython_listing):
            example = self.results.builder.examples[self.arguments[0].strip()]
            intro: list[nodes.Node] = self.parse_text_to_nodes(example.docstring)
            return intro + result
        return result

    def make(self) -> nodes.Element:
        """Make the listing and register the page, even if the example does not compile."""
        try:
            listing = super().make()
        except NotBuilt:
            self.register(self.variant().example.module)
            raise
        self.register(listing["data"].anchor)
        return listing

    def register(self, anchor: str) -> None:
        """Make this the place that links to the example lead to."""
        example = self.variant().example
        headers = {function.name: function.header for function in example.functions.values()}
        own = ExamplePage(example.name, anchor, self.get_location(), headers)
        cython_domain(self.env).note_example(self.env.docname, own)


def setup(app: Sphinx) -> None:
    """Register the directive; its node is that of a listing."""
    app.add_directive("cython-example", ExampleDirective)
