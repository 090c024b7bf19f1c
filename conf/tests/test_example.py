"""What a ``.pyx`` file is: its functions and its lines."""

from __future__ import annotations

from textwrap import dedent

import pytest

from sphinx_cython.core.example import Example, ExampleError, Examples, find_functions


def functions(source: str) -> dict[str, tuple[int, int, int]]:
    """First line, last line and header of each function in a source."""
    lines = dedent(source).removeprefix("\n").splitlines()
    return {f.name: (f.first, f.last, f.header) for f in find_functions(lines)}


# --- functions


def test_a_function_reaches_from_its_header_to_its_last_indented_line():
    source = """
        def f(a):
            x = a

            return x


        y = 1
    """
    assert functions(source) == {"f": (1, 4, 1)}


def test_decorators_belong_to_the_function():
    source = """
        @cython.boundscheck(False)
        @cython.wraparound(False)
        def f(a):
            return a
    """
    assert functions(source) == {"f": (1, 4, 3)}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("def f(a):", "f"),
        ("async def f(a):", "f"),
        ("cpdef f(a):", "f"),
        ("cdef f(a):", "f"),
        ("cdef inline double f(double[:, ::1] a) noexcept nogil:", "f"),
        ("cdef double *f(double *a) except? NULL:", "f"),
        ("cdef unsigned long long f(a) except -1:", "f"),
        ("cdef (int, int) f(a):", "f"),
        ("cdef api int f(a):  # a comment: (with a bracket", "f"),
        ("def f(a, b=(1, 2)) -> int:", "f"),
        ("def f(a=None):", "f"),
        ("cdef double[:] f(a=None):", "f"),
    ],
)
def test_every_kind_of_header_is_found(header: str, name: str):
    assert functions(f"{header}\n    return a\n") == {name: (1, 2, 1)}


def test_a_body_may_stand_on_the_line_of_the_header():
    assert functions("def f(a): return a\nx = 1\n") == {"f": (1, 1, 1)}


def test_a_header_may_span_lines():
    source = """
        cdef double f(
            double[:] a,
            Py_ssize_t i,  # an index
        ) noexcept:
            return a[i]

        x = f
    """
    assert functions(source) == {"f": (1, 5, 1)}


def test_methods_are_named_after_their_classes():
    source = """
        cdef class A:
            def __init__(self):
                pass

            class B:
                def m(self):
                    pass

        def m():
            pass
    """
    assert functions(source) == {"A.__init__": (2, 3, 2), "A.B.m": (6, 7, 6), "m": (9, 10, 9)}


def test_functions_in_functions_are_found_and_belong_to_the_outer_one():
    source = """
        def outer():
            def inner():
                return 1
            return inner
    """
    assert functions(source) == {"outer": (1, 4, 1), "inner": (2, 3, 2)}


@pytest.mark.parametrize(
    "line",
    [
        "cdef double x = f(1)",
        "cdef int (*callback)(int)",
        "cdef extern from *:",
        'cdef extern from "math.h" nogil:',
        "double sin(double x)",
        "cdef int f(int x)",
        "ctypedef int (*f)(int)",
        "define(x)",
        "deferred(1)",
    ],
)
def test_what_is_no_function_is_not_taken_for_one(line: str):
    assert functions(f"{line}\n    pass\n") == {}


@pytest.mark.parametrize(
    ("header", "signature"),
    [
        ("def f(a, b):", "def f(a, b)"),
        ("def f(a):  # a comment", "def f(a)"),
        ("def f(\n    double[:] a,\n    Py_ssize_t i,  # an index\n) -> int:", None),
    ],
)
def test_a_signature_is_the_header_on_one_line(scan, header: str, signature: str | None):
    found = scan({"m.pyx": f"@decorated\n{header}\n    return 1\n"})["m"]
    assert found.signature("f") == (signature or "def f(double[:] a, Py_ssize_t i) -> int")


# --- lines


