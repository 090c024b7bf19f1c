"""Generated C as tokens: names, brackets and their partners, and the branches of ``#if``.

Nothing is left out: the tokens put together again are the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

# A comment, a literal, and a preprocessor line with its continuation lines. A comment may break
# a preprocessor line as well.
COMMENT = r"/\*.*?\*/|//[^\n]*"
STRING = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
DIRECTIVE = rf"^[ \t]*\#(?:\\\r?\n|{COMMENT}|{STRING}|[^\n])*"

# The kinds of tokens, in the order in which they are tried.
_TOKEN = re.compile(
    rf"""
    (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<comment>{COMMENT})
  | (?P<string>{STRING})
  | (?P<directive>{DIRECTIVE})
  | (?P<space>\n+|[^\S\n]+)
  | (?P<punct>->|&&|\|\||[-+*/%&|^<>=!]=|\+\+|--|<<|>>|.)
    """,
    re.X | re.S | re.M,
)
# A branch of ``#if`` that the compiler did not see is one token of this kind.
INACTIVE = "inactive"
TRIVIA = frozenset(("space", "comment", "directive", INACTIVE))

_DIRECTIVE_WORD = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")


def directive_word(line: str) -> str:
    """Return the word of a preprocessor line that opens, divides or closes a group, or nothing."""
    match = _DIRECTIVE_WORD.match(line)
    return match[1] if match else ""


def condition(line: str) -> str:
    """Return a preprocessor line in the form by which it is known to be the same as another."""
    return " ".join(line.replace("\\\n", " ").replace("#", " ", 1).split())


@dataclass
class Tokens:
    """C in tokens, each with its place in the text.

    Attributes:
        text: The C.
        kinds: The kind of each token: ``"name"``, ``"punct"`` and so on.
        words: The text of each token.
        starts: Where each token starts in the text, and where the last one ends.
        closing: For each opening bracket, the position after the bracket that closes it; beyond
            the last token if there is none. 0 for all other tokens.
    """

    text: str
    kinds: list[str]
    words: list[str]
    starts: list[int]
    closing: list[int]

    def __len__(self) -> int:
        return len(self.words)

    def slice(self, start: int, end: int) -> str:
        """Return the text from one token up to another."""
        return self.text[self.starts[start] : self.starts[end]]

    def skip_trivia(self, position: int, end: int) -> int:
        """Return the position of the next token that is neither space nor comment nor directive."""
        while position < end and self.kinds[position] in TRIVIA:
            position += 1
        return position

    def after_bracket(self, position: int, end: int) -> int:
        """Return the position after the bracket that closes the one at a position."""
        return min(self.closing[position], end)


def tokenize(c: str, conditions: Mapping[str, bool] | None = None) -> Tokens:
    """Split C into tokens.

    Args:
        c: Any C, also the middle of a function.
        conditions: Which conditions of ``#if`` hold, in the form of ``condition``. A branch that
            is known to be left out becomes one token, so that no rule looks into it.
    """
    matches = list(_TOKEN.finditer(c))
    kinds = [match.lastgroup or "" for match in matches]
    words = [match[0] for match in matches]
    if conditions:
        kinds, words = _join_inactive(kinds, words, conditions)
    starts = [0, *accumulate(map(len, words))]
    return Tokens(c, kinds, words, starts, _match_brackets(kinds, words))


def _join_inactive(
    kinds: list[str], words: list[str], conditions: Mapping[str, bool]
) -> tuple[list[str], list[str]]:
    """Make one token of each branch that was not compiled."""
    out_kinds: list[str] = []
    out_words: list[str] = []
    skipped: list[bool] = []  # of each open group, whether its current branch is left out
    holds: list[bool | None] = []  # of each open group, whether its condition does
    for kind, token in zip(kinds, words, strict=True):
        word = directive_word(token) if kind == "directive" else ""
        outside = any(skipped[:-1] if word in ("elif", "else", "endif") else skipped)
        if word.startswith("if"):
            known = None if outside else conditions.get(condition(token))
            holds.append(known)
            skipped.append(known is False)
        elif word in ("elif", "else") and skipped:
            # After a condition that holds, all other branches are left out; after one that does
            # not hold, nothing is known of an #elif.
            skipped[-1] = holds[-1] is True
        elif word == "endif" and skipped:
            skipped.pop()
            holds.pop()
        if any(skipped) and not (word and not outside):
            kind = INACTIVE
            if out_kinds and out_kinds[-1] == INACTIVE:
                out_words[-1] += token
                continue
        out_kinds.append(kind)
        out_words.append(token)
    return out_kinds, out_words


def _match_brackets(kinds: list[str], words: list[str]) -> list[int]:
    """Return for each opening bracket the position after the one that closes it.

    Each branch of ``#if`` starts with the brackets that were open before the group: branches are
    alternatives, and a bracket that each of them opens is closed once behind the group.
    """
    beyond = len(words) + 1
    closing = [0] * len(words)
    open_brackets: list[list[int]] = []
    # Of each open group: the brackets before it, and those open at the end of its branches.
    groups: list[tuple[list[list[int]], list[list[list[int]]]]] = []
    for position, kind in enumerate(kinds):
        if kind == "punct":
            word = words[position]
            if word in "([{":
                closing[position] = beyond
                open_brackets.append([position])
            elif word in ")]}" and open_brackets:
                for opening in open_brackets.pop():
                    closing[opening] = position + 1
        elif kind == "directive":
            word = directive_word(words[position])
            if word.startswith("if"):
                groups.append((list(open_brackets), []))
            elif groups and word in ("elif", "else"):
                groups[-1][1].append(open_brackets)
                open_brackets = list(groups[-1][0])
            elif groups and word == "endif":
                for other in groups.pop()[1]:
                    open_brackets = _join_branches(open_brackets, other)
    return closing


def _join_branches(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    """Return the open brackets behind two branches, of which one was compiled."""
    if len(one) != len(other):
        return one
    return [a if a == b else [*a, *b] for a, b in zip(one, other, strict=True)]
