"""What an artefact was made from: an edit of any of it makes a new one, and nothing else does."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from support import QUICK, Site, write

from sphinx_cython.core import builder as building
from sphinx_cython.core import dependencies, snapshot, store
from sphinx_cython.core.artefact import Artefact, Failure, Variant
from sphinx_cython.core.config import Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.process import CompileError

# A module that returns the number that the file under test defines.
RETURNS = "\n\ndef number():\n    return N\n"
EXTERN = "    enum: N\n" + RETURNS


def extern(header: str) -> str:
    """Return a source that takes N from a header."""
    return f"cdef extern from {header}:\n{EXTERN}"


Files = Mapping[str, str]
OUT = "../outside"

# Each file that a source reaches, in the ways there are to reach one: the source, and the file in
# which N is defined as 1. `m` is a module in a folder of its own.
REACHED: dict[str, tuple[Files, str]] = {
    "the source itself": ({"m.pyx": "cdef enum:\n    N = 1\n" + RETURNS}, "m.pyx"),
    "a pxd of its own": (
        {"m.pyx": RETURNS, "m.pxd": "cdef enum:\n    N = 1\n"},
        "m.pxd",
    ),
    "an included file": (
        {"m.pyx": 'include "part.pxi"\n' + RETURNS, "part.pxi": "cdef enum:\n    N = 1\n"},
        "part.pxi",
    ),
    "a cimported module": (
        {"m.pyx": "from defs cimport N\n" + RETURNS, "defs.pxd": "cdef enum:\n    N = 1\n"},
        "defs.pxd",
    ),
    "a module cimported from a package": (
        {
            "m.pyx": "from pkg cimport mod\n\n\ndef number():\n    return mod.N\n",
            "pkg/__init__.py": "",
            "pkg/mod.pxd": "cdef enum:\n    N = 1\n",
        },
        "pkg/mod.pxd",
    ),
    "a module cimported from a package after another one": (
        {
            "m.pyx": "from pkg cimport one, mod as x\n\n\ndef number():\n    return x.N\n",
            "pkg/__init__.pxd": "",
            "pkg/one.pxd": "",
            "pkg/mod.pxd": "cdef enum:\n    N = 1\n",
        },
        "pkg/mod.pxd",
    ),
    "a name of the package itself": (
        {"m.pyx": "from pkg cimport N\n" + RETURNS, "pkg/__init__.pxd": "cdef enum:\n    N = 1\n"},
        "pkg/__init__.pxd",
    ),
    "names in parentheses over several lines": (
        {
            "m.pyx": "from pkg cimport (\n    mod,\n)\n\n\ndef number():\n    return mod.N\n",
            "pkg/__init__.pxd": "",
            "pkg/mod.pxd": "cdef enum:\n    N = 1\n",
        },
        "pkg/mod.pxd",
    ),
    "what a cimported module cimports": (
        {
            "m.pyx": "from one cimport N\n" + RETURNS,
            "one.pxd": "from two cimport N\n",
            "two.pxd": "cdef enum:\n    N = 1\n",
        },
        "two.pxd",
    ),
    "a pxd of a certain version": (
        {
            "m.pyx": "from pkg.defs cimport N\n" + RETURNS,
            "pkg/__init__.pxd": "",
            "pkg/defs.pxd": "cdef enum:\n    N = 7\n",
            "pkg/defs.cython-30.pxd": "cdef enum:\n    N = 1\n",
        },
        "pkg/defs.cython-30.pxd",
    ),
    "a header": ({"m.pyx": extern('"n.h"'), "n.h": "enum { N = 1 };\n"}, "n.h"),
    "a header in angle brackets": (
        {"m.pyx": extern('"<n.h>"'), "n.h": "enum { N = 1 };\n"},
        "n.h",
    ),
    "a header named on the next line": (
        {"m.pyx": extern('\\\n    "n.h"'), "n.h": "enum { N = 1 };\n"},
        "n.h",
    ),
    "a header of a cimported module": (
        {
            "m.pyx": "from defs cimport N\n" + RETURNS,
            "defs.pxd": 'cdef extern from "sub/n.h":\n    enum: N\n',
            "sub/n.h": "enum { N = 1 };\n",
        },
        "sub/n.h",
    ),
    "a header that a header includes": (
        {"m.pyx": extern('"n.h"'), "n.h": '#include "i.h"\n', "i.h": "enum { N = 1 };\n"},
        "i.h",
    ),
    "a header that a header includes in angle brackets": (
        {"m.pyx": extern('"n.h"'), "n.h": "#include <sub/i.h>\n", "sub/i.h": "enum { N = 1 };\n"},
        "sub/i.h",
    ),
    "a header that a macro names": (
        {
            "m.pyx": extern('"n.h"'),
            "n.h": "#define OTHER <i.h>\n#include OTHER\n",
            "i.h": "enum { N = 1 };\n",
        },
        "i.h",
    ),
    "a header in verbatim C": (
        {
            "m.pyx": 'cdef extern from *:\n    """\n    #include "n.h"\n    """\n' + EXTERN,
            "n.h": "enum { N = 1 };\n",
        },
        "n.h",
    ),
    "a header outside of the examples": (
        {"m.pyx": extern('"../outside/n.h"'), f"{OUT}/n.h": "enum { N = 1 };\n"},
        f"{OUT}/n.h",
    ),
    "a header with odd characters in its name": (
        {
            "m.pyx": extern('"über $all #1/n n.h"'),
            "über $all #1/n n.h": "enum { N = 1 };\n",
        },
        "über $all #1/n n.h",
    ),
    "a header in an include folder of the profile": (
        {"m.pyx": extern('"n.h"'), f"{OUT}/n.h": "enum { N = 1 };\n"},
        f"{OUT}/n.h",
    ),
    "a header in a system folder of the profile": (
        {"m.pyx": extern('"deep/n.h"'), "../system/deep/n.h": "enum { N = 1 };\n"},
        "../system/deep/n.h",
    ),
    "a header that the profile includes": (
        {"m.pyx": "cdef extern from *:\n" + EXTERN, "../forced.h": "enum { N = 1 };\n"},
        "../forced.h",
    ),
}


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """A profile that names folders and a header outside of the examples."""
    (tmp_path / "forced.h").touch()
    folders = (f"-I{tmp_path}/outside", "-isystem", f"{tmp_path}/system")
    return Profile("default", flags=("-O0", *folders, "-include", f"{tmp_path}/forced.h"))


