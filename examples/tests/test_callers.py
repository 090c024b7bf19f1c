"""Claims of the page on functions for callers in Python and in Cython."""

import array
import os
import re
import signal
import subprocess
import sys
import timeit

import numpy
import pytest

from sphinx_cython.core.artefact import Failure
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/callers.md"
KEY = "callers/one_function"
ROWS = {
    "rows_by_view": "result += total(table[i])",
    "rows_by_pointer": "result += total_of_pointer(&table[i, 0], table.shape[1])",
    "rows_by_object": "result += total_of_object(table[i])",
    "rows_by_python": "result += total_for_python(table[i])",
}
ACROSS = "callers/across_modules"
REBOUND = "callers/rebound_view"
COUNTED = re.compile(r"__PY[Xx]_X?(?:INC|DEC|CLEAR|XCLEAR)_MEMVIEW")


@pytest.fixture
def one_function(load):
    return load("one_function")


@pytest.fixture
def definition(built, c_file):
    """Return the C of a function."""

    def get(name):
        return read_definitions(c_file(KEY), name, built(KEY).compiled_lines)[0].text

    return get


@pytest.mark.claim(
    PAGE,
    "the-c-function",
)
def test_the_c_function(definition):
    text = definition("__pyx_f_12one_function_total")
    header = text.partition("{")[0]
    assert header.startswith("static double ")
    assert "__Pyx_memviewslice __pyx_v_a," in header
    assert "PyObject" not in text.replace("__PYX_ERR", "")


@pytest.mark.claim(
    PAGE,
    "the-functions-for-python",
)
def test_the_functions_for_python(definition, one_function):
    assert "__Pyx_PyObject_to_MemoryviewSlice" in definition("__pyx_pw_12one_function_1total")
    inner = definition("__pyx_pf_12one_function_total")
    assert "__pyx_f_12one_function_total(__pyx_v_a, 1)" in inner
    assert "PyFloat_FromDouble" in inner
    for numbers in (numpy.array([3.0, 4.0, 5.0]), array.array("d", [3, 4, 5])):
        assert one_function.total(numbers) == 12.0


@pytest.mark.claim(
    PAGE,
    "what-is-refused",
)
@pytest.mark.parametrize(
    ("numbers", "error"),
    [
        (numpy.ones((2, 2)), "Buffer has wrong number of dimensions"),
        (numpy.ones(()), "Buffer has wrong number of dimensions"),
        (numpy.ones(4)[::2], "ndarray is not C-contiguous"),
        (numpy.broadcast_to(1.0, 4), "not C-contiguous|read-only"),
        (numpy.frombuffer(bytes(16)), "buffer source array is read-only"),
        (numpy.ones(2, dtype=">f8" if sys.byteorder == "little" else "<f8"), "-endian buffer"),
        (numpy.ones(2, dtype="f4"), "Buffer dtype mismatch"),
    ],
)
def test_what_is_refused(one_function, numbers, error):
    with pytest.raises(ValueError, match=error):
        one_function.total(numbers)


def test_what_is_taken(one_function):
    assert one_function.total(numpy.array([3.0, 4.0])) == 7.0
    assert one_function.total(array.array("d", [3, 4])) == 7.0
    assert one_function.total(memoryview(array.array("d", [3, 4]))) == 7.0


@pytest.mark.claim(PAGE, "none-is-taken")
def test_none_is_taken(one_function):
    assert one_function.total(None) == 0.0


@pytest.mark.claim(PAGE, "a-caller-in-cython-calls-the-c-function")
def test_a_caller_in_cython_calls_the_c_function(c_of):
    excerpt = c_of(KEY, "rows_by_view", ROWS["rows_by_view"])
    assert excerpt.calls == ()
    assert "__pyx_f_12one_function_total(" in excerpt.text
    assert ["".join(f.text for f in e) for e in excerpt.essential] == [
        "__pyx_f_12one_function_total(__pyx_t_4, 0)"
    ]


@pytest.mark.claim(
    PAGE,
    "a-pointer-argument-is-refused",
)
def test_a_pointer_argument_is_refused(outcomes):
    outcome = outcomes["refused/pointer_argument"]
    assert isinstance(outcome, Failure)
    assert [problem.message for problem in outcome.problems] == [
        "Cannot convert Python object argument to type 'double *'"
    ]


@pytest.fixture
def translate(tmp_path):
    """Translate a source with Cython, and return its C."""

    def run(source):
        path = tmp_path / "translated.pyx"
        path.write_text(source, encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "cython", "-3", path.name], cwd=tmp_path, check=True, timeout=60
        )
        return path.with_suffix(".c").read_text(encoding="utf-8")

    return run


