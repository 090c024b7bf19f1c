"""What we use of others: nothing private, nothing deprecated, and what it has to be like."""

from __future__ import annotations

import ast
import atexit
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import furo
import ipykernel.zmqshell
import myst_nb
import myst_nb.sphinx_
import pytest
import sphinx
from docutils import nodes
from IPython.core import interactiveshell
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from support import CONF, Site, write

PACKAGES = ("sphinx_cython", "publishing", "pictures", "benchmarks")
# Documented in spite of its name.
DOCUMENTED = {"_exit"}
# The shell that runs cells does what ipykernel does, by the same means; test_execution compares
# the outputs of both. Each name with the source of those who have it.
AS_A_KERNEL = "sphinx_cython/execution/shell.py"
USED_AS_A_KERNEL_DOES = {
    "_asyncio_runner": interactiveshell,
    "_last_traceback": ipykernel.zmqshell,
    "_last_traceback_during_displayhook": ipykernel.zmqshell,
    "_run_exitfuncs": atexit,
}


def private_uses(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of what is private to another class or package."""
    tree = ast.parse(source)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            of_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not of_itself and node.attr not in own:
                yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((node.lineno, name) for name in names if is_private(name))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "setattr"):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from ((node.lineno, name) for name in named if is_private(str(name)))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_private_to_others_is_used(package: str):
    found = [
        f"{path.relative_to(CONF)}:{line}: {name}"
        for path in sorted((CONF / package).rglob("*.py"))
        for line, name in private_uses(path.read_text("utf-8"))
        if path != CONF / AS_A_KERNEL
    ]
    assert found == [], "private to another class or package; it may change with any version"


def test_what_is_private_to_ipykernel_is_there():
    source = (CONF / AS_A_KERNEL).read_text("utf-8")
    assert {name for _line, name in private_uses(source)} == set(USED_AS_A_KERNEL_DOES)
    lost = {
        name
        for name, module in USED_AS_A_KERNEL_DOES.items()
        if not hasattr(module, name) and name not in inspect.getsource(module)
    }
    assert lost == set(), f"ipykernel or Python has changed: compare its kernel with {AS_A_KERNEL}"


@pytest.mark.parametrize(
    "source",
    [
        "app._warncount",
        "self.env._registry",
        "getattr(builder, '_x')",
        "from sphinx import _cli",
        "from a._b import c",
        "env._search_index_titles['x']",
    ],
)
def test_what_is_private_is_noticed(source: str):
    assert list(private_uses(source))


def test_what_is_public_or_our_own_is_not():
    assert not list(private_uses("from a import b\nself._x = b.__class__.c\n"))


WARNINGS = """
import warnings
for kind in (DeprecationWarning, PendingDeprecationWarning):
    warnings.filterwarnings("error", category=kind, module=r"(sphinx_cython|publishing)\\b")
"""


@pytest.mark.parametrize("builder", ["html", "text"])
def test_nothing_deprecated_is_used(site: Site, builder: str):
    site.configure(more="extensions.append('publishing')\n")
    site.write(
        {
            "custom/sitecustomize.py": WARNINGS,
            "docs/index.md": "# Index\n\n```{cython-example} plain/add\n```\n\n"
            "```{cython-gallery}\n```\n\n```{cython-key}\n```\n\n{cython:func}`add::add`\n\n"
            "```{cython-comparison} return a + b\n:example: plain/add\n\nadd | A | add(1, 2)\n```\n"
            "\n```{code-cell}\nimport add\nadd.add(1, 2)\n```\n",
        }
    )
    env = {
        "PYTHONPATH": f"{site.root / 'custom'}:{CONF}",
        "PYTHONWARNINGS": "default",  # otherwise Sphinx puts filters of its own before ours
    }
    run = site.build("-a", env=env, builder=builder)
    assert run.code == 0, run.err


def test_what_sphinx_keeps_is_as_we_read_it(tmp_path: Path):
    """Public by name, but described nowhere; what goes wrong elsewhere is explained here."""
    write(
        tmp_path,
        {
            "docs/index.rst": "Title\n=====\n\n.. _here:\n\nPart\n----\n\n.. index:: word\n\n"
            ".. image:: dot.svg\n\n:download:`data.csv`\n\n.. toctree::\n   :caption: More\n\n"
            "   page\n",
            "docs/page.rst": "Page\n====\n",
            "docs/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
            "docs/data.csv": "",
        },
    )
    with docutils_namespace():
        app = Sphinx(
            tmp_path / "docs", None, tmp_path / "html", tmp_path / "trees", "html", status=None
        )
        app.build()
    env = app.env
    assert sorted(env.all_docs) == ["index", "page"]
    assert isinstance(env.all_docs["index"], int), "the time at which the page was read"
    assert env.found_docs == {"index", "page"}
    assert env.toctree_includes == {"index": ["page"]}
    assert "caption" in env.tocs["index"].pformat(), "lists of pages with their captions"
    assert [name for _pages, name in env.images.values()] == ["dot.svg"]
    ((_pages, download),) = env.dlfiles.values()
    assert (tmp_path / "html/_downloads" / download).is_file(), "the name below _downloads"
    assert Path(app.builder.get_output_path("page")) == tmp_path / "html/page.html"
    ((kind, value, target, main, _key),) = env.domains.index_domain.entries["index"]
    assert (kind, value, bool(target), main) == ("single", "word", True, "")
    assert ("here", "Part", "label", "index", "here", -1) in env.domains["std"].get_objects()


CAPTIONED = "Title\n=====\n\n.. toctree::\n   :caption: More\n\n   page\n"
TEMPLATES = CONF / "templates"


@pytest.fixture(scope="module")
def furo_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML of a page as Furo alone writes it."""
    folder = tmp_path_factory.mktemp("furo")
    write(folder, {"docs/index.rst": CAPTIONED, "docs/page.rst": "Page\n====\n\nA\n-\n\nB\n-\n"})
    with docutils_namespace():
        app = Sphinx(
            folder / "docs",
            None,
            folder / "html",
            folder / "trees",
            "html",
            {"html_theme": "furo"},
            status=None,
        )
        app.build()
    return (folder / "html/page.html").read_text("utf-8")


def taken_literally(template: str) -> list[str]:
    """Return what a template replaces or cuts in the HTML of the theme."""
    return re.findall(r"(?:replace|partition)\('([^']+)'", template)


def test_furo_writes_what_our_templates_replace(furo_page: str):
    """Its templates have no blocks there; without this test a label would be gone silently."""
    used = {
        (path.name, text)
        for path in TEMPLATES.rglob("*.html")
        for text in taken_literally(path.read_text("utf-8"))
    }
    assert len(used) >= 8
    lost = {(name, text) for name, text in used if text not in furo_page}
    assert lost == set(), (
        f"Furo {version('furo')} does not write this any more: compare its page.html with the "
        "template of ours that is named"
    )


def test_furo_has_the_blocks_and_templates_that_ours_replace():
    themes = [Path(furo.__file__).parent / "theme/furo"]
    themes.append(Path(sphinx.__file__).parent / "themes/basic")
    known = {
        block
        for theme in themes
        for path in theme.rglob("*.html")
        for block in re.findall(r"{%-? *block (\w+)", path.read_text("utf-8"))
    }
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        blocks = set(re.findall(r"{%-? *block (\w+)", text))
        assert blocks <= known, f"{path.name}: a block that no template of Furo has is never shown"
        for parent in re.findall(r'extends "!([^"]+)"', text):
            assert any((theme / parent).is_file() for theme in themes), f"Furo has no {parent}"


def names_in_sheets() -> Iterator[tuple[str, str, str]]:
    """Yield a sheet and the classes and variables in it, each with the character before it."""
    for path in sorted(CONF.glob("static/*.css")):
        rules = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        for selector in re.findall(r"([^{};]*)\{", rules):
            yield from ((path.name, ".", name) for name in re.findall(r"\.([a-z][\w-]*)", selector))
        yield from ((path.name, "--", name) for name in re.findall(r"--([a-z][\w-]*)", rules))


def text_of(folder: Path, *suffixes: str) -> str:
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in suffixes)
    return "\n".join(path.read_text("utf-8", "replace") for path in paths)


