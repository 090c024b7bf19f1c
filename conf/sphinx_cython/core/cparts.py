"""Generated C taken apart: what each piece does, what is only there for failure, what is called.

The C is read into spans, each with a kind, and folds, which hold the spans that a reader opens
when needed; then the text is cut along them. Nothing is edited: the pieces put together again are
the text, and what no row of the table knows has no kind and stays visible.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter

from .ckinds import (
    ACCESS,
    ADDRESS,
    CALL,
    CHECK,
    CONDITIONS,
    ELEMENTS,
    FAILURE,
    LABELS,
    OWN,
    PLAIN,
    REFCOUNT,
    STATEMENTS,
    Facts,
    Piece,
    called,
)
from .cparse import Node, Parser
from .ctokens import INACTIVE, condition, directive_word, tokenize

__all__ = [
    "ACCESS",
    "ADDRESS",
    "CALL",
    "CHECK",
    "FAILURE",
    "INACTIVE",
    "REFCOUNT",
    "Excerpt",
    "Fold",
    "FoldSpan",
    "Fragment",
    "Reading",
    "Span",
    "condition",
    "cut",
    "directive_word",
    "read_excerpt",
    "read_spans",
]


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


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one kind: from ``start`` up to ``end``."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class FoldSpan:
    """A run of text that is folded; ``kinds`` and ``calls`` are those of the ``Fold``."""

    start: int
    end: int
    kinds: tuple[str, ...]
    calls: int = 0


@dataclass
class Reading:
    """What some C was found to be; all positions count characters.

    Attributes:
        spans: Runs of one kind, in order; they do not overlap, and what is between them is plain.
        folds: Runs that are folded, in order; no span crosses an end of them.
        essential: Start and end of the expressions that do the work.
        calls: The names called on the normal path.
        failure_calls: The names called only if something fails.
    """

    spans: list[Span] = field(default_factory=list)
    folds: list[FoldSpan] = field(default_factory=list)
    essential: list[tuple[int, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    failure_calls: list[str] = field(default_factory=list)


# A temporary. Patterns that start with plain letters are searched for much faster.
_TEMPORARY = r"__pyx_t_(?<!\w__pyx_t_)\d+\b"
# What shows the ``Facts``.
_FLAG = re.compile(r"__Pyx_RaiseBufferIndexError(?:Nogil)?\((\w+)\)")
_RESET = re.compile(rf"({_TEMPORARY}) = (?:0|NULL);")
_COUNTED = re.compile(r"(?:(?:INC|DEC|GOT|GIVE)REF|CLEAR)\w*\(([^;]*)")
# What was handed over at once, where the count is in the C of another line.
_HANDED_OVER = re.compile(
    rf"({_TEMPORARY})\)*;\s*(?:\}}\s*__Pyx_XDECREF\(__pyx_temp\);\s*\}}\s*)?\1 = (?:0|NULL);"
)
_ITERATOR = re.compile(rf"({_TEMPORARY}) = [^;]*\b(?:__Pyx_PyObject_GetIterNextFunc|tp_iternext)\b")
_ELEMENT = re.compile(rf"({_TEMPORARY}) = (?:\(\([\w ]+\*[* ]*\) \( /\* dim=|__Pyx_BufPtr)")


def _facts(c: str) -> Facts:
    references: list[str] = []
    if reset := set(_RESET.findall(c)):
        counted = set(re.findall(_TEMPORARY, " ".join(_COUNTED.findall(c))))
        references = [*(reset & counted), *_HANDED_OVER.findall(c)]
    iterates = "GetIterNextFunc" in c or "tp_iternext" in c
    return Facts(
        flags=frozenset(_FLAG.findall(c)),
        references=frozenset(references),
        iterators=frozenset(_ITERATOR.findall(c) if iterates else ()),
        elements=frozenset(_ELEMENT.findall(c)),
    )


# Names that may be applied in the condition of an ``if`` that does no work.
_NO_WORK = frozenset(("likely", "unlikely", "sizeof"))


class _Reader:
    """Reads C into spans and folds."""

    def __init__(self, c: str, conditions: Mapping[str, bool] | None) -> None:
        self.c = c
        self.parser = Parser(tokenize(c, conditions))
        self.tokens = self.parser.tokens
        self.facts = _facts(c)
        self.reading = Reading()
        self._read(self.parser.nodes)

    # --- statements

    def _read(self, nodes: list[Node], failing: bool = False) -> None:
        """Read sibling nodes; neighbors that fold alike are one fold."""
        kinds = self._kinds(nodes, failing)
        position = 0
        while position < len(nodes):
            kind = kinds[position]
            if kind in (FAILURE, REFCOUNT):
                last = self._last_of_run(nodes, kinds, position)
                self._fold(nodes[position], nodes[last], kind)
                position = last + 1
                continue
            self._open(nodes[position], kind)
            position += 1

    def _kinds(self, nodes: list[Node], failing: bool) -> list[str]:
        """Return the kind of each of some sibling nodes, that of a failure until the next label."""
        kinds = []
        for node in nodes:
            if node.form == "label":
                name = self.tokens.words[node.start]
                row = next((row for row in LABELS if re.fullmatch(row.pattern, name)), None)
                failing = row is not None
            if node.form == "trivia":
                kinds.append(PLAIN)
            else:
                kinds.append(FAILURE if failing else self._kind(node))
        # A label on the line of a statement that only fails belongs to it.
        for position in range(len(nodes) - 1):
            if nodes[position].form == "label" and kinds[position] == PLAIN:
                after = position + 1
                while after < len(nodes) - 1 and self._is_blank(nodes[after]):
                    after += 1
                if kinds[after] == FAILURE and nodes[after].form == "statement":
                    kinds[position] = FAILURE
        return kinds

    def _is_blank(self, node: Node) -> bool:
        text = self.tokens.slice(node.start, node.end)
        return node.form == "trivia" and text.isspace() and "\n" not in text

    def _kind(self, node: Node, form: str = "") -> str:
        form = form or node.form
        if form == "control":
            form = self.tokens.words[node.start]
            if form not in ("if", "catch"):
                return PLAIN
        elif form in ("trivia", "token", "label"):
            return PLAIN
        piece = self._piece(node, form)
        return next((row.kind for row in STATEMENTS if row.holds(piece)), PLAIN)

    def _piece(self, node: Node, form: str) -> Piece:
        starts = self.tokens.starts
        start = starts[node.start]
        body = max(node.header, node.start)
        exits = node.exits if form == "statement" else self.parser.exits(body, node.end)
        return Piece(
            form,
            self.c[start : starts[node.end]],
            max(0, starts[node.header] - start),
            exits,
            exits and self.parser.ends(node.children[-1] if form == "if" else node),
            node.has_else,
            self.facts,
        )

    def _last_of_run(self, nodes: list[Node], kinds: list[str], position: int) -> int:
        """Return the last node of the run that folds together with the one at a position."""
        last = position
        for current in range(position + 1, len(nodes)):
            if nodes[current].form == "trivia":
                continue
            if kinds[current] != kinds[position] or self._stays(nodes[current]):
                break
            last = current
        return last

    def _stays(self, node: Node) -> bool:
        """Tell whether the condition of a failing ``if`` is to be seen."""
        return bool(self._condition(node)) or self._works(node)

    def _condition(self, node: Node) -> str:
        """Return the kind of the condition of a failing ``if``."""
        if node.form != "control":
            return PLAIN
        piece = self._piece(node, "if")
        return next((row.kind for row in CONDITIONS if row.holds(piece)), PLAIN)

    def _works(self, node: Node) -> bool:
        """Tell whether the condition of a failing ``if`` does work on the normal path.

        What follows ``&&`` is evaluated only if the first half already looks like a failure.
        """
        if node.form != "control":
            return False
        words, kinds = self.tokens.words, self.tokens.kinds
        if words[node.start] == "catch":
            return False
        for position in range(node.start + 1, node.header - 1):
            if words[position] == "&&":
                return False
            applied = kinds[position] == "name" and words[position + 1] == "("
            if applied and words[position] not in _NO_WORK:
                return True
        return False

    def _fold(self, first: Node, last: Node, kind: str) -> None:
        start, end = first.start, last.end
        if kind == FAILURE and self._stays(first):
            if header := self._condition(first):
                self._span(first.start, first.header, header)
            else:
                self._expression(first.start, first.header)
            start = first.header
        names = [self.tokens.words[position] for position, _ in self._calls(start, end)]
        self.reading.failure_calls += names
        self._fold_span(start, end, kind, len(names))
        self._span(start, end, kind)

    def _open(self, node: Node, kind: str) -> None:
        """Read a node that is not folded as a whole."""
        if kind == CHECK:
            self._span(node.start, node.end, CHECK)
        elif self.tokens.kinds[node.start] == INACTIVE:
            self._fold_span(node.start, node.end, INACTIVE, 0)
        elif node.form == "block":
            self._read(node.children)
        elif node.form == "control":
            self._expression(node.start, node.header)
            self._read_branches(node)
        elif node.form == "statement":
            self._expression(node.start, node.end)

    def _read_branches(self, node: Node) -> None:
        """Read what follows a header: a branch that only fails is folded inside its braces."""
        for child in node.children:
            alternative = node.has_else and child.form == "block"
            if alternative and self._kind(child, "branch") == FAILURE:
                self._read(child.children, failing=True)
            else:
                self._read([child])

    # --- expressions

    def _expression(self, start: int, end: int) -> None:
        """Read an expression: its accesses to elements and its calls."""
        tokens = self.tokens
        position = covered = start
        calls = dict(self._calls(start, end))
        while position < end:
            if tokens.kinds[position] == "punct":
                if close := self._access(position, end):
                    if position >= covered:
                        self._essential(position, close)
                    position = close
                    continue
            elif close := calls.get(position, 0):
                self._span(position, position + 1, CALL)
                self.reading.calls.append(tokens.words[position])
                if position >= covered:
                    self._essential(position, close)
                    covered = close
            elif position >= covered and (close := self._own_call(position, end)):
                self._essential(position, close)
                covered = close
            position += 1

    def _calls(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield (position of the name, position after the closing bracket) of each call."""
        tokens = self.tokens
        for position in range(start, end - 1):
            if tokens.kinds[position] != "name":
                continue
            rule = called(tokens.words[position])
            if rule is None or rule.kind != CALL:
                continue
            if rule.fact and tokens.words[position] not in getattr(self.facts, rule.fact):
                continue
            opening = tokens.skip_trivia(position + 1, end)
            if opening < end and tokens.words[opening] == "(":
                yield position, tokens.after_bracket(opening, end)

    def _own_call(self, position: int, end: int) -> int:
        """Return where the call of a C function of the module ends; 0 if none starts here."""
        tokens = self.tokens
        if position + 1 >= end or tokens.words[position + 1] != "(":
            return 0
        rule = called(tokens.words[position]) if tokens.kinds[position] == "name" else None
        return tokens.after_bracket(position + 1, end) if rule and rule.kind == OWN else 0

    def _access(self, position: int, end: int) -> int:
        """Read the access that starts at a position; return where it ends, 0 if none starts."""
        tokens = self.tokens
        if tokens.words[position] not in ("(", "*"):
            return 0
        for row in ELEMENTS:
            match = _pattern(row.pattern).match(self.c, tokens.starts[position])
            if not match:
                continue
            if tokens.words[position] == "*":
                close = self._operand_end(position + 1, end)
                if row.fact and match[0][1:] not in getattr(self.facts, row.fact):
                    continue
                self._span(position, position + 1, row.kind)
                self._span(position + 1, close, ADDRESS)
                return close
            close = tokens.after_bracket(position, end)
            if row.kind == ADDRESS:
                self._span(position, close, ADDRESS)
                return close
            star = 1 if tokens.words[position + 1] == "*" else 0
            if star:
                text = tokens.slice(position, close)
                if "/* dim=" not in text and "__Pyx_BufPtr" not in text:
                    continue
            elif self._is_call(position) or not self._is_subscript(position, close):
                continue
            self._span(position, position + 1 + star, row.kind)
            self._span(position + 1 + star, close - 1, ADDRESS)
            self._span(close - 1, close, row.kind)
            return close
        return 0

    def _operand_end(self, position: int, end: int) -> int:
        """Return where what a star is applied to ends: brackets, a name, or a macro's call."""
        tokens = self.tokens
        if tokens.words[position] != "(":
            position += 1
            if position >= end or tokens.words[position] != "(":
                return position
        return tokens.after_bracket(position, end)

    def _is_call(self, position: int) -> bool:
        """Tell whether brackets hold the arguments of a call."""
        return position > 0 and self.tokens.kinds[position - 1] == "name"

    def _is_subscript(self, position: int, close: int) -> bool:
        """Tell whether brackets hold a pointer or a C array with an index, and nothing else."""
        tokens = self.tokens
        last = close - 1
        current = position + 1
        if tokens.words[current] == "(":
            operand = current
            current = tokens.after_bracket(current, close)
            if not re.search(r"\b__pyx_(?:[vt]_|cur_scope)", tokens.slice(operand, current)):
                return False
        else:
            while tokens.words[current] != "[":
                current += 1
        if current >= last or tokens.words[current] != "[" or tokens.words[last] != ")":
            return False
        while current < last and tokens.words[current] == "[":
            current = tokens.after_bracket(current, close)
        return current == last

    # --- what was found

    def _span(self, start: int, end: int, kind: str) -> None:
        if start < end:
            starts = self.tokens.starts
            self.reading.spans.append(Span(starts[start], starts[end], kind))

    def _fold_span(self, start: int, end: int, kind: str, calls: int) -> None:
        """Fold tokens, and the blank space that leads to them.

        A fold is shown as a block of its own; with the line break inside it, no empty line is
        left where it is closed. Folds that touch are one fold.
        """
        first, last = self.tokens.starts[start], self.tokens.starts[end]
        spans, folds = self.reading.spans, self.reading.folds
        plain = max(spans[-1].end if spans else 0, folds[-1].end if folds else 0)
        first = plain + len(self.c[plain:first].rstrip())
        kinds: tuple[str, ...] = (kind,)
        if folds and folds[-1].end == first:
            fold = folds.pop()
            first, calls = fold.start, fold.calls + calls
            kinds = tuple(dict.fromkeys((*fold.kinds, kind)))
        if first < last:
            folds.append(FoldSpan(first, last, kinds, calls))

    def _essential(self, start: int, end: int) -> None:
        starts = self.tokens.starts
        self.reading.essential.append((starts[start], starts[end]))


