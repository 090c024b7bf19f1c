"""What the modules of the examples are called: as Cython itself calls them, unless that is taken.

A source in a package is ``package.module``; any other is called after its file. Where this name
would hide a module of Python, or where two sources claim it, a module is called by its path in the
examples folder: ``folder.module``.
"""

from __future__ import annotations

import keyword
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

# In the folder that the modules are imported from: the modules of other profiles, and the module
# with utility code that others share.
VARIANTS_PACKAGE = "variants"
SHARED_MODULE = "_cyutility"

# What must stay visible to the cells of a page and to what executes them.
RESERVED = sys.stdlib_module_names | {
    "Cython",
    "IPython",
    "cython",
    "ipykernel",
    "numpy",
    "pyximport",
    SHARED_MODULE,
    VARIANTS_PACKAGE,
}

# A folder with one of these is a package for Cython.
_PACKAGE_FILES = ("__init__.py", "__init__.pyc", "__init__.pyx", "__init__.pxd")
_INIT = "__init__"


class NamingError(ValueError):
    """A module cannot be imported under any name; the text tells what to rename.

    Attributes:
        example: The name of the example.
    """

    def __init__(self, example: str, message: str) -> None:
        super().__init__(message)
        self.example = example


def import_root(path: Path) -> Path:
    """Return the folder from which a source is imported: the one that holds its outermost package.

    For a source that is in no package, this is its own folder.
    """
    folder = path.absolute().parent
    while any((folder / name).exists() for name in _PACKAGE_FILES) and folder != folder.parent:
        folder = folder.parent
    return folder


def qualified_name(path: Path) -> str:
    """Return the name that Cython derives for the module of a source."""
    if "." in path.stem:
        return path.stem  # an old way to write a module of a package
    return ".".join(path.absolute().relative_to(import_root(path)).with_suffix("").parts)


def import_name(qualified: str) -> str:
    """Return the name by which a module is imported; that of a package's own module is shorter."""
    return qualified.removesuffix(f".{_INIT}")


def assign_names(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Give each module a name of its own that hides nothing.

    Args:
        root: The examples folder.
        names: The examples, as paths in that folder without their suffix.

    Returns:
        The qualified names by example.

    Raises:
        NamingError: There is no such name for one of them.
    """
    root = root.absolute()
    given = {}
    # The file or folder that the first part of each name means.
    places = {}
    for name in names:
        path = root / f"{name}.pyx"
        given[name] = qualified_name(path)
        top, *rest = given[name].split(".")
        places[name] = import_root(path) / top if rest else path
    by_path: set[str] = set()
    while taken := _in_conflict(given, places) - by_path:
        for name in taken:
            top, *rest = name.split("/")
            if not rest or top in RESERVED:
                given[name], places[name] = f"{root.name}.{name}", root
            else:
                given[name], places[name] = name, root / top
            given[name] = given[name].replace("/", ".")
        by_path |= taken
    _check(given, _in_conflict(given, places))
    return given


def _in_conflict(given: dict[str, str], places: dict[str, Path]) -> set[str]:
    """Return the examples whose names begin with one that is reserved or means two places."""
    tops: defaultdict[str, set[Path]] = defaultdict(set)
    for name, qualified in given.items():
        tops[qualified.split(".")[0]].add(places[name])
    taken = {top for top, meant in tops.items() if top in RESERVED or len(meant) > 1}
    return {name for name, qualified in given.items() if qualified.split(".")[0] in taken}


def _check(given: dict[str, str], left: set[str]) -> None:
    """Raise an error for names that cannot be used.

    Args:
        given: The qualified names by example.
        left: The examples with a name in conflict.
    """
    claimed: dict[str, str] = {}
    for name, qualified in given.items():
        top = qualified.split(".")[0]
        if name in left and top in RESERVED:
            raise NamingError(name, f"{name}.pyx would hide the module {top!r}; rename its folder")
        for part in qualified.split("."):
            if not part.isidentifier() or keyword.iskeyword(part):
                raise NamingError(
                    name,
                    f"{name}.pyx cannot be imported as {qualified!r}, since {part!r} is not a name "
                    "in Python; rename that file or folder",
                )
        # Two that are left are not imported from one place, so neither can have the first part.
        _claim(claimed, top if name in left else import_name(qualified), name)
    for name, qualified in given.items():
        parts = qualified.split(".")
        for number in range(1, len(parts)):
            package = ".".join(parts[:number])
            # What is not the module of a package cannot have others in it.
            if package in claimed and given[claimed[package]] == package:
                _claim(claimed, package, name)


def _claim(claimed: dict[str, str], module: str, name: str) -> None:
    other = claimed.setdefault(module, name)
    if other != name:
        raise NamingError(
            name, f"{name}.pyx and {other}.pyx would both be the module {module!r}; rename one"
        )
