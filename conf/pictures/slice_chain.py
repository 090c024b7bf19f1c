"""Draws the chain slice → memoryview object → exporter, from what compiled code read in memory.

A picture is made twice from the same numbers, once for a wide column and once for a phone; the
style sheet shows one of them. Addresses are given relative to the exporter's buffer, A, so that
the picture is the same in every build.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape

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
        offsets = [self.offset]
        for length, stride in zip(self.shape, self.strides, strict=True):
            offsets = [start + i * stride for start in offsets for i in range(length)]
        return [offset // self.itemsize for offset in offsets]

    def description(self) -> str:
        """Say in words what the picture shows."""
        return (
            f"A slice struct of {self.layout['size']} bytes. Its member memview points to a "
            f"{self.memview_type} object, which holds a reference to the exporter, "
            f"a {self.exporter_type} of shape {_numbers(self.exporter_shape)}. Its member data "
            f"points {self.offset} bytes into the exporter's buffer. Its shape is "
            f"{_numbers(self.shape)}, its strides are {_numbers(self.strides)} bytes, its "
            f"suboffsets {_numbers(self.suboffsets)}. Of the exporter's {self.elements} elements "
            f"it reaches numbers {_numbers(self.reached())}."
        )

    def __repr__(self) -> str:
        return self.description()

    def _repr_html_(self) -> str:
        wide, tall = _draw(self, wide=True), _draw(self, wide=False)
        return (
            f'<div class="picture picture-wide">{wide}</div>'
            f'<div class="picture picture-tall">{tall}</div>'
        )


def chain(layout: dict[str, int], members: dict[str, object], exporter: object) -> Chain:
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


def _numbers(values) -> str:
    return ", ".join(str(value).replace("-", "−") for value in values)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}" xml:space="preserve">'
        f"{escape(text)}</text>"
    )


def _box(
    x: int, y: int, width: int, title: str, note: str, rows: list[tuple[str, str, str]]
) -> str:
    """Draw a titled box; a row is (left margin, name, value)."""
    out = [_text(x, y + 12, title, "title"), _text(x + width, y + 12, note, "note", "end")]
    for number, (margin, name, value) in enumerate(rows):
        top = y + 20 + number * 28
        marked = ' class="hit"' if name.endswith("data") else ""
        out.append(f'<rect x="{x}" y="{top}" width="{width}" height="28"{marked}/>')
        out.append(_text(x + 8, top + 18, name))
        out.append(_text(x + width - 8, top + 18, value, "", "end"))
        if margin:
            out.append(_text(x - 6, top + 18, margin, "note", "end"))
    return "".join(out)


def _offsets_inside(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Move the offsets into the boxes, where there is no margin for them."""
    return [("", f"{margin:>3} {name}", value) for margin, name, value in rows]


def _arrow(path: str) -> str:
    return f'<path d="{path}" class="arrow" marker-end="url(#{{head}})"/>'


def _draw(data: Chain, wide: bool) -> str:
    offsets = data.layout
    slice_rows = [
        (str(offsets["memview"]), "memview", "object ●"),
        (str(offsets["data"]), "data", f"A + {data.offset} ●"),
        (str(offsets["shape"]), "shape", _numbers(data.shape)),
        (str(offsets["strides"]), "strides", _numbers(data.strides)),
        (str(offsets["suboffsets"]), "suboffsets", _numbers(data.suboffsets)),
    ]
    object_rows = [
        ("", "obj", "exporter ●"),
        ("", "view.buf", "A"),
        ("", "view.format", repr(data.format)),
        ("", "view.itemsize", str(data.itemsize)),
    ]
    exporter_rows = [
        ("", "data", "A"),
        ("", "shape", _numbers(data.exporter_shape)),
        ("", "itemsize", str(data.itemsize)),
    ]
    size = f"{offsets['size']} bytes"
    if wide:
        parts = [
            _box(34, 6, 206, "slice", f"C struct, {size}", slice_rows),
            _box(300, 6, 190, data.memview_type, "Python object", object_rows),
            _box(550, 6, 190, data.exporter_type, "exporter", exporter_rows),
            _arrow("M240 40 H294"),
            _arrow("M490 40 H544"),
        ]
        parts.append(_strip(data, 34, 232, 24, from_point=(240, 68), wide=True))
        rows = -(-data.elements // 24)
        width, height = 760, 232 + rows * 40 + 52
    else:
        parts = [
            _box(40, 6, 270, "slice", f"C struct, {size}", _offsets_inside(slice_rows)),
            _box(40, 190, 270, data.memview_type, "Python object", object_rows),
            _box(40, 346, 270, data.exporter_type, "exporter", exporter_rows),
            _arrow("M310 40 H334 V198 H318"),
            _arrow("M310 224 H334 V354 H318"),
        ]
        columns = data.exporter_shape[-1] if 6 <= data.exporter_shape[-1] <= 9 else 8
        parts.append(_strip(data, 40, 486, columns, from_point=(40, 68), wide=False))
        rows = -(-data.elements // columns)
        width, height = 350, 486 + rows * 40 + 52
    words = escape(data.description())
    # An id is for the whole page, and there may be several pictures on it.
    head = "head-" + hashlib.sha256(f"{words}{wide}".encode()).hexdigest()[:8]
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{words}">'
        f'<defs><marker id="{head}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" class="head"/>'
        f"</marker></defs>{''.join(parts).replace('{head}', head)}</svg>"
    )


def _strip(
    data: Chain, x: int, y: int, columns: int, from_point: tuple[int, int], wide: bool
) -> str:
    """Draw the exporter's buffer element by element, with what the slice reaches."""
    reached = set(data.reached())
    out = []
    title = f"the exporter's buffer: {data.elements} elements of {data.itemsize} bytes"
    if not wide:
        title = f"the buffer: {data.elements} × {data.itemsize} bytes"
    # At the right end: the arrow comes down on the left.
    right = x + columns * CELL if wide else 310
    out.append(_text(right, y - 6, title, "title", "end"))
    for number in range(data.elements):
        left, top = x + number % columns * CELL, y + 6 + number // columns * 40
        hit = ' class="hit"' if number in reached else ""
        out.append(f'<rect x="{left}" y="{top}" width="{CELL}" height="28"{hit}/>')
        out.append(_text(left + CELL / 2, top + 18, str(number), "cell", "middle"))
    first = data.offset // data.itemsize
    left = x + first % columns * CELL + CELL / 2
    top = y + 6 + first // columns * 40
    # From the member data to the first element that the slice reaches.
    if wide:
        out.append(_arrow(f"M{from_point[0]} {from_point[1]} H270 V196 H{left} V{top - 2}"))
    else:
        middle = y - 28
        out.append(_arrow(f"M{from_point[0]} {from_point[1]} H8 V{middle} H{left} V{top - 2}"))
    bottom = y + 6 + -(-data.elements // columns) * 40 + 14
    words = [f"data = A + {data.offset}"]
    words += [
        f"strides[{dim}] = {stride}: {abs(stride) // data.itemsize} elements on"
        for dim, stride in enumerate(data.strides)
    ]
    if wide:
        out.append(_text(x, bottom, " · ".join(words), "note"))
    else:
        out += [_text(x, bottom + 15 * n - 6, line, "note") for n, line in enumerate(words)]
    return "".join(out)
