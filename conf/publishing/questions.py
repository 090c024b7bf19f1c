"""The directive ``questions``: what people ask, from a file of data, with links to the answers.

The file is TOML: a table ``questions`` for each question, with ``group``, ``question``, ``answer``
(a page, or ``page#anchor``), ``links`` (where it was asked) and ``count`` (how often it was found).
A page or an anchor that does not exist is a warning. The list stays out of the search index: a
search leads to the answers.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)


class answer_link(nodes.Inline, nodes.TextElement):
    """A link to an answer, made when all pages are read."""


class QuestionsDirective(SphinxDirective):
    """``questions``: sections with the questions of a file, named relative to the page."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Make a section for each group, in the order of the file."""
        _relative, file = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(file)
        groups: dict[str, nodes.bullet_list] = {}
        sections: list[Node] = []
        for row in tomllib.loads(Path(file).read_text("utf-8"))["questions"]:
            title = row["group"]
            if title not in groups:
                section = nodes.section(ids=[nodes.make_id(title)], names=[title])
                self.state.document.note_explicit_target(section)
                groups[title] = nodes.bullet_list(classes=["no-search"])
                section += [nodes.title(title, title), groups[title]]
                sections.append(section)
            groups[title] += self._item(row)
        return sections

    def _item(self, row: dict[str, Any]) -> nodes.list_item:
        link = answer_link("", row["question"], answer=row["answer"])
        self.set_source_info(link)
        paragraph = nodes.paragraph("", "", link)
        asked = f" Found {row['count']} times:" if row["count"] > 1 else " Found once:"
        paragraph += nodes.Text(asked)
        for number, address in enumerate(row["links"], 1):
            paragraph += nodes.Text(" " if number == 1 else ", ")
            paragraph += nodes.reference("", short(address), refuri=address)
        return nodes.list_item("", paragraph)


def short(address: str) -> str:
    """Return the text of a link to where a question was asked."""
    host, _, path = address.partition("://")[2].partition("/")
    if host != "github.com":
        return host
    owner, repository, _kind, number = path.split("/")
    return f"{repository if owner != repository else owner}#{number}"


def has_anchor(env: BuildEnvironment, page: str, anchor: str) -> bool:
    """Whether a page exists and has an element of this id."""
    if page not in env.found_docs:
        return False
    doctree = env.get_doctree(page)
    return not anchor or any(anchor in node["ids"] for node in doctree.findall(nodes.Element))


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Make the links of a page (``doctree-resolved``)."""
    for link in list(doctree.findall(answer_link)):
        page, _, anchor = link["answer"].partition("#")
        if not has_anchor(app.env, page, anchor):
            logger.warning("no such answer: %s", link["answer"], location=link, type="questions")
            link.replace_self(nodes.inline("", link.astext()))
            continue
        address = app.builder.get_relative_uri(docname, page) + (anchor and f"#{anchor}")
        link.replace_self(nodes.reference("", link.astext(), internal=True, refuri=address))


def setup(app: Sphinx) -> None:
    """Register the directive and the event handler."""
    app.add_node(answer_link)
    app.add_directive("questions", QuestionsDirective)
    app.connect("doctree-resolved", resolve)
