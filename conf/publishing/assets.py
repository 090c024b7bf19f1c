"""One style sheet instead of many, and no file that a page has no use for.

The rules of this site lie in files of one concern each (``html_css_files``). A browser waits for
every one of them before it shows anything, so they are joined when the site is built.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.config import Config

JOINED = "site.css"
# What stands in a page that has a use for a file. By default every page loads all of them. Those of
# Sphinx serve its search, and mark the words that were searched for on the page that was found:
# four kilobytes on each page for what the browser's own search does too.
SEARCH = 'id="search-results"'  # stands in a template
USED_FOR = {
    "mystnb.": 'class="cell',
    "pygments.css": "highlight",
    "cython.css": "cy-",
    "cython.js": "cy-",
    # Furo's, for what other extensions put into a page.
    "furo-extensions.css": '(?:class|id)="[^"]*(?:sphinx-|ablog|ad-placement)',
    "scrollable.js": "highlight|<table",
    "strides.js": "data-explorer",
    "explorer.": "data-explorer",
    "documentation_options.js": SEARCH,
    "doctools.js": SEARCH,
    "sphinx_highlight.js": SEARCH,
    "copy.js": "highlight|cy-",
}
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.S)
# What nearly all pages load of sphinx_cython.
COMMENTED = {"cython.css": _COMMENT, "cython.js": re.compile(r"^[ \t]*//.*\n", re.M)}


def replace_sheets(app: Sphinx, config: Config) -> None:
    """Let pages load one sheet, and note what it is made of."""
    # Those with attributes (a medium, say) are pairs, and stay what they are.
    config["joined_css_files"] = [name for name in config.html_css_files if isinstance(name, str)]
    others = [pair for pair in config.html_css_files if not isinstance(pair, str)]
    config["html_css_files"] = [JOINED, *others]


def join_sheets(app: Sphinx) -> None:
    """Write that sheet beside the other static files."""
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    folders = [Path(app.confdir, folder) for folder in app.config.html_static_path]
    parts = []
    for name in app.config["joined_css_files"]:
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            raise ExtensionError(f"html_css_files names {name}, which is in no html_static_path")
        parts.append(f"/* {name} */\n" + _COMMENT.sub("", path.read_text("utf-8")).lstrip())
    target = Path(app.outdir, "_static", JOINED)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(parts), "utf-8")


def drop_checksum(app: Sphinx, builder: Builder) -> None:
    """Let the address of MyST-NB's sheet be the same in every build (``write-started``).

    Sphinx adds a checksum to the address of a sheet that it finds. MyST-NB copies its sheet when
    the pages are written, so the pages of a first build have no checksum (nor need they one: it is
    in the name of the sheet) and those of the next would have one.
    """
    if isinstance(builder, StandaloneHTMLBuilder):
        for sheet in Path(builder.outdir, "_static").glob("mystnb.*.css"):
            sheet.unlink()


def drop_unused_files(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let a page load no style sheet and no script that only other pages need."""
    body = context.get("body", "") + (SEARCH if page == "search" else "")
    unused = tuple(name for name, sign in USED_FOR.items() if not re.search(sign, body))
    for files in ("css_files", "script_files"):
        # In place: other handlers add files of this page to the same list.
        context[files][:] = [
            file
            for file in context[files]
            if not Path(str(getattr(file, "filename", file))).name.startswith(unused)
        ]


def drop_comments(app: Sphinx, exception: Exception | None) -> None:
    """Take comments out of the files that nearly all pages load (``build-finished``)."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    for name, comment in COMMENTED.items():
        path = Path(app.outdir, "_static", name)
        if path.is_file():
            path.write_text(comment.sub("", path.read_text("utf-8")), "utf-8")


def setup(app: Sphinx) -> None:
    """Register the event handlers."""
    app.add_config_value("joined_css_files", [], "html", types=frozenset({list}))
    app.connect("config-inited", replace_sheets)
    app.connect("builder-inited", join_sheets)
    app.connect("write-started", drop_checksum)
    app.connect("html-page-context", drop_unused_files)
    app.connect("build-finished", drop_comments)
