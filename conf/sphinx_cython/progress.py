"""What a build was doing, noted on disk, so that the next one repeats what was cut off.

Sphinx decides by times and by its pickled environment what is to be read and written. After a kill
both can be wrong: a page on disk may be cut off though it is newer than its source, and what was
read may be newer than the environment. And two builders that share one environment must both write
a page again that only one of them has read. So the folder of doctrees gets

- the pages that are being read, from before the first is read until the environment is saved;
- for each output folder, what each of its pages was written from, except while pages are written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .core.store import write_atomic
from .domain import cython_domain

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

FOLDER = "cython"
# After all handlers that decide what pages show.
LAST = 900


class Reading:
    """The pages that a build is reading; one file a build, as two may run at once.

    Args:
        folder: The folder to keep it in.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"reading-{os.getpid()}.json"
        self._earlier = [path for path in folder.glob("reading-*.json") if path != self._file]

    def interrupted(self) -> set[str]:
        """Return the pages that an earlier build was reading when it ended."""
        pages: set[str] = set()
        for path in self._earlier:
            with suppress(OSError, ValueError):
                pages.update(json.loads(path.read_text(encoding="utf-8")))
        return pages

    def begin(self, docnames: Iterable[str]) -> None:
        """Note the pages that are about to be read."""
        if names := list(docnames):
            write_atomic(self._file, json.dumps(names))

    def end(self) -> None:
        """Note that what was read is saved."""
        for path in (self._file, *self._earlier):
            path.unlink(missing_ok=True)


class Output:
    """What the pages of an output folder were written from, if its last build came to an end.

    While a build writes, a marker takes the place of the record. A build that finds its own marker
    gone was not alone, and leaves neither.

    Args:
        folder: The folder to keep it in.
        builder: Name of the builder.
        outdir: The output folder.

    Attributes:
        pages: What each page was written from, as a digest.
    """

    def __init__(self, folder: Path, builder: str, outdir: Path) -> None:
        name = f"{builder}-{hashlib.sha256(str(outdir).encode()).hexdigest()[:8]}"
        self._file = folder / f"{name}.json"
        self._folder, self._pattern = folder, f"{name}.writing-*"
        self._marker = folder / f"{name}.writing-{os.getpid()}"
        self.pages: dict[str, str] = {}
        if not any(folder.glob(self._pattern)):
            with suppress(OSError, ValueError):
                self.pages = json.loads(self._file.read_text(encoding="utf-8"))

    def begin(self) -> None:
        """Note that pages are about to be written."""
        for path in self._folder.glob(self._pattern):
            path.unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._marker.touch()
        self._file.unlink(missing_ok=True)

    def end(self, pages: dict[str, str]) -> None:
        """Note that they are written.

        Args:
            pages: What each page of the folder was written from.
        """
        if self._marker.exists():
            write_atomic(self._file, json.dumps(pages, sort_keys=True))
            self._marker.unlink(missing_ok=True)
            return
        for path in (self._file, *self._folder.glob(self._pattern)):
            path.unlink(missing_ok=True)


class Progress:
    """The progress of one build, by the events of Sphinx."""

    reading: Reading
    output: Output

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._resolved: set[str] = set()

    def start(self, app: Sphinx) -> None:
        """Look at what earlier builds left (``builder-inited``)."""
        folder = Path(app.doctreedir, FOLDER)
        self.reading = Reading(folder)
        self.output = Output(folder, app.builder.name, Path(app.outdir))

    def interrupted(
        self, app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], gone: set[str]
    ) -> list[str]:
        """Return the pages that an earlier build began to read (``env-get-outdated``)."""
        return sorted(self.reading.interrupted())

    def read(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Note what is to be read (``env-before-read-docs``)."""
        self.reading.begin(docnames)

    def unwritten(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Return the pages that were written from something else (``env-updated``)."""
        domain = cython_domain(env)
        self._now = {
            docname: hashlib.sha256(
                repr((time, domain.shown_of_others(docname))).encode()
            ).hexdigest()[:20]
            for docname, time in env.all_docs.items()
        }
        return [
            docname
            for docname, digest in self._now.items()
            if self.output.pages.get(docname) != digest or domain.has_dangling_reference(docname)
        ]

    def write(self, app: Sphinx, builder: Builder) -> None:
        """Note that writing begins, and that what was read is saved (``write-started``)."""
        self.output.begin()
        self.reading.end()

    def resolve(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        """Note that a page is being written (``doctree-resolved``)."""
        self._resolved.add(docname)

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """Note what was written (``build-finished``)."""
        if exception is not None:
            return
        # Pages named on the command line are written and no others.
        pages = {name: digest for name, digest in self.output.pages.items() if name in self._now}
        pages |= {name: self._now[name] for name in self._resolved if name in self._now}
        self.output.end(pages)


def setup(app: Sphinx) -> None:
    """Register the handlers."""
    progress = Progress()
    app.connect("builder-inited", progress.start)
    app.connect("env-get-outdated", progress.interrupted)
    app.connect("env-before-read-docs", progress.read, priority=LAST)
    app.connect("env-updated", progress.unwritten, priority=LAST)
    app.connect("write-started", progress.write)
    app.connect("doctree-resolved", progress.resolve)
    app.connect("build-finished", progress.finish)