@pytest.fixture
def build(
    make_builder: Callable[..., object], profile: Profile
) -> Callable[..., tuple[str, int, bool]]:
    """Build `m`; return its digest, its number, and whether it was made just now."""

    numbers: dict[str, int] = {}

    def build(files: Files) -> tuple[str, int, bool]:
        outcome = make_builder(files, profile).build_all()["m"]
        assert isinstance(outcome, Artefact), outcome
        if outcome.fresh:
            run = [sys.executable, "-c", "import m; print(m.number())"]
            env = os.environ | {"PYTHONPATH": str(outcome.folder)}
            printed = subprocess.run(run, env=env, capture_output=True, text=True, check=True)
            numbers[outcome.digest] = int(printed.stdout)
        return outcome.digest, numbers[outcome.digest], outcome.fresh

    return build


@pytest.mark.parametrize("kind", REACHED)
def test_an_edit_of_a_file_that_is_reached_makes_a_new_module(build, kind: str):
    files, name = REACHED[kind]
    first = build(files)
    assert first[1:] == (1, True)
    assert build(files) == (first[0], 1, False)
    edited = build(files | {name: files[name].replace("N = 1", "N = 2")})
    assert edited[1:] == (2, True)
    assert edited[0] != first[0]
    assert build(files) == (first[0], 1, False), "what was made before is current again"


HEADER = {"m.pyx": extern('"n.h"'), "n.h": "enum { N = 1 };\n"}
DEFS = {"m.pyx": "from defs cimport N\n" + RETURNS, "defs.pxd": "cdef enum:\n    N = 1\n"}
TWO = "cdef enum:\n    N = 2\n"

