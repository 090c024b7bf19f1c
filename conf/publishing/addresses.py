"""Addresses: where the site is, where its source is, and the page for those that do not exist."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

NOT_FOUND = "404"
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


def setup(app: Sphinx) -> None:
    """Register the event handler."""
    app.connect("html-page-context", tell_address)
