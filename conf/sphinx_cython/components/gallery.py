"""``cython-gallery``: a list of the examples that have a page.

It consists of ordinary nodes for every builder, HTML included, so it has no template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..core.example import ExampleError, candidates
from ..state import get_state, records
from .base import CythonDirective, Options
from .plain import paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from ..core.example import Example


class cython_gallery(nodes.General, nodes.Element):
    """Keeps the place of a list of examples until their pages are known."""


class GalleryDirective(CythonDirective):
    """Lists the examples of some folders, or all, that have a page."""

    required_arguments = 0
    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = Options()

    def make(self) -> nodes.Element:
        """Leave a place for the list, which is known when all pages are read."""
        self.page.gallery = True
        known = {example.folder for example in self.state_of_build.builder.examples}
        folders = "".join(self.arguments).split()
        for folder in folders:
            if folder not in known:
                raise ExampleError(f"no folder {folder!r} of examples; {candidates(folder, known)}")
        return cython_gallery(folders=folders or sorted(known))


class FillGallery(SphinxPostTransform):
    """Turns galleries into lists of links, for every builder."""

    # Before Sphinx resolves references, which it does at 10.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Fill the galleries of one document."""
        galleries = list(self.document.findall(cython_gallery))
        if not galleries:
            return
        pages = {name: doc for doc, page in records(self.env).items() for name in page.examples}
        # The order that the author gave to their pages.
        listed = self.env.toctree_includes.get(self.env.docname, [])
        for gallery in galleries:
            folders = gallery["folders"]
            examples = [
                example
                for example in get_state(self.env).builder.examples
                if example.name in pages and not example.refused and example.folder in folders
            ]
            examples.sort(
                key=lambda example: (
                    folders.index(example.folder),
                    listed.index(pages[example.name]) if pages[example.name] in listed else -1,
                )
            )
            entries = nodes.bullet_list(classes=["cy-gallery"])
            for example in examples:
                name = nodes.paragraph(classes=["cy-name"])
                name += self._link(pages[example.name], nodes.literal("", example.name))
                summary = paragraph(example.summary, "``")
                entries += nodes.list_item("", name, summary, *self._facts(example, pages))
            gallery.replace_self(entries)

    def _facts(self, example: Example, pages: dict[str, str]) -> list[nodes.Node]:
        """Return what is in an example, and which pages show it."""
        functions = [
            name for name in example.functions if not name.rpartition(".")[2].startswith("_")
        ]
        names = nodes.paragraph(classes=["cy-functions"])
        for number, name in enumerate(functions):
            names += [nodes.Text(", ")] * (number > 0) + [nodes.literal("", name)]
        users = nodes.paragraph("", "Shown in: ", classes=["cy-users"])
        shown = [
            self._link(docname, nodes.inline("", self.env.titles[docname].astext()))
            for docname, page in sorted(records(self.env).items())
            if docname not in pages.values()
            and any(key.split("@")[0] == example.name for key in page.uses)
        ]
        for number, link in enumerate(shown):
            users += [nodes.Text(" · ")] * (number > 0) + [link]
        return [*([names] if functions else []), *([users] if shown else [])]

    def _link(self, docname: str, text: nodes.Node) -> addnodes.pending_xref:
        return addnodes.pending_xref(
            "",
            text,
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refdoc=self.env.docname,
            refexplicit=True,
        )


def setup(app: Sphinx) -> None:
    """Register the directive, its node and what replaces it."""
    app.add_directive("cython-gallery", GalleryDirective)
    app.add_node(cython_gallery)
    app.add_post_transform(FillGallery)
