"""Prepares a process for the cells of a page: what it imports from, and a record of what it opens.

Python raises an audit event whenever it opens a file or loads an extension module, and a hook
cannot be removed. So the record holds whatever the page does: modules that it takes out of
``sys.modules``, functions that it replaces, data that it reads. It is a file to which the hook
appends, opened by its name each time, so that it holds too if the page closes all files or dies.

Only the standard library is used: processes that the page starts load this file as well.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# In a folder that is on PYTHONPATH for the processes that a page starts. It makes way for the
# module of that name that would have been imported without it.
_SITECUSTOMIZE = """\
import importlib.machinery, importlib.util, sys
sys.path[:] = [path for path in sys.path if path != {here!r}]
spec = importlib.util.spec_from_file_location("_recorder", {recorder!r})
recorder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recorder)
recorder.prepare({folders!r}, {record!r})
if spec := importlib.machinery.PathFinder.find_spec(__name__):
    sys.modules[__name__] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])
"""


def prepare(folders: list[str], record: str) -> None:
    """Let this process import from folders, and record which files in them it opens.

    Args:
        folders: The folders.
        record: The file to which the names of opened files are appended, one a line.
    """
    add_to_path(folders)
    _record_files(folders, record)


def prepare_children(folder: Path, folders: list[str], record: str) -> dict[str, str]:
    """Prepare what the children of a page need to be prepared likewise.

    Args:
        folder: An empty folder.
        folders: As for ``prepare``.
        record: As for ``prepare``.

    Returns:
        Variables for their environment.
    """
    text = _SITECUSTOMIZE.format(
        here=str(folder), recorder=__file__, folders=folders, record=record
    )
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def add_to_path(folders: list[str]) -> None:
    """Put folders behind the standard library, which they cannot hide, and before all else."""
    installed = [path.endswith(("site-packages", "dist-packages")) for path in sys.path]
    place = installed.index(True) if True in installed else len(sys.path)
    sys.path[place:place] = folders
    # What is loaded already must not hide what is in them, either.
    names = {name.split(".")[0] for folder in folders for name in _listed(folder)}
    for name in [*sys.modules]:
        top = name.split(".")[0]
        if top in names and top not in sys.stdlib_module_names:
            del sys.modules[name]


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def recorded(record: Path) -> list[str]:
    """Return the source files, data files and extension modules that were opened."""
    from importlib.util import source_from_cache

    try:
        names = set(record.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    except FileNotFoundError:
        names = set()
    files = set()
    for name in names:
        try:
            files.add(source_from_cache(name))
        except ValueError:
            files.add(name)
    return sorted(files)


def _record_files(folders: list[str], record: str) -> None:
    # All that the hook uses is bound here, where the page cannot reach it.
    absolute, is_absolute, getcwd, fspath = os.path.normpath, os.path.isabs, os.getcwd, os.fspath
    open_file, write, close = os.open, os.write, os.close
    is_instance, text, binary, path_like, separator = isinstance, str, bytes, os.PathLike, os.sep
    append, writable = os.O_WRONLY | os.O_APPEND | os.O_CREAT, os.O_WRONLY | os.O_RDWR
    roots = tuple(
        os.path.join(name, "") for folder in folders for name in {folder, os.path.realpath(folder)}
    )
    seen: set[str] = set()

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if mode[:1] in "wax" if mode else flags & writable:
                return
        elif event == "import":
            path = arguments[1]
        elif event == "ctypes.dlopen":
            path = arguments[0]
        else:
            return
        if is_instance(path, path_like):
            path = fspath(path)
        if is_instance(path, binary):
            path = path.decode("utf-8", "surrogateescape")
        if not is_instance(path, text):
            return
        path = absolute(path if is_absolute(path) else getcwd() + separator + path)
        if path.startswith(roots) and path not in seen and "\n" not in path:
            seen.add(path)
            file = open_file(record, append, 0o600)
            write(file, path.encode("utf-8", "surrogateescape") + b"\n")
            close(file)

    sys.addaudithook(hear)
