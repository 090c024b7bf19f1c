"""Settings for the C compiler in a source: they are those that cythonize finds, and they work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from Cython.Build import cythonize
from Cython.Utils import clear_function_caches
from support import QUICK

from sphinx_cython.core.annotation import load_annotation
from sphinx_cython.core.artefact import Artefact, Failure
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Profile
from sphinx_cython.core.csource import read_definitions
from sphinx_cython.core.excerpt import read_excerpt
from sphinx_cython.core.extension import Extension, ExtensionError
from sphinx_cython.core.toolchain import Toolchain


def run(code: str, stage: Path) -> str:
    """Run code as a page does; return what it prints."""
    env = os.environ | {"PYTHONPATH": str(stage), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(builder: Builder) -> tuple[dict[str, Artefact], Path]:
    """Build everything, and expect it to compile."""
    outcomes = builder.build_all()
    failed = [outcome.summary for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert failed == []
    return outcomes, builder.stage(outcomes)  # type: ignore[return-value]


# --- what is read


SETTINGS = {
    "m.pyx": """
        # A comment.
        # distutils: language = c++
        # distutils: sources = extra/one.c "extra/with space.cpp"
        # distutils: define_macros = A=1 B "C=a b"
        # distutils: undef_macros = D
        # distutils: libraries = m [pthread]
        # distutils: library_dirs = libs
        # distutils: include_dirs = include /absolute
        # distutils: extra_compile_args = -Wall -O1
        # distutils: extra_link_args = -Wl,-O1
        # distutils: extra_objects = extra/object.o
        # distutils: depends = include/depends.h
        # cython: language_level=3
        from lib.other cimport f
        include "part.pxi"
        x = 1  # distutils: language = c
    """,
    "part.pxi": 'cdef extern from "beside/part.h":\n    pass\n',
    "beside/part.h": "",
    "lib/other.pxd": """
        # distutils: libraries = z
        # distutils: include_dirs = include
        # distutils: extra_compile_args = -O1 -DOTHER
        # distutils: sources = not_taken_along.c
        cdef extern from "other.h":
            int f()
    """,
    "lib/other.h": "",
    "include/depends.h": "",
    "extra/one.c": "",
    "extra/with space.cpp": "",
    "extra/object.o": "",
}


def test_settings_are_those_that_cythonize_finds(scan, monkeypatch):
    examples = scan(SETTINGS)
    ours = examples["m"].extension
    monkeypatch.chdir(examples.root)
    monkeypatch.setattr("Cython.Build.Dependencies._dep_tree", None)
    clear_function_caches()
    (theirs,) = cythonize("m.pyx", quiet=True)

    def below_root(values: tuple[str, ...]) -> list[str]:
        return [str((examples.root / value).relative_to(examples.root)) for value in values]

    assert ours.language == theirs.language == "c++"
    assert below_root(ours.sources) == theirs.sources[1:] != []
    assert below_root(ours.extra_objects) == theirs.extra_objects != []
    assert below_root(ours.library_dirs) == theirs.library_dirs != []
    folders = {str(examples.root / folder) for folder in theirs.include_dirs}
    assert folders >= {"/absolute", str(examples.root / "lib")}
    # cythonize leaves out the folder that it runs in.
    assert set(ours.include_dirs) == folders | {str(examples.root)}
    assert set(ours.depends) == {str(examples.root / name) for name in theirs.depends}
    for name in ("define_macros", "undef_macros", "libraries"):
        assert list(getattr(ours, name)) == getattr(theirs, name) != []
    for name in ("extra_compile_args", "extra_link_args"):
        assert list(getattr(ours, name)) == getattr(theirs, name) != []
    assert ours.define_macros == (("A", "1"), ("B", None), ("C", "a b"))
    assert ours.compile_flags[:4] == ("-DA=1", "-DB", "-DC=a b", "-UD")


def test_a_change_is_seen_in_the_same_process(scan):
    files = {"m.pyx": "from a cimport x\n", "a.pxd": "# distutils: libraries = m\ncdef int x\n"}
    assert scan(files)["m"].extension.libraries == ("m",)
    files["a.pxd"] = "# distutils: libraries = z\ncdef int x\n"
    assert scan(files)["m"].extension.libraries == ("z",)


def test_cython_is_not_loaded_for_sources_without_settings(scan):
    examples = scan({"m.pyx": '"""Text."""\nimport numpy\ndef f(double[:] a): return a[0]\n'})
    code = f"""
