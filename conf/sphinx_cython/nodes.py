"""What the directives put into the document: data for every builder, drawn by none here.

HTML is written by ``html.py``. For all other builders each node is replaced by ordinary
docutils nodes before writing, so that plain text, LaTeX and the rest need no visitors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from . import html
from .core.assembly import Loop
from .core.cparts import Excerpt
from .core.csource import Definition
from .state import get_state, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

    from .core.example import Example


@dataclass(frozen=True)
class Origin:
    """Where some C comes from.

    Attributes:
        example: Name of the example.
        module: Its module, which is also the stem of its files.
        profile: Name of the profile.
        invocation: Flags, macros and directives of the profile.
        summary: What the profile is, in a clause.
        asset: Folder of the example's files below the root of the built site.
    """

    example: str
    module: str
    profile: str
    invocation: str
    summary: str
    asset: str


@dataclass(frozen=True)
class ListedLine:
    """A line of a listing; ``excerpt`` is None where no C was generated."""

    number: int
    source: str
    excerpt: Excerpt | None
    score: int
    header: bool


@dataclass(frozen=True)
class Listing:
    """A whole example or a part of it.

    Attributes:
        source: The whole file, for highlighting.
        whole: Whether all lines are there.
        anchor: What the ids of the lines start with.
        made_by: Versions of Cython, the compiler and Python.
    """

    origin: Origin
    source: str
    lines: tuple[ListedLine, ...]
    whole: bool
    anchor: str
    made_by: str


@dataclass(frozen=True)
class Shown:
    """The C of one line of one function."""

    origin: Origin
    function: str
    signature: str
    number: int
    source: str
    excerpt: Excerpt
    score: int


@dataclass(frozen=True)
class Row:
    """A row of a comparison; ``cost`` is the label of its measurement, if it has one."""

    label: str
    shown: Shown
    cost: str


@dataclass(frozen=True)
class Comparison:
    """The same line in several functions or variants.

    Attributes:
        line: The line that is compared, as the page says it.
        cost_of: What the costs are of, in words; empty if nothing is measured.
        group: Digest of the measurement.
        machine: The processor the costs were measured on.
        full: Show the whole C of each line at once, not only the expressions that do the work.
        score: Show the score of ``cython -a``, by which it colours a line.
    """

    line: str
    rows: tuple[Row, ...]
    cost_of: str
    group: str
    made_by: str
    machine: str
    full: bool = False
    score: bool = False


@dataclass(frozen=True)
class Utility:
    """Definitions of the generated C file."""

    origin: Origin
    definitions: tuple[Definition, ...]


@dataclass(frozen=True)
class Refusal:
    """An example that must not compile, and what the compiler said."""

    origin: Origin
    source: str
    problems: tuple[tuple[int, int, str], ...]
    step: str


@dataclass(frozen=True)
class Machine:
    """The machine code of the loop that a line stands in.

    Attributes:
        loops: The innermost loops with code of the line, the fastest first.
        sources: Number and text of the lines that the first of them was made from.
        target: The kind of processor it was made for.
    """

    origin: Origin
    signature: str
    number: int
    source: str
    loops: tuple[Loop, ...]
    sources: tuple[tuple[int, str], ...]
    made_by: str
    target: str


@dataclass(frozen=True)
class Key:
    """What the marks on C and on instructions mean; it has nothing to say of its own."""


class cython_node(nodes.General, nodes.Element):
    """Base of all nodes here; the attribute ``data`` holds one of the classes above."""


class cython_listing(cython_node):
    """Carries a ``Listing``."""


class cython_excerpt(cython_node):
    """Carries a ``Shown``."""


class cython_comparison(cython_node):
    """Carries a ``Comparison``."""


class cython_utility(cython_node):
    """Carries a ``Utility``."""


class cython_refusal(cython_node):
    """Carries a ``Refusal``."""


class cython_assembly(cython_node):
    """Carries a ``Machine``."""


class cython_key(cython_node):
    """Carries a ``Key``."""


class cython_gallery(nodes.General, nodes.Element):
    """Stands for a list of all examples until their pages are known."""


def _code(text: str, language: str) -> nodes.literal_block:
    block = nodes.literal_block(text, text)
    block["language"] = language
    block["highlight_args"] = {"force": True}
    return block


def _paragraph(text: str, quote: str = "`") -> nodes.paragraph:
    """Make a paragraph of text in which code may stand between quotes."""
    paragraph = nodes.paragraph()
    for number, piece in enumerate(text.split(quote)):
        paragraph += nodes.literal("", piece) if number % 2 else nodes.Text(piece)
    return paragraph


def calls_phrase(excerpt: Excerpt) -> str:
    """Say how many calls into Python some C makes, and how many more if it fails."""
    return f"{_calls(len(excerpt.calls))}; {len(excerpt.failure_calls)} more if it fails"


def _calls(number: int) -> str:
    return "1 call into Python" if number == 1 else f"{number} calls into Python"


def _plain_listing(data: Listing) -> list[nodes.Node]:
    """Return the source, and below it the C of its lines, each behind the line as a comment."""
    found: list[nodes.Node] = [
        _paragraph(f"`{data.origin.example}.pyx` ({data.made_by})"),
        _code("\n".join(line.source for line in data.lines), "cython"),
    ]
    text = []
    for line in data.lines:
        # The C of a def line is the wrapper that Python calls: hundreds of lines, and none of
        # them are about the line.
        if line.excerpt and not line.header:
            source = line.source.strip().replace("*/", "* /")
            text.append(f"/* {data.origin.module}.pyx:{line.number}: {source} */")
            text.append(line.excerpt.text.strip("\n") + "\n")
    if text:
        found.append(_paragraph("The C that Cython generated for the lines of its functions:"))
        found.append(_code("\n".join(text).rstrip("\n"), "c"))
    return found


def _plain_excerpt(data: Shown) -> list[nodes.Node]:
    title = f"`{data.source}` in `{data.function}`, `{data.origin.example}.pyx` line {data.number}"
    return [_paragraph(f"{title}: {calls_phrase(data.excerpt)}."), _code(data.excerpt.text, "c")]


def _plain_comparison(data: Comparison, costs: dict[str, float]) -> list[nodes.Node]:
    found: list[nodes.Node] = [_paragraph(f"`{data.line}` ({data.made_by})")]
    for row in data.rows:
        score = f", cython -a score {row.shown.score}" if data.score else ""
        line = _paragraph(f"{row.label}: {calls_phrase(row.shown.excerpt)}{score}")
        if row.cost in costs:
            cost = html.ratio(costs[row.cost])
            line += [nodes.Text(", cost "), nodes.inline("", cost, classes=["volatile"])]
        line += nodes.Text(".")
        found.append(line)
        found.append(_code(row.shown.excerpt.text, "c"))
    return found


def _plain_utility(data: Utility) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    for definition in data.definitions:
        found.append(_paragraph(f"`{data.origin.module}.c`, line {definition.first}"))
        found.append(_code(definition.text, "c"))
    return found


def _plain_refusal(data: Refusal) -> list[nodes.Node]:
    said = "\n".join(
        f"{data.origin.module}.pyx:{line}:{column}: {text}" for line, column, text in data.problems
    )
    return [_code(data.source, "cython"), _code(said, "text")]


def _plain_assembly(data: Machine) -> list[nodes.Node]:
    where = f"`{data.origin.example}.pyx` line {data.number}"
    title = f"`{data.source}` in `{data.signature}`, {where}"
    found: list[nodes.Node] = [_paragraph(f"{title} ({data.made_by}, {data.target})")]
    for loop in data.loops:
        rows = (
            f"{item.label + ':' if item.label else '':10} {item.text}" for item in loop.instructions
        )
        found.append(_code("\n".join(rows), "text"))
    return found


def plain(node: cython_node, env: BuildEnvironment) -> list[nodes.Node]:
    """Return ordinary nodes that say what a node of this extension says."""
    data = node["data"]
    if isinstance(data, Listing):
        return _plain_listing(data)
    if isinstance(data, Shown):
        return _plain_excerpt(data)
    if isinstance(data, Comparison):
        return _plain_comparison(data, get_state(env).costs.get(data.group, {}))
    if isinstance(data, Utility):
        return _plain_utility(data)
    if isinstance(data, Machine):
        return _plain_assembly(data)
    if isinstance(data, Key):
        return []  # what has no colours needs none explained
    return _plain_refusal(data)


class LowerForOtherBuilders(SphinxPostTransform):
    """Replaces the nodes by ordinary ones where the builder does not write HTML."""

    default_priority = 100

    def run(self, **kwargs: Any) -> None:
        """Replace them in one document."""
        if get_state(self.env).output_format == "html":
            return
        for node in list(self.document.findall(cython_node)):
            node.replace_self(plain(node, self.env))


class FindFirst(SphinxPostTransform):
    """Marks the first box of a page with C in it: it says what the kinds of C are."""

    default_priority = 100

    def run(self, **kwargs: Any) -> None:
        """Mark it in one document."""
        for node in self.document.findall(cython_node):
            if isinstance(node["data"], Key):
                return
            if not isinstance(node["data"], Refusal):
                node["first"] = True
                return


class FillGallery(SphinxPostTransform):
    """Turns galleries into lists of links, for every builder."""

    # Before Sphinx resolves references, which it does at 10.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Fill the galleries of one document."""
        galleries = list(self.document.findall(cython_gallery))
        if not galleries:
            return
        pages = {name: doc for doc, page in records(self.env).items() for name in page.examples}
        # The order that the author gave to their pages.
        listed = self.env.toctree_includes.get(self.env.docname, [])
        for gallery in galleries:
            folders = gallery["folders"]
            examples = [
                example
                for example in get_state(self.env).builder.examples
                if example.name in pages and not example.refused and example.folder in folders
            ]
            examples.sort(
                key=lambda example: (
                    folders.index(example.folder),
                    listed.index(pages[example.name]) if pages[example.name] in listed else -1,
                )
            )
            entries = nodes.bullet_list(classes=["cy-gallery"])
            for example in examples:
                name = nodes.paragraph(classes=["cy-name"])
                name += self._link(pages[example.name], nodes.literal("", example.name))
                summary = _paragraph(example.summary, "``")
                entries += nodes.list_item("", name, summary, *self._facts(example, pages))
            gallery.replace_self(entries)

    def _facts(self, example: Example, pages: dict[str, str]) -> list[nodes.Node]:
        """Say what is in an example, and which pages show it."""
        functions = [
            name for name in example.functions if not name.rpartition(".")[2].startswith("_")
        ]
        names = nodes.paragraph(classes=["cy-functions"])
        for number, name in enumerate(functions):
            names += [nodes.Text(", ")] * (number > 0) + [nodes.literal("", name)]
        users = nodes.paragraph("", "Shown in: ", classes=["cy-users"])
        shown = [
            self._link(docname, nodes.inline("", self.env.titles[docname].astext()))
            for docname, page in sorted(records(self.env).items())
            if docname not in pages.values()
            and any(key.split("@")[0] == example.name for key in page.uses)
        ]
        for number, link in enumerate(shown):
            users += [nodes.Text(" · ")] * (number > 0) + [link]
        return [*([names] if functions else []), *([users] if shown else [])]

    def _link(self, docname: str, text: nodes.Node) -> addnodes.pending_xref:
        return addnodes.pending_xref(
            "",
            text,
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refdoc=self.env.docname,
            refexplicit=True,
        )


def _write(self: HTML5Translator, node: cython_node) -> None:
    data = node["data"]
    page = html.Page(self.builder, node.get("ids", []), node.get("first", False))
    writers: dict[type, Callable[[Any], str]] = {
        Listing: page.listing,
        Shown: page.excerpt,
        Comparison: page.comparison,
        Utility: page.utility,
        Refusal: page.refusal,
        Machine: page.assembly,
        Key: page.key,
    }
    self.body.append(writers[type(data)](data))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the nodes and their transforms."""
    for kind in cython_node.__subclasses__():
        app.add_node(kind, html=(_write, None))
    app.add_node(cython_gallery)
    app.add_post_transform(FillGallery)
    app.add_post_transform(FindFirst)
    app.add_post_transform(LowerForOtherBuilders)
