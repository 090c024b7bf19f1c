"""C taken apart and put together again is the same C; tags, calls and folds say what it does."""

from __future__ import annotations

import random
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CONF

from sphinx_cython.core import excerpt
from sphinx_cython.core.annotation import Line, load_annotation
from sphinx_cython.core.artefact import Artefact
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import DEFAULT_PROFILE
from sphinx_cython.core.example import Examples
from sphinx_cython.core.excerpt import Excerpt, Fold, Fragment, read_excerpt
from sphinx_cython.core.toolchain import find_toolchain
from sphinx_cython.core.translate import translate


def tagged(found: Excerpt, tag: str) -> list[str]:
    """The texts with a tag, those in folds among them."""
    flat = [b for p in found.parts for b in (p.parts if isinstance(p, Fold) else (p,))]
    return [fragment.text for fragment in flat if fragment.tag == tag]


def folded(found: Excerpt) -> list[tuple[tuple[str, ...], str]]:
    return [(part.kinds, part.text.strip()) for part in found.parts if isinstance(part, Fold)]


def in_the_open(found: Excerpt) -> str:
    return "".join(part.text for part in found.parts if isinstance(part, Fragment))


# --- nothing is lost


def site_lines(tmp_path: Path) -> Iterator[tuple[str, Line]]:
    """Every line of every example of this site that has C, with the name of the example.

    Cython alone is run, which takes a second an example: the C compiler does not change the C.
    """
    sys_path = list(sys.path)
    config = runpy.run_path(str(CONF / "conf.py"))["cython"]
    sys.path[:] = sys_path
    examples = Examples.scan(config.folder(config.examples, CONF))
    builder = Builder(examples, config, config.folder(config.cache, CONF), find_toolchain())
    for variant in builder.variants():
        if variant.example.refused:
            continue
        page = (builder.folder(variant) or tmp_path) / f"{variant.example.module}.html"
        if variant.profile.name == DEFAULT_PROFILE and not page.is_file():
            translate(variant, builder.examples.root, tmp_path)
        if page.is_file():
            for line in load_annotation(page, variant.example):
                yield variant.key, line


def test_every_line_of_every_example_comes_back_as_it_was(tmp_path):
    lines = [(key, line) for key, line in site_lines(tmp_path) if line.c]
    assert len(lines) > 50
    for key, line in lines:
        assert read_excerpt(line.c).text == line.c, (key, line.source)


NASTY = [
    "",
    "\n",
    "   ",
    "}",
    "}}}{{{",
    "if",
    "if (",
    "if (x",
    "if (x)",
    "if x;",
    "if (x) else",
    "if (x) y; else",
    "else z;",
    "else",
    "for (;;",
    "while (1) ;",
    "do { x(); } while (0);",
    "switch (x) { case 1: break; default: ; }",
    "__PYX_ERR",
    "__PYX_ERR(",
    "__PYX_ERR(0, 1, __pyx_L1_error)",
    "__PYX_ERR(0, 1, __pyx_L1_error);;",
    "int a[] = {1, 2};",
    "struct x { int a; }",
    "static int f(void) {",
    "  return x; }",
    "/* unfinished",
    "/* a */ /* b */",
    "// to the end",
    '"unfinished',
    "'\\''",
    '"a\\"b" "/* no comment */"',
    "#if X\nif (a) {\n#else\nif (b) {\n#endif\n}",
    "#define A \\\n  B \\\n  C\n",
    "  #define A",
    "a # b",
    "\x00\x01\x7f",
    "ünï = çödé(\u2028);",
    "\r\n;\r",
    "((((((",
    "))))))",
    "f((){};",
    "__Pyx_GetItemInt",
    "__Pyx_GetItemInt(",
    "(*",
    "(*((double *) ( /* dim=0 */",
    "(__pyx_v_a[",
    "__pyx_L1_error:",
    "__pyx_L1_error:;\nPy_DECREF(a);\n__pyx_L0:;\nreturn x;",
    "{ PyObject *__pyx_temp; Py_XDECREF(__pyx_temp); }",
    "a.b->c.d(e)[f](g);",
    "a=={b};",
    "x = 1e5; y = 0x1p-3f; z = 1.;",
]


@pytest.mark.parametrize("c", NASTY)
def test_what_no_rule_knows_comes_back_as_it_was(c: str):
    assert read_excerpt(c).text == c


