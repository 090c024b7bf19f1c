"""What this site needs to be published, as a Sphinx extension and a few programs.

The extension: one style sheet instead of many, a description and an address for every page, a
sitemap, the order of search results, the versions that the pages were made with, a page for
addresses that do not exist, and what can be taken away: every page as Markdown and as a notebook,
``llms.txt``, and the examples as an archive. None of its modules knows of memoryviews;
``sphinx_cython`` tells them the compiler, the examples, and what its boxes say.

The programs, ``python -m publishing.<name>``: ``pictures`` takes the picture of the README and the
card that other sites show beside a link; ``lighthouse`` runs Lighthouse on some pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers and what conf.py may set."""
    from . import (
        addresses,
        archive,
        assets,
        descriptions,
        leftovers,
        lists,
        navigation,
        notebooks,
        plain,
        reference,
        search,
        versions,
    )

    modules = (
        addresses,
        archive,
        assets,
        descriptions,
        leftovers,
        lists,
        navigation,
        notebooks,
        plain,
        reference,
        search,
        versions,
    )
    for module in modules:
        module.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