@pytest.mark.claim(PAGE, "a-char-pointer-is-no-such-pointer")
def test_a_char_pointer_is_no_such_pointer(translate):
    c = translate("cpdef int first(char *s):\n    return s[0]\n")
    assert re.search(r"__pyx_v_s = __Pyx_PyObject_AsWritableString\(|AsString\(", c)


@pytest.mark.claim(
    PAGE,
    "the-address-of-an-element-that-is-not-there",
)
def test_the_address_of_an_element_that_is_not_there(one_function):
    with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
        one_function.total_by_pointer(numpy.empty(0))
    assert one_function.total_by_pointer(numpy.ones(3)) == 3.0


def test_the_address_is_not_checked_without_boundscheck(translate):
    c = translate("# cython: boundscheck=False\ndef f(double[::1] a):\n    return &a[0] == NULL\n")
    assert "__Pyx_RaiseBufferIndexError(" not in c


@pytest.mark.claim(PAGE, "no-address-for-an-empty-array")
def test_no_address_for_an_empty_array(one_function):
    assert one_function.total_by_pointer_or_empty(numpy.empty(0)) == 0.0
    assert one_function.total_by_pointer_or_empty(numpy.ones(3)) == 3.0


@pytest.mark.claim(PAGE, "passing-a-view-counts-nothing")
def test_passing_a_view_counts_nothing(c_of):
    text = c_of(KEY, "total_for_python", "return total(a)").text
    assert "__pyx_f_12one_function_total(__pyx_v_a, 0)" in text
    assert not COUNTED.search(text)


@pytest.fixture
def end_of(builder, outcomes):
    """Run a method of ``Pages`` in a process of its own; return its end and what it printed."""

    def run(method):
        code = f"import rebound_view; print(rebound_view.new_pages().{method}())"
        env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout.strip()

    return run


@pytest.mark.claim(
    PAGE,
    "an-attribute-that-is-rebound-during-the-call",
)
@pytest.mark.claim(
    PAGE,
    "an-attribute-that-is-rebound-during-the-call-2",
)
def test_an_attribute_that_is_rebound_during_the_call(end_of, c_of):
    passed = c_of(REBOUND, "Pages.first_of_attribute", "return self.first_after_drop(self.view)")
    assert not COUNTED.search(passed.text)
    assert end_of("first_of_attribute") == (-signal.SIGSEGV, "")


@pytest.mark.claim(
    PAGE,
    "a-local-variable-keeps-the-memory-2",
)
@pytest.mark.claim(PAGE, "a-local-variable-keeps-the-memory")
def test_a_local_variable_keeps_the_memory(end_of, c_of):
    line = "cdef unsigned char[:] view = self.view"
    assert c_of(REBOUND, "Pages.first_of_local", line).text.count("__PYX_INC_MEMVIEW(") == 1
    assert end_of("first_of_local") == (0, "0")


@pytest.mark.claim(
    PAGE,
    "an-exception-is-looked-for-after-minus-one",
)
def test_an_exception_is_looked_for_after_minus_one(c_of, one_function):
    text = c_of(KEY, "total_for_python", "return total(a)").text
    assert re.search(r"== \(\(double\)-1\) && PyErr_Occurred\(\)", text)
    assert one_function.total(numpy.array([-1.0])) == -1.0


@pytest.mark.claim(
    PAGE,
    "returning-a-view",
)
def test_returning_a_view(c_of, one_function):
    assert "__PYX_INC_MEMVIEW" in c_of(KEY, "without_first", "return a[1:]").text
    received = c_of(KEY, "total_without_first", "cdef double[::1] rest = without_first(a)")
    assert re.search(r"if \(unlikely\(!\w+\.memview\)\) __PYX_ERR", received.text)
    assert one_function.total_without_first(numpy.array([1.0, 2.0, 3.0])) == 5.0


@pytest.mark.claim(PAGE, "returning-a-view-makes-no-object")
@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("without_first", "return a[1:]"),
        ("total_without_first", "cdef double[::1] rest = without_first(a)"),
    ],
)
def test_returning_a_view_makes_no_object(c_of, function, line):
    excerpt = c_of(KEY, function, line)
    assert excerpt.calls == ()
    assert "PyObject" not in excerpt.text


@pytest.mark.claim(PAGE, "an-untyped-argument-makes-an-object")
def test_an_untyped_argument_makes_an_object(c_of):
    excerpt = c_of(KEY, "rows_by_object", ROWS["rows_by_object"])
    assert excerpt.calls == ("__pyx_memoryview_fromslice",)
    acquired = c_of(KEY, "total_of_object", "cdef double[::1] view = a")
    assert acquired.calls == ("__Pyx_PyObject_to_MemoryviewSlice_dc_double",)


