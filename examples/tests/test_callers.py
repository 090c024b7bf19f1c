"""Claims of the page on functions for callers in Python and in Cython."""

import array
import re
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
    "The first function is the loop. It takes the struct by value, returns a C double, and is what "
    "Cython code calls.",
)
def test_the_c_function(definition):
    text = definition("__pyx_f_12one_function_total")
    header = text.partition("{")[0]
    assert header.startswith("static double ")
    assert "__Pyx_memviewslice __pyx_v_a," in header
    assert "PyObject" not in text.replace("__PYX_ERR", "")


@pytest.mark.claim(PAGE, "and one calls the first and makes a Python float of the result")
def test_the_functions_for_python(definition, one_function):
    assert "__Pyx_PyObject_to_MemoryviewSlice" in definition("__pyx_pw_12one_function_1total")
    inner = definition("__pyx_pf_12one_function_total")
    assert "__pyx_f_12one_function_total(__pyx_v_a, 1)" in inner
    assert "PyFloat_FromDouble" in inner
    for numbers in (numpy.array([3.0, 4.0, 5.0]), array.array("d", [3, 4, 5])):
        assert one_function.total(numbers) == 12.0


@pytest.mark.claim(PAGE, "calls it for each row, without Python in between")
def test_a_caller_in_cython_calls_the_c_function(c_of):
    excerpt = c_of(KEY, "rows_by_view", ROWS["rows_by_view"])
    assert excerpt.calls == ()
    assert "__pyx_f_12one_function_total(" in excerpt.text
    assert ["".join(f.text for f in e) for e in excerpt.essential] == [
        "__pyx_f_12one_function_total(__pyx_t_4, 0)"
    ]


@pytest.mark.claim(
    PAGE, "a pointer argument is refused there, since Python has no pointers to give"
)
def test_a_pointer_argument_is_refused(outcomes):
    outcome = outcomes["refused/pointer_argument"]
    assert isinstance(outcome, Failure)
    assert [problem.message for problem in outcome.problems] == [
        "Cannot convert Python object argument to type 'double *'"
    ]


@pytest.mark.claim(
    PAGE, "&a[0] is an index, and checked like one. So it raises if there is no element"
)
def test_the_address_of_an_element_that_is_not_there(one_function):
    with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
        one_function.total_by_pointer(numpy.empty(0))
    assert one_function.total_by_pointer(numpy.ones(3)) == 3.0


@pytest.mark.claim(PAGE, "&a[0] if a.shape[0] else NULL takes empty arrays too")
def test_no_address_for_an_empty_array(one_function):
    assert one_function.total_by_pointer_or_empty(numpy.empty(0)) == 0.0
    assert one_function.total_by_pointer_or_empty(numpy.ones(3)) == 3.0


@pytest.mark.claim(
    PAGE, "From a typed variable to a typed argument the struct is copied, and no count goes up"
)
def test_passing_a_view_counts_nothing(c_of):
    text = c_of(KEY, "total_for_python", "return total(a)").text
    assert "__pyx_f_12one_function_total(__pyx_v_a, 0)" in text
    assert not COUNTED.search(text)


@pytest.mark.claim(PAGE, "-1 is an ordinary sum, too, so Python is asked only in that case")
def test_an_exception_is_looked_for_after_minus_one(c_of, one_function):
    text = c_of(KEY, "total_for_python", "return total(a)").text
    assert re.search(r"== \(\(double\)-1\) && PyErr_Occurred\(\)", text)
    assert one_function.total(numpy.array([-1.0])) == -1.0


@pytest.mark.claim(
    PAGE,
    "The slice that is returned is a reference of its own, so the count goes up; the caller sees "
    "from memview whether there was an exception",
)
def test_returning_a_view(c_of, one_function):
    assert "__PYX_INC_MEMVIEW" in c_of(KEY, "without_first", "return a[1:]").text
    received = c_of(KEY, "total_without_first", "cdef double[::1] rest = without_first(a)")
    assert re.search(r"if \(unlikely\(!\w+\.memview\)\) __PYX_ERR", received.text)
    assert one_function.total_without_first(numpy.array([1.0, 2.0, 3.0])) == 5.0


@pytest.mark.claim(PAGE, "Neither line makes a Python object.")
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


@pytest.mark.claim(PAGE, "Then the view becomes a Python object for the call")
def test_an_untyped_argument_makes_an_object(c_of):
    excerpt = c_of(KEY, "rows_by_object", ROWS["rows_by_object"])
    assert excerpt.calls == ("__pyx_memoryview_fromslice",)
    acquired = c_of(KEY, "total_of_object", "cdef double[::1] view = a")
    assert acquired.calls == ("__Pyx_PyObject_to_MemoryviewSlice_dc_double",)


@pytest.mark.claim(
    PAGE, "Calling a def function does the same, and goes through Python's way of calling too"
)
def test_a_def_function_is_called_through_python(c_of):
    calls = c_of(KEY, "rows_by_python", ROWS["rows_by_python"]).calls
    assert "__pyx_memoryview_fromslice" in calls
    assert "__Pyx_PyObject_FastCall" in calls


@pytest.mark.claim(PAGE, "is a slice, and no reference is counted for it either")
def test_a_slice_as_an_argument_counts_nothing(c_of):
    assert not COUNTED.search(c_of(KEY, "rows_by_view", ROWS["rows_by_view"]).text)


@pytest.mark.claim(PAGE, "An untyped one costs a memoryview object for each call")
def test_an_untyped_argument_is_at_least_three_times_slower(one_function):
    table = numpy.ones((1000, 3))
    assert {getattr(one_function, name)(table) for name in ROWS} == {3000.0}

    def best(function):
        return min(timeit.repeat(lambda: function(table), number=5, repeat=7))

    by_view = best(one_function.rows_by_view)
    assert best(one_function.rows_by_object) > 3 * by_view
    assert best(one_function.rows_by_python) > 3 * by_view
