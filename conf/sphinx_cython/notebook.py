"""Executed cells: MyST-NB reads and renders pages, and ``execution`` runs their cells.

This part is optional: it is imported only if MyST-NB is one of the enabled extensions.

MyST-NB can execute pages itself, but its kernels need a second a page, one that dies ends the
whole build, and its cache does not depend on the modules that cells import. So the client by which
MyST-NB executes a notebook is replaced by one that takes outputs from our cache, or runs the
cells. Which pages are executed, and how, is up to the settings of MyST-NB.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

import myst_nb.sphinx_
import nbformat
from docutils import nodes
from myst_nb.core.execute import (
    NotebookClientBase,
    NotebookClientCache,
    NotebookClientDirect,
    NotebookClientInline,
)
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.errors import ExtensionError
from sphinx.util import logging

from .core.results import Results
from .core.stage import used_origins
from .domain import get_results, record
from .execution import client, kept
from .execution.kept import Kept
from .execution.request import Cell, CellError, Request

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

# The tags by which nbclient decides.
_SKIPPED, _MAY_RAISE = "skip-execution", "raises-exception"
_UNSET = "--unset--"  # MyST-NB's own default of settings by their former names
_PYTHON = "python"


@dataclass
class _Reading:
    """The page that is being read."""

    env: BuildEnvironment
    docname: str
    # Where each cell starts, if the page is in Markdown.
    lines: dict[int, int] = field(default_factory=dict)
    # None for a page that MyST-NB does not read as a notebook.
    notebook: nbformat.NotebookNode | None = None


_reading: _Reading | None = None


def configure(app: Sphinx, config: Config) -> None:
    """Take over the execution of pages (before MyST-NB reads its own settings).

    Raises:
        ExtensionError: A setting asks for what is not done here.
    """
    for name in ("nb_execution_mode", "jupyter_execute_notebooks"):
        if config[name] == "inline":
            raise ExtensionError(_INLINE.format(name=name))
    for name in ("nb_execution_cache_path", "jupyter_cache"):
        if config[name] not in ("", _UNSET):
            raise ExtensionError(_CACHE_PATH.format(name=name))
    reader = [f"{__name__}.{read_page.__name__}", {}, False]
    config.nb_custom_formats = {".md": reader} | config.nb_custom_formats
    config.cython_execution = kept.versions()
    app.add_source_parser(Parser, override=True)
    app.connect("doctree-read", keep_from_search)
    app.connect("env-updated", lambda *_: client.close())
    app.connect("build-finished", lambda *_: client.close())


_INLINE = (
    "{name} = 'inline' is not supported together with sphinx_cython, which runs all cells of a "
    "page before it is rendered; use 'auto', 'cache', 'force' or 'off'"
)
_CACHE_PATH = (
    "{name} has no effect together with sphinx_cython, which keeps outputs in its own cache; "
    "remove it, and set `cache` of `cython` in conf.py"
)


class Parser(myst_nb.sphinx_.Parser):
    """MyST-NB's parser, with our client in the place of its own."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Read a page."""
        env = document.settings.env
        replaced = mock.patch.object(myst_nb.sphinx_, "create_client", _create_client)
        with _reading_page(env) as reading, replaced:
            super().parse(inputstring, document)
        if reading.notebook is not None:
            _keep_outputs(document, reading.notebook)


def _keep_outputs(document: nodes.document, notebook: nbformat.NotebookNode) -> None:
    """Keep the outputs of cells with their nodes, for what writes pages in other forms.

    MyST-NB turns them into other nodes, and those into what one builder shows: no way leads back.
    """
    for node in document.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            outputs = notebook.cells[node["cell_index"]].get("outputs", [])
            node["outputs"] = [_plain(output) for output in outputs]


