"""From ``.pyx`` to an importable module: cached by content, all or nothing, failures told."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import CONF, QUICK, SAMPLES, write

from sphinx_cython.core import builder as building
from sphinx_cython.core import compile as compiling
from sphinx_cython.core import process, store
from sphinx_cython.core import toolchain as toolchains
from sphinx_cython.core import translate as translating
from sphinx_cython.core.annotation import load_annotation, normalise
from sphinx_cython.core.artefact import Artefact, Failure, Variant
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Config, Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.store import StoreError

# Under the same names as in the samples, so that what is in the shared cache serves here too.
ADD = {"plain/add.pyx": (SAMPLES / "plain/add.pyx").read_text()}
ANSWER = {"plain/answer.pyx": (SAMPLES / "plain/answer.pyx").read_text()}
TRY = "import add; print(add.add(1, 2))"


def kept(builder: Builder) -> list[Path]:
    """What is in the cache of a builder."""
    return sorted(path for path in builder.cache.iterdir() if path.name[0] != ".")


def run_python(code: str, path: Path) -> str:
    """Run code with a folder on the import path; return what it prints."""
    env = os.environ | {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


# --- what comes out


def test_an_artefact_has_the_c_the_annotated_page_and_a_module_that_works(samples: Builder):
    artefact = samples.build(samples.variants()[0])
    assert isinstance(artefact, Artefact)
    assert artefact.variant.key == "plain/add"
    assert "__pyx_pf_3add_add" in artefact.c_file.read_text()
    assert 'class="cython' in artefact.html_file.read_text()
    assert run_python(TRY, artefact.folder) == "3\n"
    kept = {"add.c", "add.html", "add.s", "artefact.json", "compiled-lines.json"}
    assert {path.name for path in artefact.folder.iterdir()} == kept | {artefact.module_file.name}


def test_profiles_give_macros_directives_and_flags(make_builder, cache):
    other = Profile(
        "with-macro",
        flags=("-O0", "-DANSWER=2"),
        macros=(("ANSWER", "42"),),
        directives=(("binding", "False"),),
    )
    builder = make_builder(ANSWER, QUICK, other, cache=cache)
    stage = builder.stage(builder.build_all())
    code = """
import answer, variants.with_macro.answer as other
print(answer.answer(), other.answer(), type(answer.answer).__name__, type(other.answer).__name__)
"""
    printed = run_python(code, stage)
    assert printed == "1 42 cython_function_or_method builtin_function_or_method\n"


def test_optional_flags_are_left_out_where_the_compiler_does_not_know_them(make_builder):
    profile = Profile("default", flags=("-O0",), optional_flags=("-fno-such-flag", "-fno-common"))
    builder = make_builder(ADD, profile)
    (variant,) = builder.variants()
    assert variant.profile.flags == ("-O0", "-fno-common")
    assert isinstance(builder.build_all()[variant.key], Artefact)


def test_a_stage_imports_every_variant_under_a_name_of_its_own(samples: Builder):
    outcomes = samples.build_all()
    assert [key for key, o in outcomes.items() if isinstance(o, Failure)] == ["refused/address"]
    code = """
