"""Outputs kept between builds, under a key made of all that was known before the cells ran."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..core.dependencies import installed_version
from ..core.store import write_atomic
from .request import Request

# Raise it when what is kept changes its form.
_FORMAT = 5


@dataclass
class Kept:
    """What is kept of the cells of a page that all ran.

    Attributes:
        outputs: The outputs of each cell as in a notebook.
        widgets: The state of widgets, as in the metadata of a notebook.
        uses: The digest of each variant that was imported, by key.
        helpers: The digest of each helper file that was opened, by name.
        seconds: How long the cells ran.
        finished: When they were done, in seconds since 1970.
    """

    outputs: list[list[dict[str, Any]]]
    widgets: dict[str, Any]
    uses: dict[str, str]
    helpers: dict[str, str]
    seconds: float
    finished: float


@cache
def versions() -> str:
    """Return a digest of the software that runs cells: of all that may change what they write."""
    hasher = hashlib.sha256(f"{_FORMAT}{sys.version}".encode())
    for package in ("ipython", "ipykernel", "nbclient", "numpy"):
        hasher.update(f"{package} {installed_version(package)}\0".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()


def place(cache: Path, request: Request) -> Path:
    """Return the file in which the outputs of some cells are, or will be.

    Folders count by their names: where a checkout is does not matter.
    """
    folders = [Path(folder).name for folder in request.folders[1:]]
    cells = [(cell.source, cell.may_raise) for cell in request.cells]
    # The limits, too: whether a page is right must not depend on what was built before.
    parts = repr((versions(), cells, folders, request.timeout, request.output_limit))
    return cache / "executed" / f"{hashlib.sha256(parts.encode()).hexdigest()[:20]}.json"


def load(path: Path) -> Kept | None:
    """Return what was kept, or None if there is nothing or it is damaged."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        return None
    return Kept(**json.loads(text))


def save(path: Path, kept: Kept) -> None:
    """Keep outputs."""
    text = json.dumps(asdict(kept))
    write_atomic(path, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
