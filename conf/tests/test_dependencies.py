"""What an artefact was made from: an edit of any of it makes a new one, and nothing else does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support import QUICK, write

from sphinx_cython.core.artefact import Artefact
from sphinx_cython.core.config import Profile

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

    def build(files: Files, **how: object) -> tuple[str, int, bool]:
        builder = make_builder(files, profile, **how)
        outcome = builder.build_all()["m"]
        assert isinstance(outcome, Artefact), outcome
        code = "import m; print(m.number())"
        env = os.environ | {"PYTHONPATH": str(outcome.folder)}
        run = [sys.executable, "-c", code]
        number = subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout
        return outcome.digest, int(number), outcome.fresh

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
    """The pxd of a module is optional, so its absence is a part of what was found."""
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
    outside = {f"{OUT}/i.h": "enum { N = 1 };\n"}
    files = {"m.pyx": extern('"n.h"'), "n.h": '#include "i.h"\n'} | outside
    digest, _, _ = build(files)
    for path in (tmp_path / "examples").rglob("*.*"):
        os.utime(path, (1, 1))
    assert build(files) == (digest, 1, False)
    moved = tmp_path / "elsewhere" / "deeper"
    write(moved / "examples", files)
    (moved / "forced.h").touch()
    names = tuple(flag.replace(str(tmp_path), str(moved)) for flag in profile.flags)
    builder = make_builder({}, Profile("default", flags=names), cache=tmp_path / "cache")
    builder = type(builder)(
        type(builder.examples).scan(moved / "examples"),
        builder.config,
        builder.cache,
        builder.toolchain,
    )
    kept = builder.build_all()["m"]
    assert (kept.digest, kept.fresh) == (digest, False)
    shutil.rmtree(builder.cache)
    builder = type(builder)(builder.examples, builder.config, tmp_path / "other", builder.toolchain)
    made = builder.build_all()["m"]
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
        builder = make_builder(files, QUICK)
        first = builder.build_all()["refused/m"]
        builder = make_builder(files, QUICK)
        assert builder.folder(builder.variants()[0]) is not None
        assert builder.build_all()["refused/m"] == first
        builder = make_builder(files | {name: files[name] + "\n"}, QUICK)
        assert builder.folder(builder.variants()[0]) is None
        assert builder.build_all()["refused/m"].digest != first.digest
        (builder.examples.root / name).unlink()
