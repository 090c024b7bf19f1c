"""The results of building all examples, as pages read them: by name, by line, by digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .annotation import Line, load_annotation
from .artefact import Artefact, Failure, Outcome, Variant
from .builder import Builder
from .cparts import Excerpt, read_excerpt
from .csource import read_conditions
from .example import ExampleError, candidates
from .stage import read_digests


@dataclass
class Results:
    """What building the examples yielded, for the rest of a run.

    Attributes:
        builder: What built them.
        outcomes: What became of every variant, by key.
        stage: The folder from which they can be imported.
        helpers: Folders on the import path of executed pages.
        costs: Measured costs relative to the fastest, by group and statement.
    """

    builder: Builder
    outcomes: dict[str, Outcome]
    stage: Path
    helpers: tuple[Path, ...]
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    _lines: dict[str, list[Line]] = field(default_factory=dict)
    _conditions: dict[str, dict[str, bool]] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    _helpers: dict[str, str] = field(default_factory=dict)

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

    def digest(self, key: str) -> str:
        """Return the digest of a variant or of a plain file, or an empty string if it is gone.

        A failure has a digest of its own: a page that was made while a compiler was failing is
        outdated as soon as the same source compiles.
        """
        return self.digests().get(key, "")

    def digests(self) -> dict[str, str]:
        """Return the digest of every variant by key, and of the plain files of packages."""
        if not self._digests:
            self._digests = read_digests(self.stage)
            for key, outcome in self.outcomes.items():
                failed = "failed " if isinstance(outcome, Failure) else ""
                self._digests[key] = failed + outcome.digest
        return self._digests

    def helper_digest(self, name: str) -> str:
        """Return the digest of a helper file, or an empty string if it is gone.

        Args:
            name: Its path from the folder above the folder of helpers it is in.
        """
        if name not in self._helpers:
            paths = (folder.parent / name for folder in self.helpers)
            path = next((path for path in paths if path.is_file()), None)
            self._helpers[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:20] if path else ""
        return self._helpers[name]
