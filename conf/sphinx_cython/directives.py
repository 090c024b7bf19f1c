"""What an author writes, in MyST or reStructuredText."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .core.artefact import Artefact, Failure, Variant
from .core.assembly import find_loops
from .core.config import DEFAULT_PROFILE
from .core.csource import find_definitions, read_definitions
from .core.example import ExampleError, candidates
from .core.measure import Group, Statement
from .core.toolchain import processor_name
from .nodes import (
    Comparison,
    Key,
    ListedLine,
    Listing,
    Machine,
    Origin,
    Refusal,
    Row,
    Shown,
    Utility,
    cython_assembly,
    cython_comparison,
    cython_excerpt,
    cython_gallery,
    cython_key,
    cython_listing,
    cython_node,
    cython_refusal,
    cython_utility,
)
from .state import PageRecord, State, get_state, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)


class _Options(dict[str, Any]):
    """An option table that helps with a misspelt option.

    docutils puts the text of the KeyError into its message.
    """

    def __missing__(self, key: str) -> Callable[[str], Any]:
        raise KeyError(f'{key}" ({candidates(key, self)}); "{key}')


class NotBuilt(Exception):
    """The example did not compile; that is reported once for all pages."""


def _folder(variant: Variant) -> str:
    return "_cython/" + variant.key.replace("/", "-").replace("@", "--")


def made_by(state: State, variant: Variant) -> str:
    """Return the versions of what made a variant, for a caption."""
    flags = variant.profile.invocation
    return (
        f"Cython {version('cython')} · {state.builder.toolchain.name} {flags} · "
        f"CPython {platform.python_version()}"
    )


class CythonDirective(SphinxDirective):
    """Base: finds examples, and turns what an author got wrong into a warning at the line."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = _Options(
        profile=directives.unchanged_required, name=directives.unchanged_required
    )

    @property
    def state_of_build(self) -> State:
        """The examples as they were built in this run."""
        return get_state(self.env)

    @property
    def page(self) -> PageRecord:
        """What this page is made from."""
        return record(self.env, self.env.docname)

    def run(self) -> list[nodes.Node]:
        """Make the node, or warn."""
        try:
            found = self.make()
        except ExampleError as error:
            logger.warning("%s", error, location=self.get_location(), type="cython", subtype="name")
            return []
        except NotBuilt as error:
            text = f"{error} did not compile; see the messages of the build."
            return [nodes.warning("", nodes.paragraph(text, text))]
        self.add_name(found)
        self.set_source_info(found)
        return [found]

    def make(self) -> nodes.Element:
        """Make the node; ExampleError for what the author got wrong."""
        raise NotImplementedError

    def variant(self, example: str | None = None, profile: str | None = None) -> Variant:
        """Find a variant and note that the page uses it."""
        state = self.state_of_build
        found = state.variant(
            example or self.arguments[0].strip(),
            profile or self.options.get("profile", DEFAULT_PROFILE),
        )
        self.page.uses[found.key] = state.outcomes[found.key].digest
        return found

    def artefact(self, variant: Variant) -> Artefact:
        """Return what was made of a variant.

        Raises:
            NotBuilt: It did not compile.
        """
        if variant.example.refused:
            raise ExampleError(f"{variant.key} must not compile; show it with cython-refusal")
        found = self.state_of_build.artefact(variant)
        if found is None:
            raise NotBuilt(variant.key)
        return found

    def origin(self, variant: Variant) -> Origin:
        """Describe where C comes from."""
        profile = variant.profile
        artefact = self.state_of_build.artefact(variant)
        return Origin(
            variant.example.name,
            variant.example.module,
            profile.name,
            profile.invocation,
            profile.summary,
            _folder(variant),
            artefact.c_file.suffix if artefact else ".c",
        )

    def shown(self, variant: Variant, function: str, line: str) -> Shown:
        """Return the C of one line of one function."""
        artefact = self.artefact(variant)
        example = variant.example
        number = example.find_line(line, function)
        annotated = self.state_of_build.lines(artefact)[number - 1]
        if not annotated.c.strip():
            raise ExampleError(
                f"Cython generated no C for line {number} of {example.name}.pyx ({line.strip()!r})"
            )
        return Shown(
            self.origin(variant),
            function,
            example.signature(function),
            number,
            annotated.source.strip(),
            self.state_of_build.excerpt(artefact, annotated),
            annotated.score,
        )


