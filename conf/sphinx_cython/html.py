"""Listings, excerpts and comparisons as HTML that needs no script.

Everything that opens is a ``details`` element: reachable by keyboard, known to screen readers,
and there when scripting is off. The C is the text of its element, to the character; what is not
C (the label of a fold) stands in a ``summary``.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from sphinx.util.osutil import relative_uri

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
from .state import get_state, records

if TYPE_CHECKING:
    from sphinx.builders import Builder

    from .core.assembly import Loop
    from .nodes import Comparison, Key, Listing, Machine, Origin, Refusal, Row, Shown, Utility

# Names that say nothing to a reader: the prefix of a variable, of a temporary, of the result.
_PREFIX = re.compile(r"\b(__pyx_v_|__pyx_pybuffernd_|__pyx_(?=[tr]\b|t_\d))")

_FOLD_WORDS = {
    FAILURE: "failure path",
    REFCOUNT: "reference counting",
    INACTIVE: "not compiled in this build",
}

LEGEND = (
    (ADDRESS, "address arithmetic"),
    (ACCESS, "load or store"),
    (CHECK, "index check"),
    (CALL, "call into Python"),
    (REFCOUNT, "reference counting"),
    (FAILURE, "failure path"),
)


# Kinds of instructions, each with one that is known everywhere.
INSTRUCTIONS = (
    ("access", "movsd", "load or store"),
    ("vector", "addpd", "several elements at once"),
    ("call", "call", "call"),
    ("jump", "jne", "jump"),
)

# What the boxes at the right of a listing mean.
WEIGHTS = (
    '<span class="cy-w cy-w-call">1</span>calls, always',
    '<span class="cy-w cy-w-fail"></span>calls only if it fails',
)


def ratio(value: float) -> str:
    """Return a cost relative to the fastest with the digits that mean something: ``1.0 ×``."""
    return f"{value:.1f} ×" if value < 9.95 else f"{value:.0f} ×"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _text(text: str) -> str:
    """Escape C, dim the prefixes of generated names, and say where a long line may break.

    That is after an arrow, which a browser would break in the middle, and after an opening
    bracket. ``wbr`` elements have no text, so the C stays what it is.
    """
    pieces = _PREFIX.split(text)
    found = "".join(
        f'<span class="cy-pfx">{escape(piece)}</span>' if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )
    found = found.replace("-&gt;", '<span class="cy-arrow">-&gt;</span><wbr>')
    return re.sub(r"\((?=\w|<span)", "(<wbr>", found)


def _breakable(signature: str) -> str:
    """Escape a signature, allowing line breaks after brackets, underscores and dots."""
    return re.sub(r"([(\[_.])", r"\1<wbr>", escape(signature))


def fragment(part: Fragment) -> str:
    """Return one tagged run of C."""
    if not part.tag:
        return _text(part.text)
    return f'<span class="cy-{part.tag}">{_text(part.text)}</span>'


def fold_label(fold: Fold) -> str:
    """Say what is in a fold and how much of it."""
    words = " and ".join(_FOLD_WORDS[kind] for kind in fold.kinds)
    label = f"{words}, {_plural(fold.lines, 'line')}"
    if fold.calls:
        label += f", {_plural(fold.calls, 'call')}"
    return label


def _hide_newline(inner: str) -> str:
    """Keep a line break at the start in the text, but not on the page.

    A fold is a block, which breaks the line itself; the break in the C would be an empty line.
    """
    opening = re.match(r'(?:<span class="[\w-]+">)?(?=\n)', inner)
    if not opening:
        return inner
    rest = inner[opening.end() + 1 :]
    return f'{opening[0]}<span class="cy-nl">\n</span>{rest}'


def _label(text: str) -> str:
    """Escape a label in which `code` may stand between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def c_code(excerpt: Excerpt, fold: bool = True) -> str:
    """Return the C of an excerpt as one element.

    Args:
        excerpt: What to show.
        fold: Whether folds are closed; otherwise their C stands in line with the rest.
    """
    out = []
    # What stands between two folds is an element of its own, for the sake of its first line:
    # only the lines that a long line is broken into are indented.
    run = after_fold = False
    for part in excerpt.parts:
        if isinstance(part, Fragment):
            text = fragment(part)
            if after_fold:
                text = f'<div class="cy-run">{_hide_newline(text)}'
                run = True
            out.append(text)
            after_fold = False
            continue
        inner = "".join(fragment(bit) for bit in part.parts)
        if not fold and part.kinds != (INACTIVE,):
            out.append(inner)
            continue
        if run:
            out.append("</div>")
            run = False
        out.append(
            f'<details class="cy-fold" data-kinds="{" ".join(part.kinds)}">'
            f"<summary>{escape(fold_label(part))}</summary>"
            f"{_hide_newline(inner)}</details>"
        )
        after_fold = True
    if run:
        out.append("</div>")
    return f'<div class="cy-c">{"".join(out)}</div>'