# Files that take the place of one that was read, or are what was looked for and missing.
HIDING: dict[str, tuple[Files, Files]] = {
    "a pxd that comes first": (
        {"m.pyx": DEFS["m.pyx"], f"{OUT}/../lib/defs.pxd": DEFS["defs.pxd"]},
        {"defs.pxd": TWO},
    ),
    "a pxd of this version": (
        {
            "m.pyx": "from pkg.defs cimport N\n" + RETURNS,
            "pkg/__init__.pxd": "",
            "pkg/defs.pxd": DEFS["defs.pxd"],
        },
        {"pkg/defs.cython-33.pxd": TWO},
    ),
    "a pxd with a dotted name": (
        {
            "m.pyx": "from pkg.defs cimport N\n" + RETURNS,
            "pkg/__init__.pxd": "",
            "pkg/defs.pxd": DEFS["defs.pxd"],
        },
        {"pkg.defs.pxd": TWO},
    ),
    "a package in place of a module of a namespace": (
        {"m.pyx": "from pkg.defs cimport N\n" + RETURNS, "pkg/defs/__init__.pxd": DEFS["defs.pxd"]},
        {"pkg/defs.pxd": TWO},
    ),
    "a header that comes first": (
        {"m.pyx": extern('"n.h"'), "n.h": "enum { N = 1 };\n"},
        {f"{OUT}/n.h": "enum { N = 2 };\n"},
    ),
    "a header in the folder of the one that includes it": (
        {
            "m.pyx": extern('"sub/one.h"'),
            "sub/one.h": '#include "n.h"\n',
            "n.h": "enum { N = 1 };\n",
        },
        {"sub/n.h": "enum { N = 2 };\n"},
    ),
    "a header of the system": (
        {"m.pyx": extern('"<iso646.h>"'), "../forced.h": "enum { N = 1 };\n#define N N\n"},
        {"iso646.h": "#undef N\n#define N 2\n"},
    ),
    "a header that is used if there is one": (
        {
            "m.pyx": extern('"n.h"'),
            "n.h": '#if __has_include("i.h")\n#include "i.h"\n#else\nenum { N = 1 };\n#endif\n',
        },
        {"i.h": "enum { N = 2 };\n"},
    ),
}


