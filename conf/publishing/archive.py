"""All examples as one archive, with what builds them: ``examples.zip`` at the root of the site."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxRole

from sphinx_cython.core.config import Config
from sphinx_cython.core.results import Results
from sphinx_cython.domain import get_results

if TYPE_CHECKING:
    from docutils.nodes import Node, system_message
    from sphinx.application import Sphinx

NAME = "examples.zip"
ROOT = Path(__file__).resolve().parents[2]
# What comes with every archive.
EXTRAS = Path(__file__).parent / "archive"
# What belongs to examples. What tools leave beside them (C, modules) does not.
SOURCES = {".pyx", ".pxd", ".pxi", ".h", ".py", ".toml", ".build", ".txt"}
LEFT_OUT = {"tests", "build", "dist", "__pycache__"}
# The pictures take their colors from the first of these.
SHEETS = ("conf/sphinx_cython/static/cython-colors.css", "conf/static/pictures.css")
# JupyterLab has its switch on the same element as Furo.
JUPYTER = 'body[data-jp-theme-light="false"] {\n  color-scheme: dark;\n}\n'


def needs_site(helper: Path) -> bool:
    """Whether a helper module works only where the site is built."""
    return bool(re.search(r"^(?:from|import) sphinx_cython\b", helper.read_text("utf-8"), re.M))


def helpers(results: Results) -> Iterator[Path]:
    """Yield the modules that pages import besides examples: what draws the pictures."""
    return (path for path in sorted(results.helpers[0].glob("*.py")) if not needs_site(path))


def profiles(config: Config) -> dict[str, dict[str, object]]:
    """Return how variants are built, by the name that they are imported with."""
    return {
        profile.package: {
            "summary": profile.summary,
            "flags": [*profile.flags, *profile.optional_flags],
            "macros": [list(macro) for macro in profile.macros],
            "directives": dict(profile.directives),
        }
        for profile in config.profiles[1:]
    }


def picture_style() -> str:
    """Return the style sheet of the pictures."""
    sheets = [(ROOT / name).read_text("utf-8") for name in SHEETS]
    return "\n".join([*sheets, JUPYTER])


def members(results: Results) -> dict[str, bytes]:
    """Return the content of every file in the archive, by name."""
    folder = results.builder.examples.root
    found = {path.name: path.read_bytes() for path in EXTRAS.iterdir() if path.is_file()}
    found["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.suffix in SOURCES and not LEFT_OUT & set(inside.parts):
            found[inside.as_posix()] = path.read_bytes()
    for path in helpers(results):
        found[f"pictures/{path.name}"] = path.read_bytes()
    found["pictures/pictures.css"] = picture_style().encode()
    settings = json.dumps(profiles(results.builder.config), indent=2)
    found["profiles.json"] = f"{settings}\n".encode()
    return found


def pack(files: dict[str, bytes]) -> bytes:
    """Return an archive that depends on nothing but names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"examples/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, wherever this runs
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def write_archive(app: Sphinx, exception: Exception | None) -> None:
    """Write it when the pages are written (``build-finished``)."""
    built = exception is None and "sphinx_cython" in app.extensions
    if built and app.builder.name == "html":
        Path(app.outdir, NAME).write_bytes(pack(members(get_results(app.env))))


class SiteFile(SphinxRole):
    """``site-file``: a link to a file at the root of the built site that no page is made from."""

    def run(self) -> tuple[list[Node], list[system_message]]:
        """Link to it from wherever the page is."""
        address = "../" * self.env.docname.count("/") + self.text
        link = nodes.reference(self.rawtext, "", nodes.literal("", self.text), refuri=address)
        return [link], []


def setup(app: Sphinx) -> None:
    """Register the role and the event handler."""
    app.add_role("site-file", SiteFile())
    app.connect("build-finished", write_archive)
