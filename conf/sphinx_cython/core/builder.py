"""Builds all variants of a folder of examples: cached by content, in parallel, all or nothing."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from pathlib import Path

from . import cache as caching
from . import process
from .artefact import Artefact, Failure, Outcome, Problem, Variant
from .compile import all_flags, compile_module, flags
from .config import DEFAULT_PROFILE, Config, Profile
from .dependencies import (
    Collector,
    Dependencies,
    installed_version,
    read_depfile,
    read_text,
    system_folders,
    variables,
)
from .diagnostics import failure as describe_failure
from .diagnostics import unbuilt
from .example import Example, Examples
from .extension import ExtensionError
from .forks import SERVER
from .names import SHARED_MODULE
from .process import CompileError, StepError
from .snapshot import Snapshot
from .stage import make_stage
from .store import (
    StoreError,
    atomic_folder,
    clear,
    is_intact,
    put_into_place,
    read_manifest,
    seal,
    temporary_folder,
    writing,
)
from .toolchain import Toolchain
from .translate import REPORT, arguments, generate_shared, read_report, translate

# What an artefact was made from, in its manifest.
RECORD = "made from"
# A refusal is what an example that must not compile is for, so it is an artefact like another.
REFUSAL = "refusal.json"
# What compilers print when the cache cannot be written to; their messages are in English.
_NO_SPACE = tuple(
    os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
)
# Part of every digest: raise it when the content of an artefact changes its meaning.
FORMAT = 6


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
    _folders: dict[str, Path | None] = field(default_factory=dict, init=False, repr=False)
    _claim: caching.Claim | None = field(default=None, init=False, repr=False)
    _shared_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.snapshot = Snapshot(self.examples.root)
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

    def key(self, variant: Variant) -> str:
        """Return the digest of all that is known of a variant without a look at any file.

        The whole command lines are in it, with paths relative to the examples folder.
        """
        profile = variant.profile
        words = tuple(flags(profile, variant.example))
        return self._digest(
            variant.key,
            variant.example.refused,
            arguments(variant),
            self.toolchain.compile_command("c", "o", words),
            self.toolchain.link_command("o", "module", profile.flags),
        )

    def _digest(self, *parts: object) -> str:
        """Return a digest of some parts and of the programs and settings that all builds share."""
        common = (
            FORMAT,
            installed_version("cython"),
            # It colors the annotated page.
            installed_version("pygments"),
            sys.version_info[:3],
            sysconfig.get_config_var("EXT_SUFFIX"),
            self.toolchain.version,
            installed_version("ziglang") if self.toolchain.is_zig else "",
            variables(),
        )
        text = json.dumps((common, parts), sort_keys=True)
        for place, name in self._places:
            text = text.replace(place, name)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @cached_property
    def _places(self) -> list[tuple[str, str]]:
        """Folders, as they are written in JSON, and what each is replaced by in a digest."""
        root = self.examples.root
        places = {
            # An environment may be in the checkout, so its folders come first.
            sys.executable: "{python}",
            sysconfig.get_path("include"): "{include}",
            str(root): "{examples}",
            str(root.parent).rstrip(os.sep): "{examples}/..",
        }
        return [(json.dumps(place)[1:-1], name) for place, name in places.items() if place]

    def folder(self, variant: Variant) -> Path | None:
        """Return the folder of the artefact of a variant, or None if none is current."""
        if variant.key not in self._folders:
            self._folders[variant.key] = self._find(variant)
        return self._folders[variant.key]

    def digest(self, variant: Variant) -> str | None:
        """Return the digest of all that an artefact is made from, or None if none is current.

        Before a variant is built, it is not known what that is.
        """
        folder = self.folder(variant)
        return None if folder is None else _digest_of(folder)

    def _find(self, variant: Variant) -> Path | None:
        """Find an artefact whose record holds; the digest of the record is in its name."""
        key = self.key(variant)
        for folder in self._artefacts.get(_stem(variant), ()):
            with suppress(OSError, ValueError, KeyError, TypeError):
                record = Dependencies.from_json(read_manifest(folder)[RECORD])
                if record.digest(key) == _digest_of(folder) and record.holds(self.snapshot):
                    return folder
        return None

    @cached_property
    def _artefacts(self) -> dict[str, list[Path]]:
        """What is in the cache, by the part of its name that is not the digest."""
        folders: dict[str, list[Path]] = {}
        for folder in self.cache.glob("*-*"):
            folders.setdefault(folder.name.rpartition("-")[0], []).append(folder)
        return folders

    def _record(self, variant: Variant, work: Path, failed: str = "") -> Dependencies:
        """Return the record of a variant, and remove what it was made of from its folder.

        Args:
            variant: The variant.
            work: The folder its steps worked in.
            failed: The step that failed, if one did.
        """
        example = variant.example
        collector = Collector(self.snapshot, work)
        reports, rules = [*work.glob(REPORT)], [*work.glob("*.d")]
        try:
            extension = example.extension
        except ExtensionError:
            # Cython was not started.
            collector.add_examples()
            return collector.record()
        words = all_flags(variant.profile, example)
        if failed != "Cython":
            generated = [*work.glob("*.c"), *work.glob("*.cpp")]
            sources = [*generated, *map(Path, extension.sources)]
            language = extension.language
            collector.add_compiler(
                [name for rule in rules for name in read_depfile(read_text(rule))],
                words,
                system_folders(self.toolchain.command_for(language), language),
                [read_text(path) for path in sources],
                failed=bool(failed),
            )
        for report in reports:
            collector.add_cython(read_report(report))
        if not reports or failed not in ("", "Cython"):
            collector.add_examples()
        collector.add_named([*words, *extension.link_flags, *map(str, extension.files)])
        for path in (*reports, *rules):
            path.unlink()
        return collector.record()

    def build_all(self) -> dict[str, Outcome]:
        """Build whatever is not in the cache; return the outcome of every variant by key.

        An example that must be refused and is not counts as a failure. The cache is claimed as
        long as this object lives.

        Raises:
            StepError: The shared utility module cannot be built.
            StoreError: The cache cannot be written to.
        """
        self._claim = caching.claim(self.cache)
        variants = self.variants()
        todo = [v for v in variants if v.example.problem or not self.is_built(v)]
        outcomes = self._build_in_parallel(sorted(todo, key=_cost, reverse=True))
        outcomes = {v.key: outcomes.get(v.key) or self._load(v) for v in variants}
        self._claim.finish()
        return outcomes

    def _build_in_parallel(self, todo: list[Variant]) -> dict[str, Outcome]:
        """Build variants in the given order, as many at once as there are jobs.

        What takes longest comes first, so that no job is left with it in the end.
        """
        outcomes: dict[str, Outcome] = {}
        started = time.perf_counter()
        with ThreadPoolExecutor(max(1, self.jobs)) as pool:
            tasks: dict[Future[Outcome | Path], Variant | None] = {}
            if any(v.profile.shared and not v.example.refused for v in todo):
                tasks[pool.submit(self.shared_module)] = None
            tasks |= {pool.submit(self.build, variant): variant for variant in todo}
            try:
                for task in as_completed(tasks):
                    result, variant = task.result(), tasks[task]
                    if variant is not None and not isinstance(result, Path):
                        outcomes[variant.key] = result
                        count = f"[{len(outcomes)}/{len(todo)}]"
                        took = time.perf_counter() - started
                        words = f"{variant.key}: {_word(result)} ({took:.1f} s)"
                        self.progress(f"examples {count} {words}")
            except BaseException:
                _cancel([*tasks])
                raise
        return outcomes

    def is_built(self, variant: Variant) -> bool:
        """Tell whether there is an artefact of a variant that is current and whole."""
        folder = self.folder(variant)
        return folder is not None and is_intact(folder)

    def _load(self, variant: Variant, fresh: bool = False) -> Outcome:
        folder = self.folder(variant)
        assert folder is not None
        caching.mark_used(folder)
        digest = _digest_of(folder)
        if (folder / REFUSAL).is_file():
            refusal = json.loads((folder / REFUSAL).read_text())
            problems = tuple(Problem(*problem) for problem in refusal["problems"])
            return Failure(variant, digest, refusal["step"], problems, refusal["output"])
        return Artefact(variant, digest, folder, read_manifest(folder)["seconds"], fresh)

    def build(self, variant: Variant) -> Outcome:
        """Build one variant, or take it from the cache.

        Raises:
            StoreError: The cache cannot be written to.
        """
        if problem := variant.example.problem:
            digest = hashlib.sha256(problem.encode()).hexdigest()[:20]
            return unbuilt(variant, digest, "its file", problem)
        if self.is_built(variant):
            return self._load(variant)
        key = self.key(variant)
        with temporary_folder(self.cache) as work, writing(self.cache):
            try:
                seconds = self._make(variant, work)
                record = self._record(variant, work)
            except CompileError as error:
                if any(words in error.output for words in _NO_SPACE):
                    raise StoreError(f"cannot write to the cache {self.cache}: {error}") from error
                record = self._record(variant, work, error.step)
                failure = describe_failure(variant, record.digest(f"{key} failed"), error)
                if not variant.example.refused:
                    return failure
                clear(work)
                problems = [astuple(problem) for problem in failure.problems]
                refusal = {"step": error.step, "problems": problems, "output": error.output}
                (work / REFUSAL).write_text(json.dumps(refusal))
                seconds = {}
            except StepError as error:
                # That tells nothing of the source, so it is tried again by the next build.
                collector = Collector(self.snapshot, work)
                collector.add_examples()
                digest = collector.record().digest(f"{key} {error.reason}")
                return describe_failure(variant, digest, error)
            seal(work, seconds=seconds, **{RECORD: record.to_json()})
            folder = self.cache / f"{_stem(variant)}-{record.digest(key)}"
            put_into_place(work, folder)
        self._folders[variant.key] = folder
        return self._load(variant, fresh=True)

    def _make(self, variant: Variant, work: Path) -> dict[str, float]:
        """Translate and compile a variant in a folder; return the seconds each step took."""
        seconds = self.config.step_timeout
        started = time.perf_counter()
        translate(variant, self.examples.root, work, seconds)
        compiling = time.perf_counter()
        compile_module(
            variant.example.module,
            variant.profile,
            work,
            self.toolchain,
            variant.example,
            subject=variant.key,
            timeout=seconds,
        )
        return {"Cython": compiling - started, "C compiler": time.perf_counter() - compiling}

    def shared_module(self) -> Path:
        """Build the module with the utility code of all shared profiles, or take it from the cache.

        Returns:
            The folder it is in.

        Raises:
            StepError: It cannot be built.
            StoreError: The cache cannot be written to.
        """
        profile = Profile("shared")
        words = tuple(flags(profile))
        digest = self._digest(
            self.toolchain.compile_command("c", "o", words),
            self.toolchain.link_command("o", "module", profile.flags),
        )
        folder = self.cache / f"{SHARED_MODULE}-{digest}"
        with self._shared_lock:
            if not is_intact(folder):
                started = time.perf_counter()
                with atomic_folder(folder) as work:
                    seconds = self.config.step_timeout
                    generate_shared(work, seconds)
                    compile_module(
                        SHARED_MODULE,
                        profile,
                        work,
                        self.toolchain,
                        subject="the shared utility module",
                        timeout=seconds,
                    )
                    for rule in work.glob("*.d"):
                        rule.unlink()
                    seal(work, seconds={"all": time.perf_counter() - started})
                took = time.perf_counter() - started
                self.progress(f"examples: shared utility module built ({took:.1f} s)")
        caching.mark_used(folder)
        return folder

    def stage(self, outcomes: dict[str, Outcome]) -> Path:
        """Return a folder from which all built modules can be imported."""
        artefacts = [
            outcome
            for outcome in outcomes.values()
            if isinstance(outcome, Artefact) and not outcome.variant.example.refused
        ]
        failures = [
            outcome
            for outcome in outcomes.values()
            if isinstance(outcome, Failure) and not outcome.variant.example.refused
        ]
        shared = any(artefact.variant.profile.shared for artefact in artefacts)
        module = self.shared_module() if shared else None
        stage = make_stage(artefacts, module, self.cache, failures)
        caching.mark_used(stage)
        return stage


def _cost(variant: Variant) -> tuple[bool, bool, int]:
    """Return what grows with the time that a variant takes.

    Its own copy of the utility code takes several times as long as the example, and what must not
    compile is seldom compiled.
    """
    example = variant.example
    return not example.refused, not variant.profile.shared, len(example.source)


def _word(outcome: Outcome | Path) -> str:
    if isinstance(outcome, Failure):
        return "refused, as it should be" if outcome.expected else "failed"
    refused = isinstance(outcome, Artefact) and outcome.variant.example.refused
    return "NOT refused" if refused else "built"


def _cancel(tasks: list[Future[Outcome | Path]]) -> None:
    """Start no further task, and end those that run with all their children."""
    for task in tasks:
        task.cancel()
    # Between two steps a task has no child, so it takes another look.
    while wait(tasks, timeout=0.05).not_done:
        process.end_all()
        SERVER.stop()


def _stem(variant: Variant) -> str:
    """Return the part of the name of an artefact's folder that is not the digest."""
    return variant.key.replace("/", ".").replace("@", "--")


def _digest_of(folder: Path) -> str:
    return folder.name.rpartition("-")[2]
