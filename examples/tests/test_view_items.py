"""Claims of the page on ``mv[i]`` and ``mv[i, j]``."""

import re

import numpy
import pytest

from sphinx_cython.core.annotation import load_annotation, normalise
from sphinx_cython.core.translate import translate

PAGE = "guide/view-items.md"
KEY = "indexing/view_items"
ONE, TWO = "cdef double x = a[i]", "cdef double x = a[i, j]"


def address(excerpt):
    ((opening, expression, closing),) = excerpt.essential
    assert (opening.text, closing.text) == ("(*", ")")
    return expression.text


@pytest.mark.claim(PAGE, "no call into Python is left on the normal path")
@pytest.mark.parametrize("function", ["strided", "contiguous", "no_wraparound", "unsigned_index"])
def test_a_checked_access_calls_only_on_failure(c_of, function):
    excerpt = c_of(KEY, function, ONE)
    assert excerpt.calls == ()
    assert excerpt.failure_calls == ("__Pyx_RaiseBufferIndexError",)


@pytest.mark.claim(PAGE, "the address of the first element, plus each index times its stride")
def test_a_strided_access_is_base_plus_index_times_stride(c_of):
    text = address(c_of(KEY, "no_checks", ONE))
    expected = "((double *) ( /* dim=0 */ (__pyx_v_a.data + INDEX * __pyx_v_a.strides[0]) ))"
    assert re.sub(r"\b__pyx_t_\d+", "INDEX", text) == expected


@pytest.mark.claim(PAGE, "The stride is no longer multiplied")
def test_a_contiguous_access_has_no_stride(c_of):
    text = address(c_of(KEY, "no_checks_contiguous", ONE))
    assert "strides" not in text
    assert "*" not in text.replace("double *)", "").replace("char *)", "").replace(
        "/* dim=0 */", ""
    )
    assert "((double *) __pyx_v_a.data) +" in text


@pytest.mark.claim(PAGE, "A view declared ::1 refuses memory that is not contiguous")
def test_a_contiguous_view_refuses_a_stride(load):
    with pytest.raises(ValueError, match="ndarray is not C-contiguous"):
        load("view_items").contiguous(numpy.arange(10.0)[::2], 0)


@pytest.mark.claim(
    PAGE, "With wraparound off, if (i < 0) stays, but leads to the error instead of to a correction"
)
def test_wraparound_is_the_correction(c_of):
    with_it = c_of(KEY, "strided", ONE).text
    without = c_of(KEY, "no_wraparound", ONE).text
    assert re.search(r"if \(\w+ < 0\) \{\s*\w+ \+= __pyx_v_a.shape\[0\];", with_it)
    assert re.search(r"if \(\w+ < 0\) \{\s*\w+ = 0;\s*\}", without)
    assert "+=" not in without


@pytest.mark.claim(
    PAGE,
    "With boundscheck off, a negative index is still corrected. An index that is too large is not",
)
def test_boundscheck_is_the_comparison(c_of):
    text = c_of(KEY, "no_boundscheck", ONE).text
    assert "+= __pyx_v_a.shape[0]" in text
    assert ">=" not in text
    assert "__Pyx_RaiseBufferIndexError" not in text


@pytest.mark.claim(PAGE, "With both off, the address is all there is")
def test_without_checks_only_the_access_is_left(c_of):
    excerpt = c_of(KEY, "no_checks", ONE)
    assert "if" not in excerpt.text
    assert "shape" not in excerpt.text
    assert excerpt.calls == excerpt.failure_calls == ()


@pytest.mark.claim(PAGE, "An unsigned index cannot be negative, so that branch disappears")
def test_an_unsigned_index_has_no_negative_branch(c_of):
    text = c_of(KEY, "unsigned_index", ONE).text
    assert "< 0" not in text
    assert ">= (size_t)__pyx_v_a.shape[0]" in text


@pytest.mark.claim(PAGE, "boundscheck compares the result with the length and raises IndexError")
def test_what_indices_do_at_run_time(load):
    items = load("view_items")
    a = numpy.array([10.0, 20.0, 30.0])
    assert items.strided(a, -1) == items.no_boundscheck(a, -1) == 30.0
    for function, index in [
        (items.strided, 3),
        (items.strided, -4),
        (items.no_wraparound, -1),
        (items.unsigned_index, 3),
    ]:
        with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
            function(a, index)


@pytest.mark.claim(PAGE, "the undecorated function has the same C as the decorated one")
def test_directives_for_the_file_do_what_decorators_do(c_of):
    decorated = c_of(KEY, "no_checks", ONE).text
    undecorated = c_of(f"{KEY}@unchecked", "strided", ONE).text
    assert normalise(decorated) == normalise(undecorated)
    assert normalise(decorated) != normalise(c_of(KEY, "strided", ONE).text)


@pytest.mark.claim(
    PAGE,
    "Only the dimension marked ::1 loses its multiplication: the last one in C order, the first "
    "one in Fortran order",
)
def test_two_dimensions(c_of):
    multiplied = {
        function: re.findall(r"\* __pyx_v_a\.strides\[(\d)\]", address(c_of(KEY, function, TWO)))
        for function in ("no_checks_2d", "no_checks_c_order", "no_checks_f_order")
    }
    assert multiplied == {
        "no_checks_2d": ["0", "1"],
        "no_checks_c_order": ["0"],
        "no_checks_f_order": ["1"],
    }


@pytest.mark.claim(PAGE, "With the checks on, each index gets its own")
def test_each_index_is_checked(c_of):
    text = c_of(KEY, "strided_2d", TWO).text
    assert ">= __pyx_v_a.shape[0]" in text
    assert ">= __pyx_v_a.shape[1]" in text


def test_two_dimensions_read_what_numpy_reads(load):
    items = load("view_items")
    a = numpy.arange(12.0).reshape(3, 4)
    for i, j in numpy.ndindex(a.shape):
        assert items.strided_2d(a, i, j) == items.no_checks_2d(a, i, j) == a[i, j]
        assert items.no_checks_c_order(a, i, j) == a[i, j]
        assert items.no_checks_f_order(numpy.asfortranarray(a), i, j) == a[i, j]
        assert items.strided_2d(a.T, j, i) == a[i, j]
    with pytest.raises(IndexError, match=r"\(axis 1\)"):
        items.strided_2d(a, 0, 4)


@pytest.mark.claim(PAGE, "is the same address on the left of an assignment")
def test_a_store_is_an_assignment_to_the_address(c_of, load):
    text = c_of(KEY, "store", "a[i] = value").text
    assert re.search(r"\*\(\(double \*\) .*__pyx_v_a\.strides\[0\].* = __pyx_v_value;", text)
    a = numpy.zeros(3)
    load("view_items").store(a, 2, 7.0)
    assert a.tolist() == [0.0, 0.0, 7.0]


def test_body_lines_are_the_same_with_shared_and_with_own_utility_code(builder, outcomes, tmp_path):
    """The default profile takes utility code from a shared module; its body lines do not differ."""
    from sphinx_cython.core.artefact import Variant
    from sphinx_cython.core.config import Profile

    for example in builder.examples:
        if example.refused:
            continue
        folder = tmp_path / example.module
        folder.mkdir()
        translate(Variant(example, Profile("own")), example.root, folder)
        own = load_annotation(folder / f"{example.module}.html", example)
        shared = load_annotation(outcomes[example.name].html_file, example)
        bodies = {
            number
            for function in example.functions.values()
            for number in range(function.header + 1, function.last + 1)
        }
        for line in sorted(bodies):
            assert normalise(own[line - 1].c) == normalise(shared[line - 1].c), (example.name, line)
