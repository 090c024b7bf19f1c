"""Definitions in a generated C file, and which of their lines the compiler saw."""

from __future__ import annotations

import subprocess
from textwrap import dedent

import pytest

from sphinx_cython.core.artefact import Artefact
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.compile import surviving_lines
from sphinx_cython.core.cparts import INACTIVE, Fold
from sphinx_cython.core.csource import (
    find_definitions,
    inactive_lines,
    read_conditions,
    read_definitions,
)

C = dedent("""\
    #define twice(x) \\
        ((x) + \\
         (x))
    #define once(x) (x)

    /* a struct is declared, then defined */
    struct pair;
    struct pair {
        int a;  /* } no end */
        struct { int c; } b;
    };
    typedef struct {
        int x;
    } point;
    typedef struct named { int y; } named_t;

    static int add(int a, int b);
    static CYTHON_INLINE int add(int a,
                                 int b)
    {
        const char *s = "}";  // }
        if (a) { return b; }
        return add(b, a);
    }
    int caller(void) {
        int r = add(1, 2);
        add(1, 2);
        return r + twice(1);
    }
    static void address(void) { return; }
    """)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("twice", "#define twice", "     (x))"),
        ("once", "#define once", "#define once(x) (x)"),
        ("pair", "struct pair {", "};"),
        ("point", "typedef struct {", "} point;"),
        ("add", "static CYTHON_INLINE", "}"),
        ("address", "static void address", "static void address(void) { return; }"),
    ],
)
def test_a_definition_reaches_from_its_first_line_to_its_last(name: str, first: str, last: str):
    ((start, end),) = find_definitions(C, name)
    lines = C.splitlines()
    assert lines[start - 1].startswith(first)
    assert lines[end - 1] == last


def test_declarations_calls_and_parts_of_names_are_no_definitions():
    assert find_definitions(C, "ad") == []
    assert find_definitions(C, "r") == []
    assert find_definitions(C, "nothing") == []


BRANCHES = dedent("""\
    #define ON 1
    #define OFF 0
    static int f(int x) {
        #if OFF
        x = 1;
        #elif ON
        x = 2;
        #  if OFF
        x = 3;
        #  else
        /* a comment
           over lines */
        x = 4;
        #  endif
        #else
        x = 5;
        #endif
        #ifdef NOTHING
        // only a comment
        #endif
        #ifndef ON
        #define x y
        #else
        x = 6;
        #endif
        return x;
    }
    #if OFF
    static int f(int x) { return 7; }
    #endif
    """)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, toolchain) -> set[int]:
    """The lines of BRANCHES that this machine's preprocessor leaves."""
    source = tmp_path_factory.mktemp("c") / "b.c"
    source.write_text(BRANCHES)
    command = [*toolchain.command, "-E", "b.c"]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=True)
    return surviving_lines(done.stdout, "b.c")


def text_of(numbers) -> list[str]:
    return [BRANCHES.splitlines()[n - 1].strip() for n in sorted(numbers)]


def test_branches_that_were_not_compiled_are_known(compiled):
    assert text_of(inactive_lines(BRANCHES.split("\n"), compiled)) == [
        "x = 1;",
        "x = 3;",
        "x = 5;",
        "#define x y",
        "static int f(int x) { return 7; }",
    ]


def test_a_condition_is_known_by_what_the_compiler_saw_behind_it(tmp_path, toolchain):
    c = dedent("""
        #define ON 1
        #if ON
        int a;
        #endif
        #if OFF
        int b;
        #if ON && OFF
        int c;
        #endif
        #else
        int d;
        #endif
        #ifdef TWICE
        int e;
        #endif
        #define TWICE
        #ifdef TWICE
        int f;
        #endif
        #if  ON  ||  \\
             OFF
        int g;
        #endif
        """)
    (tmp_path / "c.c").write_text(c)
    command = [*toolchain.command, "-E", "c.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    # What was answered in two ways, and what stands inside of what was left out, is not known.
    assert read_conditions(c.split("\n"), surviving_lines(done.stdout, "c.c")) == {
        "if ON": True,
        "if OFF": False,
        "if ON || OFF": True,
    }


def test_a_definition_folds_what_was_not_compiled_and_loses_nothing(compiled):
    (found,) = read_definitions(BRANCHES, "f", compiled)
    assert found.first == 3
    assert text_of(found.inactive) == ["x = 1;", "x = 3;", "x = 5;", "#define x y"]
    shown = found.excerpt()
    assert shown.text == found.text == "\n".join(BRANCHES.split("\n")[2:27]) + "\n"
    folds = [part for part in shown.parts if isinstance(part, Fold)]
    assert [(fold.kinds, fold.text.strip()) for fold in folds] == [
        ((INACTIVE,), text) for text in ("x = 1;", "x = 3;", "x = 5;", "#define x y")
    ]


def test_utility_code_of_a_real_module(samples: Builder):
    artefact = samples.build_all()["ways"]
    assert isinstance(artefact, Artefact)
    c = artefact.c_file.read_text()
    found = {
        name: read_definitions(c, name, artefact.compiled_lines)
        for name in ("__Pyx_GetItemInt", "__Pyx_GetItemInt_Fast", "__Pyx_memviewslice")
    }
    assert {name: len(d) for name, d in found.items()} == dict.fromkeys(found, 1)
    assert found["__Pyx_GetItemInt"][0].text.startswith("#define __Pyx_GetItemInt(")
    assert "char *data;" in found["__Pyx_memviewslice"][0].text
    fast = found["__Pyx_GetItemInt_Fast"][0]
    assert fast.text.startswith("static CYTHON_INLINE PyObject *__Pyx_GetItemInt_Fast(")
    assert fast.text.endswith("\n}\n")
    assert fast.excerpt().text == fast.text
    # Built for CPython with type slots, so the branch for those without is left out.
    lines = c.split("\n")
    left_out = "\n".join(lines[n - 1] for n in sorted(fast.inactive))
    assert "PySequence_GetItem" in left_out
    kept = [
        n for n in range(fast.first, fast.first + fast.text.count("\n")) if n not in fast.inactive
    ]
    assert "mp_subscript" in "\n".join(lines[n - 1] for n in kept)
