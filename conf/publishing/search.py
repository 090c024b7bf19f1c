"""Search: the order of its results (``scorer.js``), and its index after incremental builds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util.index_entries import split_index_msg

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

SCORER = Path(__file__).parent / "scorer.js"


def set_scorer(app: Sphinx, config: Config) -> None:
    """Let Sphinx put our script, without its comments, behind its own.

    It is named by full path, as Sphinx looks from where it is run.
    """
    bare = Path(app.doctreedir, SCORER.name)
    bare.parent.mkdir(parents=True, exist_ok=True)
    script = re.sub(r"/\*.*?\*/\s*", "", SCORER.read_text("utf-8"), flags=re.S)
    bare.write_text(re.sub(r"^\s*//.*\n", "", script, flags=re.M), "utf-8")
    config.html_search_scorer = str(bare)


def keep_index_entries(app: Sphinx, env: BuildEnvironment) -> None:
    """Hand the index entries of all pages to the search index (``env-updated``).

    Sphinx only collects those of the pages it writes, and reads everything else back from the index
    of the build before, but not these: after an incremental build, search would not find them.
    """
    collected: dict[str, list[tuple[str, str, str]]] = env._search_index_index_entries
    for docname, entries in env.domains.index_domain.entries.items():
        found = set()
        for kind, value, target, main, _key in entries:
            found |= {(word, target, main) for word in split_index_msg(kind, value)}
        collected[docname] = sorted(found)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers."""
    app.connect("config-inited", set_scorer)
    app.connect("env-updated", keep_index_entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
