"""Each page as Markdown beside its HTML, and ``llms.txt``, which lists them all.

What is written follows https://llmstxt.org: a title, a sentence, and links with a description.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment

from .archive import NAME
from .descriptions import description
from .markdown import Cell, Page, cell_text, taken_away

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INDEX = "llms.txt"
SUFFIX = ".md"
DESCRIPTION = "publishing-description"


def markdown(env: BuildEnvironment, docname: str, doctree: nodes.document, base: str) -> str:
    """Return a page as Markdown."""
    page = Page(env, docname, taken_away(base, docname, SUFFIX, env.found_docs))
    blocks = [
        cell_text(block) if isinstance(block, Cell) else block for block in page.blocks(doctree)
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def write_markdown(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write it when the page is written, and let the page link to it (``html-page-context``)."""
    if doctree is None or app.builder.name != "html":
        return
    target = Path(app.outdir, page + SUFFIX)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(markdown(app.env, page, doctree, app.config.html_baseurl), "utf-8")
    context["markdown"] = page + SUFFIX


def keep_description(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the description of a page, for lists that then need no text of it (``doctree-read``)."""
    app.env.metadata[app.env.docname][DESCRIPTION], _given = description(doctree)


def _listed(env: BuildEnvironment, docname: str, level: int = 0) -> Iterator[str]:
    """Yield lines for the pages that a page lists, in the order of its lists."""
    for tree in env.tocs[docname].findall(addnodes.toctree):
        if caption := tree.get("caption"):
            yield f"\n## {caption}\n\n"
        for name in tree["includefiles"]:
            yield f"{'  ' * level}- {_line(env, name)}\n"
            yield from _listed(env, name, level + 1)


def _line(env: BuildEnvironment, docname: str) -> str:
    text = env.metadata[docname].get(DESCRIPTION)
    said = f": {text}" if text else ""
    address = f"{env.config.html_baseurl}{docname}{SUFFIX}"
    return f"[{env.titles[docname].astext()}]({address}){said}"


def index(env: BuildEnvironment) -> str:
    """Return the list of all pages."""
    root = env.config.root_doc
    text = env.metadata[root].get(DESCRIPTION)
    archive = f"{env.config.html_baseurl}{NAME}"
    return "".join(
        [
            f"# {env.config.project}\n\n> {text}\n\n",
            "The pages as plain Markdown, with the generated C that they show. Beside each lies "
            "the same as a notebook (`.ipynb`) and as HTML (`.html`).\n\n",
            f"- {_line(env, root)}\n",
            f"- [All examples]({archive}): the `.pyx` files of all pages, and what builds them\n",
            *_listed(env, root),
        ]
    )


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write it when the pages are written (``build-finished``)."""
    if exception is None and app.builder.name == "html":
        Path(app.outdir, INDEX).write_text(index(app.env), "utf-8")


def setup(app: Sphinx) -> None:
    """Register the event handlers."""
    app.connect("doctree-read", keep_description)
    app.connect("html-page-context", write_markdown)
    app.connect("build-finished", write_index)