# Among them half-finished ones, of which Cython writes none.
WORDS = [
    *re.findall(
        r"\S+",
        """
        if else for while switch do return goto struct static int x = == += < >= && || * -> . ! ? :
        ( ( ( ) ) ) { { { } } } [ ] ; ; ; ; , " ' \\ /* */ // # 0 1.5 0x1F s NULL
        unlikely( likely( sizeof( __PYX_ERR __PYX_ERR( __Pyx_GetItemInt PyErr_Occurred() (*
        __pyx_t_1 __pyx_t_2 __pyx_v_a __pyx_v_i __pyx_v_a.shape[0] (__pyx_v_a[ __pyx_temp /*dim=0*/
        """,
    ),
    "__PYX_ERR(0, 1, __pyx_L1_error)",
    "goto __pyx_L1_error;",
    "__pyx_L1_error:;",
    "__pyx_L5_done:;",
    "Py_DECREF(x);",
    "__Pyx_XDECREF(__pyx_temp);",
    "__Pyx_GOTREF(__pyx_t_1);",
    "__pyx_t_1 = 0;",
    "__pyx_t_2 = -1;",
    "__Pyx_RaiseBufferIndexError(__pyx_t_2);",
    "(*((double *) ( /* dim=0 */ (a.data + i * a.strides[0]) )))",
    "(*__Pyx_BufPtrStrided1d(double *, buf, i, 8))",
    "(__pyx_v_a[__pyx_v_i])",
    "/* a comment */",
    '"a string"',
    "\n#if X\n",
    "\n#endif\n",
    "\n",
    "\n  ",
    "\t",
    "\f",
    "é",
]


@pytest.mark.parametrize("seed", range(8))
def test_soup_of_such_words_comes_back_as_it_was(seed: int):
    chance = random.Random(seed)
    for _ in range(100):
        words = chance.choices(WORDS, k=chance.randint(1, 40))
        c = "".join(word + chance.choice(["", " ", "\n"]) for word in words)
        found = read_excerpt(c)
        assert found.text == c
        inner = [b for p in found.parts for b in (p.parts if isinstance(p, Fold) else (p,))]
        assert "".join(fragment.text for fragment in inner) == c


# --- the four ways


@pytest.fixture(scope="module")
def ways(samples: Builder):
    """The C of a line of a function of the sample ``ways``, taken apart."""
    artefact = samples.build_all()["ways"]
    assert isinstance(artefact, Artefact)
    example = artefact.variant.example
    lines = load_annotation(artefact.html_file, example)
    return lambda line, function: read_excerpt(lines[example.find_line(line, function) - 1].c)


ARGUMENTS = "Py_ssize_t, 1, PyLong_FromSsize_t, 1, 1, 1, __Pyx_ReferenceSharing_FunctionArgument"
BUFFER = (
    "__pyx_pybuffernd_a.rcbuffer->pybuffer.buf, __pyx_t_1, __pyx_pybuffernd_a.diminfo[0].strides"
)
FOUR_WAYS = {
    "from_object": [
        f"__Pyx_GetItemInt(__pyx_v_a, __pyx_v_i, {ARGUMENTS})",
        "__Pyx_PyFloat_AsDouble(__pyx_t_1)",
    ],
    "from_buffer": [f"(*__Pyx_BufPtrStrided1d(double *, {BUFFER}))"],
    "from_view": [
        "(*((double *) ( /* dim=0 */ (__pyx_v_a.data + __pyx_t_1 * __pyx_v_a.strides[0]) )))"
    ],
    "from_pointer": ["(__pyx_v_a[__pyx_v_i])"],
}


@pytest.mark.parametrize("function", FOUR_WAYS)
def test_the_essence_of_each_way_is_its_access_or_its_calls(ways, function: str):
    found = ways("return a[i]", function)
    essence = ["".join(bit.text for bit in expression) for expression in found.essential]
    assert essence == FOUR_WAYS[function]
    assert all(expression in found.text for expression in essence)


@pytest.mark.parametrize(
    ("function", "calls", "failure_calls"),
    [
        ("from_object", ("__Pyx_GetItemInt", "__Pyx_PyFloat_AsDouble"), ("PyErr_Occurred",)),
        ("from_buffer", (), ("__Pyx_RaiseBufferIndexError",)),
        ("from_view", (), ("__Pyx_RaiseBufferIndexError",)),
        ("from_pointer", (), ()),
    ],
)
def test_calls_are_told_apart_by_the_path_they_are_on(ways, function, calls, failure_calls):
    found = ways("return a[i]", function)
    assert (found.calls, found.failure_calls) == (calls, failure_calls)
    assert sum(p.calls for p in found.parts if isinstance(p, Fold)) == len(failure_calls)


