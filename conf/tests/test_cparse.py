"""Where a statement ends: at its semicolon, at its line if it is a macro, or at its braces."""

from __future__ import annotations

import pytest

from sphinx_cython.core.cparse import Node, Parser
from sphinx_cython.core.cparts import REFCOUNT, read_excerpt, read_spans
from sphinx_cython.core.ctokens import tokenize


def parse(c: str) -> list[tuple[str, str]]:
    """Form and text of each node, those in blocks and behind headers in place of these."""
    parser = Parser(tokenize(c))
    rows: list[tuple[str, str]] = []

    def add(nodes: list[Node]) -> None:
        for node in nodes:
            if node.form == "trivia":
                continue
            end = node.header if node.form == "control" else node.end
            if node.form != "block":
                rows.append((node.form, parser.tokens.slice(node.start, end)))
            add(node.children)

    add(parser.nodes)
    return rows


def statements(c: str) -> list[str]:
    return [text for form, text in parse(c) if form == "statement"]


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        # Macros alone on their line.
        ("__Pyx_RefNannyDeclarations\n  Py_buffer *buf;", 1),
        ("__Pyx_RefNannyDeclarations\n\n  /* a */\n  #if A\n  int b;", 1),
        ("CYTHON_FALLTHROUGH\n  x = 1;", 1),
        ("__Pyx_TraceLine(5,2,0,__PYX_ERR(0, 5, __pyx_L1_error))\n  x = f(1);", 1),
        ("Py_BEGIN_ALLOW_THREADS\nx = 1;\nPy_END_ALLOW_THREADS\ny = 1;", 3),
        ("__PYX_VERIFY_RETURN_INT(int, long, x)\n  return 1;", 1),
        ("f(a)\n  g(b)\n  h(c);", 2),
        # The same without a break.
        ("__Pyx_PyThreadState_declare __Pyx_PyThreadState_assign x = 1;", 2),
        # What goes on in the next line.
        ("static\nint f(void);", 0),
        ("return\n  x;", 0),
        ("x\n  = 3;", 0),
        ("x = f(a)\n  + g(b);", 0),
        ("f(a)\n  (b);", 0),
        ("x\n  ->y = 1;", 0),
        ("goto\n  __pyx_L1_error;", 0),
        ("unsigned\n  int x;", 0),
        ("int x,\n  y;", 0),
    ],
)
def test_a_macro_alone_on_its_line_ends_its_statement(c: str, expected: int):
    """The number of statements that end before the last one."""
    ends = statements(c)
    assert len(ends) == expected + 1
    assert ends[-1].endswith(";")


def test_a_declaration_below_a_macro_is_not_reference_counting():
    """Hiding reference counts must not hide the declaration of what the function works on."""
    c = (
        "  __Pyx_RefNannyDeclarations\n"
        "  Py_buffer *buf;\n"
        "  int i, spec = 0, retval = -1;\n"
        "  __Pyx_BufFmt_Context ctx;\n"
    )
    spans = [c[s.start : s.end] for s in read_spans(c).spans if s.kind == REFCOUNT]
    assert spans == ["__Pyx_RefNannyDeclarations"]


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        ("a: x = 1;", [("label", "a:"), ("statement", "x = 1;")]),
        ("__pyx_L1_error:;", [("label", "__pyx_L1_error:"), ("statement", ";")]),
        ("case  2: x();", [("label", "case  2:"), ("statement", "x();")]),
        ("case f(a, b):\ndefault: ;", [("label", "case f(a, b):"), ("label", "default:")]),
        ("case 'a': case A:", [("label", "case 'a':"), ("label", "case A:")]),
        ("x = a ? b : c;", [("statement", "x = a ? b : c;")]),
        ("std::vector<int> v;", [("statement", "std::vector<int> v;")]),
    ],
)
def test_a_label_is_no_part_of_the_statement_behind_it(c: str, expected: list[tuple[str, str]]):
    assert parse(c)[: len(expected)] == expected


@pytest.mark.parametrize("label", ["case 3:", "default:", "__pyx_L5_done:"])
def test_a_reference_is_counted_behind_a_label_too(label: str):
    c = f"{label}\n  Py_DECREF(x);\n  y = 1;"
    spans = [c[s.start : s.end] for s in read_spans(c).spans]
    assert spans == ["Py_DECREF(x);"]


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        ("do { x(); } while (0); y;", ["x();", ";", "y;"]),
        ("do x(); while (0);", ["x();", ";"]),
        ("if (a) x(); else if (b) y(); else z();", ["x();", "y();", "z();"]),
        ("for (i = 0; i < n; i++) x();", ["x();"]),
        ("try { x(); } catch(...) { y(); } z();", ["x();", "y();", "z();"]),
        ("int a[] = {1, 2}; x();", ["int a[] = {1, 2};", "x();"]),
        ("p = (struct s) {1, {2}}; x();", ["p = (struct s) {1, {2}};", "x();"]),
        ("return (struct s) {1}; x();", ["return (struct s) {1};", "x();"]),
        ("struct s { int a; } b;", ["struct s ", "int a;", "b;"]),
        ("static int f(void) { x(); }", ["static int f(void) ", "x();"]),
        ("f(a,\n#if A\n  b\n#else\n  c\n#endif\n  ); x();", None),
        ('f("a;" ";b"\n  "c"); /* ; */ x();', None),
    ],
)
def test_braces_and_brackets(c: str, expected: list[str] | None):
    if expected is None:
        expected = [c[: c.index(");") + 2], "x();"]
    assert statements(c) == expected


def test_branches_that_open_the_same_block_are_closed_once():
    c = "#if A\nif (a) {\n#else\nif (b) {\n#endif\nx(); }\nPy_DECREF(y);\nz();"
    assert statements(c) == ["x();", "Py_DECREF(y);", "z();"]


def test_only_a_statement_that_jumps_by_itself_is_a_way_out():
    """With tracing, the way out is an argument of a call on the normal path."""
    c = "__Pyx_TraceLine(5,2,0,__PYX_ERR(0, 5, __pyx_L1_error))\n"
    assert read_excerpt(c).calls == ("__Pyx_TraceLine",)
    c = "/* goto __pyx_L1_error; */ PyList_New(0);"
    assert read_excerpt(c).calls == ("PyList_New",)
