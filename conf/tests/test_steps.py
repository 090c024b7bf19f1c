"""A step of a build that does not do its work is named, and the rest is built."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import CONF, QUICK
from test_process import assert_gone, numbers, posix

from sphinx_cython.core import builder as building
from sphinx_cython.core import process
from sphinx_cython.core import translate as translating
from sphinx_cython.core.artefact import Artefact, Failure
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Profile
from sphinx_cython.core.process import StepError
from sphinx_cython.core.store import StoreError
from sphinx_cython.core.toolchain import Toolchain

pytestmark = posix
TWO = {"bad.pyx": "x = 1\n", "fine.pyx": "x = 2\n"}
REFUSED = {"refused/bad.pyx": 'cdef extern from "bad.h":\n    pass\n', "fine.pyx": "x = 2\n"}
HANG = "sleep 300 & echo $$ $! > {note}.part; mv {note}.part {note}; wait"


@pytest.fixture
def builder_with(
    make_builder: Callable[..., Builder], toolchain: Toolchain, tmp_path: Path
) -> Callable[..., Builder]:
    """Make a builder whose C compiler does something else with the files of the example ``bad``."""

    def make(
        files: dict[str, str], does: str, *profiles: Profile, when: str = "*bad.c*", **more: object
    ) -> Builder:
        program = tmp_path / "fake-cc"
        compiler = shutil.which(toolchain.command[0])
        does = does.format(note=tmp_path / "note")
        program.write_text(
            f'#!/bin/sh\ncase "$*" in {when}) {does};; *) exec {compiler} "$@";; esac\n'
        )
        program.chmod(0o755)
        builder = make_builder(files, *profiles)
        builder.toolchain = replace(toolchain, command=(str(program),))
        builder.config = replace(builder.config, **more)
        return builder

    return make


def build(builder: Builder) -> Failure:
    """Build two examples; return what became of the bad one."""
    outcomes = builder.build_all()
    assert isinstance(outcomes.pop("fine"), Artefact)
    (failure,) = outcomes.values()
    assert isinstance(failure, Failure)
    assert not list(builder.cache.glob("*bad*")), "the next build tries again"
    assert not list(builder.cache.glob(".tmp-*"))
    return failure


# --- the C compiler

WRONG = {
    "sleep 300": "the C compiler took longer than 3 s and was ended",
    "kill -11 $$": "the C compiler was ended by SIGSEGV",
    "exit 0": "the C compiler ended with exit code 0 and did not write bad.o",
}


@pytest.mark.parametrize("files", [TWO, REFUSED], ids=["", "refused"])
@pytest.mark.parametrize("does", WRONG)
def test_a_compiler_that_does_not_do_its_work(builder_with, files: dict[str, str], does: str):
    failure = build(builder_with(files, does, step_timeout=3))
    assert failure.summary == f"{failure.variant.example.name}.pyx:1:0: {WRONG[does]}"
    assert not failure.rejected
    assert not failure.expected, "it has not rejected the source"


def test_a_linker_that_writes_nothing(builder_with):
    failure = build(builder_with(TWO, "exit 0", when="*bad.o*-shared*"))
    assert "the C compiler ended with exit code 0 and did not write bad.cpython" in failure.summary


def test_all_that_a_compiler_has_started_is_ended(builder_with, tmp_path):
    build(builder_with(TWO, HANG, step_timeout=3))
    assert_gone(numbers(tmp_path / "note"))


def test_a_compiler_that_prints_without_end(builder_with, monkeypatch):
    monkeypatch.setattr(process, "OUTPUT_LIMIT", 1000)
    failure = build(builder_with(TWO, "yes", step_timeout=1))
    assert len(failure.output) < 1100


def test_the_shared_module_is_named_if_it_is_what_cannot_be_built(builder_with):
    profile = replace(QUICK, shared=True)
    does = "exit 0"
    builder = builder_with({"fine.pyx": "x = 1\n"}, does, profile, when="*_cyutility.c*")
    with pytest.raises(StepError) as caught:
        builder.build_all()
    assert str(caught.value) == (
        "the shared utility module: the C compiler ended with exit code 0 and did not write "
        "_cyutility.o"
    )


# --- Cython


@pytest.mark.parametrize("forks", [True, False])
@pytest.mark.parametrize("folder", ["", "refused/"])
def test_a_translation_that_never_ends(make_builder, monkeypatch, folder: str, forks: bool):
    """It computes the constant, which has 370 million digits."""
    monkeypatch.setattr(translating, "AVAILABLE", forks and translating.AVAILABLE)
    builder = make_builder({f"{folder}bad.pyx": "x = 9 ** 9 ** 9\n", "fine.pyx": "x = 1\n"})
    # Cython itself must have the time to start.
    builder.config = replace(builder.config, step_timeout=8)
    failure = build(builder)
    assert failure.summary == f"{folder}bad.pyx:1:0: Cython took longer than 8 s and was ended"
    assert not failure.expected


@pytest.mark.parametrize("forks", [True, False])
def test_a_translation_that_crashes(make_builder, monkeypatch, forks: bool):
    monkeypatch.setattr(translating, "AVAILABLE", forks and translating.AVAILABLE)
    files = {"refused/bad.pyx": f"x = {'(' * 50_000}1{')' * 50_000}\n", "fine.pyx": "x = 1\n"}
    failure = build(make_builder(files))
    assert failure.summary == "refused/bad.pyx:1:0: Cython was ended by SIGSEGV"
    assert not failure.expected


def test_a_translation_that_writes_nothing(make_builder, monkeypatch):
    real = translating.run_cython

    def run(words: list[str], *rest: object) -> None:
        if words[-1] != "bad.pyx":
            real(words, *rest)

    monkeypatch.setattr(translating, "run_cython", run)
    failure = build(make_builder(TWO))
    assert failure.summary == ("bad.pyx:1:0: Cython ended with exit code 0 and did not write bad.c")


def test_a_named_pipe_among_the_sources(make_builder):
    builder = make_builder({"bad.pyx": 'include "pipe.pxi"\n', "fine.pyx": "x = 1\n"})
    os.mkfifo(builder.examples.root / "pipe.pxi")
    os.mkfifo(builder.examples.root / "other-pipe")
    failure = build(builder)
    assert failure.rejected
    assert "pipe.pxi is not a file" in failure.summary


# --- interruption


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_build_ends_what_runs_and_starts_nothing_more(builder_with, tmp_path):
    files = {f"bad{n}.pyx": "x = 1\n" for n in range(9)}
    does = "sleep 300 & echo $! >> {note}; wait"
    builder = builder_with(files, does, when="*bad*")
    note = tmp_path / "note"

    def interrupt() -> None:
        while not note.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        builder.build_all()
    children = numbers(note)
    assert len(children) <= builder.jobs
    assert_gone(children)
    assert not list(builder.cache.glob(".tmp-*"))


# --- order


def test_what_takes_longest_is_built_first_and_the_shared_module_at_once(make_builder, monkeypatch):
    files = {"small.pyx": "x = 1\n", "large.pyx": "x = 1\n" * 9, "refused/bad.pyx": "y\n" * 99}
    shared = replace(QUICK, shared=True)
    builder = make_builder(files, shared, Profile("plain"))
    begun: list[str] = []
    monkeypatch.setattr(builder, "build", lambda variant: begun.append(variant.key) or variant)
    monkeypatch.setattr(builder, "shared_module", lambda: begun.append("shared") or Path())
    monkeypatch.setattr(building, "_word", str)
    builder.jobs = 1
    builder._build_in_parallel(sorted(builder.variants(), key=building._cost, reverse=True))
    assert begun == ["shared", "large@plain", "small@plain", "large", "small", "refused/bad"]


# --- a cache that cannot be written to

USE = """
import sys
from pathlib import Path
from dataclasses import replace
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Config, Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.store import StoreError
from sphinx_cython.core.toolchain import find_toolchain
examples, cache = map(Path, sys.argv[1:])
config = Config(profiles=(Profile("default", flags=("-O0",)),))
tools = find_toolchain(memory=cache)
builder = Builder(Examples.scan(examples), config, cache, tools, jobs=2)
try:
    outcomes = builder.build_all()
    builder.stage(outcomes)
    print("done", sum(o.fresh for o in outcomes.values() if hasattr(o, "fresh")))
