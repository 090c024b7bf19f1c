"""Draws a table of pointers, the rows they point to, and what an indirect view of them reaches.

Everything is computed from the numbers in the slice struct, as compiled code does it. Addresses are
given relative to the table, T, so that the picture is the same in every build.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from svg import Drawing

POINTER, INT = struct.calcsize("P"), struct.calcsize("i")
LEFT, TOP, STEP, CELL = 78, 34, 46, 38


@dataclass(frozen=True)
class Pointers:
    """What the picture shows.

    Attributes:
        contents: The elements of all rows.
        offset: Bytes from the start of the table to where the view's ``data`` points.
        shape: Of the view.
        strides: Of the view, in bytes.
        suboffsets: Of the view, in bytes; negative where no pointer is followed.
    """

    contents: tuple[tuple[int, ...], ...]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    suboffsets: tuple[int, ...]

    def reached(self) -> list[tuple[int, int]]:
        """Return row and column of each element the view reaches, in the order of its indices."""
        places = []
        for i in range(self.shape[0]):
            entry = self.offset + i * self.strides[0]
            for j in range(self.shape[1]):
                column = self.suboffsets[0] + j * self.strides[1]
                places.append((entry // POINTER, column // INT))
        return places

    def notes(self) -> list[str]:
        """Explain the members of the struct, one line each."""
        return [
            f"data = T + {self.offset}: pointer {self.offset // POINTER} of the table",
            f"strides[0] = {self.strides[0]}: to the next pointer",
            f"suboffsets[0] = {self.suboffsets[0]}: follow it, and add {self.suboffsets[0]}",
            f"strides[1] = {self.strides[1]}: to the next int",
            f"suboffsets[1] = {self.suboffsets[1]}: no pointer to follow",
        ]

    def description(self) -> str:
        """Say in words what the picture shows."""
        values = ", ".join(str(self.contents[i][j]) for i, j in self.reached())
        return (
            f"A table of {len(self.contents)} pointers, T, each to a row of "
            f"{len(self.contents[0])} ints. A view of shape {self.shape[0]}, {self.shape[1]}: "
            f"{'; '.join(self.notes())}. It reaches the elements {values}."
        ).replace("-", "−")

    def __repr__(self) -> str:
        return self.description()

    def _repr_html_(self) -> str:
        reached = set(self.reached())
        rows = {i for i, _ in reached}
        first = min(rows)
        columns = len(self.contents[0])
        start = LEFT + 62 + 50
        drawing = Drawing(self.description())
        drawing.text(LEFT, 18, "table T", "title")
        drawing.text(start, 18, "rows", "title")
        drawing.text(6, TOP + first * STEP + 10, "data")
        drawing.arrow(f"M6 {TOP + first * STEP + 16} H{LEFT - 32}")
        for i, row in enumerate(self.contents):
            y = TOP + i * STEP
            drawing.rect(LEFT, y, 62, 28, hit=i in rows)
            drawing.text(LEFT - 6, y + 18, str(i * POINTER), "note", "end")
            drawing.text(LEFT + 31, y + 18, "●", "cell", "middle")
            drawing.arrow(f"M{LEFT + 31} {y + 14} H{start - 4}")
            for j, value in enumerate(row):
                x = start + j * CELL
                drawing.rect(x, y, CELL, 28, hit=(i, j) in reached)
                drawing.text(x + CELL / 2, y + 18, str(value), "cell", "middle")
        bottom = TOP + len(self.contents) * STEP + 4
        notes = [note.replace("-", "−") for note in self.notes()]
        for number, note in enumerate(notes):
            drawing.text(6, bottom + 17 * number, note, "note")
        svg = drawing.svg(max(350, start + columns * CELL + 6), bottom + 17 * len(notes))
        return f'<div class="picture picture-narrow">{svg}</div>'


def pointers(members: dict[str, Any], rows: Any) -> Pointers:
    """Collect what the picture shows.

    Args:
        members: From one of the ``members`` functions of ``pointer_rows``.
        rows: The exporter, a ``pointer_rows.Rows``.

    Raises:
        ValueError: The view's ``data`` does not point into the table.
    """
    view: Any = memoryview(rows)  # its stubs have one dimension
    contents = tuple(tuple(row) for row in view.tolist())
    table, _ = rows.addresses()
    offset = members["data"] - table
    if not 0 <= offset < len(contents) * POINTER:
        raise ValueError("the view does not point into the table")
    return Pointers(
        contents,
        offset,
        tuple(members["shape"]),
        tuple(members["strides"]),
        tuple(members["suboffsets"]),
    )
