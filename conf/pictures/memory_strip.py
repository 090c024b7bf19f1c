"""Draws which elements of a buffer a two-dimensional view reaches, in which order, by which steps.

A picture is made twice from the same numbers, once for a wide column and once for a phone; the
style sheet shows one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from svg import Drawing, numbers, wide_and_tall
from tables import Table

__all__ = ["Strip", "Strips", "Table", "elements_reached", "strip"]


def elements_reached(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int
) -> list[int]:
    """Return which elements of a buffer a view reaches, in the order of its indices.

    Args:
        offset: Bytes from the start of the buffer to the view's element with index zero.
        shape: Elements along each dimension.
        strides: Bytes from one element to the next along each dimension.
        itemsize: Bytes of an element.
    """
    offsets = [offset]
    for length, stride in zip(shape, strides, strict=True):
        offsets = [start + i * stride for start in offsets for i in range(length)]
    return [place // itemsize for place in offsets]


@dataclass(frozen=True)
class Strip:
    """What the picture shows.

    Attributes:
        title: The expression that makes the view.
        values: The elements of the exporter's buffer in the order in which they lie there.
        itemsize: Bytes of an element.
        offset: Bytes from the start of the buffer to the view's element with index zero.
        shape: Elements along each dimension.
        strides: Bytes from one element to the next along each dimension.
    """

    title: str
    values: tuple[float, ...]
    itemsize: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def reached(self) -> list[int]:
        """Return where the elements lie in the buffer, in the order of the indices."""
        return elements_reached(self.offset, self.shape, self.strides, self.itemsize)

    def visits(self) -> dict[int, list[int]]:
        """Return the numbers in index order of each place in the buffer."""
        visits: dict[int, list[int]] = {}
        for number, place in enumerate(self.reached()):
            visits.setdefault(place, []).append(number)
        return visits

    def description(self) -> str:
        """Say in words what the picture shows."""
        return (
            f"The view {self.title} of shape {numbers(self.shape)} and strides "
            f"{numbers(self.strides)} bytes. It begins {self.offset} bytes into a buffer of "
            f"{len(self.values)} elements of {self.itemsize} bytes, and takes the elements at "
            f"{numbers(self.reached())} in this order."
        )

    def __repr__(self) -> str:
        return self.description()

    def _repr_html_(self) -> str:
        return wide_and_tall(_draw(self, 46, 10), _draw(self, 27, 13))


def strip(title: str, place: tuple[int, tuple[int, ...], tuple[int, ...]], exporter: Any) -> Strip:
    """Collect what the picture shows.

    Args:
        title: The expression that makes the view.
        place: Address of the first element, shape and strides, as compiled code reads them.
        exporter: The NumPy array whose buffer the view looks at.

    Raises:
        ValueError: The view leaves the exporter's buffer.
    """
    address, shape, strides = place
    drawn = Strip(
        title,
        tuple(exporter.ravel(order="K").tolist()),
        exporter.itemsize,
        address - exporter.__array_interface__["data"][0],
        tuple(shape),
        tuple(strides),
    )
    if not all(0 <= number < len(drawn.values) for number in drawn.reached()):
        raise ValueError(f"{title} leaves the exporter's buffer")
    return drawn


class Strips:
    """Several pictures, one below the other."""

    def __init__(self, *strips: Strip) -> None:
        self.strips = strips

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.strips))

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self.strips)


def _short(value: float) -> float:
    """Return a whole number without its fraction of zero."""
    return int(value) if value == int(value) else value


def _draw(data: Strip, cell: int, margin: int) -> str:
    """Draw the buffer: above it the index order, below it the two steps."""
    visits = data.visits()
    stack = max(map(len, visits.values()))
    right = margin + len(data.values) * cell
    top = 26 + 14 * stack
    words = f"shape {numbers(data.shape)} · strides {numbers(data.strides)}"
    drawing = Drawing(data.description(), cell)
    drawing.text(margin, 14, data.title, "title")
    drawing.text(right, 14, words, "note", "end")
    for place, value in enumerate(data.values):
        left = margin + place * cell
        middle = _short(left + cell / 2)
        orders = visits.get(place, [])
        drawing.rect(left, top, cell, 26, hit=bool(orders))
        drawing.text(middle, top + 17, f"{value:g}", "cell", "middle")
        for line, order in enumerate(reversed(orders)):
            drawing.text(middle, top - 6 - 14 * line, str(order), "note", "middle")
    _draw_steps(drawing, data, cell, margin, top + 26)
    low = top + 26 + (44 if 0 in data.strides else 72)
    return drawing.svg(right + margin, low)


def _draw_steps(drawing: Drawing, data: Strip, cell: int, margin: int, bottom: int) -> None:
    """Draw a step along each dimension from the first element; the longer one further down."""
    middle = margin + data.offset // data.itemsize * cell + cell / 2
    in_length = sorted(range(len(data.strides)), key=lambda dim: abs(data.strides[dim]))
    repeats = 0 in data.strides
    for rank, dim in enumerate(in_length):
        stride = data.strides[dim]
        length = stride / data.itemsize * cell
        ahead = -1 if stride < 0 else 1
        # The shorter step leaves on the side to which it goes, the longer one on the other.
        start = middle + ahead * cell / 4 * (-1 if (rank == 0) is repeats else 1)
        label = f"{'ij'[dim]} {'+' if stride > 0 else ''}{numbers([stride])}"
        depth = 22 if rank == 0 or repeats else 62
        low = bottom + depth
        # A stride of zero comes back to where it was.
        aside = 5 if stride == 0 else 0
        path = f"M{start - aside:g} {bottom} C{start - 2 * aside:g} {low:g}"
        path += f" {start + length + 2 * aside:g} {low:g} {start + length + aside:g} {bottom + 1}"
        drawing.arrow(path)
        y = _short(bottom + 0.75 * depth + 13)
        if rank == 0 and not repeats:
            side = "start" if ahead > 0 else "end"
            drawing.text(_short(start + ahead * 4), y, label, "note", side)
        else:
            drawing.text(_short(start + length / 2), y, label, "note", "middle")