@pytest.fixture
def example(scan) -> Example:
    return scan(
        {
            "kinds/lines.pyx": """
                '''About lines,
                on two of them.

                More.
                '''
                def f(a):
                    x = 1
                    return a[0]  # the first

                def g(a):
                    x = 1
                    return a[1]
            """
        }
    )["kinds/lines"]


def test_a_line_is_found_by_its_text_whatever_its_indentation(example: Example):
    assert example.find_line("return a[1]") == 12
    assert example.find_line("   return a[1] ") == 12


def test_a_trailing_comment_may_be_left_out(example: Example):
    assert example.find_line("return a[0]") == 8
    assert example.find_line("return a[0]  # the first") == 8


def test_a_part_of_a_line_does_not_do(example: Example):
    with pytest.raises(ExampleError, match=r"no line 'return a' in kinds/lines.pyx"):
        example.find_line("return a")


def test_an_ambiguous_line_asks_for_the_function_and_is_found_in_it(example: Example):
    with pytest.raises(ExampleError, match=r"2 times .*\(lines 7, 11\); name the function"):
        example.find_line("x = 1")
    assert example.find_line("x = 1", "g") == 11


def test_a_missing_line_names_the_nearest_lines(example: Example):
    with pytest.raises(
        ExampleError,
        match=r"no line 'return a\[2\]' in g\(\) of kinds/lines.pyx; nearest: 'return a\[1\]'",
    ):
        example.find_line("return a[2]", "g")


def test_a_missing_function_names_the_nearest_functions(scan):
    found = scan({"m.pyx": "def from_view(a): return a\ndef other(): pass\n"})["m"]
    with pytest.raises(
        ExampleError, match=r"no function 'from_viev' in m.pyx; nearest: 'from_view'"
    ):
        found.function("from_viev")


def test_lines_are_split_at_newlines_only(scan):
    found = scan({"m.pyx": "a = '\u2028'\nb = 1\f\nc = '\x85'\n"})["m"]
    assert found.lines == ["a = '\u2028'", "b = 1\f", "c = '\x85'"]


def test_the_summary_is_the_first_paragraph_of_the_docstring(example: Example):
    assert Example("m", example.root).module == "m"
    assert example.module == "lines"


def test_docstring_and_summary(scan):
    source = '# a comment\n\n"""First\nparagraph.\n\nSecond.\n"""\nx = 1\n'
    found = scan({"m.pyx": source, "bare.pyx": "x = '''no docstring'''\n"})
    assert found["m"].docstring == "First\nparagraph.\n\nSecond."
    assert found["m"].summary == "First paragraph."
    assert found["bare"].summary == ""


# --- a folder of examples


def test_an_example_goes_by_its_path_or_by_its_module(scan):
    found = scan({"a/one.pyx": "", "two.pyx": ""})
    assert found["a/one"] is found["one"]
    assert [example.name for example in found] == ["a/one", "two"]


def test_an_unknown_example_names_the_nearest_ones(scan):
    found = scan({"a/four_ways.pyx": "", "other.pyx": ""})
    with pytest.raises(ExampleError, match=r"no example 'a/for_ways'; nearest: 'a/four_ways'"):
        found["a/for_ways"]


def test_two_examples_cannot_be_one_module(scan):
    with pytest.raises(ExampleError, match=r"b/same.pyx and a/same.pyx .* 'same'; rename one"):
        scan({"a/same.pyx": "", "b/same.pyx": ""})


@pytest.mark.parametrize("module", ["array", "struct", "numpy"])
def test_an_example_cannot_take_the_name_of_what_pages_import(scan, module: str):
    with pytest.raises(ExampleError, match=f"a/{module}.pyx would hide the module '{module}'"):
        scan({f"a/{module}.pyx": ""})


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ExampleError, match="no examples folder"):
        Examples.scan(tmp_path / "nowhere")


def test_the_folder_of_refused_examples_is_known(scan):
    found = scan({"refused/bad.pyx": "", "refused_not.pyx": ""})
    assert found["refused/bad"].refused
    assert not found["refused_not"].refused