@lru_cache(maxsize=32)
def highlighted(source: str) -> tuple[str, ...]:
    """Return the lines of Cython source as HTML, coloured by Pygments."""
    lexer = get_lexer_by_name("cython", stripnl=False, ensurenl=True)
    text: str = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return tuple(text.removesuffix("\n").split("\n"))


def legend(*more: str) -> str:
    """Return the kinds of C, each in its own form, as a list.

    Args:
        more: Further items, as HTML.
    """
    items = "".join(
        f'<li data-kind="{tag}"><span class="cy-{tag}">{words}</span></li>' for tag, words in LEGEND
    )
    items += "".join(f"<li>{item}</li>" for item in more)
    return f'<ul class="cy-legend" aria-label="Kinds of C">{items}</ul>'


def _belongs(origin: Origin, number: int) -> str:
    """Return the attribute by which a script finds all that belongs to a line of a source."""
    return f'data-cy="{escape(origin.module)}:{number}"'


def _loop(loop: Loop, data: Machine) -> str:
    """Return the instructions of a loop, those of one source line set off from the rest."""
    rows = []
    for item in loop.instructions:
        label = f"{escape(item.label)}:" if item.label else ""
        kind = f" cy-asm-{item.kind}" if item.kind else ""
        own = "" if item.line == data.number else " cy-asm-other"
        line = f" {_belongs(data.origin, item.line)}" if item.line else ""
        rows.append(
            f'<li class="cy-asm{own}"{line}><span class="cy-asm-label">{label}</span>'
            f'<code class="cy-asm-code{kind}">{escape(item.text)}</code></li>'
        )
    return f'<ol class="cy-loop">{"".join(rows)}</ol>'


