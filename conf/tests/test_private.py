"""What we use of others: nothing private, nothing deprecated, and what it has to be like."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from support import CONF, Site, write

PACKAGES = ("sphinx_cython", "publishing")
# Documented in spite of its name.
DOCUMENTED = {"_exit"}
# The shell that runs cells does what ipykernel does, by the same means; test_execution compares
# what comes of both.
AS_A_KERNEL = "sphinx_cython/execution/shell.py"


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