@pytest.mark.parametrize("kind", HIDING)
def test_a_new_file_that_hides_another_makes_a_new_module(
    build, kind: str, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    files, new = HIDING[kind]
    first = build(files)
    assert first[1:] == (1, True)
    edited = build(files | new)
    assert edited[1:] == (2, True)
    for name in new:
        (tmp_path / "examples" / name).unlink()
    assert build(files) == (first[0], 1, False)


def test_a_pxd_that_was_not_there_is_read(build):
    """The pxd of a module is optional, so that there is none is recorded."""
    source = """
        cdef class C:
            pass

        def number():
            return hasattr(C, "n") + 0
    """
    assert build({"m.pyx": source})[1] == 0
    assert build({"m.pyx": source, "m.pxd": "cdef class C:\n    cdef public int n\n"})[1] == 1


@pytest.mark.parametrize(
    "new",
    [
        {"other.h": "int x;\n"},
        {"other.pxd": "cdef int x\n"},
        {"sub/other.pyx": "x = 1\n", "sub/other.pxd": "cdef int x\n"},
        {"notes.txt": "N = 2\n"},
        {".hidden/n.h": "enum { N = 2 };\n"},
    ],
)
def test_files_that_are_not_reached_change_nothing(build, new):
    first = build(HEADER | {"defs.pxd": "cdef int y\n"})
    assert build(HEADER | {"defs.pxd": "cdef int z\n"} | new) == (first[0], 1, False)


def test_time_and_place_change_nothing(build, make_builder, profile, tmp_path: Path):
    files = {
        "m.pyx": extern('"n.h"'),
        "n.h": '#include "i.h"\n',
        f"{OUT}/i.h": "enum { N = 1 };\n",
    }
    digest, _, _ = build(files)
    for path in (tmp_path / "examples").rglob("*.*"):
        os.utime(path, (1, 1))
    assert build(files) == (digest, 1, False)
    moved = tmp_path / "elsewhere" / "deeper"
    write(moved / "examples", files)
    (moved / "forced.h").touch()
    flags = tuple(flag.replace(str(tmp_path), str(moved)) for flag in profile.flags)
    builder = replace(
        make_builder({}, replace(profile, flags=flags)), examples=Examples.scan(moved / "examples")
    )
    kept = builder.build_all()["m"]
    assert (kept.digest, kept.fresh) == (digest, False)
    made = replace(builder, cache=tmp_path / "another cache").build_all()["m"]
    assert (made.digest, made.fresh) == (digest, True)


def test_what_is_refused_is_current_in_the_same_way(make_builder):
    """By Cython, by the C compiler, and by its preprocessor."""
    for source, other in (
        ("from defs cimport N\nnothing\n", {"defs.pxd": "cdef enum:\n    N = 1\n"}),
        (extern('"n.h"'), {"n.h": "enum { N = };\n"}),
        (extern('"n.h"'), {"n.h": '#include "missing.h"\n'}),
    ):
        files = {"refused/m.pyx": source} | {f"refused/{n}": text for n, text in other.items()}
        (name,) = (name for name in files if name != "refused/m.pyx")

        def digests(files: Files) -> tuple[str | None, str]:
            """The digest before the build, and after it."""
            builder = make_builder(files)
            before = builder.digest(builder.variants()[0])
            return before, builder.build_all()["refused/m"].digest

        none, first = digests(files)
        assert none is None
        assert digests(files) == (first, first)
        none, second = digests(files | {name: files[name] + "\n"})
        assert none is None
        assert second != first
        (make_builder({}).examples.root / name).unlink()


def test_what_fails_has_the_same_digest_until_something_changes(make_builder):
    files = {"m.pyx": "from defs cimport N\nnothing\n", "defs.pxd": "cdef enum:\n    N = 1\n"}
    digests = [make_builder(files).build_all()["m"].digest for _ in range(2)]
    digests.append(make_builder(files | {"other.pxd": ""}).build_all()["m"].digest)
    assert len(set(digests)) == 1
    changed = make_builder(files | {"defs.pxd": "cdef enum:\n    N = 2\n"})
    failure = changed.build_all()["m"]
    assert failure.digest != digests[0]


def test_what_failed_by_chance_has_another_digest_than_what_is_made_later(
    make_builder, monkeypatch
):
    verbatim = 'cdef extern from *:\n    """\n    /* __has_include */\n    """\n'
    real = building.compile_module

    def fail(*arguments: object, **options: object) -> None:
        real(*arguments, **options)
        raise CompileError("the C compiler", "out of order")

    monkeypatch.setattr(building, "compile_module", fail)
    failure = make_builder({"m.pyx": verbatim}).build_all()["m"]
    assert isinstance(failure, Failure)
    monkeypatch.setattr(building, "compile_module", real)
    success = make_builder({"m.pyx": verbatim}).build_all()["m"]
    assert isinstance(success, Artefact)
    assert failure.digest != success.digest


def test_what_is_refused_for_want_of_a_header_follows_the_header(
    make_builder, profile, tmp_path: Path
):
    files = {"refused/m.pyx": extern('"n.h"')}

    def digest() -> str | None:
        builder = make_builder(files, profile)
        return builder.digest(builder.variants()[0])

    refusal = make_builder(files, profile).build_all()["refused/m"]
    assert isinstance(refusal, Failure)
    assert digest() == refusal.digest
    write(tmp_path, {"outside/n.h": "enum { N = 1 };\n"})
    assert digest() is None
    assert isinstance(make_builder(files, profile).build_all()["refused/m"], Artefact)


def test_a_version_counts_where_something_of_the_package_is_read(make_builder, monkeypatch):
    files = {
        "direct.pyx": "cimport numpy\n",
        "through.pyx": "from sub.lib cimport N\nx = N\n",
        "sub/__init__.pxd": "",
        "sub/lib.pxd": 'cdef extern from "numpy/npy_endian.h":\n    enum: N "NPY_BYTE_ORDER"\n',
        "without.pyx": "import numpy\nfrom libc.math cimport sin\nx = sin(1)\n",
    }
    builder = make_builder(files)
    outcomes = builder.build_all()
    assert all(isinstance(outcome, Artefact) for outcome in outcomes.values()), outcomes
    real = dependencies.installed_version
    monkeypatch.setattr(
        dependencies, "installed_version", lambda name: "0" if name == "numpy" else real(name)
    )
    builder = make_builder(files)
    built = {variant.key: builder.is_built(variant) for variant in builder.variants()}
    assert built == {"direct": False, "through": False, "without": True}


def test_a_file_of_another_package_counts_wherever_it_is_installed(
    make_builder, tmp_path, monkeypatch
):
    files = {"m.pyx": "from other.defs cimport N\n" + RETURNS}
    digests = []
    installed = snapshot.site_folders()
    for place, number in (("one", 1), ("two", 1), ("two", 2)):
        site = tmp_path / place / "site-packages"
        write(site, {"other/__init__.pxd": "", "other/defs.pxd": f"cdef enum:\n    N = {number}\n"})
        monkeypatch.setenv("PYTHONPATH", str(site))
        folders = (*installed, str(site))
        monkeypatch.setattr(snapshot, "site_folders", lambda folders=folders: folders)
        monkeypatch.setattr(dependencies, "site_folders", lambda folders=folders: folders)
        outcome = make_builder(files).build_all()["m"]
        digests.append((outcome.digest, outcome.fresh))
    assert [fresh for _, fresh in digests] == [True, False, True]
    assert digests[0][0] == digests[1][0] != digests[2][0]


def test_a_file_that_changes_during_the_build_is_not_current_afterwards(make_builder, monkeypatch):
    real = building.translate
    for name in HEADER:

        def translate(
            variant: Variant, root: Path, *rest: object, name: str = name, **options: object
        ) -> None:
            real(variant, root, *rest, **options)
            (root / name).write_text(HEADER[name] + "\n")

        monkeypatch.setattr(building, "translate", translate)
        assert make_builder(HEADER).build_all()["m"].fresh
        monkeypatch.setattr(building, "translate", real)
        assert make_builder(HEADER | {name: HEADER[name] + "\n"}).build_all()["m"].fresh


def test_each_file_is_read_once_in_a_run(make_builder, monkeypatch):
    files = {f"m{n}.pyx": extern('"n.h"') for n in range(3)} | {"n.h": "enum { N = 1 };\n"}
    profiles = QUICK, Profile("other", flags=("-O0",))
    make_builder(files, *profiles).build_all()
    hashed: list[str] = []
    real = hashlib.file_digest

    def file_digest(stream: BinaryIO, algorithm: str) -> object:
        hashed.append(Path(stream.name).name)
        return real(stream, algorithm)

    monkeypatch.setattr(snapshot.hashlib, "file_digest", file_digest)
    builder = make_builder(files, *profiles)
    assert all(builder.folder(variant) for variant in builder.variants())
    assert sorted(hashed) == sorted(files)


def test_folders_that_contain_themselves_are_walked_once(make_builder):
    builder = make_builder(HEADER)
    root = builder.examples.root
    (root / "sub").mkdir()
    (root / "sub" / "again").symlink_to(root)
    assert snapshot.Snapshot(root).all_files() == ["m.pyx", "n.h"]


def test_a_folder_that_is_a_link_is_watched(build, tmp_path: Path):
    write(tmp_path / "linked", {"i.h": "enum { N = 1 };\n"})
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "link").symlink_to(tmp_path / "linked")
    files = {"m.pyx": extern('"link/i.h"')}
    digest, _, _ = build(files)
    assert build(files) == (digest, 1, False)
    write(tmp_path / "linked", {"i.h": "enum { N = 2 };\n"})
    assert build(files)[1:] == (2, True)