@lru_cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def read_spans(c: str, conditions: Mapping[str, bool] | None = None) -> Reading:
    """Read which piece of some C is of which kind; the arguments are those of ``read_excerpt``."""
    return _Reader(c, conditions).reading


def fragments(c: str, spans: Sequence[Span], start: int, end: int) -> tuple[Fragment, ...]:
    """Cut the text between two positions along spans."""
    out = []
    position = start
    for index in range(bisect_right(spans, start, key=attrgetter("end")), len(spans)):
        span = spans[index]
        if span.start >= end:
            break
        if position < span.start:
            out.append(Fragment(c[position : span.start]))
            position = span.start
        out.append(Fragment(c[position : min(span.end, end)], span.kind))
        position = min(span.end, end)
    if position < end:
        out.append(Fragment(c[position:end]))
    return tuple(out)


def cut(c: str, spans: Sequence[Span], folds: Sequence[FoldSpan]) -> tuple[Fragment | Fold, ...]:
    """Cut C along spans and folds."""
    parts: list[Fragment | Fold] = []
    position = 0
    for fold in folds:
        parts += fragments(c, spans, position, fold.start)
        inside = fragments(c, spans, fold.start, fold.end)
        parts.append(Fold(fold.kinds, inside, fold.calls))
        position = fold.end
    parts += fragments(c, spans, position, len(c))
    return tuple(parts)


def read_excerpt(c: str, conditions: Mapping[str, bool] | None = None) -> Excerpt:
    """Take generated C apart.

    Args:
        c: The C of a source line, or any C that Cython wrote.
        conditions: Of lines such as ``#if CYTHON_VECTORCALL``, in the form of ``condition``,
            whether the compiler saw what follows. Calls in branches that it did not see are not
            counted; where nothing is known, all branches are.
    """
    reading = read_spans(c, conditions)
    return Excerpt(
        cut(c, reading.spans, reading.folds),
        tuple(fragments(c, reading.spans, start, end) for start, end in reading.essential),
        tuple(reading.calls),
        tuple(reading.failure_calls),
    )
