"""Draws which elements of a buffer a two-dimensional view reaches, in which order, by which steps.

A picture is made twice from the same numbers, once for a wide column and once for a phone; the
style sheet shows one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


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
        offsets = [self.offset]
        for length, stride in zip(self.shape, self.strides, strict=True):
            offsets = [start + i * stride for start in offsets for i in range(length)]
        return [offset // self.itemsize for offset in offsets]

    def visits(self) -> dict[int, list[int]]:
        """Return the numbers in index order of each place in the buffer."""
        found: dict[int, list[int]] = {}
        for number, place in enumerate(self.reached()):
            found.setdefault(place, []).append(number)
        return found

    def description(self) -> str:
        """Say in words what the picture shows."""
        return (
            f"The view {self.title} of shape {_numbers(self.shape)} and strides "
            f"{_numbers(self.strides)} bytes. It begins {self.offset} bytes into a buffer of "
            f"{len(self.values)} elements of {self.itemsize} bytes, and takes the elements at "
            f"{_numbers(self.reached())} in this order."
        )

    def __repr__(self) -> str:
        return self.description()

    def _repr_html_(self) -> str:
        return (
            f'<div class="picture picture-wide">{_draw(self, 46, 10)}</div>'
            f'<div class="picture picture-tall">{_draw(self, 27, 13)}</div>'
        )


def strip(title: str, place: tuple, exporter: object) -> Strip:
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


class Table:
    """A table with one row for each sequence of cells.

    Args:
        header: The words above the columns.
        rows: The cells; what stands between backticks is shown as code.
    """

    def __init__(self, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        self.header = list(header)
        self.rows = [list(row) for row in rows]

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row) for row in [self.header, *self.rows])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{_code(word)}</th>' for word in self.header)
        body = "".join(
            f'<tr><th scope="row">{_code(first)}</th>'
            + "".join(f"<td>{_code(cell)}</td>" for cell in rest)
            + "</tr>"
            for first, *rest in self.rows
        )
        return (
            '<div class="table-wrapper"><table class="docutils words">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _code(text: str) -> str:
    quoted = text.startswith("`") and text.endswith("`")
    return f"<code>{escape(text[1:-1])}</code>" if quoted else escape(text)


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(value).replace("-", "−") for value in values)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _draw(data: Strip, cell: int, margin: int) -> str:
    """Draw the buffer: above it the index order, below it the two steps."""
    visits = data.visits()
    stack = max(map(len, visits.values()))
    right = margin + len(data.values) * cell
    top = 26 + 14 * stack
    words = f"shape {_numbers(data.shape)} · strides {_numbers(data.strides)}"
    out = [
        _text(margin, 14, data.title, "title", "start"),
        _text(right, 14, words, "note", "end"),
    ]
    for place, value in enumerate(data.values):
        left = margin + place * cell
        numbers = visits.get(place, [])
        hit = ' class="hit"' if numbers else ""
        out.append(f'<rect x="{left}" y="{top}" width="{cell}" height="26"{hit}/>')
        out.append(_text(left + cell / 2, top + 17, f"{value:g}", "cell"))
        for line, number in enumerate(reversed(numbers)):
            out.append(_text(left + cell / 2, top - 6 - 14 * line, str(number), "note"))
    out += _steps(data, cell, margin, top + 26)
    low = top + 26 + (44 if 0 in data.strides else 72)
    description = escape(data.description())
    # An id is for the whole page, and there are several pictures on it.
    head = "head-" + hashlib.sha256(f"{description}{cell}".encode()).hexdigest()[:8]
    return (
        f'<svg viewBox="0 0 {right + margin} {low}" role="img" aria-label="{description}">'
        f'<defs><marker id="{head}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" class="head"/>'
        f"</marker></defs>{''.join(out).replace('{head}', head)}</svg>"
    )


def _steps(data: Strip, cell: int, margin: int, bottom: int) -> list[str]:
    """Draw a step along each dimension from the first element; the longer one further down."""
    out = []
    middle = margin + data.offset // data.itemsize * cell + cell / 2
    in_length = sorted(range(len(data.strides)), key=lambda dim: abs(data.strides[dim]))
    repeats = 0 in data.strides
    for rank, dim in enumerate(in_length):
        stride = data.strides[dim]
        length = stride / data.itemsize * cell
        ahead = -1 if stride < 0 else 1
        # The shorter step leaves on the side to which it goes, the longer one on the other.
        start = middle + ahead * cell / 4 * (-1 if (rank == 0) is repeats else 1)
        label = f"{'ij'[dim]} {'+' if stride > 0 else ''}{_numbers([stride])}"
        depth = 22 if rank == 0 or repeats else 62
        low = bottom + depth
        # A stride of zero comes back to where it was.
        aside = 5 if stride == 0 else 0
        path = f"M{start - aside:g} {bottom} C{start - 2 * aside:g} {low:g}"
        path += f" {start + length + 2 * aside:g} {low:g} {start + length + aside:g} {bottom + 1}"
        out.append(f'<path d="{path}" class="arrow" marker-end="url(#{{head}})"/>')
        y = bottom + 0.75 * depth + 13
        if rank == 0 and not repeats:
            side = "start" if ahead > 0 else "end"
            out.append(_text(start + ahead * 4, y, label, "note", side))
        else:
            out.append(_text(start + length / 2, y, label, "note"))
    return out
