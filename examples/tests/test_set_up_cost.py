"""Claims of the page on what a typed argument costs a call."""

import array
import gc
import math
import re
import sys
import timeit

import numpy
import pytest
from break_even import Curve, Plot, break_even, crossing

from sphinx_cython.core.csource import read_definitions

PAGE = "guide/set-up-cost.md"
KEY = "setup/set_up@plain"
VIEW = "cdef double[:] a = argument"


@pytest.fixture
def set_up(load):
    return load("variants.plain.set_up")


def definition(built, name):
    artefact = built(KEY)
    (found,) = read_definitions(artefact.c_file.read_text(), name, artefact.compiled_lines)
    return found.text


def times(module, *statements, **names):
    """Return the best time of each statement; in turns, so that a busy machine is busy for all."""
    names = {**vars(module), **names}
    timers = [timeit.Timer(statement, globals=names) for statement in statements]
    best = [math.inf] * len(timers)
    for _ in range(60):
        best = [min(b, timer.timeit(200)) for b, timer in zip(best, timers, strict=True)]
    return best


@pytest.mark.claim(
    PAGE,
    "the-conversion",
)
@pytest.mark.claim(PAGE, "the-conversion-2")
@pytest.mark.claim(PAGE, "the-conversion-3")
def test_the_conversion(built, c_of, set_up):
    excerpt = c_of(KEY, "take_view", VIEW)
    assert excerpt.calls == ("__Pyx_PyObject_to_MemoryviewSlice_ds_double",)
    text = definition(built, "__Pyx_PyObject_to_MemoryviewSlice_ds_double")
    assert text.index("if (obj == Py_None)") < text.index("__Pyx_ValidateAndInit_memviewslice(")
    assert set_up.take_view(None) == 0
    assert set_up.take_view(numpy.zeros(1)) == 1


@pytest.mark.claim(
    PAGE,
    "the-steps-of-the-conversion",
)
def test_the_steps_of_the_conversion(built):
    text = definition(built, "__Pyx_ValidateAndInit_memviewslice")
    steps = [
        "__pyx_memoryview_new(",
        "buf->ndim != ndim",
        "__Pyx_BufFmt_CheckString(",
        "__pyx_check_strides(",
        "__Pyx_init_memviewslice(",
    ]
    positions = [text.index(step) for step in steps]
    assert positions == sorted(positions)


@pytest.mark.claim(
    PAGE,
    "nothing-is-kept",
)
def test_nothing_is_kept(set_up):
    x = numpy.zeros(3)
    before = sys.getrefcount(x)
    set_up.take_view(x)
    assert sys.getrefcount(x) == before
    kept = set_up.as_object(x)
    assert sys.getrefcount(x) > before
    del kept
    assert sys.getrefcount(x) == before
    y = bytearray(8)
    set_up.take_bytes_view(y)
    y.append(0)  # it has no exports any more


@pytest.mark.claim(PAGE, "pointers-convert-nothing")
@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("take_address", "cdef double *a = <double *> address"),
        ("take_array_pointer", "cdef double *a = argument.data.as_doubles"),
        ("take_ndarray_pointer", "cdef double *a = <double *> cnp.PyArray_DATA(argument)"),
    ],
)
def test_pointers_convert_nothing(c_of, function, line):
    excerpt = c_of(KEY, function, line)
    assert excerpt.calls == excerpt.failure_calls == ()


@pytest.mark.claim(
    PAGE,
    "pointers-check-no-element-type",
)
def test_pointers_check_no_element_type(set_up):
    assert set_up.take_ndarray_pointer(numpy.zeros(3, dtype=numpy.int8)) == 1
    assert set_up.take_array_pointer(array.array("i", [1])) == 1
    for a in numpy.zeros(3, dtype=numpy.int8), array.array("i", [1]):
        with pytest.raises(ValueError, match="Buffer dtype mismatch"):
            set_up.take_view(a)