class ListingDirective(CythonDirective):
    """``cython-listing``: an example, or one function of it, each line with its C."""

    option_spec: ClassVar[dict[str, Any]] = _Options(
        CythonDirective.option_spec, function=directives.unchanged_required
    )

    def make(self) -> nodes.Element:
        """Make the listing."""
        variant = self.variant()
        artefact = self.artefact(variant)
        example = variant.example
        first, last = 1, len(example.lines)
        name = self.options.get("function")
        if name:
            span = example.function(name)
            first, last = span.first, span.last
        # Cython counts the wrapper of a decorated function to its first decorator.
        headers = {
            number
            for function in example.functions.values()
            for number in range(function.first, function.header + 1)
        }
        lines = tuple(
            ListedLine(
                line.number,
                line.source,
                self.state_of_build.excerpt(artefact, line) if line.c.strip() else None,
                line.score,
                line.number in headers or line.number == 1,
            )
            for line in self.state_of_build.lines(artefact)[first - 1 : last]
        )
        # The listing on an example's own page is what other pages link to.
        own = name is None and variant.profile.name == DEFAULT_PROFILE
        anchor = example.module
        if not own:
            anchor += f"-{name or variant.profile.name}-{self.env.new_serialno('cython')}"
        data = Listing(
            self.origin(variant),
            example.source,
            lines,
            name is None,
            anchor,
            made_by(self.state_of_build, variant),
        )
        return cython_listing(data=data)


class ExampleDirective(ListingDirective):
    """``cython-example``: the page of an example: its docstring, its listing, its downloads."""

    def run(self) -> list[nodes.Node]:
        """Put the docstring in front of the listing and register the page."""
        found = super().run()
        if found and isinstance(found[0], cython_node):
            example = self.state_of_build.builder.examples[self.arguments[0].strip()]
            if example.name not in self.page.examples:
                self.page.examples.append(example.name)
            intro: list[nodes.Node] = self.parse_text_to_nodes(example.docstring)
            return intro + found
        return found


class ExcerptDirective(CythonDirective):
    """``cython-excerpt``: the C of one line of one function."""

    option_spec: ClassVar[dict[str, Any]] = _Options(
        CythonDirective.option_spec,
        function=directives.unchanged_required,
        line=directives.unchanged_required,
    )

    def requested(self) -> Shown:
        """Return the C of the line that the options name."""
        for option in ("function", "line"):
            if option not in self.options:
                raise ExampleError(f"{self.name} needs the option {option!r}")
        return self.shown(self.variant(), self.options["function"], self.options["line"])

    def make(self) -> nodes.Element:
        """Make the excerpt."""
        return cython_excerpt(data=self.requested())


class ComparisonDirective(CythonDirective):
    """``cython-comparison``: one line in several functions or variants.

    The argument is the line. Each line of the content is a row::

        function | Label | statement to time

    where ``function`` may be ``example::function@profile`` if it differs from the options, and
    may be followed by ``> line`` if its line reads differently. The statement is optional.
    """

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = _Options(
        CythonDirective.option_spec,
        example=directives.unchanged_required,
        setup=directives.unchanged_required,
        cost=directives.unchanged_required,
        full=directives.flag,
        score=directives.flag,
    )

    def make(self) -> nodes.Element:
        """Make the comparison and note what is to be measured."""
        state = self.state_of_build
        line = self.arguments[0].strip()
        rows: list[Row] = []
        statements: list[Statement] = []
        first: Variant | None = None
        used: set[str] = set()
        for text in self.content:
            if not text.strip():
                continue
            target, label, statement = ([p.strip() for p in text.split("|", 2)] + ["", ""])[:3]
            target, _, own_line = (part.strip() for part in target.partition(">"))
            target, _, profile = target.partition("@")
            example, _, function = target.rpartition("::")
            if not (example or self.options.get("example")):
                raise ExampleError(f"row {text.strip()!r} names no example, nor does the directive")
            variant = self.variant(example or self.options["example"], profile or None)
            first = first or variant
            used.add(variant.key)
            shown = self.shown(variant, function, own_line or line)
            cost = ""
            if statement:
                cost = f"{len(rows)}: {statement}"
                statements.append(Statement(cost, variant.import_name, statement))
            rows.append(Row(label or function, shown, cost))
        if first is None:
            raise ExampleError("cython-comparison needs a row for each function to compare")
        group = ""
        if statements:
            digests = tuple(self.page.uses[key] for key in sorted(used))
            measured = Group(
                self.options.get("setup", ""), tuple(statements), digests, line, self.lineno
            )
            group = measured.digest(processor_name())
            self.page.groups[group] = measured
        data = Comparison(
            line,
            tuple(rows),
            self.options.get("cost", "cost") if statements else "",
            group,
            made_by(state, first),
            processor_name(),
            "full" in self.options,
            "score" in self.options,
        )
        return cython_comparison(data=data)


