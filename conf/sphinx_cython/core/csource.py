"""Definitions in a generated C file, and which of their lines the compiler saw.

Most of a generated file is Cython's utility code: functions and macros with one branch per kind
of Python that they may be compiled for. Which branches are in the module is read from the
preprocessed file of the very compile (see ``Artefact.compiled_lines``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from .ckinds import CALL
from .cparts import Excerpt, FoldSpan, Span, cut, read_spans
from .ctokens import COMMENT, DIRECTIVE, INACTIVE, STRING, condition, directive_word


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
        spans = read_spans(self.text).spans
        head = next((n for n, span in enumerate(spans) if span.kind == CALL), None)
        if head is not None and self.text[spans[head].start : spans[head].end] == self.name:
            # The name of the function in its own header is not a call.
            del spans[head]
        return Excerpt(cut(self.text, list(self._by_line(spans)), self._folds()))

    def _by_line(self, spans: list[Span]) -> Iterator[Span]:
        """Break spans at the ends of lines, since a fold may begin or end there."""
        for span in spans:
            start = span.start
            while start < span.end:
                end = self.text.find("\n", start, span.end) + 1 or span.end
                yield Span(start, end, span.kind)
                start = end

    def _folds(self) -> list[FoldSpan]:
        folds: list[FoldSpan] = []
        start = 0
        # Not splitlines, which breaks lines at form feeds too.
        for number, line in enumerate(self.text.split("\n"), self.first):
            end = min(start + len(line) + 1, len(self.text))
            if number in self.inactive and start < end:
                if folds and folds[-1].end == start:
                    start = folds.pop().start
                folds.append(FoldSpan(start, end, (INACTIVE,)))
            start = end
        return folds


@dataclass
class _Branch:
    first: int
    last: int = 0
    code: list[int] = field(default_factory=list)

    def survived(self, compiled: Collection[int]) -> bool:
        return any(number in compiled for number in self.code)


# What has no brackets or names of C in it.
_SKIPPED = re.compile(
    rf"(?P<comment>{COMMENT})|(?P<string>{STRING})|(?P<directive>{DIRECTIVE})", re.S | re.M
)
_NOT_SPACE = re.compile(r"\S")
_MACRO = re.compile(r"[ \t]*#[ \t]*define[ \t]+(\w+)")
_FUNCTION_END = re.compile(
    r"(?:\s|\#\w+|\b(?:const|volatile|noexcept|override|final|__\w+__|CYTHON_\w+|Py\w*)\b"
    r"|\((?:[^(){};]|\([^(){};]*\))*\))*\{"
)
_RECORD = re.compile(
    r"\b(?:struct|union|enum(?:\s+class)?|class)\s+"
    r"(?:(?:__\w+__\s*\(\([^()]*\)\)|[A-Z]\w*)\s+)?\Z"
)
# What may come before the name of a function: at least a type.
_TYPE = re.compile(r"[\w\s*&:<>,~()\"]*[\w*&>]\s*\Z")
_NO_TYPE = re.compile(r"\b(?:case|do|else|for|goto|if|new|return|switch|throw|typedef|while)\b")
# The name of a pointer to a function, perhaps with a calling convention.
_POINTER = re.compile(r"\(\s*(?:(?:__|[A-Z])\w*\s+)*[*&]+\s*(?:const\s+)?(\w+)\s*\)")
_ARGUMENTS = re.compile(r"\s*\(")
_MEMBERS = re.compile(r"\s*(?::[^{};]*)?\{")
_PARENTHESIS = re.compile(r"[()]")
_SEMICOLON = re.compile(r"[;{]")
_BRACE = re.compile(r"[{}]|#(\w+)")


class CSource:
    """A C file in which definitions can be found.

    Attributes:
        c: The text.
        bare: The text without comments, the contents of literals, and preprocessor lines, of which
            only the word of a condition is left; what is left is where it was.
    """

    def __init__(self, c: str) -> None:
        self.c = c
        self._macros: dict[str, list[tuple[int, int]]] = {}
        self.bare = _SKIPPED.sub(self._blank, c)

    def _blank(self, match: re.Match[str]) -> str:
        text = match[0]
        kind = match.lastgroup
        blank = "\n".join(" " * len(line) for line in text.split("\n"))
        if kind == "string":
            return text[0] + blank[1:-1] + text[-1]
        if kind == "directive":
            if macro := _MACRO.match(text):
                self._macros.setdefault(macro[1], []).append(match.span())
            elif word := directive_word(text):
                return f"#{word}" + blank[len(word) + 1 :]
        return blank

    @cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.c)]

    def line(self, position: int) -> int:
        """Return the number of the line that a position is on, from 1."""
        return bisect_left(self._line_ends, position) + 1

    def definitions(self, name: str) -> list[tuple[int, int]]:
        """Return (first, last) line of every definition of a name, in order."""
        spans = set(self._macros.get(name, ()))
        spans |= set(self._typedefs.get(name, ()))
        for start in self._uses(name):
            end = start + len(name)
            if span := self._function(start, end) or self._record(start, end):
                spans.add(span)
        lines = {(self.line(start), self.line(end - 1)) for start, end in spans}
        # The tag and the name of a typedef may be the same.
        return sorted(lines)

    def _uses(self, name: str) -> Iterator[int]:
        """Yield where a name is; a search for plain text is much faster than one for a pattern."""
        position = self.bare.find(name)
        while position >= 0:
            around = self.bare[max(0, position - 1) : position + len(name) + 1]
            if re.findall(r"\w+", around) == [name]:
                yield position
            position = self.bare.find(name, position + 1)

    def _function(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where the function is whose name is here, if one is defined."""
        opening = _ARGUMENTS.match(self.bare, end)
        if not opening:
            return None
        first = self._declaration(start)
        head = self.bare[first:start]
        if not _TYPE.match(head) or _NO_TYPE.search(head) or head.count("(") != head.count(")"):
            return None
        body = _FUNCTION_END.match(self.bare, self._after_parenthesis(opening.end() - 1))
        last = self._after_braces(body.end() - 1) if body else 0
        return (first, last) if last else None

    def _record(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where the struct, union or enumeration is whose tag is here."""
        tag = _MEMBERS.match(self.bare, end)
        first = self._declaration(start)
        if not tag or not _RECORD.search(self.bare[first:start]):
            return None
        last = self._after_semicolon(tag.end() - 1)
        return (first, last) if last else None

    @cached_property
    def _typedefs(self) -> dict[str, list[tuple[int, int]]]:
        """Where each name is made a name for a type."""
        typedefs: dict[str, list[tuple[int, int]]] = {}
        for match in re.finditer(r"\btypedef\b", self.bare):
            last = self._after_semicolon(match.end())
            for name in _declared(self.bare[match.end() : last]):
                typedefs.setdefault(name, []).append((match.start(), last))
        return typedefs

    def _declaration(self, position: int) -> int:
        """Return where the declaration starts that a position is in.

        It starts behind the last condition of the preprocessor, so that it does not begin in a
        branch that ends before it.
        """
        start = 1 + max(self.bare.rfind(end, 0, position) for end in ";{}")
        condition = self.bare.rfind("#", start, position)
        if condition >= 0:
            start = self.bare.find("\n", condition)
        opening = _NOT_SPACE.search(self.bare, start, position)
        return opening.start() if opening else position

    def _after_parenthesis(self, position: int) -> int:
        """Return the position behind the parenthesis that closes the one at a position."""
        depth = 0
        for match in _PARENTHESIS.finditer(self.bare, position):
            depth += 1 if match[0] == "(" else -1
            if depth == 0:
                return match.end()
        return len(self.bare)

    def _after_braces(self, position: int) -> int:
        """Return the position behind the brace that closes the one at a position; 0 if none does.

        Branches of a condition are alternatives: each starts with the braces that were open before
        the first. Where each of them closes the last brace, the end is that of the condition.
        """
        depth = 0
        outside: list[int] = []
        for match in _BRACE.finditer(self.bare, position):
            word = match[1]
            if word is None:
                depth += 1 if match[0] == "{" else -1
            elif word.startswith("if"):
                outside.append(depth)
            elif word.startswith("el") and outside:
                depth = outside[-1]
            elif word == "endif" and outside:
                outside.pop()
            if depth <= 0 and not outside:
                return match.end()
        return 0

    def _after_semicolon(self, position: int) -> int:
        """Return the position behind the next semicolon outside of braces; 0 if there is none."""
        while match := _SEMICOLON.search(self.bare, position):
            if match[0] == ";":
                return match.end()
            position = self._after_braces(match.start())
            if not position:
                break
        return 0


def _declared(declaration: str) -> Iterator[str]:
    """Yield the names that a typedef declares.

    Args:
        declaration: What follows ``typedef``, up to the semicolon.
    """
    flat = declaration.rstrip("; \t\r\n")
    for inner in (r"\{[^{}]*\}", r"\[[^\[\]]*\]", r"<[^<>]*>", r"\([^()]*\)"):
        count = 1
        while count:
            flat, count = re.subn(inner, _pointer, flat)
    for declarator in flat.split(","):
        if names := re.findall(r"\w+", declarator):
            yield names[-1]


def _pointer(brackets: re.Match[str]) -> str:
    """Return the name in ``(*name)``; anything else in brackets names nothing."""
    match = _POINTER.fullmatch(brackets[0])
    return f" {match[1]} " if match else " "


@lru_cache(maxsize=2)
def read_source(c: str) -> CSource:
    """Return a C file in which definitions can be found; the last ones are kept."""
    return CSource(c)


def _groups(bare: str) -> Iterator[list[_Branch]]:
    """Yield the branches of each ``#if`` group, inner groups before those around them.

    Args:
        bare: The text of a C file as ``CSource.bare`` has it.
    """
    stack: list[list[_Branch]] = []
    for number, line in enumerate(bare.split("\n"), 1):
        text = line.strip()
        if not text:
            continue
        if text[0] == "#":
            word = directive_word(text)
            if word.startswith("if"):
                stack.append([_Branch(number + 1)])
            elif stack:
                stack[-1][-1].last = number - 1
                if word == "endif":
                    yield stack.pop()
                else:
                    stack[-1].append(_Branch(number + 1))
        else:
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
    return _inactive(_groups(read_source("\n".join(lines)).bare), compiled)


def _inactive(groups: Iterable[list[_Branch]], compiled: Collection[int]) -> frozenset[int]:
    off: set[int] = set()
    for group in groups:
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
        By condition, in the form that ``ctokens.condition`` gives it.
    """
    bare = read_source("\n".join(lines)).bare
    groups = [*_groups(bare)]
    off = _inactive(groups, compiled)
    answers: dict[str, set[bool]] = {}
    for group in groups:
        opening = last = group[0].first - 1
        while lines[last - 1].endswith("\\"):
            last += 1
        alive = [branch.survived(compiled) for branch in group]
        if opening not in off and (group[0].code or any(alive)):
            text = condition("\n".join(lines[opening - 1 : last]))
            answers.setdefault(text, set()).add(alive[0])
    return {text: given.pop() for text, given in answers.items() if len(given) == 1}


def find_definitions(c: str, name: str) -> list[tuple[int, int]]:
    """Return (first, last) line of every definition of a name, declarations left out.

    Args:
        c: The text of the C file.
        name: A function, macro, typedef, or the tag of a struct, union or enumeration.
    """
    return read_source(c).definitions(name)


def read_definitions(c: str, name: str, compiled: Collection[int]) -> list[Definition]:
    """Read every definition of a name that the compiler saw.

    Args:
        c: The text of the C file.
        name: What to look for.
        compiled: The lines that survived preprocessing.
    """
    lines = c.split("\n")
    off = _inactive(_groups(read_source(c).bare), compiled)
    definitions = []
    for first, last in find_definitions(c, name):
        if first in off:
            continue
        text = "\n".join(lines[first - 1 : last]) + "\n"
        inner = frozenset(number for number in range(first, last + 1) if number in off)
        definitions.append(Definition(name, first, text, inner))
    return definitions
