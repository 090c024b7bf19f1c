"""From ``.pyx`` to C to an importable module: cached by content, in parallel, all or nothing.

Every artefact is a folder named after the digest of all that went into it. It is made in a
temporary folder and renamed into place, so it is there whole or not at all, and carries a
manifest by which damage is found. Nothing in the cache is ever changed in place.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from .config import DEFAULT_PROFILE, Config, Profile
from .example import Example, Examples
from .toolchain import Toolchain

MANIFEST = "artefact.json"
# A refusal is what an example that must not compile is for, so it is an artefact like another.
REFUSAL = "refusal.json"
SHARED_MODULE = "_cyutility"
VARIANTS_PACKAGE = "variants"
# Part of every digest: raise it when the content of an artefact changes its meaning.
FORMAT = 5

# The user's own settings must not leak into what is shown.
_DROPPED_VARIABLES = (
    "CFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "CYTHON_CACHE_DIR",
    "CPATH",
    "C_INCLUDE_PATH",
)


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
            return self.example.module
        return f"{VARIANTS_PACKAGE}.{self.profile.package}.{self.example.module}"


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
    """

    variant: Variant
    digest: str
    step: str
    problems: tuple[Problem, ...]
    output: str

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
        """The generated C."""
        return self.folder / f"{self.variant.example.module}.c"

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


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_intact(folder: Path) -> bool:
    """Tell whether an artefact is whole: the manifest is there and every file is as it says."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return bool(manifest["files"]) and all(
            _sha256(folder / name) == digest for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def seal(folder: Path, **facts: object) -> None:
    """Write the manifest of a finished artefact."""
    files = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / MANIFEST).write_text(json.dumps({"files": files, **facts}, indent=1))


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill, sees the old or the new text and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(name, path)


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``final`` when the block ends without an exception.

    If another process got there first with an intact artefact, its work is kept.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=final.parent, prefix=".tmp-"))
    try:
        yield work
        work.chmod(0o755)
        for _ in range(3):
            try:
                os.replace(work, final)
                return
            except OSError:
                if is_intact(final):
                    return
                # Damaged: move it aside first, since removing it takes time and a rename does not.
                aside = Path(tempfile.mkdtemp(dir=final.parent, prefix=".tmp-"))
                with suppress(FileNotFoundError):
                    os.replace(final, aside / "damaged")
                shutil.rmtree(aside, ignore_errors=True)
        raise OSError(f"cannot put {final} into place")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def environment() -> dict[str, str]:
    """Return the environment in which compilers run."""
    kept = {k: v for k, v in os.environ.items() if k not in _DROPPED_VARIABLES}
    return kept | {"LC_ALL": "C", "PYTHONHASHSEED": "0"}


_CYTHON_PROBLEM = re.compile(
    r"^(?:warning: )?(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<col>\d+): (?P<msg>.*)$", re.M
)
_C_PROBLEM = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<col>\d+): (?:fatal )?error: (?P<msg>.*)$", re.M
)


def _problems(
    pattern: re.Pattern[str], output: str, example: Example, c: str
) -> tuple[Problem, ...]:
    found = (
        _placed(Problem(m["file"], int(m["line"]), int(m["col"]), m["msg"].strip()), example, c)
        for m in pattern.finditer(output)
        if not m[0].startswith("warning:")
    )
    # Cython says some things twice.
    return tuple(dict.fromkeys(found))


def _placed(problem: Problem, example: Example, c: str) -> Problem:
    """Name the place in the examples folder that a place in C belongs to, since the C is gone.

    C that stands in the source is found by its text; above generated C there is a comment with
    file and line of what it was made of.
    """
    path = Path(problem.file)
    if path.is_absolute() and path.is_relative_to(example.root):
        return replace(problem, file=path.relative_to(example.root).as_posix())
    lines = c.split("\n")[: problem.line]
    if problem.file != f"{example.module}.c" or not c:
        return problem
    text = lines[-1].strip()
    header = re.match(r'#include ["<](.+)[">]', text)
    verbatim = [
        number
        for number, line in enumerate(example.lines, 1)
        if line.strip() == text or (header and re.search(rf'from "<?{re.escape(header[1])}', line))
    ]
    if text and len(verbatim) == 1:
        return replace(problem, file=f"{example.name}.pyx", line=verbatim[0])
    problem = replace(problem, message=f"{problem.message}, in the C: {text}")
    for line in reversed(lines):
        if "/* #### Code section" in line:
            break
        if made_of := re.match(r'\s*/\* "([^"]+)":(\d+)$', line):
            return replace(problem, file=made_of[1], line=int(made_of[2]), column=0)
    return problem


class CompileError(Exception):
    """A compiler refused; carries the step, its output, and the C if it got so far."""

    def __init__(self, step: str, output: str) -> None:
        super().__init__(output)
        self.step = step
        self.output = output
        self.c = ""


def _failure(variant: Variant, digest: str, error: CompileError) -> Failure:
    pattern = _CYTHON_PROBLEM if error.step == "Cython" else _C_PROBLEM
    problems = _problems(pattern, error.output, variant.example, error.c)
    return Failure(variant, digest, error.step, problems, error.output)


def _run(step: str, command: list[str], cwd: Path) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, errors="replace", env=environment()
    )
    if done.returncode != 0:
        raise CompileError(step, done.stdout + done.stderr)


def ranges(numbers: set[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def surviving_lines(preprocessed: str, c_name: str) -> set[int]:
    """Return the lines of a C file that are not empty after preprocessing.

    Args:
        preprocessed: The output of the preprocessor, with its line markers (``# 12 "file.c"``).
        c_name: The name of the C file in the markers.
    """
    marker = re.compile(r'# (\d+) "([^"]*)"')
    kept: set[int] = set()
    number, ours = 0, False
    for text in preprocessed.splitlines():
        if found := marker.match(text):
            number, ours = int(found[1]), found[2] == c_name
            continue
        if ours and text.strip():
            kept.add(number)
        number += 1
    return kept


@dataclass
class Builder:
    """Builds the variants of a folder of examples into a cache.

    Attributes:
        examples: The examples.
        config: Profiles among others.
        cache: The folder for artefacts.
        toolchain: The C compiler.
        jobs: How many compilers run at once.
        progress: Called with a line of text whenever an artefact is done.
    """

    examples: Examples
    config: Config
    cache: Path
    toolchain: Toolchain
    jobs: int = 1
    progress: Callable[[str], None] = lambda text: None

    def __post_init__(self) -> None:
        self.config = replace(
            self.config, profiles=tuple(map(self._with_optional_flags, self.config.profiles))
        )

    def _with_optional_flags(self, profile: Profile) -> Profile:
        """Give a profile those of its optional flags that the C compiler accepts."""
        accepted = tuple(filter(self.toolchain.accepts, profile.optional_flags))
        return replace(profile, flags=(*profile.flags, *accepted), optional_flags=())

    def profile(self, name: str) -> Profile:
        """Return a profile by name; KeyError if there is none."""
        return {profile.name: profile for profile in self.config.profiles}[name]

    def applies(self, profile: Profile, example: Example) -> bool:
        """Tell whether an example is built under a profile: refused ones under the default only."""
        if example.refused:
            return profile.name == DEFAULT_PROFILE
        return profile.applies_to(example.name)

    def variants(self) -> list[Variant]:
        """Return all variants there are to build, refused examples included."""
        return [
            Variant(example, profile)
            for example in self.examples
            for profile in self.config.profiles
            if self.applies(profile, example)
        ]

    def digest(self, variant: Variant) -> str:
        """Return the digest of everything that changes what is made of a variant."""
        profile = variant.profile
        parts = [
            FORMAT,
            variant.example.digest(),
            profile.name,
            profile.flags,
            profile.macros,
            profile.directives,
            profile.shared,
            version("cython"),
            sys.version_info[:3],
            sysconfig.get_config_var("SOABI"),
            version("numpy") if variant.example.uses_numpy else None,
            self.toolchain.command[-1] if self.toolchain.is_zig else self.toolchain.command,
            self.toolchain.version,
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]

    def folder(self, variant: Variant) -> Path:
        """Return where the artefact of a variant is, or will be."""
        name = variant.key.replace("/", ".").replace("@", "--")
        return self.cache / f"{name}-{self.digest(variant)}"

    def build_all(self) -> dict[str, Outcome]:
        """Build whatever is not in the cache; return the outcome of every variant by key.

        An example that must be refused and is not counts as a failure.
        """
        variants = self.variants()
        todo = [variant for variant in variants if not is_intact(self.folder(variant))]
        if any(v.profile.shared and not v.example.refused for v in todo):
            self.shared_module()
        done = 0
        total = len(todo)
        started = time.perf_counter()

        def build(variant: Variant) -> Outcome:
            nonlocal done
            outcome = self.build(variant)
            done += 1
            took = time.perf_counter() - started
            word = "failed" if isinstance(outcome, Failure) else "built"
            if variant.example.refused:
                word = "refused, as it should be" if isinstance(outcome, Failure) else "NOT refused"
            self.progress(f"examples [{done}/{total}] {variant.key}: {word} ({took:.1f} s)")
            return outcome

        outcomes = {}
        if todo:
            with ThreadPoolExecutor(max(1, self.jobs)) as pool:
                outcomes = {v.key: o for v, o in zip(todo, pool.map(build, todo), strict=True)}
        return {v.key: outcomes.get(v.key) or self._load(v) for v in variants}

    def _load(self, variant: Variant, fresh: bool = False) -> Outcome:
        folder = self.folder(variant)
        if (folder / REFUSAL).is_file():
            refusal = json.loads((folder / REFUSAL).read_text())
            problems = tuple(Problem(*problem) for problem in refusal["problems"])
            digest = self.digest(variant)
            return Failure(variant, digest, refusal["step"], problems, refusal["output"])
        manifest = json.loads((folder / MANIFEST).read_text())
        return Artefact(variant, self.digest(variant), folder, manifest["seconds"], fresh)

    def build(self, variant: Variant) -> Outcome:
        """Build one variant, or take it from the cache."""
        folder = self.folder(variant)
        if is_intact(folder):
            return self._load(variant)
        try:
            with atomic_folder(folder) as work:
                seconds = {}
                started = time.perf_counter()
                self.translate(variant, work)
                seconds["Cython"] = time.perf_counter() - started
                if variant.profile.shared and variant.example.refused is False:
                    self.shared_module()
                started = time.perf_counter()
                self.compile(variant.example.module, variant.profile, work, variant.example)
                seconds["C compiler"] = time.perf_counter() - started
                seal(work, seconds=seconds)
        except CompileError as error:
            failure = _failure(variant, self.digest(variant), error)
            if not variant.example.refused:
                return failure
            with atomic_folder(folder) as work:
                problems = [astuple(problem) for problem in failure.problems]
                refusal = {"step": error.step, "problems": problems, "output": error.output}
                (work / REFUSAL).write_text(json.dumps(refusal))
                seal(work, seconds={})
        return self._load(variant, fresh=True)

    def translate(self, variant: Variant, work: Path) -> None:
        """Let Cython write the C file and its annotated page into a folder.

        Cython runs in the examples folder with a relative path, because the path it is given
        stands in the C file.

        Raises:
            CompileError: Cython refused the source.
        """
        profile = variant.profile
        command = [sys.executable, "-m", "cython", "-3", "--annotate"]
        command += ["--module-name", variant.example.module]
        if profile.shared:
            command += ["--shared", SHARED_MODULE]
        for name, value in profile.directives:
            command += ["-X", f"{name}={value}"]
        command += ["-o", str(work / f"{variant.example.module}.c")]
        command.append(f"{variant.example.name}.pyx")
        _run("Cython", command, self.examples.root)

    def compile(
        self, module: str, profile: Profile, work: Path, example: Example | None = None
    ) -> None:
        """Compile ``<module>.c`` in a folder to an importable module beside it.

        Raises:
            CompileError: The C compiler or the linker refused.
        """
        flags = [*profile.flags]
        flags += [f"-D{name}={value}" if value else f"-D{name}" for name, value in profile.macros]
        if example is not None:
            flags.append(f"-I{example.path.parent}")
            flags.append(f"-I{self.examples.root}")
            if example.uses_numpy:
                import numpy

                flags += [f"-I{numpy.get_include()}", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION"]
        source, objects = f"{module}.c", f"{module}.o"
        # The preprocessed file tells which branch of every #if is in the module.
        keep = ("-save-temps=obj",)
        tools = self.toolchain
        try:
            _run("the C compiler", tools.compile_command(source, objects, (*flags, *keep)), work)
        except CompileError as error:
            error.c = (work / source).read_text(encoding="utf-8")
            raise
        _run(
            "the C compiler",
            tools.link_command(objects, module_filename(module), profile.flags),
            work,
        )
        preprocessed, assembly = work / f"{module}.i", work / f"{module}.s"
        for step, kept in (("-E", preprocessed), ("-S", assembly)):
            if not kept.is_file():
                # zig cc leaves no temporary files behind.
                command = tools.compile_command(source, kept.name, tuple(flags), step)
                _run("the C compiler", command, work)
        lines = surviving_lines(preprocessed.read_text(errors="replace"), source)
        (work / "compiled-lines.json").write_text(json.dumps(ranges(lines)))
        for leftover in (*work.glob("*.i"), *work.glob("*.o"), *work.glob("*.bc")):
            leftover.unlink()

    def shared_module(self) -> Path:
        """Build the module with the utility code of all shared profiles, or take it from the cache.

        Returns:
            The folder it is in.
        """
        profile = Profile("shared")
        parts = (
            FORMAT,
            version("cython"),
            sys.version_info[:3],
            sysconfig.get_config_var("SOABI"),
            self.toolchain.command[-1] if self.toolchain.is_zig else self.toolchain.command,
            self.toolchain.version,
        )
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
        folder = self.cache / f"{SHARED_MODULE}-{digest}"
        if not is_intact(folder):
            started = time.perf_counter()
            with atomic_folder(folder) as work:
                command = [sys.executable, "-m", "cython", "generate-shared", f"{SHARED_MODULE}.c"]
                _run("Cython", command, work)
                self.compile(SHARED_MODULE, profile, work)
                seal(work, seconds={"all": time.perf_counter() - started})
            took = time.perf_counter() - started
            self.progress(f"examples: shared utility module built ({took:.1f} s)")
        return folder

    def stage(self, outcomes: dict[str, Outcome]) -> Path:
        """Return a folder from which all built modules can be imported.

        Modules of the default profile lie at its top, those of the profile ``p`` in
        ``variants/p``. The folder is named after what it contains, so that two builds never
        change it under each other.
        """
        artefacts = [o for o in outcomes.values() if isinstance(o, Artefact)]
        key = hashlib.sha256(
            repr(sorted((a.variant.key, a.digest) for a in artefacts)).encode()
        ).hexdigest()[:20]
        folder = self.cache / f"stage-{key}"
        if is_intact(folder):
            return folder
        with atomic_folder(folder) as work:
            for artefact in artefacts:
                parts = artefact.variant.import_name.split(".")[:-1]
                target = work.joinpath(*parts)
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(artefact.module_file, target)
            if any(a.variant.profile.shared for a in artefacts):
                shared = self.shared_module()
                shutil.copy2(shared / module_filename(SHARED_MODULE), work)
            (work / "digests.json").write_text(
                json.dumps({a.variant.key: a.digest for a in artefacts}, indent=1)
            )
            seal(work)
        return folder
