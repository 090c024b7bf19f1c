"""``cython-example``: the page of an example: its docstring, its listing, its downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes

from .base import CythonDirective
from .listing import ListingDirective, cython_listing

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class ExampleDirective(ListingDirective):
    """Makes the page of an example: its docstring, then its listing with downloads.

    Links from other pages lead to the listing of such a page, so it has all lines.
    """

    option_spec: ClassVar[dict[str, Any]] = CythonDirective.option_spec

    def run(self) -> list[nodes.Node]:
        """Put the docstring in front of the listing and register the page."""
        result = super().run()
        if result and isinstance(result[0], cython_listing):
            example = self.state_of_build.builder.examples[self.arguments[0].strip()]
            if example.name not in self.page.examples:
                self.page.examples.append(example.name)
            # If the page has it twice, links lead to the first.
            self.page.anchors.setdefault(example.name, result[0]["data"].anchor)
            intro: list[nodes.Node] = self.parse_text_to_nodes(example.docstring)
            return intro + result
        return result


def setup(app: Sphinx) -> None:
    """Register the directive; its node is that of a listing."""
    app.add_directive("cython-example", ExampleDirective)