class UtilityDirective(CythonDirective):
    """``cython-utility``: definitions of the generated C file, each named on a line of its own."""

    has_content = True

    def make(self) -> nodes.Element:
        """Find the definitions."""
        variant = self.variant()
        artefact = self.artefact(variant)
        c = artefact.c_file.read_text(encoding="utf-8")
        found = []
        for name in " ".join(self.content).split():
            definitions = read_definitions(c, name, artefact.compiled_lines)
            if not definitions:
                left_out = " that is compiled" if find_definitions(c, name) else ""
                words = sorted(set(_defined_names(c)))
                raise ExampleError(
                    f"no definition of {name!r}{left_out} in the C of {variant.key}; "
                    f"{candidates(name, words)}"
                )
            found += definitions
        if not found:
            raise ExampleError("cython-utility needs the names of functions, macros or types")
        data = Utility(self.origin(variant), tuple(found))
        return cython_utility(data=data)


def _defined_names(c: str) -> list[str]:
    return re.findall(r"^(?:static[^;{}()=]*?|#define )\b(__[Pp]yx_\w+)", c, re.M)


class AssemblyDirective(ExcerptDirective):
    """``cython-assembly``: the machine code of the innermost loop that a line stands in."""

    def make(self) -> nodes.Element:
        """Find the loop."""
        shown = self.requested()
        variant = self.variant()
        artefact = self.artefact(variant)
        module = variant.example.module
        loops = find_loops(
            artefact.assembly_file.read_text(encoding="utf-8"),
            artefact.c_file.read_text(encoding="utf-8"),
            module,
            shown.number,
            artefact.c_file.suffix,
        )
        # Those of the header of the loop are among them.
        numbers = {item.line for loop in loops[:1] for item in loop.instructions if item.line}
        numbers.add(shown.number)
        data = Machine(
            shown.origin,
            shown.signature,
            shown.number,
            shown.source,
            tuple(loops),
            tuple(
                (number, variant.example.lines[number - 1].strip()) for number in sorted(numbers)
            ),
            made_by(self.state_of_build, variant),
            platform.machine(),
        )
        return cython_assembly(data=data)


class RefusalDirective(CythonDirective):
    """``cython-refusal``: an example that must not compile, and what the compiler says of it."""

    def make(self) -> nodes.Element:
        """Show the refusal."""
        variant = self.variant()
        if not variant.example.refused:
            raise ExampleError(f"{variant.key} is not among the examples that must not compile")
        outcome = self.state_of_build.outcomes[variant.key]
        if not isinstance(outcome, Failure):
            raise NotBuilt(f"{variant.key} was not refused; it")
        problems = tuple((p.line, p.column, p.message) for p in outcome.problems)
        step = outcome.step[0].upper() + outcome.step[1:]
        data = Refusal(self.origin(variant), variant.example.source, problems, step)
        return cython_refusal(data=data)


class KeyDirective(SphinxDirective):
    """``cython-key``: what the marks mean; boxes on other pages link to the page it is on."""

    def run(self) -> list[nodes.Node]:
        """Make the node and register the page."""
        record(self.env, self.env.docname).key = True
        return [cython_key(data=Key())]


class GalleryDirective(CythonDirective):
    """``cython-gallery``: the examples of some folders, or all, that have a page."""

    required_arguments = 0
    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = _Options()

    def make(self) -> nodes.Element:
        """Leave a place for the list, which is known when all pages are read."""
        self.page.gallery = True
        known = {example.folder for example in self.state_of_build.builder.examples}
        folders = "".join(self.arguments).split()
        for folder in folders:
            if folder not in known:
                raise ExampleError(f"no folder {folder!r} of examples; {candidates(folder, known)}")
        return cython_gallery(folders=folders or sorted(known))


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("cython-listing", ListingDirective)
    app.add_directive("cython-example", ExampleDirective)
    app.add_directive("cython-excerpt", ExcerptDirective)
    app.add_directive("cython-comparison", ComparisonDirective)
    app.add_directive("cython-utility", UtilityDirective)
    app.add_directive("cython-assembly", AssemblyDirective)
    app.add_directive("cython-refusal", RefusalDirective)
    app.add_directive("cython-gallery", GalleryDirective)
    app.add_directive("cython-key", KeyDirective)
