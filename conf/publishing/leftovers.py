"""Removes what earlier builds wrote for pages, images and downloads that are gone.

Sphinx never removes anything, so what is published would depend on what was there before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.builders.html import StandaloneHTMLBuilder

from sphinx_cython.core.store import write_atomic

from . import notebooks, plain

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder

# Folders that are Sphinx's alone.
IMAGES, DOWNLOADS, SOURCES = "_images", "_downloads", "_sources"


def _record(builder: StandaloneHTMLBuilder) -> Path:
    return Path(builder.doctreedir, "publishing", f"{builder.name}-written.json")


def _written(builder: StandaloneHTMLBuilder) -> set[str]:
    """Return the pages that this and earlier builds wrote."""
    with suppress(OSError, ValueError):
        return set(json.loads(_record(builder).read_text("utf-8")))
    return set()


def _note(builder: StandaloneHTMLBuilder, docnames: Iterable[str]) -> None:
    write_atomic(_record(builder), json.dumps(sorted(docnames)))


def note_pages(app: Sphinx, builder: Builder) -> None:
    """Note the pages there are before they are written (``write-started``)."""
    if isinstance(builder, StandaloneHTMLBuilder):
        _note(builder, _written(builder) | builder.env.found_docs)


def _prune(root: Path, kept: set[Path]) -> None:
    """Remove all other files of a folder, and folders without files."""
    for path in sorted(root.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_dir():
            with suppress(OSError):  # it is not empty
                path.rmdir()
        elif path not in kept:
            path.unlink()
    with suppress(OSError):
        root.rmdir()


def _remove(path: Path, outdir: Path) -> None:
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == outdir:
            break
        try:
            folder.rmdir()
        except OSError:
            break


def remove_leftovers(app: Sphinx, exception: Exception | None) -> None:
    """Remove them when everything is written (``build-finished``)."""
    builder, env = app.builder, app.env
    if exception is not None or not isinstance(builder, StandaloneHTMLBuilder):
        return
    outdir = Path(builder.outdir)
    for docname in _written(builder) - env.found_docs:
        _remove(Path(builder.get_output_path(docname)), outdir)
        for suffix in (plain.SUFFIX, notebooks.SUFFIX):
            _remove(outdir / f"{docname}{suffix}", outdir)
    _note(builder, env.found_docs)
    suffix = app.config.html_sourcelink_suffix
    sources = [str(env.doc2path(docname, False)) for docname in env.found_docs]
    names = (name if name.endswith(suffix) else name + suffix for name in sources)
    _prune(outdir / SOURCES, {outdir / SOURCES / name for name in names})
    images = {name for _docnames, name in env.images.values()}
    _prune(outdir / IMAGES, {outdir / IMAGES / name for name in images})
    downloads = {name for _docnames, name in env.dlfiles.values()}
    _prune(outdir / DOWNLOADS, {outdir / DOWNLOADS / name for name in downloads})


def setup(app: Sphinx) -> None:
    """Register the event handlers."""
    app.connect("write-started", note_pages)
    app.connect("build-finished", remove_leftovers)