def test_the_examples_may_be_reached_by_a_link(make_builder, tmp_path: Path):
    files = {"sub/m.pyx": extern('"n.h"'), "n.h": "enum { N = 1 };\n", "sub/m.pxd": ""}
    builder = make_builder(files)
    (tmp_path / "link").symlink_to(builder.examples.root)
    linked = replace(builder, examples=Examples.scan(tmp_path / "link"))
    artefact = linked.build_all()["sub/m"]
    record = dependencies.Dependencies.from_json(
        store.read_manifest(artefact.folder)[building.RECORD]
    )
    assert set(record.files) == set(files)
    assert record.folders == ["."]
    assert builder.digest(builder.variants()[0]) == artefact.digest


# --- a page


def test_a_page_is_made_anew_after_an_edit_of_a_header_that_a_header_includes(site: Site):
    site.write(
        {
            "examples/sub/m.pyx": extern('\\\n    "<n.h>"'),
            "examples/n.h": "#include <deep/i.h>\n",
            "examples/deep/i.h": "enum { N = 123 };\n",
            "docs/index.md": "# Index\n\n```{code-cell}\nimport m\nprint(m.number())\n```\n",
        }
    )
    first = site.passes()
    assert first.compiled == {"plain/add", "sub/m"} or first.compiled == {"sub/m"}
    assert "123" in site.page("index").get_text()
    again = site.passes()
    assert (again.compiled, again.read, again.executed) == (set(), set(), set())
    header = site.root / "examples/deep/i.h"
    before = header.stat()
    header.write_text("enum { N = 456 };\n")
    os.utime(header, ns=(before.st_atime_ns, before.st_mtime_ns))
    edited = site.passes()
    assert (edited.compiled, edited.read, edited.executed) == ({"sub/m"}, {"index"}, {"index"})
    assert "456" in site.page("index").get_text()


