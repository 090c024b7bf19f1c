"""Runs the cells of a page in a kernel of its own and keeps the outputs by content.

MyST-NB can execute pages itself, but a dead kernel aborts the whole build there, and its cache
knows nothing of the modules that cells import. So MyST-NB's own execution is off, and pages
are handed to it through its ``nb_custom_formats`` with the outputs already in place.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import time
from importlib.metadata import version
from logging import WARNING, getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from docutils import nodes
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.util import logging

from .core.process import environment
from .core.stage import used_origins
from .core.store import write_atomic
from .state import State, get_state, record

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
# nbclient tells each kernel start through this logger; the build says it in its own words.
getLogger("traitlets").setLevel(WARNING)

FORMAT = 4

# The reader that MyST-NB calls gets the text of the page and nothing else.
_current: tuple[Sphinx, str] | None = None

# Run after the last cell: which files did the page import?
_IMPORTED = """
import json as _json, sys as _sys
print(_json.dumps(sorted({str(m.__file__) for m in list(_sys.modules.values())
                          if getattr(m, "__file__", None)})))
"""


def note_page(app: Sphinx, docname: str, content: list[str]) -> None:
    """Remember which page is about to be read (``source-read``)."""
    global _current
    _current = app, docname


def read_page(text: str) -> nbformat.NotebookNode:
    """Read a MyST page as a notebook with its outputs (called by MyST-NB).

    Args:
        text: The text of the page.
    """
    assert _current is not None, "MyST-NB reads a page that Sphinx has not announced"
    app, docname = _current
    notebook = read_myst_markdown_notebook(
        text,
        config=app.env.myst_config,  # type: ignore[attr-defined]
        add_source_map=True,
        path=app.env.doc2path(docname),
    )
    _correct_lines(notebook, text)
    # MyST-NB would give each cell a random name, and no two builds would be the same.
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.metadata.setdefault(
        "kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"}
    )
    notebook.metadata.setdefault("language_info", {"name": "python", "pygments_lexer": "ipython3"})
    if cells:
        _fill(notebook, cells, app, docname)
    return notebook


def _correct_lines(notebook: nbformat.NotebookNode, text: str) -> None:
    """Mend the lines at which cells start, by which MyST finds the place of a warning.

    MyST-NB forgets the blank lines that it takes from the start of prose after a cell, and it
    counts from one what MyST counts from one again.
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


def stable(text: str) -> str:
    """Return a cell's output without what differs from run to run: addresses become ``0x…``."""
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x…", text)


