"""``cython-refusal``: an example that must not compile, and what the compiler says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes

from ..core.artefact import Failure
from ..core.example import ExampleError
from .base import CythonDirective, NotBuilt, Origin, add_component, cython_node
from .plain import code

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class Refusal:
    """An example that must not compile.

    Attributes:
        source: The whole file.
        problems: Line, column and text of each message; line 0 if it is at no line of the file.
        step: What refused it.
    """

    origin: Origin
    source: str
    problems: tuple[tuple[int, int, str], ...]
    step: str


class cython_refusal(cython_node):
    """Carries a ``Refusal``."""

    template = "refusal.html"
    has_c = False

    def context(self, env: BuildEnvironment) -> dict[str, Any]:
        """Return the messages by line."""
        messages: dict[int, list[tuple[int, str]]] = {}
        for number, column, text in self["data"].problems:
            messages.setdefault(number, []).append((column, text))
        return {"messages": messages}

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return the source, and below it the messages."""
        data: Refusal = self["data"]
        messages = "\n".join(
            f"{data.origin.module}.pyx:{line}:{column}: {text}" if line else text
            for line, column, text in data.problems
        )
        return [code(data.source, "cython"), code(messages, "text")]


class RefusalDirective(CythonDirective):
    """Shows an example that must not compile, with the messages of the compiler at their lines.

    If it compiles, the build fails. Such examples are in the folder that the setting ``refused``
    names.
    """

    def make(self) -> nodes.Element:
        """Show the refusal."""
        variant = self.variant()
        if not variant.example.refused:
            raise ExampleError(f"{variant.key} is not among the examples that must not compile")
        outcome = self.results.outcomes[variant.key]
        if not isinstance(outcome, Failure):
            raise NotBuilt(f"{variant.key} was not refused; it")
        file = f"{variant.example.name}.pyx"
        # The C compiler can reject C that was made of no line of the file.
        problems = tuple(
            (p.line if p.file == file else 0, p.column, p.message) for p in outcome.problems
        )
        step = outcome.step[0].upper() + outcome.step[1:]
        data = Refusal(self.origin(variant), variant.example.source, problems, step)
        return cython_refusal(data=data)


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-refusal", RefusalDirective, cython_refusal)
