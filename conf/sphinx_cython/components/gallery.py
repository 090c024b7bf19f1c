"""``cython-gallery``: a list of the examples that have a page.

It consists of ordinary nodes for every builder, HTML included, so it has no template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..core.example import ExampleError, candidates
from ..domain import GalleryEntry, cython_domain
from .base import CythonDirective, Options
from .plain import paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class cython_gallery(nodes.General, nodes.Element):
    """Keeps the place of a list of examples until their pages are known."""


class GalleryDirective(CythonDirective):
    """Lists the examples that have a page.

    Each entry has the first paragraph of the example's docstring, the names of its functions, and
    links to the pages that show it. Within a folder, entries are in the order of the table of
    contents of this page.

    Argument:
        The folders, separated by white space; all of them if there is no argument.
    """

    required_arguments = 0
    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = Options()

    def make(self) -> nodes.Element:
        """Leave a place for the list, which is known when all pages are read."""
        known = {example.folder for example in self.results.builder.examples}
        folders = "".join(self.arguments).split()
        for folder in folders:
            if folder not in known:
                raise ExampleError(f"no folder {folder!r} of examples; {candidates(folder, known)}")
        self.page.galleries.append(tuple(folders))
        return cython_gallery(folders=folders)


class FillGallery(SphinxPostTransform):
    """Turns galleries into lists of links, for every builder."""

    # Before Sphinx resolves references, which it does at 10.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Fill the galleries of one document."""
        galleries = list(self.document.findall(cython_gallery))
        if not galleries:
            return
        domain = cython_domain(self.env)
        for gallery in galleries:
            entries = nodes.bullet_list(classes=["cy-gallery"])
            for entry in domain.gallery(self.env.docname, gallery["folders"]):
                name = nodes.paragraph(classes=["cy-name"])
                name += self._link(entry.docname, nodes.literal("", entry.example))
                summary = paragraph(entry.summary, "``")
                entries += nodes.list_item("", name, summary, *self._facts(entry))
            gallery.replace_self(entries)

    def _facts(self, entry: GalleryEntry) -> list[nodes.Node]:
        """Return what is in an example, and which pages show it."""
        names = nodes.paragraph(classes=["cy-functions"])
        for number, name in enumerate(entry.functions):
            names += [nodes.Text(", ")] * (number > 0) + [nodes.literal("", name)]
        users = nodes.paragraph("", "Shown in: ", classes=["cy-users"])
        for number, (docname, title) in enumerate(entry.users):
            link = self._link(docname, nodes.inline("", title))
            users += [nodes.Text(" · ")] * (number > 0) + [link]
        return [*([names] if entry.functions else []), *([users] if entry.users else [])]

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
