"""What a ``.pyx`` file is: its functions, its lines, the files it is made from.

An example's *name* is its path below the examples folder without the suffix
(``indexing/four_ways``); its *module* is the last part of the name, and is unique.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


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
class Function:
    """A function of an example and the lines it spans (from 1, last one included)."""

    name: str
    first: int
    last: int
    header: int

    def __contains__(self, line: int) -> bool:
        return self.first <= line <= self.last


_CLASS = re.compile(r"^(?P<indent>[ \t]*)(?:cdef[ \t]+)?class[ \t]+(?P<name>\w+)")
_DEF = re.compile(
    r"^(?P<indent>[ \t]*)(?:async[ \t]+)?(?:def|cpdef|cdef)\b[^=\n]*?\b(?P<name>\w+)[ \t]*\("
)
_DOCSTRING = re.compile(r'\A(?:[ \t]*(?:#[^\n]*)?\n)*[rR]?"""(.*?)"""', re.S)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def find_functions(lines: list[str]) -> list[Function]:
    """Find the functions of a Cython source by its layout, as a reader does.

    A function reaches from its first decorator to the last line indented below its header.
    Methods are named ``Class.method``.

    Args:
        lines: The lines of the source.
    """
    functions: list[Function] = []
    classes: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            classes = [(depth, name) for depth, name in classes if depth < _indent(line)]
        if found := _CLASS.match(line):
            classes.append((len(found["indent"]), found["name"]))
            continue
        found = _DEF.match(line)
        if not found or found["name"] in {"from", "nogil", "gil"}:
            continue
        end = _header_end(lines, number)
        if end is None:
            continue
        depth = len(found["indent"])
        first = number
        while first > 1 and lines[first - 2].strip().startswith("@"):
            first -= 1
        last = end
        for later in range(end + 1, len(lines) + 1):
            text = lines[later - 1]
            if not text.strip():
                continue
            if _indent(text) <= depth:
                break
            last = later
        qualified = ".".join([*(name for _, name in classes), found["name"]])
        functions.append(Function(qualified, first, last, number))
    return functions


def _header_end(lines: list[str], number: int) -> int | None:
    """Return the line on which the header that starts at ``number`` ends, or None if it is none."""
    depth = 0
    for current in range(number, min(number + 20, len(lines)) + 1):
        text = lines[current - 1].split("#", 1)[0]
        depth += sum((c in "([{") - (c in ")]}") for c in text)
        if depth <= 0:
            body_on_line = re.search(r"\)[^()]*:[ \t]*\S", text)
            return current if text.rstrip().endswith(":") or body_on_line else None
    return None


@dataclass(frozen=True)
class Example:
    """One ``.pyx`` file.

    Attributes:
        name: Path below the examples folder, with ``/``, without suffix.
        root: The examples folder.
        refused: Whether Cython or the C compiler must refuse it.
    """

    name: str
    root: Path
    refused: bool = False

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.name.rpartition("/")[2]

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
        """The text of the file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        """The lines as Cython counts them: split at newlines only."""
        return self.source.removesuffix("\n").split("\n")

    @cached_property
    def docstring(self) -> str:
        """The module's docstring, or an empty string."""
        found = _DOCSTRING.match(self.source)
        return found[1].strip() if found else ""

    @property
    def summary(self) -> str:
        """The docstring's first paragraph on one line."""
        return " ".join(self.docstring.split("\n\n", 1)[0].split())

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions by name, in order."""
        return {function.name: function for function in find_functions(self.lines)}

    def function(self, name: str) -> Function:
        """Return a function by name.

        Raises:
            ExampleError: There is none of that name.
        """
        try:
            return self.functions[name]
        except KeyError:
            raise ExampleError(
                f"no function {name!r} in {self.name}.pyx; {candidates(name, self.functions)}"
            ) from None

    def signature(self, name: str) -> str:
        """Return the header of a function on one line, without its colon.

        Raises:
            ExampleError: There is none of that name.
        """
        first = self.function(name).header
        last = _header_end(self.lines, first) or first
        pieces = [line.split("#", 1)[0].strip() for line in self.lines[first - 1 : last]]
        return " ".join(pieces).replace("( ", "(").replace(", )", ")").removesuffix(":")

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
        stripped = {n: self.lines[n - 1].strip() for n in range(first, last + 1)}
        found = [
            n
            for n, line in stripped.items()
            if line == wanted or re.fullmatch(re.escape(wanted) + r"[ \t]*#.*", line)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(map(str, found))
            raise ExampleError(
                f"line {wanted!r} stands {len(found)} times in {where} (lines {numbers}); "
                "name the function it is in"
            )
        known = [line for line in stripped.values() if line]
        raise ExampleError(f"no line {wanted!r} in {where}; {candidates(wanted, known)}")


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

        Raises:
            ExampleError: Two examples would be the same module, or the folder is missing.
        """
        if not root.is_dir():
            raise ExampleError(f"there is no examples folder {root}")
        by_name: dict[str, Example] = {}
        modules: dict[str, str] = {}
        for path in sorted(root.rglob("*.pyx")):
            name = path.relative_to(root).with_suffix("").as_posix()
            example = Example(name, root, refused=name.startswith(f"{refused}/"))
            if example.module in sys.stdlib_module_names | {"cython", "numpy"}:
                raise ExampleError(
                    f"{name}.pyx would hide the module {example.module!r} from the pages that "
                    "import it; rename it"
                )
            if example.module in modules:
                raise ExampleError(
                    f"{name}.pyx and {modules[example.module]}.pyx would both be the module "
                    f"{example.module!r}; rename one"
                )
            modules[example.module] = name
            by_name[name] = example
        return cls(root, by_name)

    def __getitem__(self, name: str) -> Example:
        """Return an example by name (a bare module name will do).

        Raises:
            ExampleError: There is none of that name.
        """
        if name in self.by_name:
            return self.by_name[name]
        for example in self.by_name.values():
            if example.module == name:
                return example
        raise ExampleError(f"no example {name!r}; {candidates(name, self.by_name)}")

    def __iter__(self) -> Iterator[Example]:
        return iter(self.by_name.values())