import sys
from pathlib import Path
from sphinx_cython.core.example import Examples
example = Examples.scan(Path({str(examples.root)!r}))["m"]
print(example.extension.language, "Cython.Compiler.Main" in sys.modules)
"""
    assert run(code, Path(__file__).parents[1]) == "c False\n"


@pytest.mark.filterwarnings("ignore:The 'np_python' option requires")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("language = fortran", "the language must be c or c"),
        ("np_pythran = True", "np_pythran is not supported here"),
        ("np_pythran = perhaps", "cannot be read.*invalid truth value 'perhaps'"),
    ],
)
def test_settings_that_make_no_sense_are_errors_of_that_example(make_builder, line, message):
    builder = make_builder(
        {"m.pyx": f"# distutils: {line}\n# distutils: sources=x.c\n", "fine.pyx": "x = 1\n"}
    )
    with pytest.raises(ExtensionError, match=message):
        _ = builder.examples["m"].extension
    outcomes = builder.build_all()
    assert isinstance(outcomes["fine"], Artefact)
    ((file, line_number),) = {(p.file, p.line) for p in outcomes["m"].problems}
    assert (file, line_number) == ("m.pyx", 1)


# --- part of the digest


WITH_FILES = {
    "m.pyx": """
        # distutils: sources = extra/one.c
        # distutils: depends = data/table.inc
        cdef extern from "extra/one.h":
            int one()
        def f(): return one()
    """,
    "extra/one.c": '#include "one.h"\n#include "../data/table.inc"\nint one(void) { return N; }\n',
    "extra/one.h": "int one(void);\n",
    "data/table.inc": "#define N 1\n",
}


def test_an_artefact_is_outdated_by_every_file_that_is_named(make_builder):
    def is_built(files: dict[str, str]) -> bool:
        builder = make_builder(files)
        return builder.is_built(builder.variants()[0])

    builder = make_builder(WITH_FILES)
    builder.build(builder.variants()[0])
    for name, text in WITH_FILES.items():
        assert is_built(WITH_FILES), name
        assert not is_built(WITH_FILES | {name: text + "\n"}), name


# --- compiled


def test_settings_reach_the_compiler_and_the_linker(make_builder):
    files = {
        "sub/m.pyx": """
            # distutils: sources = extra/one.c extra/two.cpp
            # distutils: define_macros = N=3 M
            # distutils: undef_macros = NDEBUG
            # distutils: include_dirs = include
            # distutils: libraries = z
            # distutils: extra_compile_args = -DK=5
            # distutils: extra_link_args = -Wl,--defsym=linked=7
            cdef extern from "one.h":
                int one()
                int two()
                int n "N"
                int k "K"
                int m "M"
                int asserts
                void *linked
                const char *zlibVersion()
            def f():
                return one(), two(), n, k, m, asserts, <Py_ssize_t> &linked, zlibVersion()[:1]
        """,
        "sub/extra/one.c": '#include "one.h"\nint one(void) { return N + 1; }\n',
        "sub/extra/two.cpp": """
            #include <vector>
            extern "C" int two() { std::vector<int> v(K); return (int) v.size(); }
        """,
        "sub/include/one.h": """
            int one(void);
            #ifdef __cplusplus
            extern "C"
            #endif
            int two(void);
            #ifdef NDEBUG
            enum { asserts = 0 };
            #else
            enum { asserts = 1 };
            #endif
            extern void *linked;
            const char *zlibVersion(void);
        """,
    }
    _, stage = build(make_builder(files))
    assert run("import m; print(m.f())", stage) == "(4, 5, 3, 5, 1, 1, 7, b'1')\n"


def test_an_error_in_a_source_that_is_named_is_told_there(make_builder):
    files = {
        "m.pyx": "# distutils: sources = extra/one.c\nx = 1\n",
        "extra/one.c": "int x;\nint y\n",
    }
    failure = make_builder(files).build_all()["m"]
    assert failure.step == "the C compiler"
    assert (failure.problems[0].file, failure.problems[0].line) == ("extra/one.c", 2)


def test_language_level_is_kept(make_builder):
    files = {
        "two.pyx": "# cython: language_level=2\nx = 3 / 2\n",
        "three.pyx": "x = 3 / 2\n",
        "cxx.pyx": "# cython: language_level=2\n# distutils: language=c++\nx = 3 / 2\n",
    }
    _, stage = build(make_builder(files))
    assert run("import two, three, cxx; print(two.x, three.x, cxx.x)", stage) == "1 1.5 1\n"


# --- C++


VECTOR = {
    "cxx/vectors.pyx": """
        # distutils: language = c++
        from libcpp.vector cimport vector

        cdef class Held:
            cdef vector[double] values

            def __init__(self, n):
                self.values.resize(n)

            def view(self):
                return <double[:self.values.size()]> self.values.data()

            def total(self):
                cdef double[::1] view = <double[:self.values.size()]> self.values.data()
                cdef double x = 0
                cdef Py_ssize_t i
                for i in range(view.shape[0]):
                    x += view[i]
                return x

        def squares(int n):
            cdef vector[int] found
            cdef int i
            for i in range(n):
                found.push_back(i * i)
            return found
    """
}
CODE = """
import vectors, variants.shared.vectors as shared
for module in (vectors, shared):
    held = module.Held(4)
    held.view()[2] = 7.5
    print(held.total(), module.squares(4), type(held.view()).__name__)
