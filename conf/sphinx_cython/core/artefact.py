"""An example under a profile, and what was made of it."""

from __future__ import annotations

import json
import sysconfig
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .config import DEFAULT_PROFILE, Profile
from .example import Example
from .names import VARIANTS_PACKAGE


@dataclass(frozen=True)
class Variant:
    """An example under a profile."""

    example: Example
    profile: Profile

    @property
    def key(self) -> str:
        """``name`` under the default profile, ``name@profile`` under another."""
        if self.profile.name == DEFAULT_PROFILE:
            return self.example.name
        return f"{self.example.name}@{self.profile.name}"

    @property
    def import_name(self) -> str:
        """The dotted name under which executed pages import it."""
        if self.profile.name == DEFAULT_PROFILE:
            return self.example.import_name
        return f"{VARIANTS_PACKAGE}.{self.profile.package}.{self.example.import_name}"


@dataclass(frozen=True)
class Problem:
    """What a compiler said about one place."""

    file: str
    line: int
    column: int
    message: str


@dataclass(frozen=True)
class Failure:
    """A variant that did not compile.

    Attributes:
        step: ``"Cython"`` or ``"the C compiler"``.
        problems: The places it complained about.
        output: All it printed.
        rejected: Whether the compiler judged the source. Otherwise the step itself went wrong: it
            did not end in time, say.
    """

    variant: Variant
    digest: str
    step: str
    problems: tuple[Problem, ...]
    output: str
    rejected: bool = True

    @property
    def expected(self) -> bool:
        """Whether this is what the example is for: it must not compile."""
        return self.variant.example.refused and self.rejected

    @property
    def import_error(self) -> str:
        """What an import of it raises in the place of the module that is not there."""
        return f"the example {self.variant.key} was not built, which is reported by itself"

    @property
    def summary(self) -> str:
        """The complaints, one a line, as ``file:line:column: message``."""
        if not self.problems:
            return self.output.strip()
        return "\n".join(f"{p.file}:{p.line}:{p.column}: {p.message}" for p in self.problems)


@dataclass(frozen=True)
class Artefact:
    """What was made of a variant."""

    variant: Variant
    digest: str
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict, compare=False)
    fresh: bool = field(default=False, compare=False)

    @property
    def c_file(self) -> Path:
        """The generated C, or C++."""
        cxx = self.folder / f"{self.variant.example.module}.cpp"
        return cxx if cxx.is_file() else cxx.with_suffix(".c")

    @property
    def html_file(self) -> Path:
        """The page that ``cython -a`` wrote."""
        return self.folder / f"{self.variant.example.module}.html"

    @property
    def assembly_file(self) -> Path:
        """The assembly that the compiler made of the C, with its line table."""
        return self.folder / f"{self.variant.example.module}.s"

    @property
    def module_file(self) -> Path:
        """The importable module."""
        return self.folder / module_filename(self.variant.example.module)

    @cached_property
    def compiled_lines(self) -> frozenset[int]:
        """The lines of the C file of which something was left by the preprocessor."""
        ranges = json.loads((self.folder / "compiled-lines.json").read_text())
        return frozenset(n for first, last in ranges for n in range(first, last + 1))


Outcome = Artefact | Failure


def module_filename(module: str) -> str:
    """Return the file name Python looks for when it imports an extension module."""
    return module + (sysconfig.get_config_var("EXT_SUFFIX") or ".so")
