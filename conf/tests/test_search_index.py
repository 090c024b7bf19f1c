"""The search index after an incremental build, and the script that orders the results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sphinx
from sphinx.application import Sphinx
from sphinx.cmd.build import build_main
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace

from publishing import search

PAGE = """{name}
====

.. index:: words of {name}

Some text.
"""
ENTRIES = """
.. index:: Single; thick
   pair: salt; pepper
   triple: one; two; three
   see: salt shaker; salt
   seealso: pepper mill; pepper
   !main words
"""


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with two pages, built once."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("index", "page"):
        (docs / f"{name}.rst").write_text(PAGE.format(name=name), "utf-8")
    build(docs)
    return docs


def build(docs: Path, out: str = "html") -> dict[str, Any]:
    """Build, and return the search index."""
    options = ["-Dextensions=publishing.search", "-C", "-q"]
    assert build_main([*options, str(docs), str(docs.with_name(out))]) == 0
    text = (docs.with_name(out) / "searchindex.js").read_text("utf-8")
    match = re.fullmatch(r"Search\.setIndex\((.*)\)", text, re.S)
    assert match
    index: dict[str, Any] = json.loads(match[1])
    return index


def append(docs: Path, text: str) -> None:
    with (docs / "index.rst").open("a", encoding="utf-8") as file:
        file.write(text)


def test_entries_of_pages_that_did_not_change_stay_in_the_index(docs: Path) -> None:
    append(docs, "Some more.\n")
    index = build(docs)
    assert set(index["indexentries"]) == {"words of index", "words of page"}
    assert index == build(docs, "new")


def test_entries_of_every_kind_are_in_the_index_as_sphinx_puts_them_there(docs: Path) -> None:
    append(docs, ENTRIES)
    with_extension = build(docs)
    options = ["-C", "-q", str(docs), str(docs.with_name("bare"))]
    assert build_main(options) == 0
    text = docs.with_name("bare").joinpath("searchindex.js").read_text("utf-8")
    bare = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    assert with_extension["indexentries"] == bare["indexentries"]
    assert "thick" in bare["indexentries"]


def test_a_page_with_entries_that_is_removed(docs: Path) -> None:
    (docs / "page.rst").unlink()
    index = build(docs)
    assert set(index["indexentries"]) == {"words of index"}
    assert index == build(docs, "new")


def test_terms_that_are_gone_leave_nothing(docs: Path) -> None:
    (docs / "page.rst").write_text("Zebra\n=====\n\nUnicorns.\n", "utf-8")
    assert "unicorn" in build(docs)["terms"]
    (docs / "page.rst").write_text(PAGE.format(name="page"), "utf-8")
    index = build(docs)
    assert {"unicorn", "zebra"} & (set(index["terms"]) | set(index["titleterms"])) == set()
    assert index == build(docs, "new")


def test_an_index_of_an_unknown_form_is_an_error_that_says_so(docs: Path, monkeypatch) -> None:
    monkeypatch.setattr(search, "PREFIX", "Search.setAnotherIndex(")
    with docutils_namespace():
        app = Sphinx(docs, None, docs.with_name("html"), docs.with_name("trees"), "html")
    with pytest.raises(ExtensionError, match=r"searchindex\.js is not written as Sphinx 9 does"):
        search.complete_index(app, None)


def test_sphinx_calls_what_our_script_replaces() -> None:
    """Otherwise the order of results would be Sphinx's own, without an error."""
    script = Path(sphinx.__file__).parent / "themes/basic/static/searchtools.js"
    theirs = " ".join(script.read_text("utf-8").split())
    lost = {name for name, call in search.SPHINX_CALLS.items() if call not in theirs}
    assert lost == set(), (
        f"Sphinx {sphinx.__version__} does not call this as before: compare its searchtools.js "
        "with publishing/scorer.js, then change SPHINX_CALLS in publishing/search.py"
    )
    assert "Each is an array of [docname, title, anchor, descr, score, filename, kind]" in theirs, (
        f"Sphinx {sphinx.__version__} keeps results in another form than publishing/scorer.js"
    )


def test_our_script_replaces_nothing_else() -> None:
    ours = search.SCORER.read_text("utf-8")
    assigned = re.findall(r"^ +((?:Search|Scorer)\.\w+|\w+) = ", ours, re.M)
    # ``index`` is a variable of the script.
    assert set(assigned) - {"index"} == set(search.SPHINX_CALLS)
    private = set(re.findall(r"\b(?:Search|Documentation)\._\w+|(?<![\w.])_\w+", ours))
    assert private == {"Search._performSearch"}
