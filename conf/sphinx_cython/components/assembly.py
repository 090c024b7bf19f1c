"""``cython-assembly``: the machine code of the innermost loop that a line is in."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docutils import nodes

from ..core.assembly import Loop, find_loops
from .base import Origin, add_component, cython_node, made_by
from .excerpt import ExcerptDirective
from .plain import code, paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class MachineCode:
    """The machine code of the loop that a line is in.

    Attributes:
        loops: The innermost loops with code of the line, the fastest first.
        sources: Number and text of the lines that the first of them was made from.
        made_by: Versions of Cython, the compiler and Python.
        target: The kind of processor that it was made for.
    """

    origin: Origin
    signature: str
    number: int
    source: str
    loops: tuple[Loop, ...]
    sources: tuple[tuple[int, str], ...]
    made_by: str
    target: str


class cython_assembly(cython_node):
    """Carries a ``MachineCode``."""

    template = "assembly.html"

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return the instructions of all loops."""
        data: MachineCode = self["data"]
        where = f"`{data.origin.example}.pyx` line {data.number}"
        title = f"`{data.source}` in `{data.signature}`, {where}"
        result: list[nodes.Node] = [paragraph(f"{title} ({data.made_by}, {data.target})")]
        for loop in data.loops:
            rows = (
                f"{item.label + ':' if item.label else '':10} {item.text}"
                for item in loop.instructions
            )
            result.append(code("\n".join(rows), "text"))
        return result


class AssemblyDirective(ExcerptDirective):
    """Shows the machine code of the innermost loop that a line is in.

    It is the machine code of the module that cells import. Compiler, flags and kind of processor
    are named below it. Instructions made from the line itself are set off from those that only run
    the loop.
    """

    def make(self) -> nodes.Element:
        """Find the loop."""
        line = self.requested()
        variant = self.variant()
        artefact = self.artefact(variant)
        loops = find_loops(
            artefact.assembly_file.read_text(encoding="utf-8"),
            artefact.c_file.read_text(encoding="utf-8"),
            variant.example.module,
            line.number,
            artefact.c_file.suffix,
        )
        # Those of the header of the loop are among them.
        numbers = {item.line for loop in loops[:1] for item in loop.instructions if item.line}
        numbers.add(line.number)
        data = MachineCode(
            line.origin,
            line.signature,
            line.number,
            line.source,
            tuple(loops),
            tuple(
                (number, variant.example.lines[number - 1].strip()) for number in sorted(numbers)
            ),
            made_by(self.results, variant),
            platform.machine(),
        )
        return cython_assembly(data=data)


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-assembly", AssemblyDirective, cython_assembly)
