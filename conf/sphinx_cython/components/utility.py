"""``cython-utility``: definitions of the generated C file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docutils import nodes

from ..core.csource import Definition, find_definitions, read_definitions
from ..core.example import ExampleError, candidates
from .base import CythonDirective, Origin, add_component, cython_node
from .plain import code, paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class Utility:
    """Definitions of the generated C file."""

    origin: Origin
    definitions: tuple[Definition, ...]


class cython_utility(cython_node):
    """Carries a ``Utility``."""

    template = "utility.html"

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return the definitions, each with its place."""
        data: Utility = self["data"]
        result: list[nodes.Node] = []
        for definition in data.definitions:
            result.append(paragraph(f"`{data.origin.c_name}`, line {definition.first}"))
            result.append(code(definition.text, "c"))
        return result


class UtilityDirective(CythonDirective):
    """Shows definitions of the generated C file: functions, macros and structs.

    Branches of ``#if`` that were not compiled are folded. The shared utility module holds some
    definitions of an example under a profile with ``shared``; for those, name a profile without it.

    Content:
        The names of the definitions, separated by white space.
    """

    has_content = True

    def make(self) -> nodes.Element:
        """Find the definitions."""
        variant = self.variant()
        artefact = self.artefact(variant)
        c = artefact.c_file.read_text(encoding="utf-8")
        shown: list[Definition] = []
        for name in " ".join(self.content).split():
            definitions = read_definitions(c, name, artefact.compiled_lines)
            if not definitions:
                left_out = " that is compiled" if find_definitions(c, name) else ""
                words = sorted(set(_defined_names(c)))
                raise ExampleError(
                    f"no definition of {name!r}{left_out} in the C of {variant.key}; "
                    f"{candidates(name, words)}"
                )
            shown += definitions
        if not shown:
            raise ExampleError("cython-utility needs the names of functions, macros or types")
        return cython_utility(data=Utility(self.origin(variant), tuple(shown)))


def _defined_names(c: str) -> list[str]:
    return re.findall(r"^(?:static[^;{}()=]*?|#define )\b(__[Pp]yx_\w+)", c, re.M)


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-utility", UtilityDirective, cython_utility)
