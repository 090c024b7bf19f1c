"""Draws who holds whom, and how often, from the counts that compiled code read in the objects.

One panel a step. A panel is narrow enough for a phone; on a wide page two stand side by side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from html import escape

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

    def add(self, statement: str, counts: dict[str, object]) -> None:
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
        parts = [
            _box(300, 4, 40, [self.name]),
            _arrow("M320 32 V50"),
            _box(
                228,
                54,
                112,
                [
                    self.exporter_type,
                    f"references {step.exporter_references}",
                    f"exports {step.exports}",
                ],
            ),
        ]
        if step.slices:
            parts += [
                _box(
                    84,
                    4,
                    116,
                    [
                        "memoryview",
                        f"references {step.memoryview_references}",
                        f"acquisitions {step.acquisitions}",
                    ],
                ),
                _arrow("M200 18 H244 V50"),
                _arrow("M200 32 H256 V50"),
            ]
        parts += [_box(6, SLICES[name], 40, [name]) for name in step.slices]
        if "a" in step.slices:
            parts.append(_arrow(f"M46 {SLICES['a'] + 14} H80"))
        if "b" in step.slices:
            parts.append(_arrow(f"M46 {SLICES['b'] + 14} H80"))
        if "mv" in step.slices:
            parts.append(_arrow(f"M46 {SLICES['mv'] + 8} H142 V92"))
            parts.append(_arrow(f"M46 {SLICES['mv'] + 20} H224"))
        words = escape(step.description())
        head = "head-" + hashlib.sha256(words.encode()).hexdigest()[:8]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
            f'<defs><marker id="{head}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" '
            f'class="head"/></marker></defs>{"".join(parts).replace("{head}", head)}</svg>'
        )


def _box(x: int, y: int, width: int, lines: list[str]) -> str:
    """Draw a box; the first line is its title, the last number in it counts."""
    out = [f'<rect x="{x}" y="{y}" width="{width}" height="{ROW * len(lines)}"/>']
    for number, line in enumerate(lines):
        base = y + 18 + ROW * number
        if number == 0:
            out.append(
                f'<text x="{x + width / 2}" y="{base}" text-anchor="middle">{escape(line)}</text>'
            )
            continue
        name, _, value = line.rpartition(" ")
        out.append(f'<text x="{x + 6}" y="{base}" class="note">{escape(name)}</text>')
        out.append(f'<text x="{x + width - 6}" y="{base}" text-anchor="end">{value}</text>')
    return "".join(out)


def _arrow(path: str) -> str:
    return f'<path d="{path}" class="arrow" marker-end="url(#{{head}})"/>'