def test_address_arithmetic_is_set_off_from_the_load(ways):
    found = ways("return a[i, j]", "unchecked")
    assert len(tagged(found, excerpt.ADDRESS)) == 1
    address = tagged(found, excerpt.ADDRESS)[0]
    assert "__pyx_v_a.strides[0]" in address
    assert "/* dim=1 */" in address
    assert tagged(found, excerpt.ACCESS) == ["(*", ")"]
    assert tagged(found, excerpt.CHECK) == []
    assert f"(*{address})" in found.text


def test_a_store_is_an_access_like_a_load(ways):
    found = ways("a[i] = value", "store")
    (essence,) = found.essential
    assert [bit.tag for bit in essence] == [excerpt.ACCESS, excerpt.ADDRESS]
    assert essence[0].text == "*"
    assert "/* dim=0 */" in essence[1].text
    assert in_the_open(found).rstrip().endswith("= __pyx_v_value;")


ELEMENT = "((double *) ( /* dim=0 */ (__pyx_v_a.data + __pyx_t_1 * __pyx_v_a.strides[0]) ))"
OBJECT = ELEMENT.replace("double *", "PyObject * *")
BUFFER_ELEMENT = "__Pyx_BufPtrStrided1d(double *, a.buf, __pyx_t_1, a.strides)"


@pytest.mark.parametrize(
    ("c", "access", "address"),
    [
        (f"x = (*{ELEMENT});", ["(*", ")"], [ELEMENT]),
        (f"*{ELEMENT} = x;", ["*"], [ELEMENT]),
        (f"*{ELEMENT} += (y * (*{ELEMENT}));", ["*", "(*", ")"], [ELEMENT, ELEMENT]),
        (f"p = (&(*{ELEMENT}));", ["(*", ")"], [ELEMENT]),
        (f"x = (*{BUFFER_ELEMENT});", ["(*", ")"], [BUFFER_ELEMENT]),
        (f"*{BUFFER_ELEMENT} = x;", ["*"], [BUFFER_ELEMENT]),
        (f"p = {OBJECT};", [], [OBJECT]),
        (f"x = (PyObject *) *{OBJECT};", ["*"], [OBJECT]),
        ("x = (__pyx_v_p[__pyx_v_i]);", ["(", ")"], ["__pyx_v_p[__pyx_v_i]"]),
        ("(__pyx_t_1[f(0)]) = x;", ["(", ")"], ["__pyx_t_1[f(0)]"]),
        ("x = (__pyx_v_p[0]) + (__pyx_v_p[1]);", ["(", ")"] * 2, ["__pyx_v_p[0]", "__pyx_v_p[1]"]),
        ("x = (__pyx_v_p[0] + __pyx_v_p[1]);", [], []),
        ("x = ((__pyx_v_p[i])[j]);", ["(", ")"], ["(__pyx_v_p[i])[j]"]),
        ("x = ((__pyx_v_p[i]) + (b)[j]);", ["(", ")"], ["__pyx_v_p[i]"]),
        ("x = (a * (b + c)) * ((double) d);", [], []),
        ("*__pyx_t_2 = x;", [], []),
    ],
)
def test_every_form_of_an_access_is_known(c: str, access: list[str], address: list[str]):
    found = read_excerpt(c)
    assert found.text == c
    assert tagged(found, excerpt.ACCESS) == access
    assert tagged(found, excerpt.ADDRESS) == address


@pytest.mark.parametrize("directive", ["#endif", "  #endif", "  #if A && \\\n B"])
def test_preprocessor_lines_belong_to_no_statement(directive: str):
    c = f"x = 1;\n{directive}\n  if (PyList_Append(a, b) < 0) __PYX_ERR(0, 1, __pyx_L1_error)\n"
    found = read_excerpt(c)
    assert found.calls == ("PyList_Append",)
    assert directive in in_the_open(found)


def test_index_checks_stay_in_the_open_and_raising_is_folded(ways):
    found = ways("return a[i]", "from_view")
    checks = tagged(found, excerpt.CHECK)
    assert checks[0] == "__pyx_t_2 = -1;"
    assert checks[1].startswith("if (__pyx_t_1 < 0) {")
    assert checks[1].endswith("else if (unlikely(__pyx_t_1 >= __pyx_v_a.shape[0])) __pyx_t_2 = 0;")
    assert [kinds for kinds, _ in folded(found)] == [("failure",)]
    assert "__Pyx_RaiseBufferIndexError" not in in_the_open(found)


def test_reference_counts_and_error_handling_are_folded(ways):
    found = ways("return a + b", "add")
    assert found.calls == ("__Pyx_PyNumber_Add_object_object",)
    assert folded(found)[0][0] == ("failure", "refcount")
    hidden = ("GOTREF", "DECREF", "__PYX_ERR")
    assert not any(word in in_the_open(found) for word in hidden)
    assert "__pyx_r = __pyx_t_1;" in found.text
    assert in_the_open(found).rstrip().endswith("goto __pyx_L0;")


