"""What one run of Sphinx knows about the examples.

``State`` belongs to the process; ``PageRecord`` is kept in Sphinx's environment, one a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .core.annotation import Line, load_annotation
from .core.artefact import Artefact, Failure, Outcome, Variant
from .core.builder import Builder
from .core.csource import read_conditions
from .core.example import ExampleError, candidates
from .core.excerpt import Excerpt, read_excerpt
from .core.measure import Group
from .core.stage import read_digests

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


@dataclass
class State:
    """The outcome of building the examples, for the rest of the run.

    Attributes:
        builder: What built them.
        outcomes: What became of every variant, by key.
        stage: The folder from which they can be imported.
        helpers: Folders on the import path of executed pages.
        output_format: That of Sphinx's builder, such as ``"html"``.
        seconds: Where the time went, by phase.
        costs: Measured costs relative to the fastest, by group and statement.
    """

    builder: Builder
    outcomes: dict[str, Outcome]
    stage: Path
    helpers: tuple[Path, ...]
    output_format: str = "html"
    seconds: dict[str, float] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    _lines: dict[str, list[Line]] = field(default_factory=dict)
    _conditions: dict[str, dict[str, bool]] = field(default_factory=dict)

    def variant(self, example: str, profile: str) -> Variant:
        """Return a variant that is built here.

        Raises:
            ExampleError: There is no such example or profile, or the example is not built under
                that profile.
        """
        found = self.builder.examples[example]
        profiles = self.builder.config.profiles
        known = [p.name for p in profiles if self.builder.applies(p, found)]
        try:
            wanted = Variant(found, self.builder.profile(profile))
        except KeyError:
            raise ExampleError(f"no profile {profile!r}; {candidates(profile, known)}") from None
        if wanted.key not in self.outcomes:
            raise ExampleError(
                f"{found.name} is not built under the profile {profile!r} (its profiles: "
                f"{', '.join(known)}); add it to the profile's examples in conf.py"
            )
        return wanted

    def artefact(self, variant: Variant) -> Artefact | None:
        """Return what was made of a variant, or None if it did not compile."""
        outcome = self.outcomes[variant.key]
        return outcome if isinstance(outcome, Artefact) else None

    def failures(self) -> Iterator[Failure]:
        """Yield the variants that should have compiled and did not."""
        for outcome in self.outcomes.values():
            if isinstance(outcome, Failure) and not outcome.expected:
                yield outcome

    def lines(self, artefact: Artefact) -> list[Line]:
        """Return the annotated lines of an artefact."""
        key = artefact.variant.key
        if key not in self._lines:
            self._lines[key] = load_annotation(artefact.html_file, artefact.variant.example)
        return self._lines[key]

    def excerpt(self, artefact: Artefact, line: Line) -> Excerpt:
        """Return the C of a line with its pieces told apart, as it was compiled."""
        c = line.c.rstrip() + "\n"
        key = artefact.variant.key
        # Few lines have branches, and finding out about them means reading the whole C file.
        if "#if" in c and key not in self._conditions:
            text = artefact.c_file.read_text(encoding="utf-8").split("\n")
            self._conditions[key] = read_conditions(text, artefact.compiled_lines)
        return read_excerpt(c, self._conditions.get(key))

    def digests(self) -> dict[str, str]:
        """Return the digest of every variant by key, and of the plain files of packages."""
        variants = {key: outcome.digest for key, outcome in self.outcomes.items()}
        return read_digests(self.stage) | variants


# By doctree folder: nodes and directives know the environment, and reaching the application
# from there is deprecated.
_states: dict[str, State] = {}


def get_state(run: Sphinx | BuildEnvironment) -> State:
    """Return the state of a run; KeyError before the examples are built."""
    return _states[str(run.doctreedir)]


def set_state(app: Sphinx, state: State) -> None:
    """Keep the state of a run."""
    _states[str(app.doctreedir)] = state
