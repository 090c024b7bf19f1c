"""What the C compiler needs for a source besides its C: what ``cythonize`` finds out about it.

That is what ``# distutils:`` lines tell in a source and in what it cimports, and the folders of the
headers that it declares. Cython reads both here, as it does for ``cythonize``.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .names import import_root

# Without one of these words Cython finds nothing, and reading would only cost time.
_WORTH_READING = re.compile(rb"cimport|include|extern|distutils\s*:|cython\s*:")
_PATHS = frozenset(
    ("sources", "include_dirs", "library_dirs", "runtime_library_dirs", "extra_objects")
)
_CXX_SUFFIXES = (".cpp", ".cc", ".cxx", ".c++")
# Cython remembers what files it has seen, and is told to forget before each reading.
_reading = threading.Lock()


class ExtensionError(ValueError):
    """Cython cannot make sense of the settings in a source; the text is what it reports."""


@dataclass(frozen=True)
class Extension:
    """The settings for compiling a module, under the names that setuptools gives them.

    All paths are absolute.

    Attributes:
        language: ``"c"`` or ``"c++"``.
        sources: C and C++ files that are compiled into the module besides its own.
        depends: Files that the module is made from, such as headers.
    """

    language: str = "c"
    sources: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    include_dirs: tuple[str, ...] = ()
    define_macros: tuple[tuple[str, str | None], ...] = ()
    undef_macros: tuple[str, ...] = ()
    library_dirs: tuple[str, ...] = ()
    runtime_library_dirs: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    extra_objects: tuple[str, ...] = ()
    extra_compile_args: tuple[str, ...] = ()
    extra_link_args: tuple[str, ...] = ()

    @property
    def files(self) -> list[Path]:
        """The files it names that exist."""
        paths = map(Path, (*self.sources, *self.depends, *self.extra_objects))
        return [path for path in paths if path.is_file()]

    @property
    def compile_flags(self) -> tuple[str, ...]:
        """The flags for compiling a source, after which the user's own come."""
        macros = (
            name if value is None else f"{name}={value}" for name, value in self.define_macros
        )
        return (
            *(f"-D{macro}" for macro in macros),
            *(f"-U{name}" for name in self.undef_macros),
            *(f"-I{folder}" for folder in self.include_dirs),
            *self.extra_compile_args,
        )

    @property
    def link_flags(self) -> tuple[str, ...]:
        """What follows the objects when they are linked."""
        return (
            *self.extra_objects,
            *(f"-L{folder}" for folder in self.library_dirs),
            *(f"-Wl,-rpath,{folder}" for folder in self.runtime_library_dirs),
            *(f"-l{name}" for name in self.libraries),
            *self.extra_link_args,
        )

    @property
    def links_cxx(self) -> bool:
        """Whether the module needs the library of C++."""
        return self.language == "c++" or any(map(is_cxx, self.sources))


def is_cxx(source: str) -> bool:
    """Tell whether a file is C++ by its name."""
    return source.lower().endswith(_CXX_SUFFIXES)


def read_extension(path: Path, root: Path) -> Extension:
    """Find out what a source needs, as ``cythonize`` does.

    Args:
        path: The source.
        root: The examples folder. A relative path in a source counts from the folder that its
            module is imported from, as for ``cythonize -i``, or else from this one.

    Raises:
        ExtensionError: A setting is wrong.
    """
    own = path.with_suffix(".pxd")
    if not any(_WORTH_READING.search(p.read_bytes()) for p in (path, own) if p.is_file()):
        return Extension()
    try:
        with _reading:
            values = _read(path, root)
    except (ValueError, LookupError, TypeError) as error:
        raise ExtensionError(f"a line with settings cannot be read: {error!r}") from error
    if values.pop("np_pythran", False):
        raise ExtensionError("np_pythran is not supported here")
    language = str(values.get("language", "c")).lower()
    if language not in ("c", "c++"):
        raise ExtensionError(f"the language must be c or c++, not {language}")
    folders = [import_root(path), root]
    for name in _PATHS & values.keys():
        values[name] = [_absolute(value, folders) for value in values[name]]
    folders += map(Path, values.get("include_dirs", ()))
    headers = [value for value in values.get("depends", ()) if not value.startswith("<")]
    values["depends"] = [_absolute(value, folders) for value in headers]
    lists = Extension.__dataclass_fields__.keys() & values.keys() - {"language"}
    return Extension(language, **{name: tuple(values[name]) for name in lists})


def _absolute(value: str, folders: Iterable[Path]) -> str:
    """Return a path that counts from the first folder in which it exists, or from the first."""
    paths = [folder / value for folder in folders]
    return str(next((path for path in paths if path.exists()), paths[0]))


def _read(path: Path, root: Path) -> dict[str, Any]:
    """Let Cython read the settings of a source and of what it cimports and includes."""
    from Cython.Build.Dependencies import DependencyTree, DistutilsInfo
    from Cython.Compiler.Main import search_include_directories, standard_include_path
    from Cython.Utils import clear_function_caches

    search = (str(root), *sys.path, standard_include_path)

    class Context:
        """The part of a compiler's context by which files are found; the whole is slow to make."""

        @staticmethod
        def find_pxd_file(name: str, source_file_path: str) -> str | None:
            found: str | None = search_include_directories(
                search, name, ".pxd", None, False, source_file_path
            )
            return found

        @staticmethod
        def find_include_file(name: str, source_file_path: str) -> str | None:
            found: str | None = search_include_directories(
                search, name, "", None, True, source_file_path
            )
            return found

    class Tree(DependencyTree):
        """What is in the sources, with paths as they are, not relative to the current folder."""

        def parse_dependencies(self: Any, filename: str) -> Any:
            # To open a named pipe would take for ever.
            if not os.path.isfile(filename):
                raise ValueError(f"{filename} is not a file")
            return super().parse_dependencies(filename)  # type: ignore[no-untyped-call]

        def distutils_info0(self: Any, filename: str) -> Any:
            info = DistutilsInfo()
            info.values.update(self.parse_dependencies(filename)[3].values)
            _, externs, folders = self.cimports_externs_incdirs(filename)
            for key, found in (("depends", externs), ("include_dirs", sorted(folders))):
                info.values[key] = list(dict.fromkeys([*info.values.get(key, ()), *found]))
            return info

    clear_function_caches()
    tree: Any = Tree
    return dict(tree(Context, quiet=True).distutils_info(str(path)).values)
