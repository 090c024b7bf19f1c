"""Each page as a notebook beside its HTML: its prose, its cells with what they wrote, and the C."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.environment import BuildEnvironment

from sphinx_cython.core.results import Results
from sphinx_cython.domain import get_results

from .archive import NAME, helpers, needs_site
from .markdown import HIDDEN, Cell, Output, Page, taken_away

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SUFFIX = ".ipynb"
_FROM = re.compile(r"\bfrom [\w.]+ import\b[^\n;]*")


def imports(code: str, name: str) -> bool:
    """Whether code imports a module, be it in a string that another Python is given."""
    package, _, module = name.rpartition(".")
    if package:
        return bool(re.search(rf"\bfrom {re.escape(package)} import\b[^\n;]*\b{module}\b", code))
    others = _FROM.sub("", code)
    return bool(
        re.search(rf"\bfrom {module} import\b", code)
        or re.search(rf"\bimport\b[^\n;]*\b{module}\b", others)
    )


def preparation(results: Results, cells: list[Cell], archive: str) -> list[dict[str, Any]]:
    """Return the cells in front of the others: where the examples are from, and building them."""
    source = "\n".join(cell.source for cell in cells)
    built = sorted({outcome.variant.import_name for outcome in results.outcomes.values()})
    needed = [name for name in built if imports(source, name)]
    folder = results.helpers[0]
    drawn = any(imports(source, path.stem) for path in helpers(results))
    modules = sorted(folder.glob("*.py"))
    lost = [path.stem for path in modules if needs_site(path) and imports(source, path.stem)]
    if not (needed or drawn):
        return []
    note = (
        f"To run this notebook, unpack [{NAME}]({archive}), put the notebook into the folder "
        "`examples` that you get, and `pip install cython numpy setuptools`. The next cell builds "
        "the examples that are imported further down; it needs a C compiler and the headers of "
        "Python."
    )
    for name in lost:
        note += f" What imports `{name}` runs only where the site is built, and wrote this there."
    code = f"import build_examples\n\nbuild_examples.build({', '.join(map(repr, needed))})"
    if not needed:
        code = "import build_examples\n\nbuild_examples.find()"
    code = code.replace("'", '"')
    if drawn:
        code += "\nbuild_examples.style()"
    return [_markdown(note), _code(Cell(code, 0, []))]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}


def _code(cell: Cell) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": cell.tags} if cell.tags else {}
    if HIDDEN in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}
    return {
        "cell_type": "code",
        "execution_count": cell.count or None,
        "metadata": metadata,
        "outputs": [_output(output, cell.count) for output in cell.outputs],
        "source": _lines(cell.source),
    }


def _output(output: Output, count: int) -> dict[str, Any]:
    if output.kind in ("stdout", "stderr"):
        return {"output_type": "stream", "name": output.kind, "text": _lines(output.text)}
    if output.kind == "error":
        name, _, value = output.text.rstrip().rpartition("\n")[2].partition(": ")
        trace = output.text.splitlines()
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": trace}
    data = {"text/plain": _lines(output.text)}
    # A picture takes its colours from the site, and would be black without.
    if output.html and "<svg" not in output.html:
        data["text/html"] = _lines(output.html)
    return {
        "output_type": "execute_result",
        "execution_count": count or None,
        "data": data,
        "metadata": {},
    }


def notebook(env: BuildEnvironment, docname: str, doctree: nodes.document, base: str) -> str:
    """Return a page as a notebook."""
    blocks = list(Page(env, docname, taken_away(base, docname, SUFFIX)).blocks(doctree))
    found = []
    prose: list[str] = []
    for block in [*blocks, None]:
        if isinstance(block, str):
            # A cell for each section is easier to read and to change than one for all.
            if block.startswith("#") and prose:
                found.append(_markdown("\n\n".join(prose)))
                prose = []
            prose.append(block)
            continue
        if prose:
            found.append(_markdown("\n\n".join(prose)))
            prose = []
        if block is not None:
            found.append(_code(block))
    cells = [block for block in blocks if isinstance(block, Cell)]
    archive = (base or "../" * docname.count("/")) + NAME
    results = get_results(env)
    found[1:1] = preparation(results, cells, archive)
    for number, cell in enumerate(found):
        # By default each would get a random name, and no two builds would be the same.
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": found,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_notebook(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write it when the page is written, and let the page link to it (``html-page-context``)."""
    if doctree is None or app.builder.name != "html" or "sphinx_cython" not in app.extensions:
        return
    target = Path(app.outdir, page + SUFFIX)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(notebook(app.env, page, doctree, app.config.html_baseurl), "utf-8")
    context["notebook"] = page + SUFFIX


def setup(app: Sphinx) -> None:
    """Register the event handler."""
    app.connect("html-page-context", write_notebook)
