"""Each page as a notebook beside its HTML: its prose, its cells with what they wrote, and the C.

A library, ``nbformat``, makes and checks the notebooks: it defines the format, and MyST-NB needs it
anyway.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from docutils import nodes
from nbformat import NotebookNode, v4
from sphinx.environment import BuildEnvironment

from sphinx_cython.core.results import Results
from sphinx_cython.domain import get_results

from .archive import NAME, needs_site, picture_style
from .markdown import HIDDEN, Cell, Page, taken_away

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SUFFIX = ".ipynb"
HTML = "text/html"
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


def preparation(results: Results, cells: list[Cell], archive: str) -> list[NotebookNode]:
    """Return the cells in front of the others: where the examples are from, and building them."""
    source = "\n".join(cell.source for cell in cells)
    built = sorted({outcome.variant.import_name for outcome in results.outcomes.values()})
    needed = [name for name in built if imports(source, name)]
    folder = results.helpers[0]
    outputs = [output for cell in cells for output in cell.outputs]
    # What draws may run only where the site is built; its picture is there all the same.
    drawn = any("<svg" in "".join(output.get("data", {}).get(HTML, "")) for output in outputs)
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
    first = Cell(code, 0, [])
    if drawn:
        first.source += "\nbuild_examples.style()"
        # What this line would write: without it the pictures below are black until it runs.
        style = {
            HTML: f"<style>{picture_style()}</style>",
            "text/plain": "<IPython.core.display.HTML object>",
        }
        first.outputs.append(v4.new_output("execute_result", style))
    return [v4.new_markdown_cell(note), _code(first)]


def _code(cell: Cell) -> NotebookNode:
    metadata: dict[str, Any] = {"tags": cell.tags} if cell.tags else {}
    if HIDDEN in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}
    count = cell.count or None
    outputs = [nbformat.from_dict(output) for output in cell.outputs]
    for output in outputs:
        if output.output_type == "execute_result":
            output.execution_count = count
    made: NotebookNode = v4.new_code_cell(
        cell.source, execution_count=count, metadata=metadata, outputs=outputs
    )
    return made


def notebook(env: BuildEnvironment, docname: str, doctree: nodes.document, base: str) -> str:
    """Return a page as a notebook.

    Raises:
        nbformat.ValidationError: It is not a valid one.
    """
    blocks = list(
        Page(env, docname, taken_away(base, docname, SUFFIX, env.found_docs)).blocks(doctree)
    )
    cells = []
    prose: list[str] = []
    for block in [*blocks, None]:
        # A cell for each section is easier to read and to change than one for all.
        continues = isinstance(block, str) and not block.startswith("#")
        if prose and not continues:
            cells.append(v4.new_markdown_cell("\n\n".join(prose)))
            prose = []
        if isinstance(block, str):
            prose.append(block)
        elif block is not None:
            cells.append(_code(block))
    executed = [block for block in blocks if isinstance(block, Cell)]
    archive = (base or "../" * docname.count("/")) + NAME
    cells[1:1] = preparation(get_results(env), executed, archive)
    for number, cell in enumerate(cells):
        # By default each has a random name, and no two builds would be the same.
        cell.id = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(whole)
    return f"{nbformat.writes(whole)}\n"


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
