"""Addresses: where the site is, where its source is, its sitemap, and the page for those not found.

The sitemap is ours: ``sphinx-sitemap`` warns if the site has no address, which fails a build with
``-W``, and puts a version and a language into every link unless it is told not to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

NOT_FOUND = "404"
SITEMAP = "sitemap.xml"
# Furo knows how the addresses of files look on these, and warns about any other.
FORGES = ("https://github.com/", "https://gitlab.com/", "https://bitbucket.org/")


def base_address(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address that the site will have, with a slash at its end, or nothing."""
    address = environ.get("SITE_BASEURL") or environ.get("READTHEDOCS_CANONICAL_URL") or ""
    return f"{address.rstrip('/')}/" if address else ""


def source_options(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the options of Furo that name the repository, if it is known."""
    given = environ.get("SITE_REPOSITORY") or environ.get("READTHEDOCS_GIT_CLONE_URL") or ""
    repository = given.removesuffix("/").removesuffix(".git")
    if not repository.startswith(FORGES):
        return {}
    return {
        "source_repository": repository,
        "source_branch": environ.get("SITE_BRANCH") or "main",
        "source_directory": "docs/",
    }


def tell_address(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the templates where the site is."""
    context["site_address"] = app.config.html_baseurl
    if page == NOT_FOUND:
        # The path alone, so that the site can be looked at on another host.
        context["site_path"] = urlsplit(app.config.html_baseurl).path
        context["title"] = "There is no such page"
        context["pageurl"] = None  # it is shown at many addresses, and has none


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """List all pages for search engines, if the site has an address (``build-finished``).

    Without dates: a page has none that is the same in every build of a commit.
    """
    if exception is not None or app.builder.name not in ("html", "dirhtml"):
        return
    sitemap = Path(app.outdir, SITEMAP)
    if not app.config.html_baseurl:
        sitemap.unlink(missing_ok=True)  # an earlier build may have had one
        return
    base = f"{app.config.html_baseurl.rstrip('/')}/"
    places = (base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
    rows = (f"  <url><loc>{escape(place)}</loc></url>\n" for place in places)
    text = "".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>\n',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n',
            *rows,
            "</urlset>\n",
        ]
    )
    sitemap.write_text(text, "utf-8")


def setup(app: Sphinx) -> None:
    """Register the event handlers."""
    app.connect("html-page-context", tell_address)
    app.connect("build-finished", write_sitemap)
