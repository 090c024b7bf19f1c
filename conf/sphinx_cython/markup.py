"""Runs of text as HTML: generated C with its pieces marked, Cython source, signatures, labels.

The C is the text of its element, to the character. What is put between the characters (``span``,
``wbr``) has no text of its own. Elements are closed as XML requires, since a book is XHTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from .core.cparts import (
    ACCESS,
    ADDRESS,
    CALL,
    CHECK,
    FAILURE,
    INACTIVE,
    REFCOUNT,
    Excerpt,
    Fold,
    Fragment,
)

__all__ = [
    "INSTRUCTIONS",
    "KINDS",
    "Block",
    "Excerpt",
    "blocks",
    "breakable",
    "cython_line",
    "cython_lines",
    "fold_label",
    "fragment",
    "fragments",
    "label",
    "line_count",
    "plural",
    "ratio",
]

# The kinds of C, with the words for them.
KINDS = (
    (ADDRESS, "address arithmetic"),
    (ACCESS, "load or store"),
    (CHECK, "index check"),
    (CALL, "call into Python"),
    (REFCOUNT, "reference counting"),
    (FAILURE, "failure path"),
)
# The kinds of instructions, each with one that is known everywhere.
INSTRUCTIONS = (
    ("access", "movsd", "load or store"),
    ("vector", "addpd", "several elements at once"),
    ("call", "call", "call"),
    ("jump", "jne", "jump"),
)

_FOLD_WORDS = {
    FAILURE: "failure path",
    REFCOUNT: "reference counting",
    INACTIVE: "not compiled in this build",
}
# Names that tell a reader nothing: the prefix of a variable, of a temporary, of the result.
_PREFIX = re.compile(r"\b(__pyx_v_|__pyx_pybuffernd_|__pyx_(?=[tr]\b|t_\d))")


def ratio(value: float) -> str:
    """Return a cost relative to the fastest with the digits that mean something: ``1.0 ×``."""
    return f"{value:.1f} ×" if value < 9.95 else f"{value:.0f} ×"


def plural(number: int, word: str) -> str:
    """Return a number and what it counts: ``1 call``, ``2 calls``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _text(text: str) -> str:
    """Escape C, dim the prefixes of generated names, and mark where a long line may break.

    That is after an arrow, which a browser would break in the middle, and after an opening
    bracket. ``wbr`` elements have no text, so the C stays what it is.
    """
    html = "".join(
        f'<span class="cy-pfx">{escape(piece)}</span>' if number % 2 else escape(piece)
        for number, piece in enumerate(_PREFIX.split(text))
    )
    html = html.replace("-&gt;", '<span class="cy-arrow">-&gt;</span><wbr/>')
    return re.sub(r"\((?=\w|<span)", "(<wbr/>", html)


def fragment(part: Fragment, hide_newline: bool = False) -> Markup:
    """Return one tagged run of C.

    Args:
        part: The run.
        hide_newline: Keep a line break at the start in the text, but not on the page. A block
            breaks the line itself, so the break in the C would be an empty line.
    """
    text, newline = part.text, ""
    if hide_newline and text.startswith("\n"):
        text, newline = text[1:], '<span class="cy-nl">\n</span>'
    html = newline + _text(text)
    return Markup(f'<span class="cy-{part.tag}">{html}</span>' if part.tag else html)


def fragments(parts: Iterable[Fragment], hide_newline: bool = False) -> Markup:
    """Return tagged runs of C, one after the other."""
    html = Markup("")
    for part in parts:
        html += fragment(part, hide_newline and not html)
    return html


@dataclass
class Block:
    """C that stands together on the page.

    Attributes:
        html: The C.
        fold: The fold that it is the content of, or None.
        is_run: Whether it is an element of its own although it is no fold.
    """

    html: Markup
    fold: Fold | None = None
    is_run: bool = False


def blocks(excerpt: Excerpt, fold: bool = True) -> list[Block]:
    """Divide the C of an excerpt into folds and what is before, between and after them.

    What is between two folds is an element of its own, for the sake of its first line: only the
    lines that a long line is broken into are indented.

    Args:
        excerpt: What to show.
        fold: Whether there are folds; otherwise only branches that were not compiled are folded.
    """
    result: list[Block] = []

    def append(html: Markup) -> None:
        if not result or result[-1].fold:
            result.append(Block(Markup("")))
        result[-1].html += html

    after_fold = False
    for part in excerpt.parts:
        if isinstance(part, Fold):
            if fold or part.kinds == (INACTIVE,):
                result.append(Block(fragments(part.parts, hide_newline=True), part))
                after_fold = True
            else:
                append(fragments(part.parts))
        elif after_fold:
            result.append(Block(fragment(part, hide_newline=True), is_run=True))
            after_fold = False
        else:
            append(fragment(part))
    return result


def line_count(excerpt: Excerpt) -> int:
    """Return how many lines some C has, counting those that are not blank."""
    return sum(1 for line in excerpt.text.splitlines() if line.strip())


def fold_label(fold: Fold) -> str:
    """Return what is in a fold and how much of it."""
    words = " and ".join(_FOLD_WORDS[kind] for kind in fold.kinds)
    text = f"{words}, {plural(fold.lines, 'line')}"
    return f"{text}, {plural(fold.calls, 'call')}" if fold.calls else text


@lru_cache(maxsize=32)
def cython_lines(source: str) -> tuple[Markup, ...]:
    """Return the lines of Cython source, colored by Pygments."""
    lexer = get_lexer_by_name("cython", stripnl=False, ensurenl=True)
    html: str = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return tuple(map(Markup, html.removesuffix("\n").split("\n")))


def cython_line(source: str) -> Markup:
    """Return one line of Cython, colored by Pygments, without its indentation."""
    html: str = highlight(source, get_lexer_by_name("cython"), HtmlFormatter(nowrap=True))
    return Markup(html.strip())


def breakable(signature: str) -> Markup:
    """Return a signature that may break after brackets, underscores and dots."""
    return Markup(re.sub(r"([(\[_.])", r"\1<wbr/>", str(escape(signature))))


def label(text: str) -> Markup:
    """Return a label, with what is between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