except StoreError as error:
    print(error)
"""


def use_mounted(examples: Path, cache: Path, mount: str) -> str:
    """Build with something mounted in the place of the cache; return what is printed."""
    if not shutil.which("unshare"):
        pytest.skip("mounts need unshare")
    script = f'{mount.format(cache=cache)} || exit 77; exec {sys.executable} -c "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, USE, str(examples), str(cache)],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        capture_output=True,
        text=True,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"this system permits no mounts: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SMALL = "mount -t tmpfs -o size={size} none {{cache}}"
READ_ONLY = "mount --bind {cache} {cache} && mount -o remount,ro,bind {cache}"


@pytest.mark.parametrize("size", ["40k", "300k", "900k"])
@pytest.mark.parametrize("files", [TWO, REFUSED], ids=["", "refused"])
def test_a_full_cache_is_one_error_at_whatever_step(scan, tmp_path, files, size: str):
    cache = tmp_path / "cache"
    cache.mkdir()
    many = files | {f"more{n}.pyx": "x = 1\n" for n in range(3)}
    said = use_mounted(scan(many).root, cache, SMALL.format(size=size))
    assert said.startswith(f"cannot write to the cache {cache}: ")
    assert "No space left on device" in said


def test_a_read_only_cache_is_an_error_only_if_there_is_something_to_write(make_builder, tmp_path):
    builder = make_builder({"one.pyx": "x = 1\n"})
    builder.stage(builder.build_all())
    root, cache = builder.examples.root, builder.cache
    assert use_mounted(root, cache, READ_ONLY) == "done 0"
    (root / "one.pyx").write_text("x = 2\n")
    said = use_mounted(root, cache, READ_ONLY)
    assert said == f"cannot write to the cache {cache}: Read-only file system"


def test_a_cache_that_is_a_file(make_builder, tmp_path):
    (tmp_path / "file").write_text("")
    for cache in (tmp_path / "file", tmp_path / "file" / "below"):
        builder = make_builder({"one.pyx": "x = 1\n"}, cache=cache)
        with pytest.raises(StoreError, match=f"^cannot write to the cache {cache}: "):
            builder.build_all()
    assert (tmp_path / "file").read_text() == ""


# --- a build uses its cache


def test_what_is_not_used_any_more_is_removed_and_what_is_used_stays(make_builder):
    text = "x = 1\n"
    for number in range(12):
        builder = make_builder({"one.pyx": text, "two.pyx": "y = 1\n"}, replace(QUICK))
        builder.stage(builder.build_all())
        text += f"# {number}\n"
        del builder
    kept = [path.name.rpartition("-")[0] for path in cache_of(make_builder).iterdir()]
    assert kept.count("two") == 1
    assert 2 <= kept.count("one") <= 7
    assert 2 <= kept.count("stage") <= 7


def cache_of(make_builder: Callable[..., Builder]) -> Path:
    return make_builder({}).cache


def test_two_builders_at_once_keep_what_each_of_them_uses(make_builder, tmp_path):
    """One edits and builds again and again, while the other uses what it has built."""
    first = make_builder({"one.pyx": "x = 0\n"})
    stage = first.stage(first.build_all())
    for number in range(12):
        builder = make_builder({"one.pyx": f"x = {number}\n"})
        builder.stage(builder.build_all())
        assert stage.is_dir()
    assert first.build_all()["one"].folder
    del builder
    first._claim.release()
    for _ in range(2):
        builder = make_builder({"one.pyx": f"x = {number}\n"})
        builder.build_all()
        builder._claim.release()
    assert not stage.is_dir()
