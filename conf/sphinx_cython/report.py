"""What a build reports besides its pages: examples that failed, and where the time went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sphinx.util import logging

from .core.artefact import Artefact, Failure
from .domain import get_results, records

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

# Before and after all other handlers of an event.
FIRST, LAST = 1, 999


def _pages_using(env: BuildEnvironment, key: str) -> str:
    pages = sorted(docname for docname, page in records(env).items() if key in page.uses)
    return ", ".join(pages) or "no page"


def _place(failure: Failure) -> str:
    """Return file and line of the first problem, if it is in a file of the examples."""
    example = failure.variant.example
    for problem in failure.problems[:1]:
        if (example.root / problem.file).is_file():
            return f"{example.root / problem.file}:{problem.line}"
    # Sphinx takes a place without a colon for the name of a page.
    return f"{example.path}:1"


def report_failures(app: Sphinx, env: BuildEnvironment) -> None:
    """Report examples that do not compile, or do and must not (``env-updated``: in every build)."""
    results = get_results(env)
    for failure in results.failures():
        what = f"does not compile ({failure.step})" if failure.rejected else "was not built"
        logger.warning(
            "%s %s. Used by: %s\n%s",
            failure.variant.key,
            what,
            _pages_using(env, failure.variant.key),
            failure.summary,
            location=_place(failure),
            type="cython",
            subtype="compile",
        )
    for key, outcome in results.outcomes.items():
        if isinstance(outcome, Artefact) and outcome.variant.example.refused:
            logger.warning(
                "%s must not compile, and does. Used by: %s",
                key,
                _pages_using(env, key),
                location=f"{outcome.variant.example.path}:1",
                type="cython",
                subtype="refused",
            )
    shown = {own.example for page in records(env).values() for own in page.examples}
    for example in results.builder.examples:
        if not example.refused and example.name not in shown:
            logger.info("example %s has no page of its own", example.name)


class Times:
    """Where the time of one build went."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._phase, self._since = "", 0.0

    def begin(self, phase: str) -> None:
        """End the current phase and begin another."""
        now = time.perf_counter()
        if self._phase:
            self.seconds[self._phase] = now - self._since
        self._phase, self._since = phase, now

    def report(self, app: Sphinx, exception: Exception | None) -> None:
        """Log a table (``build-finished``)."""
        if exception is not None:
            return
        self.begin("")
        outcomes = get_results(app.env).outcomes.values()
        fresh = [o for o in outcomes if isinstance(o, Artefact) and o.fresh]
        rows = [
            (f"examples: {len(fresh)} of {len(outcomes)} built", self.seconds["examples"]),
            *((f"    {o.variant.key} ({step})", t) for o in fresh for step, t in o.seconds.items()),
            ("reading pages, cells included", self.seconds["reading"]),
            *(
                (f"    {name}: {len(page.cells)} cells executed", page.seconds)
                for name, page in sorted(records(app.env).items())
                if page.seconds
            ),
            ("measuring", self.seconds["measuring"]),
            ("writing", self.seconds["writing"]),
        ]
        logger.info("\nWhere the time went:")
        for words, took in rows:
            logger.info("  %-58s %7.1f s", words, took)


def setup(app: Sphinx) -> None:
    """Register the handlers."""
    times = Times()
    app.connect("builder-inited", lambda app: times.begin("examples"), priority=FIRST)
    app.connect("builder-inited", lambda app: times.begin("reading"), priority=LAST)
    app.connect("env-updated", lambda app, env: times.begin("measuring"), priority=FIRST)
    app.connect("env-updated", lambda app, env: times.begin("writing"), priority=LAST)
    app.connect("env-updated", report_failures)
    app.connect("build-finished", times.report, priority=LAST)