@pytest.mark.claim(PAGE, "fetching-an-address-is-slow")
def test_fetching_an_address_is_slow(set_up):
    x = numpy.arange(10.0)
    y, z = array.array("d", x), bytearray(80)
    names = {"x": x, "y": y, "z": z, "m": memoryview(y), "x2": x.reshape(2, 5)}
    names["v"] = set_up.as_object(x)
    views = (f"take_view({name})" for name in "vymx")
    fetch, *conversions = times(
        set_up,
        "take_address(x.ctypes.data)",
        "take_buffer(x)",
        "take_bytes_view(z)",
        "take_view_2d(x2)",
        *views,
        **names,
    )
    assert fetch > 3 * max(conversions)


@pytest.mark.claim(
    PAGE,
    "a-buffer-lives-on-the-stack",
)
def test_a_buffer_lives_on_the_stack(c_of, c_file, set_up):
    excerpt = c_of(KEY, "take_buffer", "cdef cnp.ndarray[double, ndim=1] a = argument")
    assert excerpt.calls == ("__Pyx_TypeTest", "__Pyx_GetBufferAndValidate")
    assert "&__pyx_pybuffernd_a.rcbuffer->pybuffer" in excerpt.text
    assert re.search(r"^  __Pyx_LocalBuf_ND __pyx_pybuffernd_a;$", c_file(KEY), re.M)
    for wrong in numpy.zeros(3, dtype=numpy.int8), numpy.zeros((2, 2)):
        for take in set_up.take_buffer, set_up.take_view:
            with pytest.raises(ValueError, match=r"Buffer (dtype mismatch|has wrong number of)"):
                take(wrong)
    assert set_up.take_view(array.array("d", [1])) == 1
    with pytest.raises(TypeError, match=r"Cannot convert array\.array to numpy\.ndarray"):
        set_up.take_buffer(array.array("d", [1]))


@pytest.mark.claim(PAGE, "a-memoryview-object-is-taken-as-it-is")
def test_a_memoryview_object_is_taken_as_it_is(built, set_up, load):
    text = definition(built, "__Pyx_ValidateAndInit_memviewslice")
    assert re.search(r"from_memoryview && __pyx_typeinfo_cmp\(.*\n?.*typeinfo\)\) \{", text)
    x = numpy.arange(3.0)
    v = set_up.as_object(x)
    assert set_up.owner(v) is v
    assert set_up.owner(x) is not x


@pytest.mark.claim(
    PAGE,
    "a-const-view-is-taken-as-a-writable-one",
)
@pytest.mark.claim(PAGE, "a-const-view-is-taken-as-a-writable-one-2")
def test_a_const_view_is_taken_as_a_writable_one(set_up):
    x = numpy.zeros(3)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="buffer source array is read-only"):
        set_up.store(x, 7.0)
    with pytest.raises(BufferError, match="underlying buffer is not writable"):
        set_up.store(memoryview(x), 7.0)
    assert x.tolist() == [0, 0, 0]
    set_up.store(set_up.as_const_object(x), 7.0)
    assert x.tolist() == [7, 0, 0]


@pytest.mark.claim(PAGE, "the-set-up-is-most-of-a-short-call")
def test_the_set_up_is_most_of_a_short_call(set_up):
    a = numpy.ones(1)
    call, view, whole = times(set_up, "take_object(a)", "take_view(a)", "sum_view(a)", a=a)
    assert view > 3 * call  # so the conversion is more than two thirds of it
    assert whole < 1.5 * view


@pytest.mark.claim(
    PAGE,
    "the-set-up-is-earned-back",
)
def test_the_set_up_is_earned_back(set_up):
    a = numpy.arange(16.0)
    untyped, view, buffer = times(set_up, "sum_object(a)", "sum_view(a)", "sum_buffer(a)", a=a)
    assert untyped > 3 * view
    assert untyped > 3 * buffer


@pytest.mark.claim(
    PAGE,
    "a-fetched-pointer-starts-higher",
)
def test_a_fetched_pointer_starts_higher(set_up):
    a = numpy.arange(1.0)
    pointer, view, buffer = times(
        set_up, "sum_address(a.ctypes.data, a.size)", "sum_view(a)", "sum_buffer(a)", a=a
    )
    assert pointer > 3 * view
    assert pointer > 3 * buffer


