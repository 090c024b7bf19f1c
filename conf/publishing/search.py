"""Search: the order of its results (``scorer.js``), and its index after incremental builds.

Our code and not a library: those that search static sites bring an index and a script of their own,
where Sphinx has both and a hook for the order.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError
from sphinx.util.index_entries import split_index_msg

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

SCORER = Path(__file__).parent / "scorer.js"
# How Sphinx writes its index.
INDEX = "searchindex.js"
PREFIX, SUFFIX = "Search.setIndex(", ")"

# What scorer.js replaces of Sphinx's searchtools.js, and where that calls it. Only one is private:
# nothing else sees all results.
SPHINX_CALLS = {
    "Scorer.score": "(item[4] = Scorer.score(item))",
    "Scorer.title": "(Scorer.title * queryLower.length) / title.length",
    "Search._performSearch": "const results = Search._performSearch( searchQuery, searchTerms,",
    "Search.makeSearchSummary": "Search.makeSearchSummary(data, searchTerms, anchor)",
    "Search.performTermsSearch": "Search.performTermsSearch(searchTerms, excludedTerms)",
    "Search.setIndex": "setIndex: (index) => { Search._index = index;",
    "splitQuery": "splitQuery(query.trim()).forEach((queryTerm) =>",
}


def set_scorer(app: Sphinx, config: Config) -> None:
    """Let Sphinx put our script, without its comments, behind its own.

    It is named by full path, as Sphinx looks from where it is run.
    """
    bare = Path(app.doctreedir, SCORER.name)
    bare.parent.mkdir(parents=True, exist_ok=True)
    script = re.sub(r"/\*.*?\*/\s*", "", SCORER.read_text("utf-8"), flags=re.S)
    bare.write_text(re.sub(r"^\s*//.*\n", "", script, flags=re.M), "utf-8")
    config.html_search_scorer = str(bare)


def complete(index: dict[str, Any], env: BuildEnvironment) -> dict[str, Any]:
    """Return a search index as it is when all pages are written at once.

    Sphinx reads back the index of the build before, takes out the pages that it writes again or
    that are gone, and adds those that it writes. Of the terms that were only there, an empty list
    remains, and the entries of ``index`` directives are not read back at all.
    """
    for kind in ("terms", "titleterms"):
        index[kind] = {term: pages for term, pages in index[kind].items() if pages != []}
    numbers = {docname: number for number, docname in enumerate(index["docnames"])}
    entries: dict[str, list[list[object]]] = {}
    for docname, listed in sorted(env.domains.index_domain.entries.items()):
        if docname not in numbers:  # a page without a title
            continue
        found = set()
        for kind, value, target, main, _key in listed:
            words = split_index_msg(kind, value)
            found |= {(word, target or "", main) for word in words}
        for word, target, main in sorted(found):
            row = [numbers[docname], target, main == "main"]
            entries.setdefault(word.lower(), []).append(row)
    index["indexentries"] = entries
    return index


def complete_index(app: Sphinx, exception: Exception | None) -> None:
    """Complete the search index that Sphinx wrote (``build-finished``)."""
    path = Path(app.outdir, INDEX)
    if exception is not None or not path.is_file():
        return
    text = path.read_text("utf-8")
    if not (text.startswith(PREFIX) and text.endswith(SUFFIX)):
        raise ExtensionError(f"{INDEX} is not written as Sphinx 9 does: {text[:40]!r}")
    index = json.loads(text.removeprefix(PREFIX).removesuffix(SUFFIX))
    frozen = json.dumps(complete(index, app.env), separators=(",", ":"), sort_keys=True)
    if text != (completed := f"{PREFIX}{frozen}{SUFFIX}"):
        path.write_text(completed, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers."""
    app.connect("config-inited", set_scorer)
    app.connect("build-finished", complete_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