import numpy, ways, variants.shared.ways as shared
a = numpy.arange(3.0)
print(ways.item(a, 2) == shared.item(a, 2) == (2.0,) * 4, ways.__file__ != shared.__file__)
"""
    assert run_python(code, samples.stage(outcomes)) == "True True\n"


def test_the_c_of_a_line_is_the_same_with_shared_utility_code(samples: Builder):
    outcomes = samples.build_all()
    plain, shared = outcomes["ways"], outcomes["ways@shared"]
    example = plain.variant.example
    pages = [load_annotation(o.html_file, example) for o in (plain, shared)]
    bodies = {n for f in example.functions.values() for n in range(f.header + 1, f.last + 1)}
    assert len(bodies) >= 10
    for one, other in zip(*pages, strict=True):
        if one.number in bodies:
            assert normalise(one.c) == normalise(other.c), one.source
    assert plain.c_file.stat().st_size > 2 * shared.c_file.stat().st_size


def test_settings_of_the_user_do_not_leak_into_a_module(make_builder, monkeypatch, tmp_path):
    # In a folder that the user's compiler searches before its own, a header that stops it.
    (tmp_path / "math.h").write_text('#error "leaked"\n')
    for name in ("CPATH", "C_INCLUDE_PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    builder = make_builder(ANSWER)
    stage = builder.stage(builder.build_all())
    assert run_python("import answer; print(answer.answer())", stage) == "1\n"


# --- cached by content


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps taken, with compilers that take no time and write what they were given."""
    taken: list[str] = []
    monkeypatch.setattr(translating, "AVAILABLE", False)

    def run(step: str, command: list[str], cwd: Path, **how: object) -> None:
        taken.append(step)
        at = command.index("-o")
        source = Path(cwd, command[at - 1])
        if step == "Cython":
            report, folder = command[command.index("run") + 1 :][:2]
            source = Path(folder, command[-1])
            facts = {"opened": [str(source)], "probed": {}, "listed": {}}
            Path(report).write_text(json.dumps(facts))
        if source.stem == "bad":
            raise process.CompileError(step, f"refused/{source.name}:1:0: said no\n")
        output = Path(cwd, command[at + 1])
        output.write_text(f"{step} of {source.read_text()}")
        if step == "Cython":
            output.with_suffix(".html").write_text("a page")
        elif "-c" in command:
            output.with_suffix(".i").write_text("")
            output.with_suffix(".s").write_text("")
            output.with_suffix(".d").write_text(f"{output.name}: {source.name}\n")

    monkeypatch.setattr(process, "run_step", run)
    return taken


ALL_STEPS = ["Cython", "the C compiler", "the C compiler"]


def test_a_second_build_starts_no_compiler(make_builder, steps):
    builder = make_builder(ADD)
    first = builder.build_all()
    assert steps == ALL_STEPS
    second = builder.build_all()
    assert steps == ALL_STEPS
    assert second == first
    assert (first["plain/add"].fresh, second["plain/add"].fresh) == (True, False)


def test_another_mtime_starts_no_compiler_and_another_text_does(make_builder, steps):
    builder = make_builder(ADD)
    builder.build_all()
    os.utime(builder.examples["add"].path, (1, 1))
    make_builder(ADD).build_all()
    assert steps == ALL_STEPS
    make_builder({"plain/add.pyx": ADD["plain/add.pyx"] + "\n"}).build_all()
    assert steps == ALL_STEPS * 2


BASE = Profile("p", "words", ("-O0",), (("A", "1"),), (("boundscheck", "True"),))


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"name": "q"}, True),
        ({"flags": ("-O1",)}, True),
        ({"macros": (("A", "2"),)}, True),
        ({"directives": (("boundscheck", "False"),)}, True),
        ({"macros": (), "shared": True}, True),
        ({"summary": "other words"}, False),
        ({"examples": ("add",)}, False),
    ],
)
def test_the_digest_covers_of_the_profile_what_changes_the_output(make_builder, change, counts):
    builder = make_builder(ADD)
    variant = Variant(builder.examples["add"], BASE)
    other = Variant(builder.examples["add"], replace(BASE, **change))
    assert (builder.key(variant) != builder.key(other)) is counts


def test_the_digest_covers_cython_numpy_python_and_the_compiler(make_builder, steps, monkeypatch):
    builder = make_builder(ADD)
    (variant,) = builder.variants()
    before = builder.key(variant)

    def changes(target: object, name: str, value: object) -> bool:
        """Tell whether something else there changes the key, which is part of the digest."""
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            return builder.key(variant) != before

    real = building.installed_version
    for package, counts in {"cython": True, "pygments": True, "numpy": False}.items():
        other = {package: "0"}
        version = lambda name, other=other: other.get(name) or real(name)  # noqa: E731
        assert changes(building, "installed_version", version) is counts, package
    assert changes(building.sysconfig, "get_config_var", lambda n: "abi")
    assert changes(building.sys, "version_info", (3, 99, 0))
    assert changes(toolchains, "BASE_FLAGS", ("-g1",))
    tools = builder.toolchain
    assert changes(builder, "toolchain", replace(tools, version="gcc 99"))
    assert changes(builder, "toolchain", replace(tools, command=("other",)))
    assert not changes(builder, "toolchain", replace(tools, origin="there"))
    assert not changes(builder, "jobs", 7)


