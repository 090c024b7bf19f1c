"""What is to be run, and what came of it: data that passes between processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """A cell to run.

    Attributes:
        source: Its code.
        may_raise: Whether an exception in it is something that the page shows.
    """

    source: str
    may_raise: bool = False


@dataclass(frozen=True)
class Request:
    """The cells of a page.

    Attributes:
        cells: The cells, in their order.
        folders: What they can import from, besides what Python itself imports from. Files in
            these folders that they open are recorded.
        timeout: The seconds each cell may take, or None for no limit.
        output_limit: The bytes each cell may write.
    """

    cells: tuple[Cell, ...]
    folders: tuple[str, ...] = ()
    timeout: float | None = None
    output_limit: int = 5_000_000


@dataclass(frozen=True)
class CellError:
    """Why the cells of a page did not all run.

    Attributes:
        cell: The position of the cell at which they ended.
        text: A clause of which the cell is the subject; more may follow from its second line on.
    """

    cell: int
    text: str


@dataclass
class Execution:
    """What came of the cells of a page.

    Attributes:
        outputs: The outputs of each cell as in a notebook.
        files: Files in the folders of the request that were opened, by whatever process.
        widgets: The state of widgets, as in the metadata of a notebook.
        error: Why they did not all run, or None.
    """

    outputs: list[list[dict[str, Any]]]
    files: list[str] = field(default_factory=list)
    widgets: dict[str, Any] = field(default_factory=dict)
    error: CellError | None = None


def read_request(data: dict[str, Any]) -> Request:
    """Return a request that has passed through JSON by way of ``dataclasses.asdict``."""
    cells = tuple(Cell(**cell) for cell in data["cells"])
    return Request(cells, tuple(data["folders"]), data["timeout"], data["output_limit"])


def read_execution(data: dict[str, Any]) -> Execution:
    """Return an execution that has passed through JSON by way of ``dataclasses.asdict``."""
    error = CellError(**data["error"]) if data["error"] else None
    return Execution(data["outputs"], data["files"], data["widgets"], error)


def too_slow(limit: float) -> str:
    """Return what is wrong with a cell that reached the limit of time."""
    return f"ran longer than {limit:g} s"


def too_long(limit: int) -> str:
    """Return what is wrong with a cell that reached the limit of output."""
    return f"wrote more than {limit:,} bytes (the setting cell_output_limit)"


def cell_name(count: int) -> str:
    """Return the name of a cell's code in warnings and tracebacks.

    A kernel puts the number of its process into it. The suffix makes IPython format tracebacks
    as in a kernel.

    Args:
        count: The number of the cell among those that ran.
    """
    return f"cell-{count}.py"
