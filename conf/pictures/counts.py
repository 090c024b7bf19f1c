"""Draws who holds whom, and how often, from the counts that compiled code read in the objects.

One panel a step. A panel is narrow enough for a phone; on a wide page two stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from svg import Drawing

WIDTH, HEIGHT = 350, 150
SLICES = {"a": 12, "b": 50, "mv": 104}
ROW = 28


@dataclass(frozen=True)
class Step:
    """What was counted after a statement: see ``keeping.Views.counts``."""

    statement: str
    slices: tuple[str, ...]
    acquisitions: int
    memoryview_references: int
    exporter_references: int
    exports: int

    def description(self) -> str:
        """Say in words what the panel shows."""
        exporter = (
            f"the bytearray has {self.exporter_references} references and {self.exports} exports"
        )
        if not self.slices:
            return f"After {self.statement}: there is no view; {exporter}."
        names = ", ".join(self.slices)
        return (
            f"After {self.statement}: {names} hold the memoryview, which has "
            f"{self.acquisitions} acquisitions and {self.memoryview_references} reference and "
            f"holds the bytearray twice; {exporter}."
        )


@dataclass
class Steps:
    """The panels, in order."""

    name: str
    exporter_type: str
    steps: list[Step] = field(default_factory=list)

    def add(self, statement: str, counts: dict[str, Any]) -> None:
        """Add a step.

        Args:
            statement: What has just been done, as code.
            counts: From ``keeping.Views.counts``.

        Raises:
            ValueError: The arrows of the panel do not add up to the references counted.
        """
        step = Step(
            statement,
            tuple(counts["slices"]),
            counts["acquisitions"],
            counts["memoryview references"],
            counts["exporter references"],
            counts["exports"],
        )
        # The name, twice the memoryview (its obj and the obj of its Py_buffer), and the object.
        arrows = 1 + 2 * bool(step.slices) + ("mv" in step.slices)
        if arrows != step.exporter_references or len(step.slices) != step.acquisitions:
            raise ValueError(f"the picture would not show these counts: {counts}")
        self.steps.append(step)

    def __repr__(self) -> str:
        return "\n".join(step.description() for step in self.steps)

    def _repr_html_(self) -> str:
        panels = "".join(
            f"<figure><figcaption><code>{escape(step.statement)}</code></figcaption>"
            f"{self._panel(step)}</figure>"
            for step in self.steps
        )
        return f'<div class="picture steps">{panels}</div>'

    def _panel(self, step: Step) -> str:
        drawing = Drawing(step.description())
        _box(drawing, 300, 4, 40, self.name)
        drawing.arrow("M320 32 V50")
        exporter = {"references": step.exporter_references, "exports": step.exports}
        _box(drawing, 228, 54, 112, self.exporter_type, exporter)
        if step.slices:
            view = {"references": step.memoryview_references, "acquisitions": step.acquisitions}
            _box(drawing, 84, 4, 116, "memoryview", view)
            drawing.arrow("M200 18 H244 V50")
            drawing.arrow("M200 32 H256 V50")
        for name in step.slices:
            _box(drawing, 6, SLICES[name], 40, name)
        for name in ("a", "b"):
            if name in step.slices:
                drawing.arrow(f"M46 {SLICES[name] + 14} H80")
        if "mv" in step.slices:
            drawing.arrow(f"M46 {SLICES['mv'] + 8} H142 V92")
            drawing.arrow(f"M46 {SLICES['mv'] + 20} H224")
        return drawing.svg(WIDTH, HEIGHT)


def _box(
    drawing: Drawing, x: int, y: int, width: int, title: str, counts: Mapping[str, int] = {}
) -> None:
    """Draw a box with a title and counts below it."""
    drawing.rect(x, y, width, ROW * (1 + len(counts)))
    drawing.text(x + width / 2, y + 18, title, None, "middle")
    for number, (name, count) in enumerate(counts.items(), 1):
        base = y + 18 + ROW * number
        drawing.text(x + 6, base, name, "note", None)
        drawing.text(x + width - 6, base, str(count), None, "end")
