"""Builds all variants of a folder of examples: cached by content, in parallel, all or nothing."""

from __future__ import annotations

import hashlib
import json
import sys
import sysconfig
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from . import process
from .artefact import Artefact, Failure, Outcome, Problem, Variant
from .compile import compile_module
from .config import DEFAULT_PROFILE, Config, Profile
from .diagnostics import failure as describe_failure
from .example import Example, Examples
from .names import SHARED_MODULE
from .process import CompileError
from .stage import make_stage
from .store import MANIFEST, atomic_folder, is_intact, seal
from .toolchain import Toolchain
from .translate import translate

# A refusal is what an example that must not compile is for, so it is an artefact like another.
REFUSAL = "refusal.json"
# Part of every digest: raise it when the content of an artefact changes its meaning.
FORMAT = 5


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
                translate(variant, self.examples.root, work)
                seconds["Cython"] = time.perf_counter() - started
                if variant.profile.shared and variant.example.refused is False:
                    self.shared_module()
                started = time.perf_counter()
                compile_module(
                    variant.example.module, variant.profile, work, self.toolchain, variant.example
                )
                seconds["C compiler"] = time.perf_counter() - started
                seal(work, seconds=seconds)
        except CompileError as error:
            failure = describe_failure(variant, self.digest(variant), error)
            if not variant.example.refused:
                return failure
            with atomic_folder(folder) as work:
                problems = [astuple(problem) for problem in failure.problems]
                refusal = {"step": error.step, "problems": problems, "output": error.output}
                (work / REFUSAL).write_text(json.dumps(refusal))
                seal(work, seconds={})
        return self._load(variant, fresh=True)

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
                process.run_step("Cython", command, work)
                compile_module(SHARED_MODULE, profile, work, self.toolchain)
                seal(work, seconds={"all": time.perf_counter() - started})
            took = time.perf_counter() - started
            self.progress(f"examples: shared utility module built ({took:.1f} s)")
        return folder

    def stage(self, outcomes: dict[str, Outcome]) -> Path:
        """Return a folder from which all built modules can be imported."""
        artefacts = [
            outcome
            for outcome in outcomes.values()
            if isinstance(outcome, Artefact) and not outcome.variant.example.refused
        ]
        shared = any(artefact.variant.profile.shared for artefact in artefacts)
        return make_stage(artefacts, self.shared_module() if shared else None, self.cache)