def test_where_the_python_is_that_runs_zig_does_not_matter(make_builder, monkeypatch):
    builder = make_builder(ADD)
    keys = set()
    for python in (sys.executable, "/elsewhere/bin/python"):
        monkeypatch.setattr(sys, "executable", python)
        zig = replace(builder.toolchain, command=(python, "-m", "ziglang", "cc"))
        builder = replace(builder, toolchain=zig)
        keys.add(builder.key(builder.variants()[0]))
    assert len(keys) == 1
    monkeypatch.setattr(toolchains, "ZIG_FLAGS", ())
    assert builder.key(builder.variants()[0]) not in keys


def test_variables_that_a_compiler_needs_count(make_builder, monkeypatch):
    builder = make_builder(ADD)
    (variant,) = builder.variants()
    before = builder.key(variant)
    monkeypatch.setenv("UNRELATED", "1")
    assert builder.key(variant) == before
    monkeypatch.setenv("SDKROOT", "/sdk")
    assert builder.key(variant) != before


# --- damage


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit_manifest(artefact: Artefact, part: str | None, value: object) -> None:
    path = artefact.folder / store.MANIFEST
    manifest = json.loads(path.read_text())
    if part is None:
        del manifest[building.RECORD]
    else:
        manifest[building.RECORD][part] = value
    path.write_text(json.dumps(manifest))


