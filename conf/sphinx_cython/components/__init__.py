"""The directives: one module for each, with its options, data, HTML context and plain form.

The modules form one line; each imports only from those before it::

    plain → base → listing → example → excerpt → comparison → assembly → utility → refusal
          → gallery → key

To add a component, write a module with a ``setup`` and name it here; its HTML is a template of
the same name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register all components."""
    from . import (
        assembly,
        base,
        comparison,
        example,
        excerpt,
        gallery,
        key,
        listing,
        refusal,
        utility,
    )

    modules = (
        base,
        listing,
        example,
        excerpt,
        comparison,
        assembly,
        utility,
        refusal,
        gallery,
        key,
    )
    for module in modules:
        module.setup(app)
    app.add_css_file("cython-colors.css")
    app.add_css_file("cython.css")
    app.add_js_file("cython.js", loading_method="defer")
    app.connect("builder-inited", _add_static_path)


def _add_static_path(app: Sphinx) -> None:
    app.config.html_static_path.append(str(Path(__file__).parents[1] / "static"))
