"""Definitions in a generated C file, and which of their lines the compiler saw."""

from __future__ import annotations

import re
import subprocess
from textwrap import dedent

import pytest

from sphinx_cython.core.artefact import Artefact
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.compile import surviving_lines
from sphinx_cython.core.cparts import INACTIVE, REFCOUNT, Fold
from sphinx_cython.core.csource import (
    Definition,
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


NASTY = {
    "in a comment": ("/*\nstatic int f(int x) {\n}\n*/\nint f(int y) {\n}\n", [(5, 6)]),
    "in a string": ('char *s = "int f(void) {";\nint f(void) {\n}\n', [(2, 3)]),
    "in a comment of one line": ("// int f(void) { }\nint x;\n", []),
    "brace on the next line": ("static int\nf(int x)\n{\n}\n", [(1, 4)]),
    "specifiers on a line of their own": (
        "int y;\nstatic CYTHON_INLINE\nPyObject *f(int x) {\n  return x;\n}\n",
        [(2, 5)],
    ),
    "prototype over several lines": ("static int f(int x,\n  int y);\n\nint z;\n", []),
    "prototype, then the function": (
        "static int f(int x,\n  int y); /*proto*/\nstatic int f(int x,\n  int y)\n{\n}\n",
        [(3, 6)],
    ),
    "parameters that differ by branch": (
        "int f(int x,\n#if A\n  int y\n#else\n  long y\n#endif\n) {\n}\n",
        [(1, 8)],
    ),
    "a body that branches close": (
        "int f(int x) {\n#if A\n  return 1; }\n#else\n  return 2; }\n#endif\nint y;\n",
        [(1, 6)],
    ),
    "blocks that branches open": (
        "int f(int x) {\n#if A\n  if (x) {\n#else\n  if (y) {\n#endif\n  }\n}\nint y;\n",
        [(1, 8)],
    ),
    "a macro of the same name": (
        "#define f(x) f(x, 1)\nstatic int (g)(int x);\nstatic int f(int x, int y) { }\n",
        [(1, 1), (3, 3)],
    ),
    "a macro over lines, with a comment": (
        "#define f(x) /* a\n  b */ (x \\\n  + 1)\nint y;\n",
        [(1, 3)],
    ),
    "a macro whose name is longer": ("#define ff(x) f(x)\n#define f_ 1\n", []),
    "a macro in a comment": ("/*\n#define f 1\n*/\n#define f 2\n", [(4, 4)]),
    "calls": ("int g(void) {\n  f(1);\n  x = f(2);\n  if (f(3)) { }\n  return f(4);\n}\n", []),
    "a call before a block": ("int g(void) {\n  if (x) f(1);\n  {\n  }\n}\n", []),
    "a loop macro": ("int g(void) {\n  f(x) {\n  }\n  else f(y) {\n  }\n}\n", []),
    "a pointer to it": ("static int (*p)(void) = f;\nstruct s y = { f };\n", []),
    "attributes": ("__attribute__((unused)) static int f(int x) CYTHON_NOEXCEPT {\n}\n", [(1, 2)]),
    "extern C": ('extern "C" {\nint f(int x) {\n}\n}\n', [(2, 3)]),
    "C++": ("std::vector<int> f(std::map<int, long> &x) noexcept {\n}\n", [(1, 2)]),
    "an enum": ("enum f {\n  A,\n  B\n};\n", [(1, 4)]),
    "a union": ("union f {\n  int a;\n};\n", [(1, 3)]),
    "a struct whose brace is on the next line": ("struct f\n{\n  int a;\n};\n", [(1, 4)]),
    "a struct in a struct": (
        "struct g {\n  int b;\n  struct f { int c; } d;\n  union { int e; };\n};\n",
        [(3, 3)],
    ),
    "uses of a struct": ("struct f;\nstruct f g(struct f *x) {\n}\nstruct f y = { 1 };\n", []),
    "a packed struct": (
        "#pragma pack(push, 1)\nstruct __attribute__((packed)) f {\n  int a;\n};\n",
        [(2, 4)],
    ),
    "typedef of a struct": ("typedef struct {\n  int a[3];\n} f, *g;\n", [(1, 3)]),
    "typedef of a pointer to a struct": ("typedef struct {\n  int a;\n} g, *f;\n", [(1, 3)]),
    "typedef of a function pointer": ("int y;\ntypedef int (*f)(int,\n  long);\n", [(2, 3)]),
    "typedef of a function": ("typedef int f(int x);\n", [(1, 1)]),
    "typedef of an array": ("typedef long f[3][4];\n", [(1, 1)]),
    "typedef of a name": ("typedef unsigned long f;\n", [(1, 1)]),
    "typedef that uses it": ("typedef f g;\ntypedef int (*h)(f x);\ntypedef struct f i;\n", []),
    "typedef of a tag and a name": ("typedef struct f {\n  int a;\n} f;\n", [(1, 3)]),
    "specifiers that differ by branch": (
        "#if A\nstatic\n#else\nextern\n#endif\nint f(void) {\n}\n",
        [(6, 7)],
    ),
    "Windows line ends": ("int f(void)\r\n{\r\n}\r\n", [(1, 3)]),
}


@pytest.mark.parametrize("case", NASTY)
def test_definitions_in_every_form(case: str):
    c, lines = NASTY[case]
    assert find_definitions(c, "f") == lines


def test_a_branch_with_nothing_but_a_macro_over_lines_is_not_known_to_be_left_out():
    lines = ["#ifndef A", "#define A(x) \\", "  (x)", "#endif", "#if B", "int y;", "#endif"]
    assert inactive_lines(lines, set()) == {6}


def test_what_looks_like_a_branch_in_a_comment_is_none():
    lines = ["#if B", "int x; /* a", "#else", "*/", "int y;", "#endif"]
    assert inactive_lines(lines, set()) == {2, 3, 4, 5}


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


def test_a_form_feed_ends_no_line():
    definition = Definition("f", 1, "int f(void) {\n\f  x;\n  y;\n}\n", frozenset({3}))
    (fold,) = [part for part in definition.excerpt().parts if isinstance(part, Fold)]
    assert fold.text == "  y;\n"


def test_hiding_reference_counts_hides_no_declaration(corpus):
    """What acquires a buffer declares a variable below a macro without a semicolon."""
    c = corpus.files["views"]
    ((first, last),) = find_definitions(c, "__Pyx_ValidateAndInit_memviewslice")
    definition = Definition("f", first, "\n".join(c.split("\n")[first - 1 : last]))
    fragments = [
        fragment
        for part in definition.excerpt().parts
        for fragment in (part.parts if isinstance(part, Fold) else (part,))
    ]
    (declared,) = [f for f in fragments if "Py_buffer *buf;" in f.text]
    assert declared.tag == ""
    assert any(f.tag == REFCOUNT and "__Pyx_RefNannyDeclarations" in f.text for f in fragments)


def test_every_function_of_cythons_own_is_found_with_its_body(corpus):
    c = corpus.files["language"]
    lines = c.split("\n")
    heads = re.findall(r"^static [^;{}()=]*?\b(__Pyx_\w+)\([^;{}]*\{$", c, re.M)
    names = sorted(set(heads))[::10]
    assert len(names) > 50
    for name in names:
        definitions = find_definitions(c, name)
        assert definitions, name
        for first, last in definitions:
            assert name in "".join(lines[first - 1 : last])
            assert lines[first - 1].lstrip().startswith(("#", "static", "CYTHON_")), name
            assert lines[last - 1].strip().endswith("}") or lines[first - 1].lstrip()[0] == "#"


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
