"""Draws the chain slice → memoryview object → exporter, from what compiled code read in memory.

A picture is made twice from the same numbers, once for a wide column and once for a phone; the
style sheet shows one of them. Addresses are given relative to the exporter's buffer, A, so that
the picture is the same in every build.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from memory_strip import elements_reached
from svg import Drawing, numbers, wide_and_tall

CELL = 29


@dataclass(frozen=True)
class Chain:
    """What the picture shows.

    Attributes:
        layout: Size of the struct and offset of each member, in bytes.
        shape: Elements along each dimension of the slice.
        strides: Bytes from one element to the next along each dimension.
        suboffsets: As in the struct; negative means that no pointer is followed.
        offset: Bytes from the start of the exporter's buffer to the slice's first element.
        memview_type: Type of the memoryview object.
        format: Element format, in the notation of the struct module.
        exporter_type: Type of the exporter.
        exporter_shape: Its shape.
        itemsize: Bytes of an element.
    """

    layout: dict[str, int]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    suboffsets: tuple[int, ...]
    offset: int
    memview_type: str
    format: str
    exporter_type: str
    exporter_shape: tuple[int, ...]
    itemsize: int

    @property
    def elements(self) -> int:
        """How many elements the exporter has."""
        total = 1
        for length in self.exporter_shape:
            total *= length
        return total

    def reached(self) -> list[int]:
        """Return the exporter's elements that the slice reaches, in the order of its indices."""
        return elements_reached(self.offset, self.shape, self.strides, self.itemsize)

    def description(self) -> str:
        """Say in words what the picture shows."""
        return (
            f"A slice struct of {self.layout['size']} bytes. Its member memview points to a "
            f"{self.memview_type} object, which holds a reference to the exporter, "
            f"a {self.exporter_type} of shape {numbers(self.exporter_shape)}. Its member data "
            f"points {self.offset} bytes into the exporter's buffer. Its shape is "
            f"{numbers(self.shape)}, its strides are {numbers(self.strides)} bytes, its "
            f"suboffsets {numbers(self.suboffsets)}. Of the exporter's {self.elements} elements "
            f"it reaches numbers {numbers(self.reached())}."
        )

    def __repr__(self) -> str:
        return self.description()

    def _repr_html_(self) -> str:
        return wide_and_tall(_draw(self, wide=True), _draw(self, wide=False))


def chain(layout: dict[str, int], members: dict[str, Any], exporter: Any) -> Chain:
    """Collect what the picture shows.

    Args:
        layout: From ``slice_struct.layout()``.
        members: From one of the ``members`` functions of ``slice_struct``.
        exporter: The NumPy array at the end of the chain.

    Raises:
        ValueError: The slice does not lie in the exporter's buffer.
    """
    memview = members["memview"]
    offset = members["data"] - exporter.__array_interface__["data"][0]
    if not 0 <= offset < exporter.nbytes:
        raise ValueError("the slice does not point into the exporter's buffer")
    return Chain(
        layout=layout,
        shape=tuple(members["shape"]),
        strides=tuple(members["strides"]),
        suboffsets=tuple(members["suboffsets"]),
        offset=offset,
        memview_type=type(memview).__name__,
        format=memoryview(memview).format,
        exporter_type=type(memview.base).__name__,
        exporter_shape=exporter.shape,
        itemsize=exporter.itemsize,
    )


def _box(
    drawing: Drawing,
    x: int,
    y: int,
    width: int,
    title: str,
    note: str,
    rows: list[tuple[str, str, str]],
) -> None:
    """Draw a titled box; a row is (left margin, name, value)."""
    drawing.text(x, y + 12, title, "title")
    drawing.text(x + width, y + 12, note, "note", "end")
    for number, (margin, name, value) in enumerate(rows):
        top = y + 20 + number * 28
        drawing.rect(x, top, width, 28, hit=name.endswith("data"))
        drawing.text(x + 8, top + 18, name)
        drawing.text(x + width - 8, top + 18, value, "", "end")
        if margin:
            drawing.text(x - 6, top + 18, margin, "note", "end")