def _plain(value: Any) -> Any:
    """Return an output as plain dictionaries and lists, which need no nbformat to be unpickled."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _reading_page(env: BuildEnvironment) -> Iterator[_Reading]:
    global _reading
    before = _reading
    _reading = _Reading(env, env.docname)
    try:
        yield _reading
    finally:
        _reading = before


def read_page(text: str) -> nbformat.NotebookNode:
    """Read a MyST page as a notebook (called by MyST-NB).

    Args:
        text: The text of the page.
    """
    assert _reading is not None, "MyST-NB reads a page that Sphinx has not announced"
    notebook = read_myst_markdown_notebook(
        text,
        config=_reading.env.myst_config,  # type: ignore[attr-defined]
        add_source_map=True,
        path=_reading.env.doc2path(_reading.docname),
    )
    _reading.lines = _correct_lines(notebook, text)
    # MyST-NB would give each cell a random name, and no two builds would be the same.
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata.setdefault(
        "kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"}
    )
    _complete(notebook)
    return notebook


def _complete(notebook: nbformat.NotebookNode) -> None:
    """Add what a kernel adds, by which MyST-NB highlights the cells."""
    if _language(notebook) == _PYTHON:
        info = {"name": _PYTHON, "pygments_lexer": "ipython3"}
        notebook.metadata.setdefault("language_info", nbformat.from_dict(info))


def _language(notebook: nbformat.NotebookNode) -> str:
    """Return the language of the cells."""
    kernel = notebook.metadata.get("kernelspec", {})
    language = notebook.metadata.get("language_info", {}).get("name") or kernel.get("language")
    if not language and kernel.get("name", _PYTHON).startswith(_PYTHON):
        return _PYTHON
    return language or "unknown"


def _correct_lines(notebook: nbformat.NotebookNode, text: str) -> dict[int, int]:
    """Correct the lines at which cells start, by which MyST finds the place of a warning.

    MyST-NB forgets the blank lines that it takes from the start of prose after a cell, and it
    counts from one what MyST counts from one again.

    Returns:
        The number of the first line of each cell, counted from one.
    """
    lines = text.splitlines()
    source_map = notebook.metadata["source_map"]
    for number, cell in enumerate(notebook.cells):
        start = source_map[number] - 1
        if cell.cell_type == "markdown":
            while not lines[start + 1]:
                start += 1
        else:
            start -= 1
        source_map[number] = start
    return {number: start + 2 for number, start in enumerate(source_map)}


_create_default_client = myst_nb.sphinx_.create_client


def _create_client(
    notebook: nbformat.NotebookNode, source: str, nb_config: Any, *more: Any, **options: Any
) -> NotebookClientBase:
    """Create ours where MyST-NB would create a client that executes the page."""
    assert _reading is not None
    _reading.notebook = notebook
    default = _create_default_client(notebook, source, nb_config, *more, **options)
    page = record(_reading.env, _reading.docname)
    page.cells = {n: cell.source for n, cell in _code(notebook)}
    if not isinstance(default, (NotebookClientDirect, NotebookClientCache, NotebookClientInline)):
        return default
    kind = Client if page.cells else NotebookClientBase
    return kind(notebook, default.path, default.nb_config, default.logger)


def _code(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            yield number, cell


class Client(NotebookClientBase):
    """Gives the cells of a page their outputs, from the cache or by running them."""

    def start_client(self) -> None:
        """Fill in the outputs."""
        assert _reading is not None
        if problem := self._contradiction():
            record(_reading.env, _reading.docname).failed = True
            _warn(problem, _reading.docname, None)
            return
        _complete(self.notebook)
        results = get_results(_reading.env)
        page = record(_reading.env, _reading.docname)
        cells = {number: cell for number, cell in _code(self.notebook) if _runs(cell)}
        request = self._request([*cells.values()], results)
        place = kept.place(results.builder.cache, request)
        # This mode is for those who want every page to be executed whenever it is read.
        known = None if self.nb_config.execution_mode == "force" else kept.load(place)
        error: CellError | None = None
        if known is None or not _is_current(known, results):
            known, error = _execute(request, results, _reading.docname)
            page.seconds = known.seconds
            if not error:
                kept.save(place, known)
        page.uses.update(known.uses)
        page.helpers.update(known.helpers)
        for count, (cell, outputs) in enumerate(zip(cells.values(), known.outputs, strict=True), 1):
            cell["outputs"] = [nbformat.from_dict(output) for output in outputs]
            cell["execution_count"] = count
        if known.widgets:
            self.notebook.metadata["widgets"] = nbformat.from_dict(known.widgets)
        if error and (missing := _unbuilt_example(error, results)):
            # That example is reported. The page is read again when it is changed.
            page.uses[missing] = results.digest(missing)
        elif error:
            page.failed = True
            self._report([*cells][error.cell], error.cell, error.text)
        self.exec_metadata = {
            "mtime": known.finished,
            "runtime": known.seconds,
            "method": self.nb_config.execution_mode,
            "succeeded": error is None,
            "error": error.text.splitlines()[0] if error else None,
            "traceback": None,
        }

    def _contradiction(self) -> str:
        """Return what the page itself asks for that is not done here."""
        assert _reading is not None
        settings = self.notebook.metadata.get(self.nb_config.metadata_key, {})
        if self.nb_config.execution_mode == "inline":
            return _INLINE.format(name="execution_mode")
        if "execution_cache_path" in settings:
            return _CACHE_PATH.format(name="execution_cache_path")
        if settings.get("execution_in_temp") is False:
            return "execution_in_temp = False is not supported: cells run in a temporary folder"
        if _language(self.notebook) != _PYTHON:
            kernel = self.notebook.metadata.get("kernelspec", {}).get("name")
            return (
                f"the kernelspec {kernel!r} is not supported: cells run in the Python that builds "
                "the site"
            )
        return ""

    def _request(self, cells: list[nbformat.NotebookNode], results: Results) -> Request:
        settings, allowed = self.nb_config, self.nb_config.execution_allow_errors
        return Request(
            tuple(Cell(cell.source, allowed or _MAY_RAISE in _tags(cell)) for cell in cells),
            (str(results.stage), *map(str, results.helpers)),
            settings.execution_timeout if settings.execution_timeout > 0 else None,
            results.builder.config.cell_output_limit,
        )

    def _report(self, number: int, position: int, text: str) -> None:
        assert _reading is not None
        told = f"cell {position + 1} of {_reading.docname} {text}"
        if self.nb_config.execution_raise_on_error:
            raise ExtensionError(told)
        _warn(told, _reading.docname, _reading.lines.get(number))


def _tags(cell: nbformat.NotebookNode) -> list[str]:
    return cast("list[str]", cell.metadata.get("tags", []))


def _runs(cell: nbformat.NotebookNode) -> bool:
    """Tell whether nbclient would run a cell."""
    return bool(cell.source.strip()) and _SKIPPED not in _tags(cell)


def _warn(text: str, docname: str, line: int | None) -> None:
    location = (docname, line) if line else docname
    logger.warning("%s", text, location=location, type="cython", subtype="cell")


def _execute(request: Request, results: Results, docname: str) -> tuple[Kept, CellError | None]:
    """Run cells; return what to keep, and why they did not all run, if so."""
    logger.info("executing %s (%d cells)", docname, len(request.cells))
    started = time.perf_counter()
    execution = client.execute(request)
    result = Kept(
        execution.outputs,
        execution.widgets,
        used_origins(results.stage, execution.files),
        _used_helpers(execution.files, results),
        time.perf_counter() - started,
        time.time(),
    )
    return result, execution.error


def _unbuilt_example(error: CellError, results: Results) -> str:
    """Return the key of the example whose absence ended a cell; empty if it was none."""
    for failure in results.failures():
        if error.text.startswith(f"raised ImportError: {failure.import_error}\n"):
            return failure.variant.key
    return ""


def _is_current(known: Kept, results: Results) -> bool:
    """Tell whether everything that the cells imported is as it was."""
    digests = results.digests()
    return all(digests.get(key) == digest for key, digest in known.uses.items()) and all(
        results.helper_digest(name) == digest for name, digest in known.helpers.items()
    )


def _used_helpers(files: list[str], results: Results) -> dict[str, str]:
    names = {
        path.relative_to(folder.parent).as_posix()
        for path in map(Path, files)
        for folder in results.helpers
        if path.is_relative_to(folder)
    }
    return {name: results.helper_digest(name) for name in sorted(names)}


def keep_from_search(app: Sphinx, doctree: nodes.document) -> None:
    """Keep cells' HTML out of the search index that varies or says so (``doctree-read``)."""
    for raw in doctree.findall(nodes.raw):
        if re.search(r'class="[^"]*\b(?:volatile|no-search)\b', raw.astext()):
            raw["classes"].append("no-search")
