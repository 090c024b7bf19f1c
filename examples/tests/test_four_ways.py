"""Claims of the home page."""

import re
import timeit

import numpy
import pytest

KEY = "indexing/four_ways"
LINE = "return a[i]"


def essential(excerpt):
    return ["".join(bit.text for bit in expression) for expression in excerpt.essential]


@pytest.mark.claim(
    "index.md",
    "an-untyped-access-makes-two-calls",
)
def test_an_untyped_access_makes_two_calls(c_of):
    excerpt = c_of(KEY, "from_object", LINE)
    assert excerpt.calls == ("__Pyx_GetItemInt", "__Pyx_PyFloat_AsDouble")


@pytest.mark.claim(
    "index.md",
    "buffer-and-view-are-arithmetic-with-a-stride",
)
@pytest.mark.parametrize(
    ("function", "base"), [("from_buffer", "pybuffer.buf"), ("from_view", "__pyx_v_a.data")]
)
def test_buffer_and_view_are_arithmetic_with_a_stride(c_of, c_file, function, base):
    excerpt = c_of(KEY, function, LINE)
    (expression,) = essential(excerpt)
    assert base in expression
    assert "strides" in expression
    assert "double *" in expression
    assert excerpt.calls == ()
    assert excerpt.failure_calls == ("__Pyx_RaiseBufferIndexError",)


def test_the_buffer_macro_is_the_same_arithmetic(c_file):
    define = next(
        line
        for line in c_file(KEY).splitlines()
        if line.startswith("#define __Pyx_BufPtrStrided1d(")
    )
    assert define.endswith("(type)((char*)buf + i0 * s0)")


@pytest.mark.claim(
    "index.md",
    "what-the-type-of-the-index-gains",
)
def test_what_the_type_of_the_index_gains(load):
    indices, a = load("untyped_indices"), numpy.arange(1000.0)

    def gain(values):
        objects, integers = (
            min(timeit.repeat(lambda f=function: f(values), number=20, repeat=7))
            for function in (indices.sum_object_index, indices.sum_c_index)
        )
        return objects / integers

    assert gain(a) < 2
    assert gain(a.tolist()) > 3


@pytest.mark.claim(
    "index.md",
    "the-check-of-a-view-can-be-switched-off",
)
def test_the_check_of_a_view_can_be_switched_off(c_of):
    checked = c_of("indexing/view_items", "strided", "cdef double x = a[i]")
    unchecked = c_of("indexing/view_items", "no_checks", "cdef double x = a[i]")
    for excerpt in (checked, unchecked):
        assert excerpt.calls == ()
        (address,) = essential(excerpt)
        assert re.search(r"\.data \+ \w+ \* __pyx_v_a\.strides\[0\]", address)
    assert checked.failure_calls == ("__Pyx_RaiseBufferIndexError",)
    assert unchecked.failure_calls == ()


@pytest.mark.claim("index.md", "a-pointer-is-a-subscript-and-no-check")
def test_a_pointer_is_a_subscript_and_no_check(c_of):
    excerpt = c_of(KEY, "from_pointer", LINE)
    assert essential(excerpt) == ["(__pyx_v_a[__pyx_v_i])"]
    assert excerpt.calls == excerpt.failure_calls == ()
    assert "if" not in excerpt.text


@pytest.mark.claim("index.md", "all-four-ways-agree")
def test_all_four_ways_agree(load):
    four_ways = load("four_ways")
    a = numpy.array([10.0, 20.0, 30.0])
    assert four_ways.item(a, 1) == (20.0,) * 4
    sums = [
        four_ways.sum_object(a),
        four_ways.sum_buffer(a),
        four_ways.sum_view(a),
        four_ways.sum_pointer(a),
    ]
    assert sums == [60.0] * 4


@pytest.mark.claim("index.md", "an-untyped-loop-is-at-least-ten-times-slower")
def test_an_untyped_loop_is_at_least_ten_times_slower(load):
    four_ways = load("four_ways")
    a = numpy.arange(1000.0)

    def best(function):
        return min(timeit.repeat(lambda: function(a), number=20, repeat=7))

    assert best(four_ways.sum_object) > 10 * best(four_ways.sum_view)