def _offsets_inside(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Move the offsets into the boxes, where there is no margin for them."""
    return [("", f"{margin:>3} {name}", value) for margin, name, value in rows]


def _draw(data: Chain, wide: bool) -> str:
    offsets = data.layout
    slice_rows = [
        (str(offsets["memview"]), "memview", "object ●"),
        (str(offsets["data"]), "data", f"A + {data.offset} ●"),
        (str(offsets["shape"]), "shape", numbers(data.shape)),
        (str(offsets["strides"]), "strides", numbers(data.strides)),
        (str(offsets["suboffsets"]), "suboffsets", numbers(data.suboffsets)),
    ]
    object_rows = [
        ("", "obj", "exporter ●"),
        ("", "view.buf", "A"),
        ("", "view.format", repr(data.format)),
        ("", "view.itemsize", str(data.itemsize)),
    ]
    exporter_rows = [
        ("", "data", "A"),
        ("", "shape", numbers(data.exporter_shape)),
        ("", "itemsize", str(data.itemsize)),
    ]
    size = f"{offsets['size']} bytes"
    drawing = Drawing(data.description(), wide, preserve_spaces=True)
    if wide:
        _box(drawing, 34, 6, 206, "slice", f"C struct, {size}", slice_rows)
        _box(drawing, 300, 6, 190, data.memview_type, "Python object", object_rows)
        _box(drawing, 550, 6, 190, data.exporter_type, "exporter", exporter_rows)
        drawing.arrow("M240 40 H294")
        drawing.arrow("M490 40 H544")
        _draw_buffer(drawing, data, 34, 232, 24, from_point=(240, 68), wide=True)
        rows = -(-data.elements // 24)
        return drawing.svg(760, 232 + rows * 40 + 52)
    _box(drawing, 40, 6, 270, "slice", f"C struct, {size}", _offsets_inside(slice_rows))
    _box(drawing, 40, 190, 270, data.memview_type, "Python object", object_rows)
    _box(drawing, 40, 346, 270, data.exporter_type, "exporter", exporter_rows)
    drawing.arrow("M310 40 H334 V198 H318")
    drawing.arrow("M310 224 H334 V354 H318")
    columns = data.exporter_shape[-1] if 6 <= data.exporter_shape[-1] <= 9 else 8
    _draw_buffer(drawing, data, 40, 486, columns, from_point=(40, 68), wide=False)
    rows = -(-data.elements // columns)
    return drawing.svg(350, 486 + rows * 40 + 52)


def _draw_buffer(
    drawing: Drawing,
    data: Chain,
    x: int,
    y: int,
    columns: int,
    from_point: tuple[int, int],
    wide: bool,
) -> None:
    """Draw the exporter's buffer element by element, with what the slice reaches."""
    reached = set(data.reached())
    title = f"the exporter's buffer: {data.elements} elements of {data.itemsize} bytes"
    if not wide:
        title = f"the buffer: {data.elements} × {data.itemsize} bytes"
    # At the right end: the arrow comes down on the left.
    right = x + columns * CELL if wide else 310
    drawing.text(right, y - 6, title, "title", "end")
    for number in range(data.elements):
        left, top = x + number % columns * CELL, y + 6 + number // columns * 40
        drawing.rect(left, top, CELL, 28, hit=number in reached)
        drawing.text(left + CELL / 2, top + 18, str(number), "cell", "middle")
    first = data.offset // data.itemsize
    middle = x + first % columns * CELL + CELL / 2
    top = y + 6 + first // columns * 40
    # From the member data to the first element that the slice reaches.
    way = "H270 V196" if wide else f"H8 V{y - 28}"
    drawing.arrow(f"M{from_point[0]} {from_point[1]} {way} H{middle} V{top - 2}")
    bottom = y + 6 + -(-data.elements // columns) * 40 + 14
    words = [f"data = A + {data.offset}"]
    words += [
        f"strides[{dim}] = {stride}: {abs(stride) // data.itemsize} elements on"
        for dim, stride in enumerate(data.strides)
    ]
    if wide:
        drawing.text(x, bottom, " · ".join(words), "note")
    else:
        for number, line in enumerate(words):
            drawing.text(x, bottom + 15 * number - 6, line, "note")
