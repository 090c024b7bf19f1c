"""Generated C taken apart: what each piece does, what is only there for failure, what is called.

The C is split into tokens, the tokens are grouped into statements, and statements and
expressions are tagged. Nothing is edited: the pieces put together again are the text, and what
no rule knows keeps no tag and stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Tags of fragments.
ADDRESS, ACCESS, CHECK, REFCOUNT, FAILURE, CALL = (
    "address",
    "access",
    "check",
    "refcount",
    "failure",
    "call",
)
# What a fold may hold besides: a branch of ``#if`` that the compiler did not see.
INACTIVE = "inactive"

_TOKEN = re.compile(
    r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
  | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<space>\n+|[^\S\n]+)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<punct>->|&&|\|\||[-+*/%&|^<>=!]=|\+\+|--|<<|>>|.)
    """,
    re.X | re.S | re.M,
)

# Functions of the C-API, Cython's helpers around them, and slots of a type.
_CALLABLE = re.compile(
    r"(?:_?Py(?:[A-Z][A-Za-z]*_|_(?=[A-Z]))(?=\w*[a-z])\w+|__Pyx_(?=\w*[a-z])\w+|__pyx_convert_\w+"
    r"|__pyx_memoryview_(?:fromslice|new|copy_slice_\w+)|__pyx_array_new"
    r"|__pyx_format_from_typeinfo|(?:mp|nb|sq|tp)_[a-z_]+)\Z"
)
# A C function of the example itself.
_OWN = re.compile(r"__pyx_f_\w+\Z")
# What looks like one and is none: pointer arithmetic in the form of a macro; RefNanny, which is
# empty outside Cython's own tests; comparing integers; naming the thread state; looking at the
# type of an object; and macros that read or set a field, which end in capitals
# (PyTuple_GET_ITEM, __Pyx_PyTuple_SET_ITEM).
_NO_CALL = re.compile(
    r"__Pyx_(?:BufPtr\w+|RefNanny\w*|fits_\w+|is_valid_index|PyThreadState_(?:declare|assign))\Z"
    r"|Py\w+_CheckExact\Z|Py(?:Method|CFunction|Type|List|Tuple|Dict|Long|Float|Unicode|Bytes)_Check\Z"
    r"|\w+?_[A-Z]{2,}[A-Z_]*\Z"
)
_REFCOUNT = re.compile(
    r"(?:__Pyx_\w*(?:INCREF|DECREF|GOTREF|GIVEREF|CLEAR)\w*|Py_X?(?:INCREF|DECREF|CLEAR|SETREF|NewRef)"
    r"|__P[Yy][Xx]_X?(?:INC|DEC|CLEAR|XCLEAR)_MEMVIEW\w*|__Pyx_RefNanny\w*)\Z"
)
_ERROR_GOTO = re.compile(r"__PYX_ERR\(|\bgoto __pyx_L\d+\w*_error\b")
_TRIVIA = ("space", "comment", "directive", INACTIVE)
_LABEL = re.compile(r"\s*(__pyx_L\w+)\s*:")


@dataclass(frozen=True)
class Fragment:
    """A run of C text with one tag, or none."""

    text: str
    tag: str = ""


@dataclass(frozen=True)
class Fold:
    """A run of C that a reader opens when needed.

    Attributes:
        kinds: Which of ``"failure"``, ``"refcount"`` and ``"inactive"`` is in it, in order of
            appearance.
        parts: The fragments in it.
        calls: The number of calls into the C-API in it.
    """

    kinds: tuple[str, ...]
    parts: tuple[Fragment, ...]
    calls: int

    @property
    def text(self) -> str:
        """The exact C."""
        return "".join(part.text for part in self.parts)

    @property
    def lines(self) -> int:
        """How many lines it has, counting those that are not blank."""
        return sum(1 for line in self.text.splitlines() if line.strip())