DAMAGE: dict[str, Callable[[Artefact], object]] = {
    "a truncated module": lambda a: os.truncate(a.module_file, 10),
    "an empty module": lambda a: os.truncate(a.module_file, 0),
    "a missing module": lambda a: a.module_file.unlink(),
    "a byte of the C": lambda a: flip_a_byte(a.c_file),
    "a missing page": lambda a: a.html_file.unlink(),
    "no manifest": lambda a: (a.folder / store.MANIFEST).unlink(),
    "half a manifest": lambda a: os.truncate(a.folder / store.MANIFEST, 40),
    "an empty manifest": lambda a: (a.folder / store.MANIFEST).write_text("{}"),
    "a manifest of nothing": lambda a: (a.folder / store.MANIFEST).write_text('{"files": {}}'),
    "a manifest that is none": lambda a: (a.folder / store.MANIFEST).write_text('["files"]'),
    "another record": lambda a: edit_manifest(a, "files", {"plain/add.pyx": "0"}),
    "another place of a record": lambda a: edit_manifest(a, "probed", {"other.pxd": False}),
    "no record": lambda a: edit_manifest(a, None, None),
    "an empty folder": lambda a: (shutil.rmtree(a.folder), a.folder.mkdir()),
    "a file for a folder": lambda a: (shutil.rmtree(a.folder), a.folder.write_text("")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_artefact_is_built_again(make_builder, steps, kind: str):
    builder = make_builder(ADD)
    artefact = builder.build_all()["plain/add"]
    module = artefact.module_file.read_bytes()
    DAMAGE[kind](artefact)
    assert replace(builder).build_all()["plain/add"] == artefact
    assert steps == ALL_STEPS * 2
    assert replace(builder).build_all()["plain/add"] == artefact
    assert steps == ALL_STEPS * 2
    assert store.is_intact(artefact.folder)
    assert artefact.module_file.read_bytes() == module
    assert list(builder.cache.glob(".tmp-*")) == []


def test_a_damaged_stage_is_made_again(make_builder, steps):
    builder = make_builder(ADD)
    outcomes = builder.build_all()
    stage = builder.stage(outcomes)
    (module,) = stage.glob("add.*")
    os.truncate(module, 10)
    assert builder.stage(outcomes) == stage
    assert module.read_bytes() == outcomes["plain/add"].module_file.read_bytes()


# --- two at once, and killed

BUILD = """
import sys
from pathlib import Path
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Config, Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.toolchain import find_toolchain
examples, cache = map(Path, sys.argv[1:])
config = Config(profiles=(Profile("default", flags=("-O0",)),))
builder = Builder(Examples.scan(examples), config, cache, find_toolchain(), jobs=2)
print(builder.stage(builder.build_all()))
"""


def start_builder(builder: Builder) -> subprocess.Popen[str]:
    """Start a process that does what the builder would do."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(builder.examples.root), str(builder.cache)],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_two_builders_at_once_on_one_cache_both_succeed(make_builder):
    builder = make_builder(ADD)
    processes = [start_builder(builder) for _ in range(2)]
    for builder_process in processes:
        out, err = builder_process.communicate(timeout=120)
        assert builder_process.returncode == 0, err
        assert run_python(TRY, Path(out.strip())) == "3\n"
    assert [path.name.split("-")[0] for path in kept(builder)] == ["plain.add", "stage"]
    assert all(store.is_intact(folder) for folder in kept(builder))


@pytest.mark.parametrize("half_done", [".tmp-*/*.c", ".tmp-*/*.i"])
def test_after_a_killed_builder_the_next_one_is_right(make_builder, half_done: str):
    builder = make_builder(ADD)
    killed = start_builder(builder)
    while not list(builder.cache.glob(half_done)):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.001)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert kept(builder) == []
    assert run_python(TRY, builder.stage(builder.build_all())) == "3\n"


# --- what does not compile

BROKEN = {
    "sub/words.pyx": "def f():\n    y\n\n    return  nothing\n",
    "includes.pyx": 'include "part.pxi"\n',
    "part.pxi": "x = 1\ndef f():\n    return nothing\n",
    "sub/bad_c.pyx": '''
        """An error in C that stands in the source."""

        cdef extern from *:
            """
            static int broken(void) { return no_such_thing; }
            """
            int broken()
    ''',
    "bad_call.pyx": """
        cdef extern from "math.h":
            double sin(double x, double y)


        def f(double x):
            return sin(x,
                       x)
    """,
    "bad_header.pyx": 'cdef extern from "sub/bad.h":\n    pass\n',
    "sub/bad.h": "int x;\nint y\n",
    "missing_header.pyx": 'cdef extern from "nowhere.h":\n    pass\n',
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory, toolchain) -> dict[str, Failure]:
    """What became of the broken examples, which are built together with one that is not."""
    root = tmp_path_factory.mktemp("broken")
    write(root / "examples", BROKEN | {"fine.pyx": "x = 1\n"})
    config = Config(profiles=(QUICK,))
    builder = Builder(Examples.scan(root / "examples"), config, root / "cache", toolchain, 2)
    outcomes = builder.build_all()
    assert isinstance(outcomes.pop("fine"), Artefact)
    left = [path.name.split("-")[0] for path in kept(builder)]
    assert left == ["fine"], "what does not compile is not cached"
    return outcomes


def told(failure: Failure) -> list[tuple[str, int, int, str]]:
    return [(p.file, p.line, p.column, p.message) for p in failure.problems]


def test_an_error_of_cython_is_told_with_file_line_column_and_words(broken):
    found = broken["sub/words"]
    assert found.step == "Cython"
    assert told(found) == [
        ("sub/words.pyx", 2, 4, "undeclared name not builtin: y"),
        ("sub/words.pyx", 4, 12, "undeclared name not builtin: nothing"),
    ]
    assert found.summary.splitlines()[1] == (
        "sub/words.pyx:4:12: undeclared name not builtin: nothing"
    )


def test_an_error_in_an_included_file_names_that_file(broken):
    assert told(broken["includes"]) == [("part.pxi", 3, 11, "undeclared name not builtin: nothing")]


def test_an_error_in_c_of_the_source_is_told_at_its_line(broken):
    found = broken["sub/bad_c"]
    assert found.step == "the C compiler"
    ((file, line, _, words),) = told(found)
    assert (file, line) == ("sub/bad_c.pyx", 5)
    assert words.startswith("'no_such_thing' undeclared")


def test_an_error_in_generated_c_is_told_at_the_line_it_was_made_of(broken):
    ((file, line, _, words),) = told(broken["bad_call"])
    assert (file, line) == ("bad_call.pyx", 6)
    assert words.startswith("too many arguments to function 'sin', in the C: __pyx_t_1 = ")


def test_an_error_in_a_header_names_the_header(broken):
    file, line, _, words = told(broken["bad_header"])[0]
    assert (file, line) == ("sub/bad.h", 2)
    assert words.startswith("expected")


def test_a_missing_header_is_told_where_it_is_asked_for(broken):
    ((file, line, _, words),) = told(broken["missing_header"])
    assert (file, line) == ("missing_header.pyx", 1)
    assert words == "nowhere.h: No such file or directory"


# --- what must not compile


def test_what_is_refused_is_cached_with_what_the_compiler_said(make_builder, steps):
    other = Profile("O3", flags=("-O3",))
    builder = make_builder({"refused/bad.pyx": ""}, QUICK, other)
    first = builder.build_all()
    assert list(first) == ["refused/bad"], "refused ones are built under the default profile only"
    assert first["refused/bad"].summary == "refused/bad.pyx:1:0: said no"
    assert builder.build_all() == first
    assert steps == ["Cython"]


def test_a_damaged_refusal_is_asked_for_again(make_builder, steps):
    builder = make_builder({"refused/bad.pyx": ""})
    first = builder.build_all()
    (refusal,) = builder.cache.glob(f"*/{building.REFUSAL}")
    refusal.write_text("{}")
    assert builder.build_all() == first
    assert steps == ["Cython", "Cython"]


def test_the_samples_are_refused_as_they_should_be(samples: Builder):
    found = samples.build_all()["refused/address"]
    assert isinstance(found, Failure)
    ((file, line, _, _),) = told(found)
    assert (file, line) == ("refused/address.pyx", 5)


def test_what_should_be_refused_and_compiles_is_an_artefact(make_builder, steps):
    builder = make_builder({"refused/fine.pyx": ""})
    assert isinstance(builder.build_all()["refused/fine"], Artefact)


# --- small parts


def test_surviving_lines_are_those_of_the_file_itself():
    preprocessed = """\
# 1 "m.c"

# 1 "other.h" 1
int x;
# 3 "m.c" 2
int y;

int z;
# 9 "m.c"
int w;
"""
    assert compiling.surviving_lines(preprocessed, "m.c") == {3, 5, 9}


def test_ranges_are_runs_of_consecutive_numbers():
    assert compiling.ranges({1, 2, 3, 7, 9, 10}) == [(1, 3), (7, 7), (9, 10)]
    assert compiling.ranges(set()) == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "sub" / "file"
    store.write_atomic(path, "old")
    monkeypatch.setattr(store.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(
        StoreError, match=re.escape(f"cannot write to the cache {path.parent}: full")
    ):
        store.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [other.name for other in path.parent.iterdir()] == ["file"]


def test_a_block_that_raises_leaves_no_folder(tmp_path):
    def stop() -> None:
        with store.atomic_folder(tmp_path / "final") as work:
            (work / "file").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop()
    assert list(tmp_path.iterdir()) == []


def test_an_intact_artefact_of_another_process_is_kept(tmp_path):
    final = tmp_path / "final"
    with store.atomic_folder(final) as work:
        (work / "file").write_text("ours")
        store.seal(work)
        final.mkdir()
        (final / "file").write_text("theirs")
        store.seal(final)
    assert (final / "file").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
