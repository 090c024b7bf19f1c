"""Cython examples in Sphinx: compiled, run and shown with the C that was made of them.

The modules form one line; each imports only from those before it::

    markup → rendering → domain → progress → report → assets → components → execution
           → notebook → events

``core``, on which all of them rest, does not import Sphinx, so that tests and tools can build
and read examples without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives, the nodes and the event handlers."""
    from . import components, events

    components.setup(app)
    events.setup(app)
    return {
        "version": __version__,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
