"""The functions of a Cython source.

Cython's parse tree has no ends, and parsing all examples would take longer than all else in a build
that finds nothing changed. So only headers are read here, from the statements of the source. The
tests compare the result with Cython's own parse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .scanner import Source, Statement, Token

# Words with which a C type may begin. No function has such a name.
_C_TYPES = ("void", "char", "int", "float", "double", "short", "long", "signed", "unsigned")
_OTHER_TYPES = ("bint", "Py_UNICODE", "Py_UCS4", "Py_hash_t", "Py_ssize_t", "Py_tss_t")
_BASIC_TYPES = frozenset((*_C_TYPES, *_OTHER_TYPES, "ssize_t", "size_t", "ptrdiff_t"))
_CALLING_CONVENTIONS = frozenset(("__stdcall", "__cdecl", "__fastcall"))
_QUALIFIERS = frozenset(("const", "volatile", "restrict"))
_POINTERS = frozenset(("*", "**", "&"))
# What may be between a type and the name that is declared.
_BEFORE_NAME = frozenset(("&&", "(")) | _POINTERS | _QUALIFIERS | _CALLING_CONVENTIONS
_VISIBILITIES = frozenset(("extern", "public", "readonly", "api"))
_DEFINED_TYPES = frozenset(("struct", "union", "enum", "packed", "fused"))
# Statements that Cython evaluates when it compiles: what is in them belongs to what is around them.
_COMPILE_TIME = frozenset(("IF", "ELIF", "ELSE", "DEF", "pass"))
_ACCESSORS = frozenset(("getter", "setter", "deleter"))


@dataclass(frozen=True)
class Function:
    """A function and the lines it spans (from 1, last one included).

    Attributes:
        name: Its name, with those of the classes and functions around it: ``Class.method``. If
            there are several of one name, they are ``name#1``, ``name#2`` and so on.
        first: The line of its first decorator, or of its header.
        last: The last line of its body, or of a comment after it that is indented like it.
        header: The line on which its header begins.
        signature: The header on one line, without comments and without the colon.
    """

    name: str
    first: int
    last: int
    header: int
    signature: str = field(default="", compare=False)

    def __contains__(self, line: int) -> bool:
        return self.first <= line <= self.last


@dataclass(frozen=True)
class _Scope:
    """What a statement opens.

    Attributes:
        indent: Of the statement.
        kind: ``"function"``, ``"class"``, ``"property"``, ``"cppclass"``, ``"cdef"`` for a block of
            C declarations, or ``"type"`` for the members of a C type.
        name: What it adds to the names of the functions in it, if anything.
    """

    indent: int
    kind: str
    name: str = ""


def find_functions(source: Source) -> dict[str, Function]:
    """Return the functions of a source by name, in the order of their headers.

    Functions within classes and functions are among them, declarations without a body are not.
    """
    reader = _Reader(source)
    for number in range(len(source.statements)):
        reader.read(number)
    times = Counter(function.name for function in reader.functions)
    seen: Counter[str] = Counter()
    by_name = {}
    for function in reader.functions:
        name = function.name
        if times[name] > 1:
            seen[name] += 1
            name = f"{name}#{seen[name]}"
        by_name[name] = replace(function, name=name)
    return by_name


class _Reader:
    """Reads one statement after the other, and remembers what it is in."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.functions: list[Function] = []
        self._scopes: list[_Scope] = []
        self._decorators: list[Statement] = []

    def read(self, number: int) -> None:
        """Read a statement, given by its number."""
        statement = self.source.statements[number]
        while self._scopes and self._scopes[-1].indent >= statement.indent:
            self._scopes.pop()
        if statement.tokens[0].text == "@":
            self._decorators.append(statement)
            return
        if scope := _opened(statement, self._scopes[-1].kind if self._scopes else ""):
            if scope.kind == "function":
                self._add(number, scope.name)
            self._scopes.append(scope)
        self._decorators = []

    def _add(self, number: int, name: str) -> None:
        """Add the function whose header is in a statement."""
        source, statement = self.source, self.source.statements[number]
        names = [scope.name for scope in self._scopes if scope.name] + [name]
        for decorator in self._decorators:
            words = [token.text for token in decorator.tokens]
            if words[1:3] == [name, "."] and words[3] in _ACCESSORS:
                names.append(words[3])
        header = source.line(statement.tokens[0].start)
        first = self._decorators[0].tokens[0].start if self._decorators else None
        self.functions.append(
            Function(
                ".".join(names),
                source.line(first) if first is not None else header,
                self._last_line(number),
                header,
                _on_one_line(source, statement.tokens[: _colon(statement.tokens)]),
            )
        )

    def _last_line(self, number: int) -> int:
        """Return the last line of what a statement opens."""
        statements, indent = self.source.statements, self.source.statements[number].indent
        while number + 1 < len(statements) and statements[number + 1].indent > indent:
            number += 1
        end = statements[number].tokens[-1].end
        last = self.source.line(end - 1)
        following = statements[number + 1 : number + 2]
        stop = following[0].tokens[0].start if following else len(self.source.text)
        for comment in self.source.comments_between(end, stop):
            line = self.source.line(comment)
            if line > last and self.source.column(comment) <= indent:
                break
            last = line
        return last


