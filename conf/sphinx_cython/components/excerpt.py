"""``cython-excerpt``: the C of one line of one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives

from ..core.artefact import Variant
from ..core.example import ExampleError
from ..markup import Excerpt
from .base import CythonDirective, Options, Origin, add_component, cython_node
from .plain import calls_phrase, code, paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class LineExcerpt:
    """The C of one line of one function.

    Attributes:
        number: Its number in the file.
        source: Its text, without indentation.
        excerpt: The C.
        score: The score of ``cython -a``, by which it colors a line.
    """

    origin: Origin
    function: str
    signature: str
    number: int
    source: str
    excerpt: Excerpt
    score: int


class LineDirective(CythonDirective):
    """Base of the directives that show the C of a line."""

    def line_excerpt(self, variant: Variant, function: str, line: str) -> LineExcerpt:
        """Return the C of one line of one function."""
        artefact = self.artefact(variant)
        example = variant.example
        number = example.find_line(line, function)
        annotated = self.results.lines(artefact)[number - 1]
        if not annotated.c.strip():
            raise ExampleError(
                f"Cython generated no C for line {number} of {example.name}.pyx ({line.strip()!r})"
            )
        return LineExcerpt(
            self.origin(variant),
            function,
            example.signature(function),
            number,
            annotated.source.strip(),
            self.results.excerpt(artefact, annotated),
            annotated.score,
        )


class cython_excerpt(cython_node):
    """Carries a ``LineExcerpt``."""

    template = "excerpt.html"

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return where the line is, how many calls it makes, and its C."""
        data: LineExcerpt = self["data"]
        where = f"`{data.origin.example}.pyx` line {data.number}"
        calls = calls_phrase(data.excerpt)
        return [
            paragraph(f"`{data.source}` in `{data.function}`, {where}: {calls}."),
            code(data.excerpt.text, "c"),
        ]


class ExcerptDirective(LineDirective):
    """Shows the C of one line.

    Options:
        function (required): The function that the line is in.
        line (required): The text of the line without its indentation. A comment at its end may be
            left out.
    """

    option_spec: ClassVar[dict[str, Any]] = Options(
        CythonDirective.option_spec,
        function=directives.unchanged_required,
        line=directives.unchanged_required,
    )

    def requested(self) -> LineExcerpt:
        """Return the C of the line that the options name."""
        for option in ("function", "line"):
            if option not in self.options:
                raise ExampleError(f"{self.name} needs the option {option!r}")
        return self.line_excerpt(self.variant(), self.options["function"], self.options["line"])

    def make(self) -> nodes.Element:
        """Make the excerpt."""
        return cython_excerpt(data=self.requested())


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-excerpt", ExcerptDirective, cython_excerpt)