@dataclass(frozen=True)
class Excerpt:
    """C with its pieces told apart.

    Attributes:
        parts: Fragments and folds, in order.
        essential: The expressions that do the work: element accesses, and calls on the normal
            path with their arguments, those of the example's own C functions included.
        calls: The names called on the normal path.
        failure_calls: The names called only if something fails.
    """

    parts: tuple[Fragment | Fold, ...]
    essential: tuple[tuple[Fragment, ...], ...] = ()
    calls: tuple[str, ...] = ()
    failure_calls: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The exact C."""
        return "".join(part.text for part in self.parts)


@dataclass
class _Item:
    """A node of the statement tree: tokens ``start`` to ``end``, with what is inside."""

    kind: str  # "trivia", "statement", "block", "control", "stray"
    start: int
    end: int = 0
    header: int = 0  # end of "if (...)" in a control item
    inner: list[_Item] = field(default_factory=list)
    role: str = ""


class _Parser:
    """Groups tokens into statements; tolerant, since the C of one line may end inside a block."""

    def __init__(self, c: str, conditions: Mapping[str, bool]) -> None:
        self.kinds: list[str] = []
        self.tokens: list[str] = []
        for match in _TOKEN.finditer(c):
            self.kinds.append(match.lastgroup or "punct")
            self.tokens.append(match[0])
        if conditions:
            self._leave_out(conditions)
        self.items = self._items(0, len(self.tokens))

    def _leave_out(self, conditions: Mapping[str, bool]) -> None:
        """Make one token of each branch that was not compiled, so that nothing looks into it."""
        kinds: list[str] = []
        tokens: list[str] = []
        groups: list[bool | None] = []  # of each open group, whether its current branch is out
        conditional: list[bool | None] = []
        for kind, token in zip(self.kinds, self.tokens, strict=True):
            word = directive_word(token) if kind == "directive" else ""
            outer = any(groups[:-1] if word in ("elif", "else", "endif") else groups)
            if word.startswith("if"):
                known = None if outer else conditions.get(condition(token))
                conditional.append(known)
                groups.append(known is False)
            elif word in ("elif", "else") and groups:
                # After a condition that holds all other branches are out; after one that does
                # not, nothing is known of an #elif.
                groups[-1] = conditional[-1] is True
            elif word == "endif" and groups:
                groups.pop()
                conditional.pop()
            if any(groups) and not (word and not outer):
                if kinds and kinds[-1] == INACTIVE:
                    tokens[-1] += token
                    continue
                kind = INACTIVE
            kinds.append(kind)
            tokens.append(token)
        self.kinds, self.tokens = kinds, tokens

    def text(self, start: int, end: int) -> str:
        return "".join(self.tokens[start:end])

    def _significant(self, position: int, end: int) -> int:
        while position < end and self.kinds[position] in _TRIVIA:
            position += 1
        return position

    def _closing(self, position: int, end: int) -> int:
        """Return the position after the bracket that closes the one at ``position``."""
        depth = 0
        for current in range(position, end):
            if self.kinds[current] == "punct":
                depth += (self.tokens[current] in "([{") - (self.tokens[current] in ")]}")
                if depth == 0:
                    return current + 1
        return end

    def _items(self, position: int, end: int) -> list[_Item]:
        items: list[_Item] = []
        while position < end:
            item = self._item(position, end)
            items.append(item)
            position = item.end
        return items

    def _item(self, position: int, end: int) -> _Item:
        kind, token = self.kinds[position], self.tokens[position]
        if kind in _TRIVIA:
            return _Item("trivia", position, position + 1)
        if token == "}":
            return _Item("stray", position, position + 1)
        if token == "{":
            close = self._closing(position, end)
            closed = close - 1 if self.tokens[close - 1] == "}" else close
            return _Item("block", position, close, inner=self._items(position + 1, closed))
        if token in ("if", "for", "while", "switch"):
            return self._control(position, end)
        return self._statement(position, end)

    def _control(self, position: int, end: int) -> _Item:
        item = _Item("control", position)
        opening = self._significant(position + 1, end)
        if opening >= end or self.tokens[opening] != "(":
            return self._statement(position, end)
        item.header = self._closing(opening, end)
        item.end = item.header
        body = self._significant(item.header, end)
        if body >= end:
            return item
        item.inner = [_Item("trivia", n, n + 1) for n in range(item.header, body)]
        item.inner.append(self._item(body, end))
        item.end = item.inner[-1].end
        after = self._significant(item.end, end)
        if self.tokens[position] == "if" and after < end and self.tokens[after] == "else":
            item.inner += [_Item("trivia", n, n + 1) for n in range(item.end, after + 1)]
            body = self._significant(after + 1, end)
            item.inner += [_Item("trivia", n, n + 1) for n in range(after + 1, body)]
            item.end = body
            if body < end:
                item.inner.append(self._item(body, end))
                item.end = item.inner[-1].end
        return item

    def _statement(self, position: int, end: int) -> _Item:
        current, assigned = position, False
        while current < end:
            token = self.tokens[current]
            if self.kinds[current] == "punct":
                if token == ";":
                    return _Item("statement", position, current + 1)
                if token == "=":
                    assigned = True
                if token == "}" or (token == "{" and not assigned):
                    return _Item("statement", position, current)
                if token in "([{":
                    current = self._closing(current, end)
                    continue
            if token == "__PYX_ERR":
                # The one macro that ends a statement without a semicolon.
                current = self._closing(self._significant(current + 1, end), end)
                semicolon = current < end and self.tokens[current] == ";"
                return _Item("statement", position, current + semicolon)
            current += 1
        return _Item("statement", position, current)


def _mark_roles(parser: _Parser, items: list[_Item], failing: bool = False) -> None:
    """Set the role of each item: failure, refcount, check or none."""
    flags = set()
    for item in items:
        text = parser.text(item.start, item.end)
        raised = re.search(r"__Pyx_RaiseBufferIndexError(?:Nogil)?\((\w+)\)", text)
        if raised and item.kind == "control":
            flags.add(raised[1])
    for item in items:
        text = parser.text(item.start, item.end)
        if item.kind == "trivia":
            continue
        if label := _LABEL.match(text):
            failing = label[1].endswith("_error")
        if failing:
            item.role = FAILURE
        elif item.kind == "control" and parser.tokens[item.start] == "if":
            if _ERROR_GOTO.search(parser.text(item.header, item.end)) and not _has_else(
                parser, item
            ):
                item.role = FAILURE
            elif _is_check(parser, item, flags):
                item.role = CHECK
        elif item.kind == "statement":
            first = re.match(r"\w+", text)
            if _ERROR_GOTO.search(text):
                item.role = FAILURE
            elif first and _REFCOUNT.match(first[0]):
                item.role = REFCOUNT
            elif re.fullmatch(r"__pyx_t_\d+ = (?:0|NULL);", text):
                # After a reference was handed on, the temporary must not be released again.
                item.role = REFCOUNT
            elif (found := re.fullmatch(r"(\w+) = -?\d+;", text)) and found[1] in flags:
                item.role = CHECK
        elif item.kind == "block" and re.match(r"\{\s*PyObject \*__pyx_temp;", text):
            item.role = REFCOUNT
        if not item.role:
            _mark_roles(parser, item.inner)


def _has_else(parser: _Parser, item: _Item) -> bool:
    return any(parser.tokens[i.start] == "else" for i in item.inner if i.kind == "trivia")


def _is_check(parser: _Parser, item: _Item, flags: set[str]) -> bool:
    """Tell whether an ``if`` only adjusts or judges an index."""
    text = parser.text(item.start, item.end)
    condition = parser.text(item.start, item.header)
    assigned = set(re.findall(r"(\w+) (?:\+)?= ", parser.text(item.header, item.end)))
    index = set(re.findall(r"(\w+) (?:<|>=) ", condition))
    judged = bool(re.search(r"\.shape\b", text)) or bool(assigned & flags)
    return bool(assigned) and assigned <= flags | index and judged


def _calls(parser: _Parser, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (position of the name, position after the closing bracket) of each call."""
    for position in range(start, end):
        name = parser.tokens[position]
        if parser.kinds[position] != "name" or not _CALLABLE.match(name):
            continue
        if _NO_CALL.match(name) or _REFCOUNT.match(name):
            continue
        opening = parser._significant(position + 1, end)
        if opening < end and parser.tokens[opening] == "(":
            yield position, parser._closing(opening, end)


