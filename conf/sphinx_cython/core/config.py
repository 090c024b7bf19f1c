"""The extension's one setting: where the examples are, and under which profiles they are built."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

DEFAULT_PROFILE = "default"


class ConfigError(ValueError):
    """A setting that contradicts itself; the text says what to change."""


@dataclass(frozen=True)
class Profile:
    """A named way to build an example. An example under a profile is a *variant*.

    Attributes:
        name: What a page writes after ``:profile:``, for instance ``no-type-slots``.
        summary: One clause for the reader, shown wherever the profile is named.
        flags: Flags for the C compiler.
        macros: C macros, as ``(name, value)``.
        directives: Cython compiler directives, as ``(name, value)``.
        shared: Take utility code from one shared module (``cython generate-shared``) instead of
            generating it into every example. The shared module is compiled without macros, and
            Cython requires the same macros on both sides, so a shared profile cannot have any.
        examples: Glob patterns over example names; the profile applies to those that match.
        optional_flags: More flags for the C compiler; one that it does not accept is left out.
    """

    name: str
    summary: str = ""
    flags: tuple[str, ...] = ("-O2",)
    macros: tuple[tuple[str, str], ...] = ()
    directives: tuple[tuple[str, str], ...] = ()
    shared: bool = False
    examples: tuple[str, ...] = ("*",)
    optional_flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.shared and self.macros:
            raise ConfigError(
                f"profile {self.name!r}: shared=True and macros exclude each other; "
                "the shared module is built without macros"
            )

    @property
    def package(self) -> str:
        """The name under which its modules are importable: ``variants.<package>``."""
        return self.name.replace("-", "_")

    def applies_to(self, example: str) -> bool:
        """Tell whether the example of that name is built under this profile."""
        return any(fnmatchcase(example, pattern) for pattern in self.examples)

    @property
    def invocation(self) -> str:
        """Flags, macros and directives as one would type them."""
        words = [*self.flags]
        words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in self.macros]
        words += [f"-X {name}={value}" for name, value in self.directives]
        return " ".join(words)


@dataclass(frozen=True)
class Config:
    """The value of ``cython`` in ``conf.py``.

    Attributes:
        examples: The folder with the ``.pyx`` files, relative to the folder of ``conf.py``.
        cache: The folder that keeps artefacts between builds, relative to the folder of
            ``conf.py``. An artefact that none of the last five builds used is removed, and so are
            the oldest results of cells and measurements beyond 64 MB each. Nothing is removed while
            another build uses the cache.
        profiles: All profiles; the first one must be called ``default``.
        refused: The sub-folder of ``examples`` whose files must *not* compile.
        helpers: Folders on the import path of cells, relative to the folder of ``conf.py``. A
            change in a module there re-executes the pages that imported it.
        cell_output_limit: Bytes a cell may write: text, pictures and all.
        step_timeout: Seconds that one step of a build may take: Cython with one example, or the C
            compiler with one file.
    """

    examples: str = "examples"
    cache: str = "build/cython"
    profiles: tuple[Profile, ...] = field(default_factory=lambda: (Profile(DEFAULT_PROFILE),))
    refused: str = "refused"
    helpers: tuple[str, ...] = ()
    cell_output_limit: int = 5_000_000
    step_timeout: float = 300

    def __post_init__(self) -> None:
        names = [profile.name for profile in self.profiles]
        if not names or names[0] != DEFAULT_PROFILE:
            raise ConfigError(f"the first profile must be {DEFAULT_PROFILE!r}, not {names[:1]}")
        if len(set(names)) != len(names):
            raise ConfigError(f"two profiles have the same name: {sorted(names)}")

    def folder(self, name: str, confdir: Path) -> Path:
        """Resolve one of the folder settings against the folder of ``conf.py``."""
        return (confdir / name).resolve()
