"""A Cython source as statements and tokens, split as Cython's own scanner splits it.

Only what tells statements, strings and brackets apart is read. Broken sources are split too, since
an example may be there to show what Cython refuses.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

# Of a string, only the prefix: where it ends is found by its quotes.
_TOKEN = re.compile(
    r"""
    (?P<space>(?:[ \t\f]|\\\n)+)
  | (?P<comment>\#[^\n]*)
  | (?P<newline>\n)
  | (?P<formatted>(?:[fFtT][rR]?|[rR][fFtT])(?=["']))
  | (?P<string>(?:[uUbBrR]*|[cC])(?=["']))
  | (?P<name>\w+)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<operator>[=!<>]=|->|\*\*|&&|.)
    """,
    re.X | re.S,
)
_QUOTES = re.compile(r'"""|' r"'''" r"""|["']""")
# Up to the closing quotes. A string in single quotes that is not closed ends with its line.
_STRING_END = {
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*(?:'|(?=\n)|\\?\Z)", re.S),
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|(?=\n)|\\?\Z)', re.S),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'''|''?\Z|\\?\Z)", re.S),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"""|""?\Z|\\?\Z)', re.S),
}
_FORMATTED_ESCAPE = re.compile(r"\\N\{[^}\n]*\}|\\[^{}]|\{\{|\}\}", re.S)


class Token(NamedTuple):
    """A piece of a statement that is neither space nor comment.

    Attributes:
        text: As it is in the source.
        start: Its place in the source.
        depth: How many brackets are open around it.
        is_string: Whether it is a string literal.
    """

    text: str
    start: int
    depth: int
    is_string: bool = False

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.text)


class Statement(NamedTuple):
    """A logical line: it ends at a newline that is in no bracket and no string.

    Attributes:
        indent: Its indentation in characters, as Cython counts it: a tab is one.
        tokens: One or more.
    """

    indent: int
    tokens: tuple[Token, ...]


class Source:
    """A source with its statements.

    Attributes:
        text: The text, with newlines as the only ends of lines.
        comments: Where each comment begins.
        statements: In order.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.comments: list[int] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.statements = tuple(self._split())

    def line(self, place: int) -> int:
        """Return the number of the line that a place is on, from 1."""
        return bisect_right(self._starts, place)

    def column(self, place: int) -> int:
        """Return how many characters of its line are before a place."""
        return place - self._starts[self.line(place) - 1]

    def comments_between(self, start: int, end: int) -> list[int]:
        """Return where each comment begins that is between two places."""
        return self.comments[bisect_left(self.comments, start) : bisect_left(self.comments, end)]

    def _split(self) -> Iterator[Statement]:
        tokens: list[Token] = []
        place = depth = 0
        for kind, start, place in self._tokens(0):
            if kind == "comment":
                self.comments.append(start)
            elif kind == "newline":
                if depth == 0 and tokens:
                    yield self._statement(tokens)
                    tokens = []
            elif kind != "space":
                if kind == "close":
                    depth = max(0, depth - 1)
                is_string = kind in ("string", "formatted")
                tokens.append(Token(self.text[start:place], start, depth, is_string))
                if kind == "open":
                    depth += 1
        if tokens:
            yield self._statement(tokens)

    def _statement(self, tokens: list[Token]) -> Statement:
        line = self._starts[self.line(tokens[0].start) - 1]
        leading = self.text[line : tokens[0].start]
        # A form feed after the indentation does not count; what follows it does not either.
        return Statement(len(leading) - len(leading.lstrip(" \t")), tuple(tokens))

    def _tokens(self, place: int) -> Iterator[tuple[str, int, int]]:
        """Yield kind, start and end of each token from a place on, space and comments included."""
        while match := _TOKEN.match(self.text, place):
            kind, start, place = str(match.lastgroup), place, match.end()
            if kind == "string":
                quotes = self._quotes(place)
                end = _STRING_END[quotes].match(self.text, place + len(quotes))
                assert end is not None  # it matches the empty string at the end of the text
                place = end.end()
            elif kind == "formatted":
                place = self._formatted_end(place)
            yield kind, start, place

    def _quotes(self, place: int) -> str:
        match = _QUOTES.match(self.text, place)
        assert match is not None  # the pattern of a string looks ahead for them
        return match[0]

    def _formatted_end(self, place: int) -> int:
        """Return where an f-string ends; its expressions may hold strings in the same quotes."""
        quotes = self._quotes(place)
        place += len(quotes)
        while place < len(self.text):
            if self.text.startswith(quotes, place):
                return place + len(quotes)
            if self.text[place] == "\n" and len(quotes) == 1:
                return place
            if escape := _FORMATTED_ESCAPE.match(self.text, place):
                place = escape.end()
            elif self.text[place] == "{":
                place = self._field_end(place + 1, quotes)
            else:
                place += 1
        return place

    def _field_end(self, place: int, quotes: str) -> int:
        """Return where a replacement field of an f-string ends, after its brace."""
        depth = 0
        for kind, start, end in self._tokens(place):
            if kind == "open":
                depth += 1
            elif kind == "close":
                if depth == 0:
                    return end
                depth -= 1
            elif depth == 0 and self.text[start] == ":":
                return self._format_end(end, quotes)
        return len(self.text)

    def _format_end(self, place: int, quotes: str) -> int:
        """Return where a replacement field ends, from the place after its colon on."""
        while place < len(self.text) and not self.text.startswith(quotes, place):
            if self.text[place] == "}":
                return place + 1
            place = self._field_end(place + 1, quotes) if self.text[place] == "{" else place + 1
        return place