# --- small parts


def test_the_files_in_a_rule_for_make_are_read():
    rule = "m.o: m.c /usr/include/stdc-predef.h \\\n  sp\\ \u00e4/a.h b\\#c.h d$$e.h C:\\inc\\f.h\n"
    names = ["m.c", "/usr/include/stdc-predef.h", "sp \u00e4/a.h", "b#c.h", "d$e.h", "C:\\inc\\f.h"]
    assert dependencies.read_depfile(rule) == names
    assert dependencies.read_depfile("m.o: m.c\n") == ["m.c"]
    assert dependencies.read_depfile("") == []


def test_include_folders_are_read_from_flags():
    flags = ["-O2", "-Ia", "-I", "b", "-isystem", "c", "-iquoted", "-include", "x.h", "-I"]
    assert dependencies.include_folders(flags) == ["a", "b", "c", "d"]


def test_the_folders_that_a_compiler_searches_by_itself_are_known(toolchain):
    folders = dependencies.system_folders(toolchain.command, "c")
    assert any(Path(folder, "stdio.h").is_file() for folder in folders)
    assert not any(Path(folder).is_relative_to("/usr/local/include") for folder in folders)
    assert dependencies.system_folders(("no-such-compiler",), "c") == ()


def test_files_and_libraries_that_flags_name_count(tmp_path: Path):
    write(tmp_path, {"lib/libone.a": "1", "lib/libother.a": "", "flags.txt": "-DN=1", "p.gcda": ""})
    files = snapshot.Snapshot(tmp_path / "examples")
    collector = dependencies.Collector(files, tmp_path / "work")
    flags = [f"@{tmp_path}/flags.txt", f"-L{tmp_path}/lib", "-lone", f"-fprofile={tmp_path}/p.gcda"]
    collector.add_named([*flags, "/no/such/file"])
    assert set(collector.record().files) == {"../flags.txt", "../lib/libone.a", "../p.gcda"}
