"""``cython-comparison``: one line in several functions or variants, with what each costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives

from ..core.artefact import Variant
from ..core.example import ExampleError
from ..core.measure import Group, Statement
from ..core.toolchain import processor_name
from ..domain import get_results
from ..markup import ratio
from .base import CythonDirective, Options, add_component, cython_node, made_by
from .excerpt import LineDirective, LineExcerpt
from .plain import calls_phrase, code, paragraph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class Row:
    """A row of a comparison.

    Attributes:
        label: What the row is called.
        line: The C of its line.
        cost: The label of its measurement; empty if it has none.
    """

    label: str
    line: LineExcerpt
    cost: str


@dataclass(frozen=True)
class Comparison:
    """The same line in several functions or variants.

    Attributes:
        line: The line that is compared, as the page writes it.
        cost_of: What the costs are of, in words; empty if nothing is measured.
        group: Digest of the measurement.
        made_by: Versions of Cython, the compiler and Python.
        processor: The processor that the costs were measured on.
        full: Show the whole C of each line at once, not only the expressions that do the work.
        score: Show the score of ``cython -a``, by which it colors a line.
    """

    line: str
    rows: tuple[Row, ...]
    cost_of: str
    group: str
    made_by: str
    processor: str
    full: bool = False
    score: bool = False


@dataclass(frozen=True)
class Cost:
    """What a row costs, as it is shown.

    Attributes:
        ratio: The cost relative to the fastest row.
        percent: Length of the bar.
    """

    ratio: str
    percent: str


class cython_comparison(cython_node):
    """Carries a ``Comparison``."""

    template = "comparison.html"

    def context(self, env: BuildEnvironment) -> dict[str, Any]:
        """Return the costs, which are measured after the page was read."""
        costs = self._costs(env)
        # The whole width is a factor of ten at least: small differences must look small.
        slowest = max(10.0, *costs.values()) if costs else 10.0
        rows = [
            Cost(ratio(value), f"{100 * math.log(value) / math.log(slowest):.1f}")
            if (value := costs.get(row.cost))
            else None
            for row in self["data"].rows
        ]
        return {"costs": rows}

    def _costs(self, env: BuildEnvironment) -> dict[str, float]:
        return get_results(env).costs.get(self["data"].group, {})

    def plain(self, env: BuildEnvironment) -> list[nodes.Node]:
        """Return for each row the calls it makes, its cost and its C."""
        data: Comparison = self["data"]
        costs = self._costs(env)
        result: list[nodes.Node] = [paragraph(f"`{data.line}` ({data.made_by})")]
        for row in data.rows:
            score = f", cython -a score {row.line.score}" if data.score else ""
            words = paragraph(f"{row.label}: {calls_phrase(row.line.excerpt)}{score}")
            if row.cost in costs:
                cost = ratio(costs[row.cost])
                words += [nodes.Text(", cost "), nodes.inline("", cost, classes=["volatile"])]
            words += nodes.Text(".")
            result += [words, code(row.line.excerpt.text, "c")]
        return result


class ComparisonDirective(LineDirective):
    """Compares one line in several functions or variants, and what each of them costs.

    A row shows the expressions that do the work, and all C of the line when opened.

    If rows have statements, they are timed against each other: in one process, in turns, the best
    of many rounds. A statement can use the names of the row's module. Only ratios are shown.

    Argument:
        The text of the line.

    Content:
        A row on each line: ``function | label | statement``. Label and statement may be left out.
        Instead of ``function`` one can write ``example::function``, ``function@profile``, and
        ``function > line`` if the line reads differently there.

    Options:
        example (if a row names none): The example of the rows that name none.
        setup: Python that runs before the statements are timed.
        cost: What the cost is of, in words, for the heading.
        full: Show all C of each line at once, for lines that differ in their checks.
        score: Show the score by which ``cython -a`` colors the line.
        profile: The profile of the rows that name none, where it is not the default one.
    """

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = Options(
        CythonDirective.option_spec,
        example=directives.unchanged_required,
        setup=directives.unchanged_required,
        cost=directives.unchanged_required,
        full=directives.flag,
        score=directives.flag,
    )

    def make(self) -> nodes.Element:
        """Make the comparison and note what is to be measured."""
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
            cost = ""
            excerpt = self.line_excerpt(variant, function, own_line or line)
            if statement:
                cost = f"{len(rows)}: {statement}"
                statements.append(Statement(cost, variant.import_name, statement))
            rows.append(Row(label or function, excerpt, cost))
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
            made_by(self.results, first),
            processor_name(),
            "full" in self.options,
            "score" in self.options,
        )
        return cython_comparison(data=data)


def setup(app: Sphinx) -> None:
    """Register the component."""
    add_component(app, "cython-comparison", ComparisonDirective, cython_comparison)
