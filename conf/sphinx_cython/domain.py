"""The Sphinx domain ``cython``: examples as objects, and what each page is made from.

Sphinx keeps the domain's data in its environment, drops what a page put there before it reads the
page again, and merges what parallel readers put there. The data is one ``PageRecord`` a page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.builders.singlehtml import SingleFileHTMLBuilder
from sphinx.domains import Domain, ObjType
from sphinx.roles import XRefRole
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from .core.example import ExampleError, candidates
from .core.measure import Group
from .core.results import Results

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import RoleFunction

    from .core.example import Example

logger = logging.getLogger(__name__)

NAME = "cython"
# In a message of docutils or MyST: it is about one of our directives, which perhaps did not run.
_OWN_DIRECTIVE = re.compile(r"\bcython[-:]\w")
_WARNING = 2  # of docutils' levels


@dataclass(frozen=True)
class ExamplePage:
    """The place of an example's own listing (``cython-example``).

    Attributes:
        example: Name of the example.
        anchor: What the ids of its lines begin with.
        location: File and line of the directive, for messages.
        functions: The line of each function's header, by name.
    """

    example: str
    anchor: str
    location: str
    functions: dict[str, int]


@dataclass
class PageRecord:
    """What a page is made from.

    Attributes:
        uses: Digest of every variant it shows or its cells import, by key.
        helpers: Digest of every helper file its cells import.
        groups: The measurements it shows, by digest.
        examples: The examples whose own page this is.
        references: Role and target of every cross-reference that may lead to an example.
        galleries: The folders of each list of examples on it; empty for all folders.
        key: Whether it explains the marks.
        failed: Whether a directive or a cell of it failed: it is read again until none does.
        cells: The code of its cells, hidden ones included, by their positions on the page.
        seconds: How long its cells ran in this build; 0 if they did not.
    """

    uses: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    examples: list[ExamplePage] = field(default_factory=list)
    references: set[tuple[str, str]] = field(default_factory=set)
    galleries: list[tuple[str, ...]] = field(default_factory=list)
    key: bool = False
    failed: bool = False
    cells: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """The place that a cross-reference leads to; without an anchor it is the page as a whole."""

    docname: str
    anchor: str = ""


@dataclass(frozen=True)
class GalleryEntry:
    """An example in a list of examples.

    Attributes:
        example: Its name.
        docname: Its own page.
        summary: Its docstring's first paragraph.
        functions: Its public functions.
        users: Name and title of every other page that shows or imports it.
    """

    example: str
    docname: str
    summary: str
    functions: tuple[str, ...]
    users: tuple[tuple[str, str], ...]


def line_anchor(anchor: str, number: int) -> str:
    """Return the id of a line of a listing."""
    return f"{anchor}-L{number}"


def element_id(builder: Builder, docname: str, name: str) -> str:
    """Return the id of an element that is called ``name`` on its page.

    With singlehtml all pages are written into one file.
    """
    return f"{docname}/{name}" if isinstance(builder, SingleFileHTMLBuilder) else name


class FunctionRole(XRefRole):
    """``cython:func``: shows the function without its example."""

    def process_link(
        self,
        env: BuildEnvironment,
        refnode: Element,
        has_explicit_title: bool,
        title: str,
        target: str,
    ) -> tuple[str, str]:
        """Shorten the title."""
        if not has_explicit_title:
            title = title.rpartition("::")[2]
        return title, target


class LineRole(XRefRole):
    """``cython:line``: shows the line without its example and function."""

    def process_link(
        self,
        env: BuildEnvironment,
        refnode: Element,
        has_explicit_title: bool,
        title: str,
        target: str,
    ) -> tuple[str, str]:
        """Shorten the title."""
        if not has_explicit_title:
            title = title.partition(">")[2].strip()
        return title, target


def extension_version() -> int:
    """Return a number made from this extension's own files.

    When they change, Sphinx discards its environment: all pages are read again.
    """
    hasher = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(root).as_posix()
            hasher.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return int(hasher.hexdigest()[:15], 16)


class CythonDomain(Domain):
    """Examples and their functions as objects, and what pages are made from.

    Attributes:
        results: The results of building the examples; None until they are built.
    """

    name = NAME
    label = "Cython"
    object_types: ClassVar[dict[str, ObjType]] = {
        "example": ObjType("example", "example"),
        "function": ObjType("function", "func"),
    }
    roles: ClassVar[dict[str, RoleFunction | XRefRole]] = {
        "example": XRefRole(warn_dangling=True),
        "func": FunctionRole(fix_parens=True, warn_dangling=True),
        "line": LineRole(warn_dangling=True),
    }
    initial_data: ClassVar[dict[str, Any]] = {"pages": {}}
    data_version: ClassVar[int] = extension_version()

    def __init__(self, env: BuildEnvironment) -> None:
        super().__init__(env)
        self.results: Results | None = None
        self._own_pages: dict[str, tuple[str, ExamplePage]] | None = None

    # --- what Sphinx calls

    def clear_doc(self, docname: str) -> None:
        """Forget what a page is made from."""
        records(self.env).pop(docname, None)
        self._own_pages = None

    def merge_domaindata(self, docnames: Set[str], otherdata: dict[str, Any]) -> None:
        """Take over what a parallel reader noted."""
        pages: dict[str, PageRecord] = otherdata["pages"]
        records(self.env).update({name: pages[name] for name in docnames if name in pages})
        self._own_pages = None

    def process_doc(self, env: BuildEnvironment, docname: str, document: nodes.document) -> None:
        """Note the cross-references of a page, and whether docutils rejected a directive."""
        for reference in document.findall(addnodes.pending_xref):
            if reference.get("refdomain") == self.name:
                role = str(reference["reftype"])
            elif reference.get("reftype") in ("any", "myst"):
                role = "any"
            else:
                continue
            record(env, docname).references.add((role, str(reference["reftarget"])))
        for message in document.findall(nodes.system_message):
            if message["level"] >= _WARNING and _OWN_DIRECTIVE.search(message.astext()):
                record(env, docname).failed = True

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """Yield examples and their functions, for ``objects.inv``.

        Full-text search finds their pages by their titles, so they are not listed there again.
        """
        for name, (docname, page) in self.own_pages().items():
            yield name, name, "example", docname, self._whole(docname, page), -1
            for function, number in page.functions.items():
                full = f"{name}::{function}"
                yield full, full, "function", docname, line_anchor(page.anchor, number), -1

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: pending_xref,
        contnode: Element,
    ) -> nodes.reference | None:
        """Return a link to an object, or None if there is no such object."""
        try:
            place = self.find(typ, target)
        except ExampleError:
            return None
        return self._link(builder, fromdocname, place, target, contnode)

    def resolve_any_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        target: str,
        node: pending_xref,
        contnode: Element,
    ) -> list[tuple[str, nodes.reference]]:
        """Return links to the objects of exactly that name."""
        return [
            (f"{self.name}:{role}", self._link(builder, fromdocname, place, target, contnode))
            for role, place in self._find_any(target)
        ]

    # --- objects

    def note_example(self, docname: str, own: ExamplePage) -> None:
        """Note that a page is an example's own page."""
        record(self.env, docname).examples.append(own)
        self._own_pages = None

    def own_pages(self) -> dict[str, tuple[str, ExamplePage]]:
        """Return each example's own page: the first in the order of the names of the pages."""
        if self._own_pages is None:
            self._own_pages = {}
            for docname, page in sorted(records(self.env).items()):
                for own in page.examples:
                    self._own_pages.setdefault(own.example, (docname, own))
        return self._own_pages

    def duplicates(self) -> Iterator[tuple[ExamplePage, str, ExamplePage]]:
        """Yield each further page of an example, with name and place of its first page."""
        first = self.own_pages()
        for _docname, page in sorted(records(self.env).items()):
            for own in page.examples:
                docname, kept = first[own.example]
                if own is not kept:
                    yield own, docname, kept

    def find(self, role: str, target: str) -> Target:
        """Return the place that a role and its target lead to.

        Args:
            role: ``example``, ``func`` or ``line``.
            target: ``example``, ``example::function``, ``example::function > text of a line``.

        Raises:
            ExampleError: There is no such object, or the example has no page of its own.
        """
        name, _, text = (part.strip() for part in target.partition(">"))
        name, _, function = name.partition("::")
        if role == "func" and not function:
            raise ExampleError(f"{target!r} names no function; write example::function")
        if role == "line" and not text:
            raise ExampleError(f"{target!r} names no line; write example::function > text")
        example = self.required_results.builder.examples[name]
        owners = self.own_pages()
        if example.name not in owners:
            raise ExampleError(
                f"example {example.name!r} has no page of its own (cython-example); "
                f"{candidates(name, owners)}"
            )
        docname, page = owners[example.name]
        if role == "func":
            return Target(docname, line_anchor(page.anchor, example.function(function).header))
        if role == "line":
            number = example.find_line(text, function or None)
            return Target(docname, line_anchor(page.anchor, number))
        return Target(docname, self._whole(docname, page))

    def _whole(self, docname: str, page: ExamplePage) -> str:
        """Return the anchor of an example: none if it has the page for itself."""
        alone = len(records(self.env)[docname].examples) == 1
        return "" if alone else line_anchor(page.anchor, 1)

    def _find_any(self, target: str) -> Iterator[tuple[str, Target]]:
        name, _, function = target.partition("::")
        if found := self.own_pages().get(name):
            docname, page = found
            if not function:
                yield "example", Target(docname, self._whole(docname, page))
            elif function in page.functions:
                yield "func", Target(docname, line_anchor(page.anchor, page.functions[function]))

    def uri(self, builder: Builder, fromdocname: str, place: Target) -> str:
        """Return the address of a place, relative to a page."""
        address = builder.get_relative_uri(fromdocname, place.docname)
        if not place.anchor:
            return address
        # With singlehtml, pages are anchors themselves.
        fragment = quote(element_id(builder, place.docname, place.anchor))
        return f"{address.partition('#')[0]}#{fragment}"

    def _link(
        self, builder: Builder, fromdocname: str, place: Target, title: str, content: Element
    ) -> nodes.reference:
        if builder.format != "html":  # only there do lines have ids
            place = Target(place.docname)
        link = make_refnode(
            builder, fromdocname, place.docname, place.anchor or None, content, title
        )
        if "refuri" in link:
            link["refuri"] = self.uri(builder, fromdocname, place)
        return link

    # --- what one page shows of others

    @property
    def required_results(self) -> Results:
        """The results of building; RuntimeError before the examples are built."""
        if self.results is None:
            raise RuntimeError("the examples are not built yet")
        return self.results

    def listing_uri(self, builder: Builder, fromdocname: str, example: str, number: int) -> str:
        """Return the address of a line on an example's own page, or nothing if it has none."""
        if own := self.own_pages().get(example):
            docname, page = own
            return self.uri(builder, fromdocname, Target(docname, line_anchor(page.anchor, number)))
        return ""

    def key_page(self) -> str:
        """Return the page that explains the marks: the first by name; empty if there is none."""
        return min((name for name, page in records(self.env).items() if page.key), default="")

    def gallery(self, docname: str, folders: Iterable[str]) -> list[GalleryEntry]:
        """Return the examples of some folders that have a page of their own.

        Args:
            docname: The page with the list. Examples of a folder are in the order of its toctrees.
            folders: The folders in order; all folders if there are none.
        """
        examples = self.required_results.builder.examples
        order = list(folders) or sorted({example.folder for example in examples})
        owners = self.own_pages()
        listed = self.env.toctree_includes.get(docname, [])

        def position(example: Example) -> tuple[int, int]:
            page = owners[example.name][0]
            return order.index(example.folder), listed.index(page) if page in listed else -1

        own = {page for page, _ in owners.values()}
        return [
            GalleryEntry(
                example.name,
                owners[example.name][0],
                example.summary,
                tuple(f for f in example.functions if not f.rpartition(".")[2].startswith("_")),
                tuple(
                    (name, self.env.titles[name].astext())
                    for name, page in sorted(records(self.env).items())
                    if name not in own
                    and any(key.partition("@")[0] == example.name for key in page.uses)
                ),
            )
            for example in sorted(
                (e for e in examples if e.name in owners and not e.refused and e.folder in order),
                key=position,
            )
        ]

    def shown_of_others(self, docname: str) -> tuple[object, ...]:
        """Return all that a page shows and that other pages, examples or measurements decide.

        When it is not what it was when the page was written, the page must be written again.
        """
        page = records(self.env).get(docname)
        if page is None:
            return ()
        owners = self.own_pages()
        names = sorted({key.partition("@")[0] for key in page.uses})
        return (
            [
                (name, docname, own.anchor)
                for name in names
                if name in owners
                for docname, own in [owners[name]]
            ],
            self.key_page() if page.uses else "",
            [self.gallery(docname, folders) for folders in page.galleries],
            [(*reference, self._find(*reference)) for reference in sorted(page.references)],
            [self.required_results.costs.get(group) for group in sorted(page.groups)],
        )

    def _find(self, role: str, target: str) -> list[Target]:
        if role == "any":
            return [place for _, place in self._find_any(target)]
        try:
            return [self.find(role, target)]
        except ExampleError:
            return []

    def has_dangling_reference(self, docname: str) -> bool:
        """Tell whether a reference of a page leads nowhere, so that it is reported again."""
        page = records(self.env).get(docname, PageRecord())
        return any(role != "any" and not self._find(role, to) for role, to in page.references)

    def outdated(self) -> Iterator[str]:
        """Yield the pages that failed, or are made from something that is not what it was."""
        results = self.required_results
        for docname, page in records(self.env).items():
            if (
                page.failed
                or any(results.digest(key) != digest for key, digest in page.uses.items())
                or any(
                    results.helper_digest(name) != digest for name, digest in page.helpers.items()
                )
            ):
                yield docname