@pytest.mark.claim(PAGE, "a-def-function-is-called-through-python")
def test_a_def_function_is_called_through_python(c_of):
    calls = c_of(KEY, "rows_by_python", ROWS["rows_by_python"]).calls
    assert "__pyx_memoryview_fromslice" in calls
    assert "__Pyx_PyObject_FastCall" in calls


@pytest.mark.claim(PAGE, "a-slice-as-an-argument-counts-nothing")
def test_a_slice_as_an_argument_counts_nothing(c_of):
    assert not COUNTED.search(c_of(KEY, "rows_by_view", ROWS["rows_by_view"]).text)


# Each line with a comment is what its comment names.
SLICES = """
from cython.parallel cimport prange

cdef double[:, :] everywhere

cdef double first(double[:] row) noexcept nogil:
    return row[0]

cdef class Holder:
    cdef double[:, :] view

    def sliced(self, Py_ssize_t i):
        cdef double x
        x = first(self.view[i])  # attribute
        return x

def sliced(double[:, :] a, double[:, :] b, Py_ssize_t i):
    cdef double[:, :] c = b
    cdef double x
    x = first(a[i])  # argument
    x += first(c[i])  # local
    x += first(everywhere[i])  # module
    for row in a:  # iteration
        x += first(row)
    return x

def returned(double[:, :] a, Py_ssize_t i):
    return first(a[i])  # return

def generator(double[:, :] a):
    cdef Py_ssize_t i
    cdef double x
    for i in range(a.shape[0]):
        x = first(a[i])  # generator
        yield x
        yield first(a[i])  # yield

def parallel(double[:, :] a):
    cdef Py_ssize_t i
    cdef double x = 0
    for i in prange(a.shape[0], nogil=True):
        x += first(a[i])  # prange
    return x

def outer(double[:, :] a, Py_ssize_t i):
    cdef double x
    def inner():
        return a[0, 0]
    x = first(a[i])  # closure
    return inner, x
"""


@pytest.mark.claim(
    PAGE,
    "which-slices-are-counted",
)
def test_which_slices_are_counted(translate):
    c = translate(SLICES)
    source = SLICES.splitlines()
    # The C of a line follows a comment that shows the line and its neighbors.
    counted = set()
    for block in re.split(r"(?m)^ */\* \"translated\.pyx\":", c)[1:]:
        line = source[int(block.split("\n", 1)[0]) - 1]
        if "  # " in line and "__PYX_INC_MEMVIEW(&" in block.split("*/", 1)[1]:
            counted.add(line.split("  # ")[1])
    everything = {line.split("  # ")[1] for line in source if "  # " in line}
    assert everything - counted == {"argument", "local", "generator"}


@pytest.mark.claim(
    PAGE,
    "a-cimported-function-is-called-through-a",
)
def test_a_cimported_function_is_called_through_a_pointer(c_file):
    c = c_file(ACROSS)
    assert "(*__pyx_f_7kernels_first_of_view)(__Pyx_memviewslice)" in c
    assert re.search(r"__Pyx_ImportFunction_\w+\(|__pyx_import_", c)
    header = re.search(r"static double __pyx_f_14across_modules_first_here\((\w+)", c)
    assert header[1] == "__Pyx_memviewslice"


@pytest.mark.claim(
    PAGE,
    "a-view-passed-to-another-module-costs",
)
def test_a_view_passed_to_another_module_costs_several_times_a_pointer(load):
    module = load("across_modules")
    table = 2.0 ** numpy.arange(3 * 40).reshape(40, 3)
    ways = module.views_here, module.views_across, module.pointers_across
    assert {way(table) for way in ways} == {table[:, 0].sum()}
    large = numpy.ones((1000, 3))
    here, views, pointers = (
        min(timeit.repeat(lambda way=way: way(large), number=5, repeat=40)) for way in ways
    )
    assert views > 3 * pointers
    assert views > 3 * here


@pytest.mark.claim(PAGE, "an-untyped-argument-is-at-least-three-times")
def test_an_untyped_argument_is_at_least_three_times_slower(one_function):
    table = numpy.ones((1000, 3))
    different = 2.0 ** numpy.arange(30).reshape(10, 3)
    assert {getattr(one_function, name)(different) for name in ROWS} == {2.0**30 - 1}

    def best(function):
        return min(timeit.repeat(lambda: function(table), number=5, repeat=7))

    by_view = best(one_function.rows_by_view)
    assert best(one_function.rows_by_object) > 3 * by_view
    assert best(one_function.rows_by_python) > 3 * by_view


@pytest.mark.claim(PAGE, "not-none-is-refused-in-cpdef")
def test_not_none_is_refused_in_cpdef(outcomes):
    outcome = outcomes["refused/not_none_in_cpdef"]
    assert isinstance(outcome, Failure)
    assert "'not None' only allowed in Python functions" in outcome.problems[0].message