class Page:
    """Writes the nodes of one page.

    Args:
        builder: The builder that writes it.
        ids: The ids an author gave to the node.
        first: Whether the node is the first with C on its page: it says what the kinds are.
    """

    def __init__(self, builder: Builder, ids: list[str], first: bool = False) -> None:
        self.builder = builder
        self.first = first
        self.docname: str = builder.current_docname  # type: ignore[attr-defined]
        self.ids = "".join(f'<span id="{escape(name)}"></span>' for name in ids)

    def _key(self, *more: str) -> str:
        """Return the kinds of C and a link to what is said of them, once on a page."""
        if not self.first:
            return ""
        pages = [name for name, page in records(self.builder.env).items() if page.key]
        link = ""
        if pages and pages[0] != self.docname:
            uri = self.builder.get_relative_uri(self.docname, pages[0])
            link = f'<a class="cy-what" href="{escape(uri)}">What is what?</a>'
        return f'<div class="cy-key">{legend(*more)}{link}</div>'

    def _asset(self, origin: Origin, suffix: str) -> str:
        target = f"{origin.asset}/{origin.module}{suffix}"
        return relative_uri(self.builder.get_target_uri(self.docname), target)

    def _listing_uri(self, origin: Origin, number: int) -> str:
        """Return the address of a line in the listing on the example's own page, if it has one."""
        for docname, page in records(self.builder.env).items():
            if origin.example in page.examples:
                # With singlehtml, pages are anchors themselves.
                page_uri = self.builder.get_relative_uri(self.docname, docname).partition("#")[0]
                return f"{page_uri}#{origin.module}-L{number}"
        return ""

    def _where(self, shown: Shown) -> str:
        """Return a link that says which line of which file this is."""
        text = f"{shown.origin.module}.pyx:{shown.number}"
        uri = self._listing_uri(shown.origin, shown.number)
        link = f'<a href="{escape(uri)}">{escape(text)}</a>' if uri else escape(text)
        return link + self._profile(shown.origin)

    def _profile(self, origin: Origin) -> str:
        if origin.profile == "default":
            return ""
        title = escape(origin.summary or origin.invocation)
        return f' <span class="cy-profile" title="{title}">{escape(origin.profile)}</span>'

    def listing(self, data: Listing) -> str:
        """Return a listing."""
        source = highlighted(data.source)
        rows = []
        for line in data.lines:
            anchor = f"{data.anchor}-L{line.number}"
            number = f'<a class="cy-no" href="#{anchor}">{line.number}</a>'
            code = f'<code class="cy-src">{source[line.number - 1] or " "}</code>'
            if line.excerpt is None:
                body = f'<div class="cy-quiet">{code}</div>'
            else:
                body = self._listed(line.excerpt, line.score, line.number, code)
            rows.append(f'<li class="cy-line" id="{anchor}">{number}{body}</li>')
        name = escape(f"{data.origin.module}.pyx")
        # Where the script will add a button.
        many = " cy-many" if sum(line.excerpt is not None for line in data.lines) > 1 else ""
        links = (
            f'<a href="{self._asset(data.origin, ".pyx")}" download>{name}</a>'
            f'<a href="{self._asset(data.origin, ".c")}" download>'
            f"{escape(data.origin.module)}.c</a>"
            f'<a href="{self._asset(data.origin, ".html")}">Cython’s raw annotated page</a>'
        )
        return (
            f'<div class="cy-listing{many}" data-module="{escape(data.origin.module)}" '
            f'role="group" aria-label="Annotated listing of {name}">'
            f'{self.ids}<div class="cy-head"><span class="cy-title">{name}'
            f'{self._profile(data.origin)}</span><span class="cy-links">{links}</span></div>'
            f'{self._key(*WEIGHTS)}<ol class="cy-lines highlight">{"".join(rows)}</ol>'
            f'<p class="cy-foot">{escape(data.made_by)}</p></div>\n'
        )

    def _listed(self, excerpt: Excerpt, score: int, number: int, code: str) -> str:
        normal, failing = len(excerpt.calls), len(excerpt.failure_calls)
        badge = ""
        if normal:
            badge = f'<span class="cy-w cy-w-call" aria-hidden="true">{normal}</span>'
        elif failing:
            badge = '<span class="cy-w cy-w-fail"></span>'
        spoken = f"line {number}, {_plural(normal, 'call')}, show generated C"
        facts = (
            f"{_plural(normal, 'call')} into Python on the normal path, "
            f"{failing} on the failure path · <code>cython -a</code> score {score}"
        )
        return (
            f'<details class="cy-open"><summary>{code}'
            f'{badge}<span class="cy-sr">{spoken}</span></summary>'
            f'<div class="cy-gen"><p class="cy-facts">{facts}</p>{c_code(excerpt)}</div></details>'
        )

    def excerpt(self, data: Shown) -> str:
        """Return the C of one line."""
        return (
            f'<div class="cy-excerpt">{self.ids}'
            f'<div class="cy-head" {_belongs(data.origin, data.number)}>'
            f'<span class="highlight"><code>{self._cython(data.source)}</code></span>'
            f'<span class="cy-mute">in <code>{escape(data.signature)}</code>, '
            f"{self._where(data)}</span></div>"
            f"<div {_belongs(data.origin, data.number)}>{c_code(data.excerpt)}</div>"
            f"{self._key()}</div>\n"
        )

    def _cython(self, source: str) -> str:
        line: str = highlight(source, get_lexer_by_name("cython"), HtmlFormatter(nowrap=True))
        return line.strip()

    def comparison(self, data: Comparison) -> str:
        """Return a comparison: one row a function, the C and the cost each in a column."""
        costs = get_state(self.builder.env).costs.get(data.group, {})
        # The whole width is a factor of ten at least: small differences must look small.
        slowest = max(10.0, *costs.values()) if costs else 10.0
        rows = "".join(self._row(row, costs, slowest, data) for row in data.rows)
        said = ""
        if data.cost_of:
            said = f'<span class="cy-mute">{escape(data.cost_of)}; fastest = 1, logarithmic</span>'
        foot = data.made_by
        measured = ""
        if costs and data.machine:
            measured = f' · measured on <span class="volatile">{escape(data.machine)}</span>'
        return (
            f'<div class="cy-cmp" role="group" aria-label="Comparison of {escape(data.line)}">'
            f'{self.ids}<div class="cy-head"><span class="highlight">'
            f"<code>{self._cython(data.line)}</code></span>{said}</div>"
            f'<ul class="cy-rows">{rows}</ul>{self._key()}'
            f'<p class="cy-foot">{escape(foot)}{measured}</p></div>\n'
        )

    def _row(self, row: Row, costs: dict[str, float], slowest: float, data: Comparison) -> str:
        excerpt = row.shown.excerpt
        essential = "<br>".join(
            "".join(fragment(bit) for bit in expression) for expression in excerpt.essential
        )
        cost = ""
        if row.cost in costs:
            value = costs[row.cost]
            share = math.log(value) / math.log(slowest)
            width = f"{100 * share:.1f}"
            cost = (
                '<span class="cy-bar volatile">'
                f'<span style="width:max(4px,{width}%)"></span></span>'
                f'<span class="cy-ratio volatile">{ratio(value)}</span>'
            )
        normal, failing = len(excerpt.calls), len(excerpt.failure_calls)
        counts = (
            f'<span class="cy-count{" cy-some" if normal else ""}">{_plural(normal, "call")}</span>'
            f'<span class="cy-mute">{failing} more if it fails</span>'
        )
        if data.score:
            counts += f'<span class="cy-score">score {row.shown.score}</span>'
        middle = f'<div class="cy-c cy-essential">{essential}</div>'
        # Plain C, with neither an access nor a call into Python, is all there is to show.
        if data.full or not essential:
            middle = f'<div class="cy-essential">{c_code(excerpt)}</div>'
        total = sum(1 for line in excerpt.text.splitlines() if line.strip())
        return (
            f'<li class="cy-row" {_belongs(row.shown.origin, row.shown.number)}>'
            f'<div class="cy-who"><b>{_label(row.label)}</b>'
            f"<code>{_breakable(row.shown.signature)}</code></div>"
            f"{middle}"
            f'<div class="cy-cost">{cost}{counts}</div>'
            f'<details class="cy-all"><summary>all C of this line, {_plural(total, "line")}'
            f'<span class="cy-sr"> ({escape(row.label)})</span></summary>'
            f"{c_code(excerpt, fold=False)}"
            f'<p class="cy-facts">{self._where(row.shown)}</p></details></li>'
        )

    def utility(self, data: Utility) -> str:
        """Return definitions of the generated C file."""
        uri = self._asset(data.origin, ".c")
        out = []
        for definition in data.definitions:
            out.append(
                f'<div class="cy-head"><code>{escape(definition.name)}</code><span class="cy-mute">'
                f'<a href="{uri}">{escape(data.origin.module)}.c</a>, line {definition.first}'
                f"{self._profile(data.origin)}</span></div>{c_code(definition.excerpt())}"
            )
        return f'<div class="cy-excerpt cy-utility">{self.ids}{"".join(out)}{self._key()}</div>\n'

    def assembly(self, data: Machine) -> str:
        """Return the machine code of a line's loop, and folded whatever other loops there are."""
        loops = [_loop(loop, data) for loop in data.loops]
        body = loops[0] if loops else '<p class="cy-c">The compiler left no loop for this line.</p>'
        for loop, code in zip(data.loops[1:], loops[1:], strict=True):
            count = _plural(len(loop.instructions), "instruction")
            body += (
                f'<details class="cy-fold"><summary>another loop with this line, {count}</summary>'
                f"{code}</details>"
            )
        # The header of the loop has instructions of its own, so it is shown with the line.
        lines = "".join(
            f'<li class="cy-asm-line" {_belongs(data.origin, number)}>'
            f"<code>{self._cython(text)}</code></li>"
            for number, text in data.sources
        )
        count = _plural(len(data.loops[0].instructions), "instruction") if loops else ""
        vector = ", several elements at a time" if loops and data.loops[0].is_vector else ""
        return (
            f'<div class="cy-excerpt cy-assembly">{self.ids}<div class="cy-head">'
            f'<ol class="cy-asm-lines highlight">{lines}</ol>'
            f'<span class="cy-mute">{count}{vector} · in <code>{escape(data.signature)}</code>'
            f"{self._profile(data.origin)}</span></div>{body}{self._key()}"
            f'<p class="cy-foot">{escape(data.made_by)} · {escape(data.target)}</p></div>\n'
        )

    def key(self, data: Key) -> str:
        """Return all kinds, of C and of instructions, on the page that explains them."""
        kinds = "".join(
            f'<li><code class="cy-asm-code cy-asm-{kind}">{name}</code>{words}</li>'
            for kind, name, words in INSTRUCTIONS
        )
        return (
            f'<div class="cy-key cy-key-whole">{self.ids}{legend(*WEIGHTS)}'
            f'<ul class="cy-legend cy-asm" aria-label="Kinds of instructions">{kinds}</ul></div>\n'
        )

    def refusal(self, data: Refusal) -> str:
        """Return an example that must not compile, with the compiler's words at their lines."""
        said: dict[int, list[str]] = {}
        for number, column, text in data.problems:
            said.setdefault(number, []).append(
                f'<div class="cy-said"><span class="cy-mute">{number}:{column}</span> '
                f"{escape(text)}</div>"
            )
        rows = "".join(
            f'<li class="cy-line"><span class="cy-no">{number}</span><div class="cy-quiet">'
            f'<code class="cy-src">{line or " "}</code>{"".join(said.get(number, []))}</div></li>'
            for number, line in enumerate(highlighted(data.source), 1)
        )
        name = escape(f"{data.origin.module}.pyx")
        return (
            '<div class="cy-listing cy-refusal" role="group" '
            f'aria-label="Refused: {name}">{self.ids}'
            f'<div class="cy-head"><span class="cy-title">{name}</span>'
            f'<span class="cy-badge">{escape(data.step)} refuses this</span></div>'
            f'<ol class="cy-lines highlight">{rows}</ol></div>\n'
        )