# --- one rule at a time


def test_an_if_that_only_leads_to_an_error_is_folded_and_its_condition_with_it():
    found = read_excerpt("x = 1; if (unlikely(!x)) __PYX_ERR(0, 1, __pyx_L1_error)\ny = 2;")
    assert folded(found) == [(("failure",), "if (unlikely(!x)) __PYX_ERR(0, 1, __pyx_L1_error)")]
    assert in_the_open(found) == "x = 1;\ny = 2;"


def test_work_in_the_condition_of_an_error_stays_in_the_open():
    found = read_excerpt("if (unlikely(PyList_Append(a, b) < 0)) __PYX_ERR(0, 1, __pyx_L1_error)")
    assert found.calls == ("PyList_Append",)
    assert in_the_open(found) == "if (unlikely(PyList_Append(a, b) < 0))"
    assert folded(found) == [(("failure",), "__PYX_ERR(0, 1, __pyx_L1_error)")]


def test_what_is_asked_after_a_first_sign_of_failure_is_on_the_failure_path():
    found = read_excerpt(
        "if (unlikely((x == -1) && PyErr_Occurred())) __PYX_ERR(0, 1, __pyx_L1_error)"
    )
    assert (found.calls, found.failure_calls) == ((), ("PyErr_Occurred",))


def test_an_if_with_an_else_is_not_an_error_path_as_a_whole():
    found = read_excerpt("if (x) { goto __pyx_L1_error; } else { y = PyLong_FromLong(1); }")
    assert found.calls == ("PyLong_FromLong",)
    assert folded(found) == [(("failure",), "goto __pyx_L1_error;")]


def test_what_follows_an_error_label_is_on_the_failure_path_up_to_the_next_label():
    c = "goto __pyx_L0;\n__pyx_L1_error:;\n__Pyx_AddTraceback(a);\n__pyx_L0:;\nPyLong_FromLong(1);"
    found = read_excerpt(c)
    assert (found.calls, found.failure_calls) == (("PyLong_FromLong",), ("__Pyx_AddTraceback",))


def test_loops_and_their_bodies_are_on_the_normal_path():
    found = read_excerpt("for (;;) { while (PyIter_Next(a)) { b = (__pyx_v_p[i]); } }")
    assert found.calls == ("PyIter_Next",)
    assert tagged(found, excerpt.ADDRESS) == ["__pyx_v_p[i]"]


def test_neighbouring_folds_are_one_fold_with_the_line_breaks_that_lead_to_it():
    c = "x();\n  Py_DECREF(a);\n  Py_XDECREF(b);\n  goto __pyx_L1_error;\ny();"
    found = read_excerpt(c)
    (fold,) = [part for part in found.parts if isinstance(part, Fold)]
    assert fold.kinds == ("refcount", "failure")
    assert fold.text == "\n  Py_DECREF(a);\n  Py_XDECREF(b);\n  goto __pyx_L1_error;"
    assert fold.lines == 3


@pytest.mark.parametrize(
    "name",
    [
        "__Pyx_BufPtrStrided1d",  # pointer arithmetic in the form of a macro
        "__Pyx_RefNannySetupContext",  # empty
        "PyTuple_GET_ITEM",  # reads a field
        "__Pyx_PyTuple_SET_ITEM",
        "likely",
        "Py_ssize_t",
        "PyMethod_Check",  # looks at the type
        "PyList_CheckExact",
        "__pyx_f_3mod_mine",  # a C function of the example itself
        "my_function",
    ],
)
def test_what_is_no_call_into_python_is_not_counted(name: str):
    found = read_excerpt(f"x = {name}(a, b);")
    assert (found.calls, found.failure_calls) == ((), ())


@pytest.mark.parametrize(
    "name",
    [
        "PyNumber_Add",
        "Py_BuildValue",
        "_PyLong_Sign",
        "__Pyx_PyObject_GetItem",
        "__pyx_convert__to_py_x",
        "__pyx_array_new",
    ],
)
def test_what_is_a_call_into_python_is_counted_where_it_is_called(name: str):
    assert read_excerpt(f"x = {name} (a);").calls == (name,)
    assert read_excerpt(f"x = {name};").calls == (), "its address is taken"
    assert read_excerpt(f'/* {name}(a) */ x = "{name}(a)";').calls == ()


