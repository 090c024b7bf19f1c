"""Definitions in a generated C file, and which of their lines the compiler saw.

Most of a generated file is Cython's utility code: functions and macros with one branch per kind
of Python that they may be compiled for. Which branches are in the module is read from the
preprocessed file of the very compile (see ``Artefact.compiled_lines``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from .cparts import (
    CALL,
    INACTIVE,
    Excerpt,
    Fold,
    Fragment,
    condition,
    directive_word,
    read_excerpt,
)


@dataclass(frozen=True)
class Definition:
    """A function, type or macro of a C file.

    Attributes:
        name: Its name.
        first: Its first line in the file, from 1.
        text: The exact C.
        inactive: Lines (numbered as in the file) that the preprocessor left out.
    """

    name: str
    first: int
    text: str
    inactive: frozenset[int] = frozenset()

    def excerpt(self) -> Excerpt:
        """Return the C with tags, each run of lines that was left out as a fold."""
        tagged = read_excerpt(self.text)
        fragments = _flat(tagged)
        head = next((n for n, f in enumerate(fragments) if f.tag == CALL), None)
        if head is not None and fragments[head].text == self.name:
            # The name of the function in its own header is not a call.
            fragments[head] = Fragment(self.name)
        parts: list[Fragment | Fold] = []
        held: list[Fragment] = []
        number = self.first
        for fragment in fragments:
            for piece in re.findall(r"[^\n]*\n|[^\n]+", fragment.text):
                bit = Fragment(piece, fragment.tag)
                if number in self.inactive:
                    held.append(bit)
                else:
                    _release(parts, held)
                    parts.append(bit)
                number += piece.count("\n")
        _release(parts, held)
        return Excerpt(tuple(parts))


def _flat(excerpt: Excerpt) -> list[Fragment]:
    return [
        fragment
        for part in excerpt.parts
        for fragment in (part.parts if isinstance(part, Fold) else (part,))
    ]


def _release(parts: list[Fragment | Fold], held: list[Fragment]) -> None:
    if held:
        parts.append(Fold((INACTIVE,), tuple(held), 0))
        held.clear()


@dataclass
class _Branch:
    first: int
    last: int = 0
    code: list[int] = field(default_factory=list)

    def survived(self, compiled: Collection[int]) -> bool:
        return any(number in compiled for number in self.code)


def _groups(lines: list[str]) -> Iterator[list[_Branch]]:
    """Yield the branches of each ``#if`` group, inner groups before those around them."""
    stack: list[list[_Branch]] = []
    comment = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if comment:
            comment = "*/" not in text
        elif word := directive_word(text):
            if word.startswith("if"):
                stack.append([_Branch(number + 1)])
            elif stack:
                stack[-1][-1].last = number - 1
                if word == "endif":
                    yield stack.pop()
                else:
                    stack[-1].append(_Branch(number + 1))
        elif text.startswith("/*") and "*/" not in text:
            comment = True
        elif text and not text.startswith(("#", "/*", "//")):
            for group in stack:
                group[-1].code.append(number)


def inactive_lines(lines: list[str], compiled: Collection[int]) -> frozenset[int]:
    """Return the lines of branches of ``#if`` groups that were not compiled.

    A branch is known to be out if it holds code and none of it survived, or if another branch
    of its group did survive.

    Args:
        lines: The C file.
        compiled: The lines that survived preprocessing.
    """
    off: set[int] = set()
    for group in _groups(lines):
        alive = [branch.survived(compiled) for branch in group]
        for branch, lives in zip(group, alive, strict=True):
            if not lives and (branch.code or any(alive)):
                off |= set(range(branch.first, branch.last + 1))
    return frozenset(off)


def read_conditions(lines: list[str], compiled: Collection[int]) -> dict[str, bool]:
    """Return for each ``#if``, ``#ifdef`` and ``#ifndef`` whether what follows was compiled.

    The same condition gives the same answer everywhere in a file, unless a macro is defined anew;
    one that is answered in two ways is left out.

    Args:
        lines: The C file.
        compiled: The lines that survived preprocessing.

    Returns:
        By condition, in the form that ``excerpt.condition`` gives it.
    """
    off = inactive_lines(lines, compiled)
    answers: dict[str, set[bool]] = {}
    for group in _groups(lines):
        opening = last = group[0].first - 1
        while lines[last - 1].endswith("\\"):
            last += 1
        alive = [branch.survived(compiled) for branch in group]
        if opening not in off and (group[0].code or any(alive)):
            text = condition("\n".join(lines[opening - 1 : last]))
            answers.setdefault(text, set()).add(alive[0])
    return {text: found.pop() for text, found in answers.items() if len(found) == 1}


def find_definitions(c: str, name: str) -> list[tuple[int, int]]:
    """Return (first, last) line of every definition of a name, declarations left out.

    Macros with their continuation lines, functions with their bodies, and structs.

    Args:
        c: The text of the C file.
        name: A function, macro, struct tag or typedef name.
    """
    lines = c.split("\n")
    word = re.escape(name)
    found: list[tuple[int, int]] = []
    macro = re.compile(rf"[ \t]*#[ \t]*define[ \t]+{word}\b")
    function = re.compile(
        rf"(?:static|CYTHON_|extern|__Pyx_PyMODINIT|[A-Za-z_])[^;{{}}()=]*\b{word}[ \t]*\("
    )
    struct = re.compile(rf"(?:typedef[ \t]+)?struct[ \t]+{word}[ \t]*\{{")
    alias = re.compile(rf"\}}[ \t]*{word}[ \t]*;")
    for index, line in enumerate(lines):
        if name not in line:
            continue
        if macro.match(line):
            last = index
            while lines[last].endswith("\\"):
                last += 1
            found.append((index + 1, last + 1))
        elif function.match(line) or struct.match(line):
            if last_line := _body_end(lines, index):
                found.append((index + 1, last_line))
        elif alias.match(line):
            first = index
            while first and not re.match(r"typedef\b", lines[first]):
                first -= 1
            found.append((first + 1, index + 1))
    return found


def _body_end(lines: list[str], index: int) -> int | None:
    """Return the line on which the body that starts near ``index`` ends; None for a declaration."""
    depth = 0
    opened = False
    for number in range(index, len(lines)):
        text = re.sub(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//.*', "", lines[number])
        if not opened and ";" in text.split("{")[0]:
            return None
        depth += text.count("{") - text.count("}")
        opened = opened or "{" in text
        if opened and depth <= 0:
            return number + 1
    return None


def read_definitions(c: str, name: str, compiled: Collection[int]) -> list[Definition]:
    """Read every definition of a name that the compiler saw.

    Args:
        c: The text of the C file.
        name: What to look for.
        compiled: The lines that survived preprocessing.
    """
    lines = c.split("\n")
    off = inactive_lines(lines, compiled)
    found = []
    for first, last in find_definitions(c, name):
        if first in off:
            continue
        text = "\n".join(lines[first - 1 : last]) + "\n"
        inner = frozenset(n for n in range(first, last + 1) if n in off)
        found.append(Definition(name, first, text, inner))
    return found
