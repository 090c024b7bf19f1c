"""The versions of everything that the pages were made with, for the footer."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sphinx_cython.core.toolchain import ToolchainError, find_toolchain

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

# What wrote the pages, and what made the C, the modules and the output on them.
WRITERS = (
    ("Sphinx", "https://www.sphinx-doc.org/"),
    ("MyST-NB", "https://myst-nb.readthedocs.io/"),
    ("Furo", "https://github.com/pradyunsg/furo"),
)
MAKERS = (
    ("Cython", "https://cython.org/"),
    ("NumPy", "https://numpy.org/"),
)
COMMITS = ("SITE_COMMIT", "READTHEDOCS_GIT_COMMIT_HASH")


def made_with() -> dict[str, list[tuple[str, str, str]]]:
    """Return name, version and address of what was used, in two groups.

    Nothing but versions: a date or the name of a machine would make two builds differ.
    """
    makers = [(name, version(name), address) for name, address in MAKERS]
    makers.append(("CPython", platform.python_version(), "https://www.python.org/"))
    try:
        name, _, number = find_toolchain().name.rpartition(" ")
        makers.append((name, number, ""))
    except ToolchainError:
        pass  # sphinx_cython says so, and the build fails
    return {
        "pages": [(name, version(name), address) for name, address in WRITERS],
        "examples": makers,
    }


def note_versions(app: Sphinx, config: Config) -> None:
    """Put them among the settings: where a setting has changed, Sphinx writes all pages again."""
    config["made_with"] = made_with()
    # Not asked of git: what lies in the folder need not be what was committed.
    config["commit"] = next(filter(None, map(os.environ.get, COMMITS)), "")


def show_versions(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Hand them to the template."""
    context["made_with"] = app.config["made_with"]
    context["commit"] = app.config["commit"]


def setup(app: Sphinx) -> None:
    """Register the settings and the event handlers."""
    app.add_config_value("made_with", {}, "html", types=frozenset({dict}))
    app.add_config_value("commit", "", "html", types=frozenset({str}))
    app.connect("config-inited", note_versions)
    app.connect("html-page-context", show_versions)
