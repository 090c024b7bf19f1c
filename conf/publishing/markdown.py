"""A page as Markdown that needs no Sphinx: its prose, its cells, and the C as fenced blocks.

It is written from the page's document tree, where links are resolved and directives have become
what they stand for. The result is a list of blocks: Markdown, and the cells between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment

from sphinx_cython.components.base import cython_node
from sphinx_cython.domain import records

# What a terminal colors a traceback with.
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_SPECIAL = re.compile(r"([\\`*\[\]<>|]|(?<!\w)_|_(?!\w))")
# What would begin a heading or an item of a list.
_BEGINNING = re.compile(r"^(#+|[-+]|\d+[.)])(?=\s)", re.M)
_LANGUAGES = {"ipython3": "python", "default": "", "none": "", "myst-ansi": ""}
# The tag of a cell of which only the output is shown.
HIDDEN = "remove-input"


@dataclass
class Cell:
    """A cell of a page.

    Attributes:
        source: Its code.
        count: Its number among those that ran, or 0.
        tags: What is written above its code.
        outputs: What it wrote, as in a notebook; nothing if the page does not show it.
    """

    source: str
    count: int
    tags: list[str]
    outputs: list[dict[str, Any]] = field(default_factory=list)


Block = str | Cell


def fenced(text: str, language: str = "") -> str:
    """Return text in a fence that is longer than any in it."""
    ticks = max([2, *(len(run) for run in re.findall(r"^\s*(`+)", text, re.M))]) + 1
    text = text.rstrip("\n")
    return f"{'`' * ticks}{language}\n{text}\n{'`' * ticks}"


def cell_text(cell: Cell) -> str:
    """Return a cell and what it wrote as Markdown."""
    parts = [] if HIDDEN in cell.tags else [fenced(cell.source, "python")]
    texts = map(_output_text, cell.outputs)
    return "\n\n".join([*parts, *(fenced(text, "text") for text in texts if text.strip())])


def _output_text(output: Mapping[str, Any]) -> str:
    """Return an output in words, those of a picture too."""
    if output["output_type"] == "stream":
        text = output["text"]
    elif output["output_type"] == "error":
        text = "\n".join(output["traceback"])
    else:
        text = output["data"].get("text/plain", "")
    return _COLORS.sub("", "".join(text))


def read_cell(node: nodes.Element, sources: Mapping[int, str]) -> Cell:
    """Read a cell and its outputs.

    Args:
        node: What MyST-NB made of it, which is without its code if that is not to be shown.
        sources: The code of all cells of the page, by their positions.
    """
    metadata: dict[str, Any] = node["cell_metadata"]
    parts = [part for part in node.children if isinstance(part, nodes.Element)]
    shown = any(part.get("nb_element") == "cell_code_output" for part in parts)
    return Cell(
        sources[node["cell_index"]],
        int(node["exec_count"] or 0),
        metadata.get("tags", []),
        node["outputs"] if shown else [],
    )


class Page:
    """Writes one page.

    Args:
        env: Sphinx's environment.
        docname: The page.
        link: Returns the address for the target of a link to another page of the site.
    """

    def __init__(self, env: BuildEnvironment, docname: str, link: Callable[[str], str]) -> None:
        self.env = env
        self.docname = docname
        self.link = link
        self.unknown: set[str] = set()

    def blocks(self, node: nodes.Element, level: int = 0) -> Iterator[Block]:
        """Yield the page from top to bottom, sections within sections taken apart."""
        for child in node.children:
            if isinstance(child, nodes.section):
                yield from self.blocks(child, level + 1)
            elif isinstance(child, nodes.Element) and child.get("nb_element") == "cell_code":
                yield read_cell(child, records(self.env)[self.docname].cells)
            elif isinstance(child, nodes.title):
                yield f"{'#' * max(level, 1)} {self.inline(child)}"
            elif text := self.block(child):
                yield text

    def inside(self, node: nodes.Element, between: str = "\n\n") -> str:
        """Return the blocks inside another."""
        texts = (
            cell_text(block) if isinstance(block, Cell) else block for block in self.blocks(node, 5)
        )
        return between.join(texts)

    def block(self, node: nodes.Node) -> str:
        """Return one block, empty if there is nothing to say."""
        if isinstance(node, cython_node):
            return self.inside(nodes.container("", *node.plain(self.env)))
        for kind in type(node).__mro__:
            if write := getattr(self, f"write_{kind.__name__}", None):
                return str(write(node))
        if isinstance(node, nodes.Invisible | addnodes.toctree):
            return ""
        if isinstance(node, nodes.TextElement | nodes.Text):
            return self.inline(node).strip()
        if isinstance(node, nodes.Element):
            return self.inside(node)
        return ""

    def write_paragraph(self, node: nodes.paragraph) -> str:
        """Write a paragraph."""
        return _BEGINNING.sub(r"\\\1", self.inline(node).strip())

    def write_compact_paragraph(self, node: addnodes.compact_paragraph) -> str:
        """Write an entry of a list of pages, or such a list with the caption above it."""
        if not any(isinstance(child, nodes.bullet_list) for child in node.children):
            return self.write_paragraph(node)
        blocks = (
            f"**{self.inline(child)}**" if isinstance(child, nodes.title) else self.block(child)
            for child in node.children
        )
        return "\n\n".join(blocks)

    def write_rubric(self, node: nodes.rubric) -> str:
        """Write a heading that is no section, a caption among them."""
        return f"**{self.inline(node)}**"

    write_caption = write_rubric

    def write_literal_block(self, node: nodes.literal_block) -> str:
        """Write code."""
        language = str(node.get("language", ""))
        return fenced(node.astext(), _LANGUAGES.get(language, language))

    def write_raw(self, node: nodes.raw) -> str:
        """Write HTML that an author wrote, in which other Markdown may stand."""
        return node.astext().strip() if node.get("format") == "html" else ""

    def _items(self, node: nodes.Element, mark: Callable[[int], str]) -> str:
        items = []
        loose = any(len(item.children) > 1 for item in node.findall(nodes.list_item))
        for number, item in enumerate(node.children, int(node.get("start", 1))):
            if isinstance(item, nodes.Element):
                lead = mark(number)
                text = self.inside(item).replace("\n", "\n" + " " * len(lead))
                items.append(lead + text)
        return re.sub(r"[ ]+$", "", ("\n\n" if loose else "\n").join(items), flags=re.M)

    def write_bullet_list(self, node: nodes.bullet_list) -> str:
        """Write a list."""
        return self._items(node, lambda number: "- ")

    def write_enumerated_list(self, node: nodes.enumerated_list) -> str:
        """Write a numbered list."""
        return self._items(node, lambda number: f"{number}. ")

    def write_definition_list(self, node: nodes.definition_list) -> str:
        """Write terms and what they mean."""
        found = []
        for item in node.findall(nodes.definition_list_item):
            terms = [self.inline(term) for term in item.findall(nodes.term)]
            said = [self.inside(text) for text in item.findall(nodes.definition)]
            text = "\n\n".join(said).replace("\n", "\n  ")
            found.append(f"- **{', '.join(terms)}**: {text}")
        return re.sub(r"[ ]+$", "", "\n".join(found), flags=re.M)

    def write_block_quote(self, node: nodes.block_quote) -> str:
        """Write a quotation."""
        return "\n".join(f"> {line}".rstrip() for line in self.inside(node).split("\n"))

    def write_Admonition(self, node: nodes.Element) -> str:
        """Write a note, a warning and their like as a quotation."""
        text = self.inside(node)
        if not isinstance(node, nodes.admonition):
            text = f"**{type(node).__name__.capitalize()}**\n\n{text}"
        return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))

    def write_table(self, node: nodes.table) -> str:
        """Write a table, each cell of it on one line."""
        rows = [
            [
                re.sub(r"\s*\n\s*", " ", self.inside(entry, " ")) or " "
                for entry in row.children
                if isinstance(entry, nodes.Element)
            ]
            for row in node.findall(nodes.row)
        ]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines.insert(1, f"|{'---|' * len(rows[0])}")
        titles = [self.inline(title) for title in node.findall(nodes.title)]
        return "\n\n".join([*(f"**{title}**" for title in titles), "\n".join(lines)])

    def write_transition(self, node: nodes.transition) -> str:
        """Write a line."""
        return "---"

    def inline(self, node: nodes.Node) -> str:
        """Return what stands in a line of text."""
        if isinstance(node, nodes.Text):
            return _SPECIAL.sub(r"\\\1", node.astext())
        if not isinstance(node, nodes.Element) or isinstance(node, nodes.Invisible):
            return ""
        if isinstance(node, nodes.literal):
            text = node.astext().replace("\n", " ")
            ticks = "`" * (max([0, *map(len, re.findall(r"`+", text))]) + 1)
            return f"{ticks} {text} {ticks}" if "`" in text else f"{ticks}{text}{ticks}"
        if isinstance(node, nodes.raw):
            return node.astext() if node.get("format") == "html" else ""
        if isinstance(node, nodes.image):
            return f"![{node.get('alt', '')}]({node.get('uri', '')})"
        text = "".join(map(self.inline, node.children))
        if isinstance(node, nodes.inline) and "volatile" in node["classes"]:
            # What is measured stays marked: all else is the same in every build of a commit.
            return f'<span class="volatile">{text}</span>'
        if isinstance(node, nodes.strong):
            return f"**{text}**"
        if isinstance(node, nodes.emphasis):
            return f"*{text}*"
        if isinstance(node, nodes.reference) and node.get("refuri"):
            return f"[{text}]({self.address(node['refuri'])})"
        # A link to another place on this page has no name to lead to once it is taken away.
        return text

    def address(self, uri: str) -> str:
        """Return where a link leads from outside the site."""
        parts = urlsplit(uri)
        if parts.scheme or parts.netloc or not parts.path:
            return uri
        folder = self.docname.rpartition("/")[0]
        return self.link(normpath(f"{folder}/{parts.path}".lstrip("/")))


def taken_away(
    base: str, docname: str, suffix: str, copied: Container[str]
) -> Callable[[str], str]:
    """Return what makes links to other pages: to their copies, with the address if it is known.

    Args:
        base: The address of the site, if it is known.
        docname: The page that the links are on.
        suffix: What names of copies end with.
        copied: The pages that have copies; those that extensions make have none.
    """
    up = base or "../" * docname.count("/")

    def link(path: str) -> str:
        stem, dot, end = path.rpartition(".")
        return up + (f"{stem}{suffix}" if dot and end == "html" and stem in copied else path)

    return link