def test_calls_within_calls_are_all_counted_and_shown_once():
    found = read_excerpt("x = PyNumber_Add(PyLong_FromLong(1), b);")
    assert found.calls == ("PyNumber_Add", "PyLong_FromLong")
    essence = ["".join(bit.text for bit in expression) for expression in found.essential]
    assert essence == ["PyNumber_Add(PyLong_FromLong(1), b)"]


@pytest.mark.parametrize(
    "count",
    [
        "Py_INCREF",
        "Py_XDECREF",
        "Py_CLEAR",
        "__Pyx_DECREF",
        "__Pyx_GIVEREF",
        "__PYX_XCLEAR_MEMVIEW",
    ],
)
def test_reference_counting_is_no_call_into_python(count: str):
    found = read_excerpt(f"{count}(a);")
    assert (found.calls, found.failure_calls) == ((), ())
    assert folded(found) == [(("refcount",), f"{count}(a);")]


def test_handing_on_a_reference_is_reference_counting():
    found = read_excerpt(
        "{ PyObject *__pyx_temp; __pyx_temp = r; r = t; __Pyx_XDECREF(__pyx_temp); }"
    )
    assert [kinds for kinds, _ in folded(found)] == [("refcount",)]


def test_only_an_adjustment_of_an_index_is_a_check():
    check = "if (i < 0) i += a.shape[0];"
    assert tagged(read_excerpt(check), excerpt.CHECK) == [check]
    assert tagged(read_excerpt("if (i < 0) i += n;"), excerpt.CHECK) == []
    assert tagged(read_excerpt("if (i < 0) total += a.shape[0];"), excerpt.CHECK) == []


def test_the_check_of_a_variable_stays_in_the_open_and_what_follows_a_call_does_not():
    raising = (
        'if (unlikely(!__pyx_v_a.memview)) {PyErr_SetString(e,"x");__PYX_ERR(0, 1, __pyx_L1_error)}'
    )
    guard = read_excerpt(raising + "\n")
    assert guard.parts[0] == Fragment("if (unlikely(!__pyx_v_a.memview))", excerpt.CHECK)
    assert guard.failure_calls == ("PyErr_SetString",)
    after = read_excerpt("if (unlikely(!__pyx_v_a.memview)) __PYX_ERR(0, 1, __pyx_L1_error)\n")
    assert isinstance(after.parts[0], Fold)


def test_a_function_of_the_example_is_essential_and_no_call_into_python():
    found = read_excerpt("__pyx_t_1 = __pyx_f_1m_total(__pyx_v_a, 0);\n")
    assert ["".join(bit.text for bit in e) for e in found.essential] == [
        "__pyx_f_1m_total(__pyx_v_a, 0)"
    ]
    assert found.calls == ()


def test_making_a_memoryview_object_is_a_call_into_python():
    assert read_excerpt("x = __pyx_memoryview_fromslice(__pyx_v_a, 1);\n").calls == (
        "__pyx_memoryview_fromslice",
    )


BRANCHED = """\
#if A
x = PyLong_FromLong(1);
#if B
y = PyLong_FromLong(2);
#endif
#else
x = PyFloat_FromDouble(1);
#endif
z = 1;
"""


@pytest.mark.parametrize(
    ("conditions", "calls", "out"),
    [
        ({}, ["PyLong_FromLong", "PyLong_FromLong", "PyFloat_FromDouble"], ""),
        ({"if A": False}, ["PyFloat_FromDouble"], BRANCHED[6 : BRANCHED.index("#else")]),
        ({"if A": True, "if B": False}, ["PyLong_FromLong"], "y = …\nx = …\n"),
        ({"if A": True, "if B": True}, ["PyLong_FromLong", "PyLong_FromLong"], "x = …\n"),
    ],
)
def test_calls_that_were_not_compiled_are_folded_and_not_counted(conditions, calls, out):
    found = read_excerpt(BRANCHED, conditions)
    assert found.text == BRANCHED
    assert list(found.calls) == calls
    folds = "".join(part.text for part in found.parts if isinstance(part, Fold))
    shortened = re.sub(r"Py\w+\(\d\);", "…", folds)
    assert shortened.split() == re.sub(r"Py\w+\(\d\);", "…", out).split()
    assert all(part.kinds == (excerpt.INACTIVE,) for part in found.parts if isinstance(part, Fold))


def test_an_elif_behind_a_condition_that_does_not_hold_is_not_judged():
    c = "#if A\nf_a();\n#elif B\nPyObject_Str(b);\n#else\nPyObject_Str(c);\n#endif\n"
    assert len(read_excerpt(c, {"if A": False}).calls) == 2
    assert read_excerpt(c, {"if A": True}).calls == ()
