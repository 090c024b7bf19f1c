"""What all components share: finding examples, warnings at the author's line, two ways to write.

A component is a directive that puts one node into the document. The node carries data. A builder
that writes HTML gets it through the template of the component; for all others it is replaced by
ordinary docutils nodes before writing, so that plain text, LaTeX and the rest need no visitors.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote
from weakref import WeakKeyDictionary

from docutils import nodes
from docutils.parsers.rst import directives
from jinja2 import BaseLoader, Environment, FileSystemLoader, TemplateError
from sphinx.errors import ThemeError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from ..assets import asset_folder, publishes_files
from ..core.artefact import Artefact, Variant
from ..core.config import DEFAULT_PROFILE
from ..core.example import ExampleError, candidates
from ..core.results import Results
from ..domain import PageRecord, cython_domain, element_id, get_results, record
from ..rendering import PREFIX, Links, make_environment, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where some C comes from.

    Attributes:
        example: Name of the example.
        module: Its module, which is also the stem of its files.
        profile: Name of the profile.
        invocation: Flags, macros and directives of the profile.
        summary: What the profile is, in a clause.
        asset: Folder of the example's files below the root of the built site.
        suffix: ``".c"``, or ``".cpp"`` for C++.
    """

    example: str
    module: str
    profile: str
    invocation: str
    summary: str
    asset: str
    suffix: str = ".c"

    @property
    def c_name(self) -> str:
        """Name of the generated C file."""
        return self.module + self.suffix


@dataclass(frozen=True)
class Key:
    """Present in the first box with C on a page, which names the kinds of C.

    Attributes:
        uri: Address of the page that explains them; empty if there is none, or on that page.
    """

    uri: str


class SiteLinks(Links):
    """Where a box of a page links to.

    Args:
        builder: The builder that writes the page.
        docname: The page that the box belongs to.
    """

    def __init__(self, builder: Builder, docname: str) -> None:
        self.builder = builder
        self.docname = docname
        # Another page than ``docname`` with singlehtml, which writes all pages into one.
        self.written: str = builder.current_docname  # type: ignore[attr-defined]

    def file(self, origin: Origin, suffix: str) -> str:
        """Return the address of a file of an example; empty if it is not published."""
        if not publishes_files(self.builder):
            return ""
        target = quote(f"{origin.asset}/{origin.module}{suffix}")
        return relative_uri(self.builder.get_target_uri(self.written), target)

    def line(self, origin: Origin, number: int) -> str:
        """Return the address of a line in the listing on the example's own page, if it has one."""
        domain = cython_domain(self.builder.env)
        return domain.listing_uri(self.builder, self.written, origin.example, number)

    def anchor(self, name: str) -> str:
        """Return the id for an anchor that is unique among those of its page."""
        return element_id(self.builder, self.docname, name)

    def key(self) -> Key:
        """Return where the kinds of C are explained."""
        page = cython_domain(self.builder.env).key_page()
        if not page or page == self.docname:
            return Key("")
        return Key(self.builder.get_relative_uri(self.written, page))


