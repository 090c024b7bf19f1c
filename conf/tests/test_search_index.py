"""The search index after an incremental build."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sphinx.cmd.build import build_main

PAGE = """{name}
====

.. index:: words of {name}

Some text.
"""


def entries(out: Path) -> set[str]:
    """The index entries that search knows."""
    text = (out / "searchindex.js").read_text("utf-8")
    match = re.fullmatch(r"Search\.setIndex\((.*)\)", text, re.S)
    assert match
    return set(json.loads(match[1])["indexentries"])


def test_entries_of_pages_that_did_not_change_stay_in_the_index(tmp_path: Path) -> None:
    docs, out = tmp_path / "docs", tmp_path / "html"
    docs.mkdir()
    for name in ("index", "page"):
        (docs / f"{name}.rst").write_text(PAGE.format(name=name), "utf-8")
    options = ["-Dextensions=publishing.search", "-C", "-q"]
    for text in ("", "Some more.\n"):
        with (docs / "index.rst").open("a", encoding="utf-8") as file:
            file.write(text)
        assert build_main([*options, str(docs), str(out)]) == 0
        assert entries(out) == {"words of index", "words of page"}
