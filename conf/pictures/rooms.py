"""Draws the extension's modules in the order of their imports, read from the modules themselves."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Set
from dataclasses import dataclass
from html import escape
from pathlib import Path

import sphinx_cython


@dataclass(frozen=True)
class Room:
    """A module of the extension.

    Attributes:
        name: Its name within the package.
        purpose: The first line of its docstring.
        imports: The modules of the package that it imports, wherever: at its top, inside a
            function, or for type checkers only.
    """

    name: str
    purpose: str
    imports: frozenset[str]


def read_room(name: str, known: Set[str]) -> Room:
    """Read a module's purpose and imports from its source."""
    # Imported, so that a change of the module re-executes the page that shows this picture.
    module = importlib.import_module(f"sphinx_cython.{name}")
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    package = name.split(".")[:-1]
    imports: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            origin = ".".join(filter(None, parts))
            inner = {f"{origin}.{alias.name}".removeprefix(".") for alias in node.names}
            # Either a module or names from one.
            imports |= inner & known or {origin}
    purpose = (ast.get_docstring(tree) or "").split("\n\n")[0]
    return Room(name, " ".join(purpose.split()), frozenset(imports))


def in_order(rooms: dict[str, Room]) -> list[Room]:
    """Sort modules so that each comes after those it imports; the fewest imports first.

    Raises:
        ValueError: They import each other in a circle.
    """
    ordered: list[Room] = []
    waiting = dict(rooms)
    while waiting:
        placed = {room.name for room in ordered}
        ready = [room for room in waiting.values() if room.imports <= placed]
        if not ready:
            raise ValueError(f"these modules import each other: {', '.join(sorted(waiting))}")
        following = min(ready, key=lambda room: (len(room.imports), room.name))
        ordered.append(waiting.pop(following.name))
    return ordered


def _words(purpose: str) -> str:
    return re.sub(r"``(.+?)``", r"<code>\1</code>", escape(purpose))


class Rooms:
    """The picture."""

    def __init__(self) -> None:
        prefix = "sphinx_cython."
        modules = pkgutil.walk_packages(sphinx_cython.__path__, prefix)
        names = [module.name.removeprefix(prefix) for module in modules if not module.ispkg]
        self.rooms = in_order({name: read_room(name, set(names)) for name in names})

    def __repr__(self) -> str:
        return "\n".join(f"{room.name}: {room.purpose}" for room in self.rooms)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li><b><code>{room.name.replace('.', '/')}.py</code></b>"
            f"<span>{_words(room.purpose)}</span>"
            f"<small>{self._imports(room)}</small></li>"
            for room in self.rooms
        )
        return (
            '<div class="rooms"><p><code>examples/*.pyx</code></p>'
            f"<ol>{rows}</ol><p><code>docs/*.md</code></p></div>"
        )

    def _imports(self, room: Room) -> str:
        names = [other.name for other in self.rooms if other.name in room.imports]
        return "imports " + ", ".join(names) if names else "imports none of them"