"""


@pytest.fixture
def vectors(make_builder, cache) -> Builder:
    shared = Profile("shared", flags=("-O0",), shared=True)
    return make_builder(VECTOR, QUICK, shared, cache=cache)


def test_cxx_is_built_with_its_own_and_with_shared_utility_code(vectors: Builder):
    outcomes, stage = build(vectors)
    printed = "7.5 [0, 1, 4, 9] array\n"
    assert run(CODE, stage) == 2 * printed
    assert {artefact.c_file.name for artefact in outcomes.values()} == {"vectors.cpp"}
    plain, shared = outcomes["cxx/vectors"], outcomes["cxx/vectors@shared"]
    assert plain.c_file.stat().st_size > 2 * shared.c_file.stat().st_size
    left = {"vectors.cpp", "vectors.html", "vectors.s", "artefact.json", "compiled-lines.json"}
    assert {p.name for p in plain.folder.iterdir()} == left | {plain.module_file.name}


def test_cxx_is_annotated_and_taken_apart_like_c(vectors: Builder):
    outcomes, _ = build(vectors)
    artefact = outcomes["cxx/vectors"]
    example = artefact.variant.example
    c = artefact.c_file.read_text()
    lines = load_annotation(artefact.html_file, example)
    for line in lines:
        assert read_excerpt(line.c).text == line.c
    pushed = lines[example.find_line("found.push_back(i * i)") - 1].c
    assert "__pyx_v_found.push_back(" in pushed
    item = lines[example.find_line("x += view[i]") - 1].c
    assert "__pyx_v_view.data" in item
    (definition,) = read_definitions(c, "__pyx_memoryview_new", artefact.compiled_lines)
    assert definition.text.startswith("static PyObject *__pyx_memoryview_new(")
    assert len(artefact.compiled_lines) > 100


@pytest.mark.parametrize(
    ("command", "known", "expected"),
    [
        (("gcc", "-pthread"), {"g++"}, ("g++", "-pthread")),
        (("clang-15",), {"clang++-15"}, ("clang++-15",)),
        (("ccache", "gcc"), {"g++"}, ("ccache", "g++")),
        (
            ("/opt/x86_64-linux-gnu-cc",),
            {"/opt/x86_64-linux-gnu-c++"},
            ("/opt/x86_64-linux-gnu-c++",),
        ),
        (("python", "-m", "ziglang", "cc"), set(), ("python", "-m", "ziglang", "c++")),
        (("gcc",), set(), ("gcc",)),
        (("my-compiler",), set(), ("my-compiler",)),
    ],
)
def test_the_cxx_compiler_belongs_to_the_c_compiler(monkeypatch, command, known, expected):
    monkeypatch.setattr("shutil.which", lambda name: name if name in known else None)
    toolchain = Toolchain(command, "1", "")
    assert toolchain.command_for("c") == command
    assert toolchain.command_for("c++") == expected
    link = toolchain.link_command("m.o", "m.so", (), "c++", ("-lz",))
    assert ("-lstdc++" in link) is (expected == command)
    assert link.index("-lz") > link.index("m.o")


def test_without_a_cxx_compiler_only_that_example_fails(make_builder, monkeypatch):
    builder = make_builder({"cxx.pyx": "# distutils: language=c++\nx = 1\n", "c.pyx": "x = 1\n"})
    (there := builder.cache.parent / "bin").mkdir()
    script = '#!/bin/sh\ncase "$*" in *.cpp*) echo no C++ >&2; exit 1;; esac\nexec gcc "$@"\n'
    (there / "no-cxx").write_text(script)
    (there / "no-cxx").chmod(0o755)
    builder.toolchain = Toolchain((str(there / "no-cxx"),), "1", "")
    outcomes = builder.build_all()
    assert isinstance(outcomes["c"], Artefact)
    assert isinstance(outcomes["cxx"], Failure)
    assert (outcomes["cxx"].step, outcomes["cxx"].summary) == ("the C++ compiler", "no C++")


def test_nothing_is_set_where_nothing_is_named(scan):
    assert scan({"m.pyx": "cimport cython\nx = 1\n"})["m"].extension == Extension()
