"""``cython-listing``: an example, or one function of it, each line with its C."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives

from ..core.config import DEFAULT_PROFILE
from ..domain import line_anchor
from ..markup import Excerpt
from .base import CythonDirective, Options, Origin, add_component, cython_node, made_by
from .plain import code, paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class ListedLine:
    """A line of a listing.

    Attributes:
        number: Its number in the file.
        source: Its text.
        excerpt: The C that was generated for it, or None.
        score: The score of ``cython -a``, by which it colors a line.
        header: Whether it belongs to the header of a function, or is the first of the file.
    """

    number: int
    source: str
    excerpt: Excerpt | None
    score: int
    header: bool


@dataclass(frozen=True)
class Listing:
    """A whole example or a part of it.

    Attributes:
        source: The whole file, for highlighting.
        whole: Whether all lines are there.
        anchor: What the ids of the lines start with.
        made_by: Versions of Cython, the compiler and Python.
    """

    origin: Origin
    source: str
    lines: tuple[ListedLine, ...]
    whole: bool
    anchor: str
    made_by: str


class cython_listing(cython_node):
    """Carries a ``Listing``."""

    template = "listing.html"

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return the source, and below it the C of its lines, each behind the line as a comment."""
        data: Listing = self["data"]
        result: list[nodes.Node] = [
            paragraph(f"`{data.origin.example}.pyx` ({data.made_by})"),
            code("\n".join(line.source for line in data.lines), "cython"),
        ]
        text = []
        for line in data.lines:
            # The C of a def line is the wrapper that Python calls: hundreds of lines, and none of
            # them are about the line.
            if line.excerpt and not line.header:
                source = line.source.strip().replace("*/", "* /")
                text.append(f"/* {data.origin.module}.pyx:{line.number}: {source} */")
                text.append(line.excerpt.text.strip("\n") + "\n")
        if text:
            result.append(paragraph("The C that Cython generated for the lines of its functions:"))
            result.append(code("\n".join(text).rstrip("\n"), "c"))
        return result


class ListingDirective(CythonDirective):
    """Shows an example, or one function of it. Each line that has C opens to it.

    Options:
        function: Show the lines of this function only, with its decorators. A method is
            ``Class.method``.
    """

    option_spec: ClassVar[dict[str, Any]] = Options(
        CythonDirective.option_spec, function=directives.unchanged_required
    )

    def make(self) -> nodes.Element:
        """Make the listing."""
        variant = self.variant()
        artefact = self.artefact(variant)
        example = variant.example
        first, last = 1, len(example.lines)
        name = self.options.get("function")
        if name:
            span = example.function(name)
            first, last = span.first, span.last
        # Cython counts the wrapper of a decorated function to its first decorator.
        headers = {
            number
            for function in example.functions.values()
            for number in range(function.first, function.header + 1)
        }
        lines = tuple(
            ListedLine(
                line.number,
                line.source,
                self.results.excerpt(artefact, line) if line.c.strip() else None,
                line.score,
                line.number in headers or line.number == 1,
            )
            for line in self.results.lines(artefact)[first - 1 : last]
        )
        part = name or ("" if variant.profile.name == DEFAULT_PROFILE else variant.profile.name)
        anchor = self.unused_anchor(example.module, part)
        data = Listing(
            self.origin(variant),
            example.source,
            lines,
            name is None,
            anchor,
            made_by(self.results, variant),
        )
        node = cython_listing(data=data)
        # docutils gives no other node one of these ids.
        self.state.document.ids |= {line_anchor(anchor, line.number): node for line in lines}
        return node

    def unused_anchor(self, module: str, part: str) -> str:
        """Return what the ids of the lines start with, unlike those of other listings of the page.

        Args:
            module: The module that is listed.
            part: What part or variant of it, if it is not the whole module as it is.
        """
        used = {name.rpartition("-L")[0] for name in self.state.document.ids}
        anchor = module
        if part or anchor in used:
            part = re.sub(r"[^\w.-]+", "-", f"-{part}" if part else "")
            anchor = f"{module}{part}-{self.env.new_serialno('cython')}"
        return anchor


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-listing", ListingDirective, cython_listing)