def _key(cells: list[nbformat.NotebookNode]) -> str:
    parts: list[Any] = [FORMAT, sys.version, version("ipykernel"), version("numpy")]
    parts += [(cell.source, cell.metadata.get("tags", [])) for cell in cells]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def _fill(
    notebook: nbformat.NotebookNode,
    cells: list[nbformat.NotebookNode],
    app: Sphinx,
    docname: str,
) -> None:
    """Give the cells their outputs, from the cache or by running them."""
    state = get_state(app)
    page = record(app.env, docname)
    page.cells = tuple(cell.source for cell in cells)
    path = state.builder.cache / "executed" / f"{_key(cells)}.json"
    kept = _load(path, state)
    if kept is None:
        started = time.perf_counter()
        kept = _execute(notebook, cells, app, docname, state)
        page.seconds = time.perf_counter() - started
        if kept["complete"]:
            text = json.dumps(kept)
            write_atomic(path, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
    page.uses.update(kept["uses"])
    page.helpers.update(kept["helpers"])
    for count, (cell, outputs) in enumerate(zip(cells, kept["outputs"], strict=True), 1):
        cell["outputs"] = [nbformat.from_dict(output) for output in outputs]
        cell["execution_count"] = count


def _load(path: Path, state: State) -> dict[str, Any] | None:
    """Return kept outputs if they are whole and everything that went into them is as it was."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        return None
    kept: dict[str, Any] = json.loads(text)
    digests = state.digests()
    if any(digests.get(key) != digest for key, digest in kept["uses"].items()):
        return None
    if any(helper_digest(state, name) != digest for name, digest in kept["helpers"].items()):
        return None
    return kept


def helper_digest(state: State, name: str) -> str:
    """Return the digest of a helper file, or an empty string if it is gone."""
    for folder in state.helpers:
        path = folder.parent / name
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()[:20]
    return ""


def _execute(
    notebook: nbformat.NotebookNode,
    cells: list[nbformat.NotebookNode],
    app: Sphinx,
    docname: str,
    state: State,
) -> dict[str, Any]:
    logger.info("executing %s (%d cells)", docname, len(cells))
    config = state.builder.config
    running = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(_IMPORTED)])
    problem: tuple[str, int] | None = None
    with (
        tempfile.TemporaryDirectory(prefix="sphinx-cython-") as folder,
        tempfile.TemporaryFile() as last_words,
    ):
        client = NotebookClient(
            running,
            timeout=config.cell_timeout,
            kernel_name="python3",
            extra_arguments=["--log-level=40"],
            resources={"metadata": {"path": folder}},
        )
        position = 0

        def entered(cell: nbformat.NotebookNode, cell_index: int) -> None:
            nonlocal position
            position = cell_index

        client.on_cell_start = entered
        search = os.pathsep.join([str(state.stage), *map(str, state.helpers)])
        variables = environment() | {
            "PYTHONPATH": search,
            "IPYTHONDIR": str(Path(folder, "ipython")),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        try:
            # What a kernel prints past its channels is of interest only if it dies.
            client.execute(env=variables, stderr=last_words)
        except CellExecutionError as error:
            problem = f"raised {error.ename}: {error.evalue}\n{_plain(error.traceback)}", position
        except CellTimeoutError:
            problem = f"ran longer than {config.cell_timeout} s", position
        except RuntimeError:  # DeadKernelError, or its base if it did not even start
            last_words.seek(0)
            said = stable(last_words.read().decode(errors="replace")).strip()
            problem = f"ended its kernel (it exited or crashed)\n{said}".strip(), position
    outputs = [[_kept_output(output, cell) for output in cell.outputs] for cell in cells]
    if problem:
        text, position = problem
        for failure in state.failures():
            if text.startswith(f"raised ImportError: {failure.import_error}\n"):
                # The example is reported. The page is read again when it is changed.
                uses = {failure.variant.key: failure.digest}
                return {"complete": False, "uses": uses, "helpers": {}, "outputs": outputs}
        # The cell after the last is the one that asks for the imports.
        position = min(position, len(cells) - 1)
        _report(notebook, cells, position, text, docname)
        return {"complete": False, "uses": {}, "helpers": {}, "outputs": outputs}
    imported = json.loads("".join(o.get("text", "") for o in running.cells[-1].outputs))
    return {
        "complete": True,
        "uses": used_origins(state.stage, imported),
        "helpers": _used_helpers(imported, state),
        "outputs": outputs,
    }


def keep_from_search(app: Sphinx, doctree: nodes.document) -> None:
    """Keep cells' HTML out of the search index that varies or says so (``doctree-read``)."""
    for raw in doctree.findall(nodes.raw):
        if re.search(r'class="[^"]*\b(?:volatile|no-search)\b', raw.astext()):
            raw["classes"].append("no-search")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def _kept_output(output: nbformat.NotebookNode, cell: nbformat.NotebookNode) -> dict[str, Any]:
    """Return an output as it is kept: without what differs between runs.

    Of an exception that the page is there to show, the message is kept and not the traceback,
    which leads through IPython and through Cython's own code.
    """
    plain: dict[str, Any] = json.loads(json.dumps(output))
    if plain["output_type"] == "error" and "raises-exception" in cell.metadata.get("tags", []):
        plain["traceback"] = [f"{plain['ename']}: {plain['evalue']}"]
    plain.get("metadata", {}).pop("execution", None)
    if "text" in plain:
        plain["text"] = stable(plain["text"])
    if "traceback" in plain:
        plain["traceback"] = [stable(line) for line in plain["traceback"]]
    for kind, data in plain.get("data", {}).items():
        if isinstance(data, str) and kind.startswith("text/"):
            plain["data"][kind] = stable(data)
    return plain


def _report(
    notebook: nbformat.NotebookNode,
    cells: list[nbformat.NotebookNode],
    position: int,
    text: str,
    docname: str,
) -> None:
    # The map holds what, with two added on the way through MyST-NB and MyST, is the line.
    line = notebook.metadata["source_map"][notebook.cells.index(cells[position])] + 2
    logger.warning(
        "cell %d of %s %s",
        position + 1,
        docname,
        text,
        location=(docname, line),
        type="cython",
        subtype="cell",
    )


def _used_helpers(imported: list[str], state: State) -> dict[str, str]:
    names = [
        Path(name).relative_to(folder.parent).as_posix()
        for name in imported
        for folder in state.helpers
        if Path(name).is_relative_to(folder)
    ]
    return {name: helper_digest(state, name) for name in names}
