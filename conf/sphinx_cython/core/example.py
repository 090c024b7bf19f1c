"""What a ``.pyx`` file is: its functions, its lines, the files it is made from.

An example's *name* is its path below the examples folder without the suffix
(``indexing/four_ways``), its *module* is the last part of that, after which its files are called.
What Cython and the pages call the module is its *qualified name*.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .extension import Extension, read_extension
from .functions import Function, find_functions
from .names import NamingError, assign_names, import_name, import_root, qualified_name
from .scanner import Source


class ExampleError(LookupError):
    """Something an author named does not exist; the text lists the nearest candidates."""


def candidates(wanted: str, known: Iterable[str]) -> str:
    """Return a clause that helps the author: the nearest of the known names.

    Args:
        wanted: What the author wrote.
        known: What there is.
    """
    known = list(known)
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:5]
    return "nearest: " + ", ".join(repr(name) for name in near) if near else "there are none"


@dataclass(frozen=True)
class Example:
    """One ``.pyx`` file.

    Attributes:
        name: Path below the examples folder, with ``/``, without suffix.
        root: The examples folder.
        refused: Whether Cython or the C compiler must refuse it.
        qualified_name: The name of its module for Cython. That of a package's own module ends in
            ``.__init__``. Unless given, it is the one that Cython derives.
        problem: Why it cannot be built whatever is in it: its file cannot be read, or its module
            not be imported.
    """

    name: str
    root: Path
    refused: bool = False
    qualified_name: str = ""
    problem: str = ""

    def __post_init__(self) -> None:
        if not self.qualified_name:
            object.__setattr__(self, "qualified_name", qualified_name(self.path))

    @property
    def module(self) -> str:
        """The name of the file without its suffix, after which what is made of it is called."""
        return self.name.rpartition("/")[2]

    @property
    def import_name(self) -> str:
        """The dotted name under which its module is imported."""
        return import_name(self.qualified_name)

    @property
    def include_path(self) -> tuple[str, ...]:
        """The folders in which Cython searches ``.pxd`` files, relative to the examples folder.

        They make sense of the names of modules that are called by their paths.
        """
        by_path = f"{self.root.absolute().name}.{self.name.replace('/', '.')}"
        return (".", "..") if self.qualified_name == by_path else (".",)

    @property
    def package(self) -> Path | None:
        """The folder of the outermost package it is in, or None if it is in none."""
        path = self.path.absolute()
        root = import_root(path)
        return None if root == path.parent else root / path.relative_to(root).parts[0]

    @property
    def folder(self) -> str:
        """The folder it is in, which is its subject."""
        return self.name.rpartition("/")[0]

    @property
    def path(self) -> Path:
        """The file."""
        return self.root / f"{self.name}.pyx"

    @cached_property
    def source(self) -> str:
        """The text of the file as Cython reads it, with newlines as the only ends of lines.

        What cannot be decoded is replaced: Cython refuses the file, and that is reported once.
        """
        if self.problem:
            return ""
        from Cython.Utils import open_source_file

        try:
            stream = open_source_file(str(self.path), error_handling="replace")
        except LookupError:  # an encoding that Python does not have
            stream = open_source_file(str(self.path), "utf-8", "replace")
        with stream:
            text: str = stream.read()
        return text

    @cached_property
    def lines(self) -> list[str]:
        """The lines as Cython counts them: split at newlines only."""
        return self.source.removesuffix("\n").split("\n")

    @cached_property
    def _statements(self) -> Source:
        return Source(self.source)

    @cached_property
    def docstring(self) -> str:
        """The module's docstring without indentation, or an empty string."""
        if not self._statements.statements:
            return ""
        tokens = [t for t in self._statements.statements[0].tokens if t.text != ";"]
        if not all(token.is_string for token in tokens):
            return ""
        try:
            text = ast.literal_eval(f"({' '.join(token.text for token in tokens)})")
        except (SyntaxError, ValueError):
            return ""
        return inspect.cleandoc(text).strip() if isinstance(text, str) else ""

    @property
    def summary(self) -> str:
        """The docstring's first paragraph on one line."""
        return " ".join(self.docstring.split("\n\n", 1)[0].split())

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions by name, in order."""
        return find_functions(self._statements)

    def function(self, name: str) -> Function:
        """Return a function by name; the last part of the name is enough where only one ends so.

        Raises:
            ExampleError: There is none of that name, or several.
        """
        if name in self.functions:
            return self.functions[name]
        several = [f for f in self.functions.values() if f.name.partition("#")[0] == name]
        several = several or [f for f in self.functions.values() if f.name.endswith(f".{name}")]
        if len(several) == 1:
            return several[0]
        if several:
            names = " or ".join(repr(function.name) for function in several)
            raise ExampleError(
                f"{len(several)} functions of {self.name}.pyx are called {name!r}; write {names}"
            )
        raise ExampleError(
            f"no function {name!r} in {self.name}.pyx; {candidates(name, self.functions)}"
        )

    def signature(self, name: str) -> str:
        """Return the header of a function on one line, without its colon.

        Raises:
            ExampleError: There is none of that name, or several.
        """
        return self.function(name).signature

    @cached_property
    def _code(self) -> list[str]:
        """The lines without comments at their ends."""
        code = self.lines.copy()
        for comment in self._statements.comments:
            number = self._statements.line(comment) - 1
            if before := code[number][: self._statements.column(comment)].strip():
                code[number] = before
        return code

    def find_line(self, text: str, function: str | None = None) -> int:
        """Return the number of the one line that reads ``text``, leaving indentation aside.

        Args:
            text: The whole line; a trailing comment may be left out.
            function: Look in this function only.

        Raises:
            ExampleError: No line reads so, or several do.
        """
        first, last = 1, len(self.lines)
        where = f"{self.name}.pyx"
        if function is not None:
            span = self.function(function)
            first, last = span.first, span.last
            where = f"{function}() of {where}"
        wanted = text.strip()
        numbers = [
            number
            for number in range(first, last + 1)
            if wanted in (self.lines[number - 1].strip(), self._code[number - 1].strip())
        ]
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            places = ", ".join(map(str, numbers))
            raise ExampleError(
                f"line {wanted!r} occurs {len(numbers)} times in {where} (lines {places}); "
                "name the function it is in"
            )
        known = [line.strip() for line in self.lines[first - 1 : last] if line.strip()]
        raise ExampleError(f"no line {wanted!r} in {where}; {candidates(wanted, known)}")

    @cached_property
    def extension(self) -> Extension:
        """What compiling it needs besides its C.

        Raises:
            ExtensionError: A setting in its source is wrong.
        """
        return read_extension(self.path.absolute(), self.root.absolute())


def _names(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each example in a folder, and why its file cannot be read, if so.

    What is hidden, editors and tools put there.
    """
    for path in root.rglob("*.pyx"):
        inner = path.relative_to(root)
        if not path.is_dir() and not any(part.startswith(".") for part in inner.parts):
            yield inner.with_suffix("").as_posix(), _reading_problem(path)


