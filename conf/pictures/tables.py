"""Tables of what a cell has found out."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


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
