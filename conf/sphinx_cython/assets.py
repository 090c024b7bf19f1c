"""The files of the examples in the built site: source, C, and Cython's own annotated page."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .core.artefact import Artefact, Variant
from .domain import get_results

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder

FOLDER = "_cython"


def asset_folder(variant: Variant) -> str:
    """Return the folder of a variant's files, relative to the root of the site.

    No two variants have the same one: a hyphen in the name of an example becomes ``~1``.
    """
    name, at, profile = variant.key.partition("@")
    name = name.replace("~", "~0").replace("-", "~1").replace("/", "-")
    return f"{FOLDER}/{name}{'--' if at else ''}{profile}"


def publishes_files(builder: Builder) -> bool:
    """Tell whether files of examples are copied into what a builder writes.

    Books and help files hold pages only: an EPUB must list every file in it, and a reader of one
    could not open C.
    """
    return builder.format == "html" and not getattr(builder, "embedded", False)


def _is_copy(copy: Path, source: Path) -> bool:
    """Tell by size and time whether a file is a copy: what is in the cache never changes."""
    try:
        ours, theirs = copy.stat(), source.stat()
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _has_text(copy: Path, text: bytes) -> bool:
    try:
        return copy.read_bytes() == text
    except FileNotFoundError:
        return False


def publish(outdir: Path, artefacts: Iterable[Artefact]) -> None:
    """Copy what has changed, and remove the files of variants that are gone.

    Args:
        outdir: The root of the site.
        artefacts: All that is to be there.
    """
    kept: set[Path] = set()
    for artefact in artefacts:
        target = outdir / asset_folder(artefact.variant)
        target.mkdir(parents=True, exist_ok=True)
        example = artefact.variant.example
        source = target / f"{example.module}.pyx"
        text = example.path.read_bytes()
        if not _has_text(source, text):  # an editor may keep size and time
            source.write_bytes(text)
        kept |= {target, source}
        for made in (artefact.c_file, artefact.html_file):
            copy = target / (example.module + made.suffix)
            if not _is_copy(copy, made):
                shutil.copy2(made, copy)
            kept.add(copy)
    root = outdir / FOLDER
    for path in sorted(root.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path not in kept:
            path.rmdir() if path.is_dir() else path.unlink()
    if not kept and root.is_dir():
        root.rmdir()


def publish_assets(app: Sphinx, builder: Builder) -> None:
    """Publish them for a builder of web sites (``write-started``)."""
    if publishes_files(builder):
        outcomes = get_results(builder.env).outcomes.values()
        artefacts = (o for o in outcomes if isinstance(o, Artefact))
        publish(Path(builder.outdir), (a for a in artefacts if not a.variant.example.refused))


def setup(app: Sphinx) -> None:
    """Register the handler."""
    app.connect("write-started", publish_assets)