def _accesses(parser: _Parser, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the token ranges of element accesses."""
    position = start
    while position < end:
        if close := _access_end(parser, position, end):
            yield position, close
        position = close or position + 1


def _access_end(parser: _Parser, position: int, end: int) -> int:
    """Return where the access that starts at a position ends; 0 if none starts there.

    It reads ``(*address)``; ``*address`` where something is stored; the address alone where a
    pointer is kept, as Cython does with elements that are objects; ``(pointer[i])``, or
    ``((pointer[i])[j])``.
    """
    token = parser.tokens[position]
    if token == "*" and position + 2 < end:
        if parser.tokens[position + 1].startswith("__Pyx_BufPtr"):
            return parser._closing(position + 2, end)
        close = _access_end(parser, position + 1, end)
        return close if parser.text(position + 1, position + 3) == "((" else 0
    if token != "(" or position + 1 == end:
        return 0
    close = parser._closing(position, end)
    text = parser.text(position, close)
    computed = text.startswith("(*") and ("/* dim=" in text or "__Pyx_BufPtr" in text)
    address = re.match(r"\(\([\w ]+\*[* ]*\) \( /\* dim=", text)
    subscript = re.match(r"\(__pyx_[vt]_\w+\[.*\]\)\Z", text, re.S) and close - position > 4
    direct = subscript and parser._closing(position + 2, close) == close - 1
    inner = _access_end(parser, position + 1, close) if parser.tokens[position + 1] == "(" else 0
    nested = (
        0 < inner < close
        and parser.tokens[inner] == "["
        and parser._closing(inner, close) == close - 1
    )
    return close if computed or address or direct or nested else 0


class _Painter:
    """Turns marked items into fragments and folds, counting calls on the way."""

    def __init__(self, parser: _Parser) -> None:
        self.parser = parser
        self.parts: list[Fragment | Fold] = []
        self.essential: list[tuple[Fragment, ...]] = []
        self.normal: list[str] = []
        self.failing: list[str] = []

    def paint(self, items: list[_Item]) -> None:
        """Append the parts of sibling items, merging neighbours that fold alike."""
        position = 0
        while position < len(items):
            item = items[position]
            if item.role in (FAILURE, REFCOUNT):
                last = self._run(items, position)
                self._fold(items[position : last + 1], item.role)
                position = last + 1
                continue
            self._item(item)
            position += 1

    def _run(self, items: list[_Item], position: int) -> int:
        """Return the last item of the run that folds together with the one at ``position``."""
        last = position
        for current in range(position + 1, len(items)):
            if items[current].kind == "trivia":
                continue
            if items[current].role != items[position].role or self._stays(items[current]):
                break
            last = current
        return last

    def _stays(self, item: _Item) -> bool:
        """Tell whether the condition of a failing ``if`` is to be seen."""
        return self._guards(item) or self._evaluates(item)

    def _guards(self, item: _Item) -> bool:
        """Tell whether an ``if`` looks at a variable and raises by itself: is it set, is it None?

        After a call there is an ``if`` as well, but the exception has been set by the call.
        """
        if item.kind != "control":
            return False
        condition = self.parser.text(item.start, item.header)
        body = self.parser.text(item.header, item.end)
        looks = "__pyx_v_" in condition and "__pyx_t_" not in condition
        return looks and bool(re.search(r"\b(?:PyErr|__Pyx_Raise)\w+\(", body))

    def _evaluates(self, item: _Item) -> bool:
        """Tell whether the condition of a failing ``if`` does work on the normal path.

        What follows ``&&`` is evaluated only if the first half already looks like a failure.
        """
        if item.kind != "control":
            return False
        tokens = self.parser.tokens
        for position in range(item.start + 1, item.header - 1):
            if tokens[position] == "&&":
                return False
            applied = self.parser.kinds[position] == "name" and tokens[position + 1] == "("
            if applied and tokens[position] not in ("likely", "unlikely", "sizeof"):
                return True
        return False

    def _fold(self, items: list[_Item], kind: str) -> None:
        start, end = items[0].start, items[-1].end
        item = items[0]
        if kind == FAILURE and self._stays(item):
            if self._guards(item):
                header = self.parser.text(item.start, item.header)
                self.parts.append(Fragment(header, CHECK))
            else:
                self._expression(item.start, item.header)
            start = item.header
        names = [self.parser.tokens[n] for n, _ in _calls(self.parser, start, end)]
        self.failing += names
        tag = REFCOUNT if kind == REFCOUNT else FAILURE
        text = self.parser.text(start, end)
        self.parts.append(Fold((kind,), (Fragment(text, tag),), len(names)))

    def _item(self, item: _Item) -> None:
        if item.role == CHECK:
            self.parts.append(Fragment(self.parser.text(item.start, item.end), CHECK))
        elif self.parser.kinds[item.start] == INACTIVE:
            self.parts.append(Fold((INACTIVE,), (Fragment(self.parser.tokens[item.start]),), 0))
        elif item.kind == "trivia":
            self.parts.append(Fragment(self.parser.text(item.start, item.end)))
        elif item.kind == "block":
            last = item.inner[-1].end if item.inner else item.start + 1
            self.parts.append(Fragment("{"))
            self.paint(item.inner)
            self.parts.append(Fragment(self.parser.text(last, item.end)))
        elif item.kind == "control":
            self._expression(item.start, item.header)
            self.paint(item.inner)
        else:
            self._expression(item.start, item.end)

    def _expression(self, start: int, end: int) -> None:
        """Append a statement, with its accesses and calls tagged."""
        accesses = dict(_accesses(self.parser, start, end))
        calls = dict(_calls(self.parser, start, end))
        taken = start
        position = start
        covered = start
        while position < end:
            if position in accesses:
                close = accesses[position]
                self._plain(taken, position)
                pieces = self._access(position, close)
                self.parts += pieces
                if position >= covered:
                    self.essential.append(tuple(pieces))
                taken = position = close
                continue
            if position in calls:
                self._plain(taken, position)
                name = Fragment(self.parser.tokens[position], CALL)
                self.parts.append(name)
                self.normal.append(name.text)
                if position >= covered:
                    rest = self.parser.text(position + 1, calls[position])
                    self.essential.append((name, Fragment(rest)))
                    covered = calls[position]
                taken = position = position + 1
                continue
            if position >= covered and (close := self._own_call(position, end)):
                inner = _Painter(self.parser)
                inner._expression(position + 1, close)
                name = Fragment(self.parser.tokens[position])
                self.essential.append((name, *(p for p in inner.parts if isinstance(p, Fragment))))
                covered = close
            position += 1
        self._plain(taken, end)

    def _own_call(self, position: int, end: int) -> int:
        """Return where the call of a C function of the example ends; 0 if none starts there."""
        if not _OWN.match(self.parser.tokens[position]) or position + 1 == end:
            return 0
        opens = self.parser.tokens[position + 1] == "("
        return self.parser._closing(position + 1, end) if opens else 0

    def _access(self, start: int, end: int) -> list[Fragment]:
        """Tag an access: the star and its brackets do it, or the brackets around an index."""
        opening = self.parser.text(start, start + 2)
        if opening == "((" and self.parser.tokens[end - 2] != "]":
            return [Fragment(self.parser.text(start, end), ADDRESS)]
        if opening.startswith("*"):
            return [Fragment("*", ACCESS), Fragment(self.parser.text(start + 1, end), ADDRESS)]
        star = 2 if opening == "(*" else 1
        return [
            Fragment(self.parser.text(start, start + star), ACCESS),
            Fragment(self.parser.text(start + star, end - 1), ADDRESS),
            Fragment(self.parser.text(end - 1, end), ACCESS),
        ]

    def _plain(self, start: int, end: int) -> None:
        if start < end:
            self.parts.append(Fragment(self.parser.text(start, end)))


def _settle(parts: list[Fragment | Fold]) -> tuple[Fragment | Fold, ...]:
    """Merge neighbours, and give each fold the blank space that leads to it.

    A fold is shown as a block of its own; with the line break inside it, no empty line is left
    where it stands closed.
    """
    settled: list[Fragment | Fold] = []
    for part in parts:
        last = settled[-1] if settled else None
        if isinstance(part, Fragment):
            if isinstance(last, Fragment) and last.tag == part.tag:
                settled[-1] = Fragment(last.text + part.text, part.tag)
            else:
                settled.append(part)
            continue
        lead = ""
        if isinstance(last, Fragment) and not last.tag:
            kept = last.text.rstrip()
            lead = last.text[len(kept) :]
            settled[-1:] = [Fragment(kept)] if kept else []
            last = settled[-1] if settled else None
        inner = (Fragment(lead), *part.parts) if lead else part.parts
        if isinstance(last, Fold):
            kinds = tuple(dict.fromkeys(last.kinds + part.kinds))
            settled[-1] = Fold(kinds, last.parts + inner, last.calls + part.calls)
        else:
            settled.append(Fold(part.kinds, inner, part.calls))
    return tuple(part for part in settled if part.text)


def directive_word(line: str) -> str:
    """Return the word of a preprocessor line that opens, divides or closes a group, or nothing."""
    found = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b", line)
    return found[1] if found else ""


def condition(line: str) -> str:
    """Return a preprocessor line in the form by which it is known to be the same as another."""
    return " ".join(line.replace("\\\n", " ").replace("#", " ", 1).split())


def read_excerpt(c: str, conditions: Mapping[str, bool] | None = None) -> Excerpt:
    """Take generated C apart.

    Args:
        c: The C of a source line, or any C that Cython wrote.
        conditions: Of lines such as ``#if CYTHON_VECTORCALL``, in the form of ``condition``,
            whether the compiler saw what follows. Calls in branches that it did not see are not
            counted; where nothing is known, all branches are.
    """
    parser = _Parser(c, conditions or {})
    _mark_roles(parser, parser.items)
    painter = _Painter(parser)
    painter.paint(parser.items)
    return Excerpt(
        _settle(painter.parts),
        tuple(painter.essential),
        tuple(painter.normal),
        tuple(painter.failing),
    )