def _opened(statement: Statement, inside: str) -> _Scope | None:
    """Return the scope that a statement opens.

    Args:
        statement: The statement.
        inside: The kind of the scope it is in.
    """
    tokens = statement.tokens
    words = [token.text for token in tokens]
    if words[0] in ("cdef", "cpdef"):
        return _declared(statement, tokens[1:])
    if words[0] == "ctypedef":
        words = _without_visibility(words[1:])
        if words[:1] == ["class"]:
            return _Scope(statement.indent, "class", _class_name(words[1:]))
        return _Scope(statement.indent, "type")
    if inside in ("cdef", "cppclass") and words[0] not in _COMPILE_TIME:
        return _declared(statement, tokens)
    if inside == "type":
        return None
    if words[:2] == ["async", "def"]:
        del words[0]
    if words[0] == "def" and len(words) > 1 and _colon(tokens):
        return _Scope(statement.indent, "function", words[1])
    if words[0] == "class" and len(words) > 1:
        return _Scope(statement.indent, "class", words[1])
    if words[0] == "property" and words[2:3] == [":"] and inside == "class":
        return _Scope(statement.indent, "property", words[1])
    return None


def _declared(statement: Statement, tokens: Sequence[Token]) -> _Scope | None:
    """Return the scope that a C declaration opens.

    Args:
        statement: The declaration.
        tokens: Its tokens without ``cdef`` or ``cpdef``.
    """
    words = _without_visibility([token.text for token in tokens])
    indent = statement.indent
    if not words or words[0] in (":", "nogil", "from", "import"):
        return _Scope(indent, "cdef")
    if words[0] == "class":
        return _Scope(indent, "class", _class_name(words[1:]))
    if words[0] == "cppclass":
        return _Scope(indent, "cppclass", words[1] if len(words) > 1 else "")
    if words[0] in _DEFINED_TYPES:
        return _Scope(indent, "type")
    colon = _colon(statement.tokens)
    if colon is None or any(t.text == "=" and t.depth == 0 for t in statement.tokens[:colon]):
        return None
    name = _declared_name(words)
    return _Scope(indent, "function", name) if name else None


def _without_visibility(words: list[str]) -> list[str]:
    """Leave out the words before a C declaration that tell who may use it."""
    while words and words[0] in _VISIBILITIES:
        words = words[1:]
    return words


def _class_name(words: list[str]) -> str:
    """Return the name of an extension type, whose module may be in front of it."""
    while words[1:2] == ["."]:
        words = words[2:]
    return words[0] if words else ""


def _declared_name(words: list[str]) -> str:
    """Return the name of the C function that a header declares, read as Cython reads it."""
    while words and (words[0] == "inline" or words[0] in _QUALIFIERS):
        words = words[1:]
    if words[:1] == ["("]:
        words = _after_brackets(words)
    elif words and words[0] in _BASIC_TYPES:
        while words and words[0] in _BASIC_TYPES:
            words = words[1:]
        if words[:1] == ["complex"]:
            words = words[1:]
    elif _is_type(words):
        words = words[1:]
        while words[:1] == ["."]:
            words = words[2:]
    while words[:1] == ["["]:
        words = _after_brackets(words)
        if words[:1] == ["."]:
            words = words[2:]
    while words and words[0] in _BEFORE_NAME:
        words = words[1:]
    if words[:1] == ["operator"]:
        return "".join(words[: words.index("(", 2)]) if "(" in words[2:] else ""
    return words[0] if words and words[0].isidentifier() else ""


def _is_type(words: list[str]) -> bool:
    """Tell whether the first word is the type of what is declared, or its name."""
    following = [*words[1:3], "", ""]
    if following[0] == "(":
        return following[1] in _POINTERS or following[1] in _CALLING_CONVENTIONS
    return following[0] in (".", "[") or following[0] in _POINTERS or following[0].isidentifier()


def _after_brackets(words: list[str]) -> list[str]:
    """Return what follows the bracket that the words begin with."""
    depth = 0
    for number, word in enumerate(words):
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0:
            return words[number + 1 :]
    return []


def _colon(tokens: Sequence[Token]) -> int | None:
    """Return the number of the token that ends a header."""
    return next((n for n, t in enumerate(tokens) if t.text == ":" and t.depth == 0), None)


def _on_one_line(source: Source, tokens: Sequence[Token]) -> str:
    """Return tokens with the space between them, where there is no line break in it."""
    text = ""
    for number, token in enumerate(tokens):
        if number:
            previous = tokens[number - 1]
            between = source.text[previous.end : token.start]
            if "\n" in between:
                closing = token.text in (")", "]", "}")
                if closing:
                    text = text.removesuffix(",")
                between = "" if closing or previous.text in ("(", "[", "{") else " "
            text += between
        text += token.text
    return text
