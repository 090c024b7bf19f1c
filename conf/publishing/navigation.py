"""Writes pages again when what they show of other pages has changed: titles, lists of pages, links.

Sphinx writes a page again when its source changes, or a page that it lists. But the tree of pages
at the side of each page, the links to the next and the previous page, and the text of links are
made of other pages' titles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx import addnodes

from sphinx_cython.domain import NAME as CYTHON
from sphinx_cython.progress import Output

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

# After all that decides what pages show.
LAST = 900


def _frame(env: BuildEnvironment) -> Iterator[object]:
    """Yield what any page may show of all others."""
    for docname in sorted(env.found_docs):
        yield docname, env.titles[docname].pformat()
        for tree in env.tocs[docname].findall(addnodes.toctree):
            yield tree.pformat()
    for domain in env.domains.sorted():
        if domain.name != CYTHON:  # its pages follow one by one
            yield sorted(domain.get_objects(), key=repr)


def _below(env: BuildEnvironment, docname: str, seen: set[str]) -> Iterator[str]:
    """Yield the sections of all pages below a page in the tree."""
    for child in env.toctree_includes.get(docname, ()):
        if child in env.tocs and child not in seen:
            seen.add(child)
            yield env.tocs[child].pformat()
            yield from _below(env, child, seen)


def shown(env: BuildEnvironment) -> dict[str, str]:
    """Return a digest of what each page shows of others."""
    frame = hashlib.sha256(repr(list(_frame(env))).encode())
    digests = {}
    for docname in env.found_docs:
        digest = frame.copy()
        digest.update(repr(list(_below(env, docname, set()))).encode())
        digests[docname] = digest.hexdigest()[:20]
    return digests


class Navigation:
    """Follows one build by the events of Sphinx."""

    output: Output

    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def start(self, app: Sphinx) -> None:
        """Look at what was written before (``builder-inited``)."""
        folder = Path(app.doctreedir, "publishing")
        self.output = Output(folder, app.builder.name, Path(app.outdir))

    def unwritten(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Return the pages that show something else of others (``env-updated``)."""
        self.now = shown(env)
        return [name for name, digest in self.now.items() if self.output.pages.get(name) != digest]

    def write(self, app: Sphinx, builder: Builder) -> None:
        """Note that writing begins (``write-started``)."""
        self.output.begin()

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """Note what was written (``build-finished``)."""
        if exception is None:
            self.output.end(self.now)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers."""
    navigation = Navigation()
    app.connect("builder-inited", navigation.start)
    app.connect("env-updated", navigation.unwritten, priority=LAST)
    app.connect("write-started", navigation.write)
    app.connect("build-finished", navigation.finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