def test_each_rule_names_what_is_written():
    """A rule for a class or a variable that a theme has renamed is silently without effect."""
    folders = [CONF / name for name in (*PACKAGES, "templates", "static")]
    ours = "".join(text_of(folder, ".py", ".html", ".js") for folder in folders)
    ours += text_of(CONF.parent / "docs", ".md") + text_of(CONF / "sphinx_cython", ".css")
    theirs = "".join(
        text_of(Path(package.__file__).parent, ".py", ".html", ".css", ".js")
        for package in (furo, sphinx, myst_nb)
    )
    words = set(re.findall(r"[A-Za-z][\w-]*", ours + theirs))
    # Put together from a part and a number or another name.
    beginnings = set(re.findall(r"([a-z][\w-]*-)[{$]", ours)) | {"ex-", "tag_"}
    lost = {
        f"{sheet}: {mark}{name}"
        for sheet, mark, name in names_in_sheets()
        if name not in words and not name.startswith(tuple(beginnings))
    }
    assert lost == set(), "neither we nor Furo, Sphinx or MyST-NB of these versions write it"


def test_myst_nb_makes_of_a_cell_what_we_read(tmp_path: Path):
    """Read by sphinx_cython/notebook.py and publishing/markdown.py."""
    theirs = inspect.getsource(myst_nb.sphinx_.Parser.parse)
    assert "create_client(" in theirs, (
        f"MyST-NB {version('myst-nb')} creates its clients elsewhere, so sphinx_cython/notebook.py "
        "replaces none"
    )
    text = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# Title\n\n"
    write(tmp_path, {"docs/index.md": f"{text}```{{code-cell}}\n:tags: [one]\n1 + 1\n```\n"})
    settings = {"extensions": ["myst_nb"], "nb_execution_mode": "off"}
    with docutils_namespace():
        app = Sphinx(
            tmp_path / "docs",
            None,
            tmp_path / "html",
            tmp_path / "trees",
            "html",
            settings,
            status=None,
        )
        app.build()
    (cell,) = (
        node
        for node in app.env.get_doctree("index").findall(nodes.container)
        if node.get("nb_element") == "cell_code"
    )
    assert cell["cell_index"] == 1, "the position of the cell, prose counted"
    assert cell["cell_metadata"]["tags"] == ["one"]
    assert "exec_count" in cell
    assert [part["nb_element"] for part in cell.children] == ["cell_code_source"]
