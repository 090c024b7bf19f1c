"""Draws which byte of a buffer an index reaches, and hands the numbers to the script of the page.

What is drawn here is the whole picture for one array: a grid, the bytes of the buffer, the C with
the numbers filled in, and which declarations take the array. ``explorer.js`` draws the same, of
whatever its reader makes of the numbers; a test compares the two.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from svg import numbers
from tables import Table

from sphinx_cython.core.cparts import Fragment, read_excerpt
from sphinx_cython.markup import fragment

SIZE = struct.calcsize("d")
# What the first functions of the example read, in this order.
LAYOUTS = ("1", "2", "3", "indirect")


@dataclass(frozen=True)
class View:
    """An array to start from, as compiled code sees it.

    Attributes:
        title: The expression that makes it.
        shape: Elements along each dimension.
        strides: Bytes from one element to the next along each dimension.
        offset: Bytes from the start of the buffer, or of the table of pointers, to ``data``.
        bytes: Where compiled code finds the elements, in the order of the indices.
        taken: The declarations that take it.
        suboffset: Bytes to add behind a pointer; None where no pointer is followed.
    """

    title: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    bytes: tuple[int, ...]
    taken: tuple[str, ...]
    suboffset: int | None = None

    def state(self, index: Sequence[int]) -> dict[str, object]:
        """Return what the script begins with."""
        return {
            "title": self.title,
            "shape": self.shape,
            "strides": self.strides,
            "offset": self.offset,
            "index": list(index),
            "indirect": self.suboffset is not None,
            "suboffset": self.suboffset or 0,
        }


def expressions(module: ModuleType) -> dict[str, tuple[Fragment, ...]]:
    """Return the C of an element access for each layout, from the C file of the example.

    Args:
        module: The example, imported from the folder in which the build has put all modules.
    """
    stage = Path(str(module.__file__)).parent
    digests = json.loads((stage / "digests.json").read_text(encoding="utf-8"))
    folder = stage.parent / f"layouts.addresses-{digests['layouts/addresses']}"
    c = (folder / "addresses.c").read_text(encoding="utf-8")
    lines = re.findall(r"__pyx_v_x = \(\*.*;", c)
    return {
        layout: read_excerpt(line).essential[0] for layout, line in zip(LAYOUTS, lines, strict=True)
    }


class Explorer:
    """The picture, with what the script needs beside it.

    Args:
        module: The example ``addresses``.
        declarations: The example of this name.
        buffer: The array that owns the memory.
        pointers: A ``RowTable`` of the example, over rows of the buffer.
        arrays: Views of the buffer, by the expressions that make them. The first one is drawn, and
            has two dimensions in C order. The others may leave the buffer: nothing is read.
        index: Of the element that the picture begins with.
    """

    def __init__(
        self,
        module: ModuleType,
        declarations: ModuleType,
        buffer: Any,
        pointers: tuple[str, Any],
        arrays: dict[str, Any],
        index: tuple[int, ...],
    ) -> None:
        self.index = index
        self.values = tuple(buffer.tolist())
        self.contents = buffer.tobytes()
        self.c = expressions(module)
        start = buffer.__array_interface__["data"][0]
        self.views = []
        for title, array in arrays.items():
            reached = tuple(address - start for address in module.addresses(array))
            offset = array.__array_interface__["data"][0] - start
            taken, _ = declarations.taken(array)
            view = View(title, array.shape, array.strides, offset, reached, tuple(taken))
            self.views.append(view)
        title, table = pointers
        _, rows = table.addresses()
        self.pointers = tuple(address - start for address in rows)
        members: Any = memoryview(table)
        reached = tuple(address - start for address in module.indirect_addresses(table))
        self.views.append(
            View(
                title,
                members.shape,
                members.strides,
                0,
                reached,
                tuple(declarations.taken(table)[0]),
                members.suboffsets[0],
            )
        )

    def __repr__(self) -> str:
        return "\n".join([_plain(self.words()), repr(self.table())])

    def _repr_html_(self) -> str:
        drawn = {
            name: f'<div class="ex-{name}" data-part="{name}">{html}</div>'
            for name, html in self.parts().items()
        }
        # The script puts its controls beside the grid.
        top = f'<div class="ex-top">{drawn.pop("grids")}</div>'
        # "</" would end the script wherever it stood.
        data = json.dumps(self.data()).replace("</", r"<\/")
        return (
            # Searching should not find generated names.
            '<div class="ex no-search" data-explorer>'
            f'<script type="application/json">{data}</script>'
            f"{top}{''.join(drawn.values())}</div>"
        )

    def data(self) -> dict[str, object]:
        """Return what the script needs: the memory, the arrays, the C."""
        nowhere = [0, 0, 0]
        return {
            "contents": self.contents.hex(),
            "itemsize": SIZE,
            "pointers": self.pointers,
            "starts": [
                view.state(nowhere[: len(view.shape)] if number else self.index)
                for number, view in enumerate(self.views)
            ],
            "c": {
                layout: {
                    "html": "".join(map(fragment, parts)),
                    "parts": [[part.tag, part.text] for part in parts],
                }
                for layout, parts in self.c.items()
            },
        }

    def parts(self) -> dict[str, str]:
        """Return the pieces of the picture, as ``explorer.js`` makes them too."""
        return {
            "grids": self._grid(),
            "strips": self._strip(),
            "words": self.words(),
            "code": self._code(),
            "verdicts": self._verdicts(),
        }

    def table(self) -> Table:
        """Return the arrays to start from as a table."""
        return Table(
            ["array", "shape", "strides", "offset", "bytes in index order", "taken by"],
            [
                [
                    view.title,
                    numbers(view.shape),
                    numbers(view.strides),
                    numbers([view.offset])
                    + (" in the table" if view.suboffset is not None else ""),
                    numbers(view.bytes),
                    "; ".join(view.taken),
                ]
                for view in self.views
            ],
        )

    @property
    def _byte(self) -> int:
        view = self.views[0]
        return view.bytes[self.index[0] * view.shape[1] + self.index[1]]

    def _grid(self) -> str:
        view = self.views[0]
        rows, columns = view.shape
        head = "".join(f'<th scope="col">{j}</th>' for j in range(columns))
        body = ""
        for i in range(rows):
            body += f'<tr><th scope="row">{i}</th>'
            for j in range(columns):
                byte = view.bytes[i * columns + j]
                now = "now" if (i, j) == self.index else ""
                value = f"{self.values[byte // SIZE]:g}"
                body += (
                    f'<td data-index="{i},{j}" class="{now}"><b>{value}</b>'
                    f"<small>{byte}</small></td>"
                )
            body += "</tr>"
        return (
            '<table class="ex-grid"><caption>a[i, j]</caption>'
            f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _strip(self) -> str:
        reached = {byte + n for byte in self.views[0].bytes for n in range(SIZE)}
        now = range(self._byte, self._byte + SIZE)
        items = ""
        for number, value in enumerate(self.values):
            place = range(number * SIZE, (number + 1) * SIZE)
            marks = "".join(
                f'<i class="{"now" if byte in now else "hit" if byte in reached else ""}"></i>'
                for byte in place
            )
            current = ' aria-current="true"' if number * SIZE in now else ""
            items += (
                f"<li{current}><b>{value:g}</b>"
                f'<span class="ex-bytes">{marks}</span><small>{number * SIZE}</small></li>'
            )
        return f'<p>{len(self.contents)} bytes of the buffer b</p><ol class="ex-strip">{items}</ol>'

    def words(self) -> str:
        """Say in words what the picture shows."""
        view = self.views[0]
        index = ", ".join(map(str, self.index))
        pairs = zip(self.index, view.strides, strict=True)
        steps = " + ".join(f"{i} × {step}" for i, step in pairs)
        byte = self._byte
        return (
            f"<p><code>a[{index}]</code> is at byte {view.offset} + {steps} = <b>{byte}</b>. "
            f"The load takes the bytes {byte} to {byte + SIZE - 1} and gives "
            f"<b>{self.values[byte // SIZE]:g}</b>.</p>"
            f"<p>All {len(view.bytes)} accesses stay in the buffer.</p>"
        )

    def _code(self) -> str:
        parts = self.c[str(len(self.index))]
        left = iter(self.index)
        view = self.views[0]

        def number(match: re.Match[str]) -> str:
            if match["data"]:
                return f"b + {view.offset}"
            return str(view.strides[int(match["dim"])] if match["dim"] else next(left))

        pattern = r"(?P<data>__pyx_v_a\.data)|__pyx_v_a\.strides\[(?P<dim>\d)\]|__pyx_t_\d+"
        filled = "".join(
            fragment(Fragment(re.sub(pattern, number, part.text), part.tag)) for part in parts
        )
        return (
            f'<p>C that Cython writes</p><div class="cy-c">{"".join(map(fragment, parts))}</div>'
            f'<p>with the numbers</p><div class="cy-c">{filled}</div>'
        )

    def _verdicts(self) -> str:
        view = self.views[0]
        step = f"strides[0] is {view.strides[0]}, it asks for {SIZE}"
        rows = [(declaration, "") for declaration in view.taken] + [("double[::1, :]", step)]
        items = "".join(
            f'<li class="{"refused" if why else "taken"}"><code>{declaration}</code> '
            f"{f'refuses it: {why}' if why else 'takes it'}</li>"
            for declaration, why in rows
        )
        return f"<p>Would an argument of this type take a?</p><ul>{items}</ul>"


def _plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html.replace("</p>", "\n")).strip()
