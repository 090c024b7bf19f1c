"""The C of each source line, read from the page that ``cython -a`` writes.

The page is a documented product of Cython, and lossless: the nth ``pre.cython.line`` is source
line n, and the ``pre.cython.code`` after it, if there is one, is that line's C. The *text* of a
source line is taken from the source, because the page also breaks lines at form feeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from .example import Example


class AnnotationError(ValueError):
    """The annotated page does not have the form that this module knows."""


@dataclass(frozen=True)
class Line:
    """A source line and its C.

    Attributes:
        number: From 1.
        source: The Cython, without the newline.
        c: The C that was generated for it, or an empty string. The parts of a line that Cython
            writes in several places are joined by a comment with an ellipsis.
        score: What ``cython -a`` colours the line by.
    """

    number: int
    source: str
    c: str
    score: int


class _AnnotatedPage(HTMLParser):
    """Collects the C and the score of each line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.code: list[str] = []
        self.scores: list[int] = []
        self._kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "pre":
            return
        classes = (dict(attrs).get("class") or "").split()
        self._kind = next((kind for kind in ("line", "code") if kind in classes), "")
        if self._kind == "line":
            score = next((c for c in classes if c.startswith("score-")), "score-0")
            self.scores.append(int(score.removeprefix("score-")))
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._kind = ""

    def handle_data(self, data: str) -> None:
        if self._kind == "code" and self.code:
            self.code[-1] += data


def read_c(html: str) -> list[tuple[str, int]]:
    """Return the C and the score of each line of an annotated page."""
    page = _AnnotatedPage()
    page.feed(html)
    page.close()
    return list(zip(page.code, page.scores, strict=True))


def read_annotation(html: str, example: Example) -> list[Line]:
    """Read the C of every line of an example.

    Args:
        html: The annotated page.
        example: The example it was made from.

    Raises:
        AnnotationError: The page has fewer lines than the source.
    """
    page = read_c(html)
    if len(page) < len(example.lines):
        raise AnnotationError(
            f"the annotated page of {example.name}.pyx has {len(page)} lines, "
            f"the source {len(example.lines)}"
        )
    return [
        Line(number, source, c, score)
        for number, (source, (c, score)) in enumerate(zip(example.lines, page, strict=False), 1)
    ]


def load_annotation(html_file: Path, example: Example) -> list[Line]:
    """Read the C of every line of an example from the file that Cython wrote."""
    return read_annotation(html_file.read_text(encoding="utf-8"), example)


def normalise(c: str) -> str:
    """Return C with everything replaced that may differ between two equivalent translations.

    Temporaries and constant tuples are numbered in order of appearance, labels and source positions
    likewise lose their numbers, and space at line ends goes. For comparing only: what is shown is
    exact.
    """
    seen: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return seen.setdefault(match[0], f"{match[1]}{len(seen) + 1}")

    c = re.sub(r"\b(__pyx_t_)\d+\b", rename, c)
    c = re.sub(r"\b(__pyx_tuple\[)\d+(?=\])", rename, c)
    # Strings whose names would be alike are numbered.
    c = re.sub(r"\b(__pyx_kp_[a-z]+_\w+?)_\d+\b", r"\1", c)
    # Constants without a name of their own are numbered through the module.
    c = re.sub(r"\b(__pyx_(?:kp_[bu]|carray)_)(?:_\d+)?\b", r"\1", c)
    c = re.sub(r"\b__pyx_tuple\[\d+\]", "__pyx_tuple[_]", c)
    c = re.sub(r"__PYX_ERR\(\d+, \d+, ", "__PYX_ERR(_, _, ", c)
    c = re.sub(r"\b(__pyx_L)\d+", r"\1", c)
    return "\n".join(line.rstrip() for line in c.splitlines()).strip()
