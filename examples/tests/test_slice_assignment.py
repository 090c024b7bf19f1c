"""Claims of the page on assigning to slices of views."""

import numpy
import pytest

from sphinx_cython.core.csource import read_definitions

PAGE = "guide/assigning.md"
KEY = "indexing/slice_assignment"
COPY = "__pyx_memoryview_copy_contents"


@pytest.fixture
def assignment(load):
    return load("slice_assignment")


@pytest.mark.claim(PAGE, "The elements, if b is a view: from one memory to the other, whatever")
def test_a_view_is_copied(assignment, c_of):
    assert COPY in c_of(KEY, "from_view", "a[:] = b").text
    for source in (numpy.arange(3.0), numpy.arange(6.0)[::-2]):
        a = numpy.zeros(3)
        assignment.from_view(a, source)
        assert a.tolist() == source.tolist()


@pytest.mark.claim(PAGE, "A number is written to every element.")
def test_a_number_fills(assignment):
    a = numpy.zeros(3)
    assignment.from_value(a, 7.0)
    assert a.tolist() == [7, 7, 7]


@pytest.mark.claim(PAGE, "An object without a type is taken for a number, even if it is an array")
def test_an_object_is_taken_for_a_number(assignment, c_of):
    excerpt = c_of(KEY, "from_object", "a[:] = b")
    assert "__Pyx_PyFloat_AsDouble" in excerpt.text
    assert COPY not in excerpt.text
    for array in (numpy.arange(3.0), [1.0, 2.0, 3.0]):
        with pytest.raises(TypeError):
            assignment.from_object(numpy.zeros(3), array)


@pytest.mark.claim(PAGE, "A dimension of length one is repeated, and missing dimensions in front")
def test_broadcasting(assignment):
    a, table = numpy.zeros(3), numpy.zeros((2, 3))
    assignment.from_view(a, numpy.ones(1))
    assert a.tolist() == [1, 1, 1]
    assignment.rows_from_view(table, numpy.arange(3.0))
    assert table.tolist() == [[0, 1, 2], [0, 1, 2]]
    with pytest.raises(ValueError, match="got differing extents in dimension 0"):
        assignment.from_view(a, numpy.zeros(4))


@pytest.mark.claim(PAGE, "which copies contiguous memory as a whole.")
def test_contiguous_memory_is_copied_as_a_whole(built, c_file):
    plain = "acquiring/acquire@plain"
    (copy,) = read_definitions(c_file(plain), COPY, built(plain).compiled_lines)
    assert "memcpy(" in copy.text
    assert "__pyx_slices_overlap(" in copy.text


@pytest.mark.claim(PAGE, "Cython copies to a temporary place first")
def test_overlap(assignment):
    a = numpy.arange(5.0)
    assignment.shifted(a)
    assert a.tolist() == [0, 0, 1, 2, 3]


@pytest.mark.claim(
    PAGE, "so the second one reads what the first one has written, as it does in NumPy"
)
def test_swapped_rows(assignment):
    table, other = numpy.array([[1.0, 2.0], [3.0, 4.0]]), numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assignment.swapped(table)
    other[0], other[1] = other[1], other[0]
    assert table.tolist() == other.tolist() == [[3, 4], [3, 4]]


@pytest.mark.claim(PAGE, "One row has to be copied")
def test_swapped_by_copy(assignment):
    table = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assignment.swapped_by_copy(table)
    assert table.tolist() == [[3, 4], [1, 2]]


@pytest.mark.claim(PAGE, "Without [:] the name a becomes another view of the memory of b.")
def test_assigning_to_the_name(assignment):
    x, y = numpy.zeros(3), numpy.zeros(3)
    assignment.renamed(x, y)
    assert x.tolist() == [0, 0, 0]
    assert y.tolist() == [-1, 0, 0]