@pytest.mark.claim(PAGE, "the-four-sums-agree")
@pytest.mark.claim(
    PAGE,
    "the-four-sums-agree-2",
)
def test_the_four_sums_agree(set_up, c_of):
    # Different powers of two: another set of elements has another sum.
    for count in 1, 2, 10:
        a = 2.0 ** numpy.arange(count)
        sums = set_up.sum_object(a), set_up.sum_buffer(a), set_up.sum_view(a)
        assert {*sums, set_up.sum_address(a.ctypes.data, a.size)} == {2.0**count - 1}
    untyped = c_of(KEY, "sum_object", "x = a[i]")
    assert untyped.calls == ("__Pyx_GetItemInt", "__Pyx_PyFloat_AsDouble")
    for function, line, access in (
        ("sum_object", "total += x", "__pyx_v_total + __pyx_v_x"),
        ("sum_buffer", "total += a[i]", "__Pyx_BufPtrStrided1d(double *,"),
        ("sum_view", "total += a[i]", "__pyx_v_a.strides[0]"),
        ("sum_address", "total += a[i]", "__pyx_v_a[__pyx_v_i]"),
    ):
        excerpt = c_of(KEY, function, line)
        assert excerpt.calls == (), function
        assert access in excerpt.text, function


@pytest.mark.claim(
    PAGE,
    "where-the-conversion-takes-place",
)
@pytest.mark.claim(PAGE, "where-the-conversion-takes-place-2")
def test_where_the_conversion_takes_place(c_of, set_up):
    each = c_of(KEY, "convert_each_time", "total += helper(a)")
    once = c_of(KEY, "convert_once", "total += helper(a)")
    assert each.calls == ("__Pyx_PyObject_to_MemoryviewSlice_ds_double",)
    assert once.calls == ()
    assert "helper(__pyx_v_a)" in once.text
    a = numpy.array([3.0, 5.0])
    assert set_up.convert_each_time(a, 4) == set_up.convert_once(a, 4) == 12
    assert set_up.convert_each_time(a, 0) == set_up.convert_once(a, 0) == 0
    slow, fast = times(set_up, "convert_each_time(a, 100)", "convert_once(a, 100)", a=numpy.ones(1))
    assert slow > 3 * fast


def test_where_curves_cross():
    lengths = (1, 2, 4, 8)
    base = Curve("base", (1.0, 2.0, 4.0, 8.0))
    assert crossing(base, Curve("", (3.0, 3.0, 3.0, 3.0)), lengths) == 3
    assert crossing(base, Curve("", (0.5, 0.5, 0.5, 0.5)), lengths) == 1
    assert crossing(base, Curve("", (9.0, 9.0, 9.0, 9.0)), lengths) is None


def test_the_plot_says_what_it_shows():
    lengths = (1, 2, 4, 8)
    curves = [
        Curve("Untyped", (1e-7, 2e-7, 4e-7, 8e-7)),
        Curve("View", (3e-7, 3e-7, 3e-7, 3e-7)),
        Curve("Slow", (9e-6, 9e-6, 9e-6, 9e-6)),
    ]
    plot = Plot(curves, lengths)
    picture = plot._repr_html_()
    assert picture.startswith('<div class="volatile">')
    assert picture.count("<svg") == picture.count('role="img" aria-label="Time of a call') == 2
    assert picture.count(">pays from 3 elements on</text>") == 2
    assert picture.count(">does not pay up to 8 elements</text>") == 2
    assert "View: 300 ns at 1, 300 ns at 8, pays from 3 elements on." in plot.description()
    assert "Slow: 9.0 µs at 1" in plot.description()
    for tick in (">10 ns<", ">100 ns<", ">1 µs<", ">10 µs<"):
        assert picture.count(tick) == (2 if tick != ">10 ns<" else 0), tick
    assert not re.search(r"\d", repr(plot)), "what is printed as text must not vary"


def test_the_plot_measures(set_up):
    statements = {"Untyped": "sum_object(a)", "View": "sum_view(a)"}
    plot = break_even(set_up, statements, lambda n: numpy.arange(float(n)))
    gc.collect()
    assert [curve.label for curve in plot.curves] == ["Untyped", "View"]
    # The untyped sum starts below the view, which has to be set up, and ends far above it.
    untyped, view = (curve.seconds for curve in plot.curves)
    assert untyped[-1] > 3 * view[-1]
    assert crossing(*plot.curves) in range(1, 17)