def cython_domain(env: BuildEnvironment) -> CythonDomain:
    """Return the domain of an environment."""
    domain = env.domains[NAME]
    assert isinstance(domain, CythonDomain)
    return domain


def records(env: BuildEnvironment) -> dict[str, PageRecord]:
    """Return the records of all pages by docname; an unpickled environment will do."""
    pages: dict[str, PageRecord] = env.domaindata[NAME]["pages"]
    return pages


def record(env: BuildEnvironment, docname: str) -> PageRecord:
    """Return the record of a page, making it if there is none."""
    return records(env).setdefault(docname, PageRecord())


def get_results(env: BuildEnvironment) -> Results:
    """Return the results of building the examples; RuntimeError before they are built."""
    return cython_domain(env).required_results


def outdated_pages(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Return the pages to read again (``env-get-outdated``)."""
    for page in records(env).values():
        page.seconds = 0.0
    return list(cython_domain(env).outdated())


def report_duplicates(app: Sphinx, env: BuildEnvironment) -> None:
    """Report examples with several pages (``env-updated``: in every build)."""
    for own, docname, _first in cython_domain(env).duplicates():
        logger.warning(
            "example %r has a page already, %s; links lead there",
            own.example,
            docname,
            location=own.location,
            type="cython",
            subtype="duplicate",
        )


def report_dangling_reference(
    app: Sphinx, domain: Domain | None, node: addnodes.pending_xref
) -> bool | None:
    """Report a reference to no object with the nearest candidates (``warn-missing-reference``)."""
    if not isinstance(domain, CythonDomain):
        return None
    try:
        domain.find(node["reftype"], node["reftarget"])
    except ExampleError as error:
        logger.warning("%s", error, location=node, type="cython", subtype="ref")
    return True


def setup(app: Sphinx) -> None:
    """Register the domain and its handlers."""
    app.add_domain(CythonDomain)
    app.connect("env-get-outdated", outdated_pages)
    app.connect("env-updated", report_duplicates)
    app.connect("warn-missing-reference", report_dangling_reference)