def _reading_problem(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            # To open a named pipe would take for ever.
            return "it is not a file"
        with path.open("rb"):
            return ""
    except OSError as error:
        link = " (it is a symbolic link)" if path.is_symlink() else ""
        return f"it cannot be read: {error.strerror}{link}"


@dataclass(frozen=True)
class Examples:
    """All examples of a folder."""

    root: Path
    by_name: dict[str, Example] = field(default_factory=dict)

    @classmethod
    def scan(cls, root: Path, refused: str = "refused") -> Examples:
        """Find the examples below a folder.

        Args:
            root: The folder.
            refused: The sub-folder of those that must not compile.

        An example that cannot be built is among them, so that the pages that show it can tell.

        Raises:
            ExampleError: The folder is missing.
        """
        if not root.is_dir():
            raise ExampleError(f"there is no examples folder {root}")
        problems = dict(sorted(_names(root)))
        is_refused = {name: name.startswith(f"{refused}/") for name in problems}
        while True:
            importable = [n for n in problems if not problems[n] and not is_refused[n]]
            try:
                qualified = assign_names(root, importable)
                break
            except NamingError as error:
                problems[error.example] = str(error)
        return cls(
            root,
            {
                name: Example(name, root, is_refused[name], qualified.get(name, ""), problem)
                for name, problem in problems.items()
            },
        )

    def __getitem__(self, name: str) -> Example:
        """Return an example by name; the name of its file or module will do if it has no other.

        Raises:
            ExampleError: There is none of that name, or several.
        """
        if name in self.by_name:
            return self.by_name[name]
        several = [e for e in self if name in (e.module, e.import_name)]
        if len(several) == 1:
            return several[0]
        if several:
            names = " or ".join(repr(example.name) for example in several)
            raise ExampleError(f"{len(several)} examples are called {name!r}; write {names}")
        raise ExampleError(f"no example {name!r}; {candidates(name, self.by_name)}")

    def __iter__(self) -> Iterator[Example]:
        return iter(self.by_name.values())
