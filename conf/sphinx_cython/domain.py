"""What Sphinx's environment keeps about examples, and where pages find the results of building."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .core.measure import Group
from .core.results import Results

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


@dataclass
class PageRecord:
    """What a page is made from, by which it is found to be out of date.

    Attributes:
        uses: Digest of every variant it shows or its cells import, by key.
        helpers: Digest of every helper file its cells import.
        groups: The measurements it shows, by digest.
        examples: Examples whose own page this is.
        gallery: Whether it lists all examples.
        key: Whether it says what the marks mean.
        others: What it says of other pages, by which it is found that it must be written again.
        cells: The code of its cells, hidden ones included.
        seconds: How long its cells ran in this build; 0 if they did not.
    """

    uses: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    gallery: bool = False
    key: bool = False
    others: str = ""
    cells: tuple[str, ...] = ()
    seconds: float = 0.0


def records(env: BuildEnvironment) -> dict[str, PageRecord]:
    """Return the records of all pages, by docname."""
    if not hasattr(env, "cython_pages"):
        env.cython_pages = {}  # type: ignore[attr-defined]
    found: dict[str, PageRecord] = env.cython_pages  # type: ignore[attr-defined]
    return found


def record(env: BuildEnvironment, docname: str) -> PageRecord:
    """Return the record of a page, making it if there is none."""
    return records(env).setdefault(docname, PageRecord())


# By doctree folder: nodes and directives know the environment, and reaching the application
# from there is deprecated.
_results: dict[str, Results] = {}


def get_results(run: Sphinx | BuildEnvironment) -> Results:
    """Return the results of a run; KeyError before the examples are built."""
    return _results[str(run.doctreedir)]


def set_results(app: Sphinx, results: Results) -> None:
    """Keep the results of a run."""
    _results[str(app.doctreedir)] = results