class cython_node(nodes.General, nodes.Element):
    """Base of the nodes; the attribute ``data`` holds what is in the box.

    Attributes:
        template: The template that makes HTML of it.
        has_c: Whether it shows C or instructions, so that the kinds of them must be named.
    """

    template: ClassVar[str]
    has_c: ClassVar[bool] = True

    def context(self, env: BuildEnvironment) -> dict[str, Any]:
        """Return what the template needs besides what all templates get."""
        return {}

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return ordinary nodes with the same content."""
        raise NotImplementedError


# Of each builder, what loads the templates for it.
_environments: WeakKeyDictionary[Builder, Environment] = WeakKeyDictionary()


def template_environment(builder: Builder) -> Environment:
    """Return what loads templates for a builder: those of project and theme, then our own."""
    if builder not in _environments:
        # A builder that writes data, such as json, has no bridge and no theme.
        bridge = getattr(builder, "templates", None)
        folders = [builder.confdir / name for name in builder.config.templates_path]
        overriding = bridge if isinstance(bridge, BaseLoader) else FileSystemLoader(folders)
        _environments[builder] = make_environment(overriding)
    return _environments[builder]


def visit_html(self: HTML5Translator, node: cython_node) -> None:
    """Write a node as HTML."""
    builder = self.builder
    links = SiteLinks(builder, self.docnames[-1])
    context: Mapping[str, Any] = {
        "data": node["data"],
        "ids": node["ids"],
        "links": links,
        "key": links.key() if node.get("first") else None,
        **node.context(builder.env),
    }
    try:
        html = render(node.template, context, template_environment(builder))
    except TemplateError as error:
        place = f"{builder.current_docname}: {PREFIX}/{node.template}"
        raise ThemeError(f"cannot render {place}: {error!r}") from error
    self.body.append(f"{html}\n")
    raise nodes.SkipNode


class LowerForOtherBuilders(SphinxPostTransform):
    """Replaces the nodes by ordinary ones where the builder does not write HTML."""

    default_priority = 100

    def run(self, **kwargs: Any) -> None:
        """Replace them in one document."""
        for node in list(self.document.findall(cython_node)):
            node.replace_self(node.plain(self.env))


def lower_for_other_builders(app: Sphinx) -> None:
    """Let builders that write no HTML do without our nodes (``builder-inited``)."""
    if app.builder.format != "html":
        app.add_post_transform(LowerForOtherBuilders)


class Options(dict[str, Any]):
    """An option table that helps with a misspelt option.

    docutils puts the text of the KeyError into its message.
    """

    def __missing__(self, key: str) -> Callable[[str], Any]:
        raise KeyError(f'{key}" ({candidates(key, self)}); "{key}')


class NotBuilt(Exception):
    """The example did not compile; that is reported once for all pages."""


def made_by(results: Results, variant: Variant) -> str:
    """Return the versions of what made a variant, for a caption."""
    flags = variant.profile.invocation
    return (
        f"Cython {version('cython')} · {results.builder.toolchain.name} {flags} · "
        f"CPython {platform.python_version()}"
    )


class CythonDirective(SphinxDirective):
    """Base: finds examples, and turns what an author got wrong into a warning at the line.

    Argument:
        The example: its path below the folder of examples without the suffix, or the name of the
        file alone.

    Options:
        profile: The profile under which the example is built, where it is not the default one.
        name: A target for links to the box.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = Options(
        profile=directives.unchanged_required, name=directives.unchanged_required
    )

    @property
    def results(self) -> Results:
        """The examples as they were built in this run."""
        return get_results(self.env)

    @property
    def page(self) -> PageRecord:
        """What this page is made from."""
        return record(self.env, self.env.docname)

    def run(self) -> list[nodes.Node]:
        """Make the node, or warn."""
        try:
            node = self.make()
        except ExampleError as error:
            self.page.failed = True
            logger.warning("%s", error, location=self.get_location(), type="cython", subtype="name")
            return []
        except NotBuilt as error:
            text = f"{error} did not compile; see the messages of the build."
            return [nodes.warning("", nodes.paragraph(text, text))]
        # First where it is: a name that is taken is reported at that line.
        self.set_source_info(node)
        self.add_name(node)
        return [node]

    def make(self) -> nodes.Element:
        """Make the node; ExampleError for what the author got wrong."""
        raise NotImplementedError

    def variant(self, example: str | None = None, profile: str | None = None) -> Variant:
        """Find a variant and note that the page uses it."""
        results = self.results
        variant = results.variant(
            example or self.arguments[0].strip(),
            profile or self.options.get("profile", DEFAULT_PROFILE),
        )
        self.page.uses[variant.key] = results.digest(variant.key)
        return variant

    def artefact(self, variant: Variant) -> Artefact:
        """Return what was made of a variant.

        Raises:
            NotBuilt: It did not compile.
        """
        if variant.example.refused:
            raise ExampleError(f"{variant.key} must not compile; show it with cython-refusal")
        artefact = self.results.artefact(variant)
        if artefact is None:
            raise NotBuilt(variant.key)
        return artefact

    def origin(self, variant: Variant) -> Origin:
        """Describe where C comes from."""
        profile = variant.profile
        artefact = self.results.artefact(variant)
        return Origin(
            variant.example.name,
            variant.example.module,
            profile.name,
            profile.invocation,
            profile.summary,
            asset_folder(variant),
            artefact.c_file.suffix if artefact else ".c",
        )


def add_component(
    app: Sphinx, name: str, directive: type[SphinxDirective], node: type[cython_node]
) -> None:
    """Register a directive and the node that it makes."""
    app.add_directive(name, directive)
    app.add_node(node, html=(visit_html, None))


def setup(app: Sphinx) -> None:
    """Register what belongs to no single component."""
    app.connect("builder-inited", lower_for_other_builders)
