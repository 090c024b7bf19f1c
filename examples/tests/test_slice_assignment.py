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


@pytest.mark.claim(PAGE, "a-view-is-copied")
def test_a_view_is_copied(assignment, c_of):
    assert COPY in c_of(KEY, "from_view", "a[:] = b").text
    for source in (numpy.arange(3.0), numpy.arange(6.0)[::-2]):
        a = numpy.zeros(3)
        assignment.from_view(a, source)
        assert a.tolist() == source.tolist()


@pytest.mark.claim(PAGE, "a-number-fills")
def test_a_number_fills(assignment):
    a = numpy.zeros(3)
    assignment.from_value(a, 7.0)
    assert a.tolist() == [7, 7, 7]


@pytest.mark.claim(PAGE, "an-object-is-taken-for-a-number")
def test_an_object_is_taken_for_a_number(assignment, c_of):
    excerpt = c_of(KEY, "from_object", "a[:] = b")
    assert "__Pyx_PyFloat_AsDouble" in excerpt.text
    assert COPY not in excerpt.text
    for array in (numpy.arange(3.0), [1.0, 2.0, 3.0]):
        with pytest.raises(TypeError):
            assignment.from_object(numpy.zeros(3), array)


@pytest.mark.claim(PAGE, "broadcasting")
def test_broadcasting(assignment):
    a, table = numpy.zeros(3), numpy.zeros((2, 3))
    assignment.from_view(a, numpy.ones(1))
    assert a.tolist() == [1, 1, 1]
    assignment.rows_from_view(table, numpy.arange(3.0))
    assert table.tolist() == [[0, 1, 2], [0, 1, 2]]
    with pytest.raises(ValueError, match="got differing extents in dimension 0"):
        assignment.from_view(a, numpy.zeros(4))


@pytest.mark.claim(
    PAGE,
    "contiguous-memory-is-copied-as-a-whole",
)
def test_contiguous_memory_is_copied_as_a_whole(built, c_file):
    plain = "acquiring/acquire@plain"
    (copy,) = read_definitions(c_file(plain), COPY, built(plain).compiled_lines)
    assert "memcpy(" in copy.text
    assert "__pyx_slices_overlap(" in copy.text


def copied_in_order(target, source, order):
    """What would be left if the elements were copied one by one, without a temporary copy."""
    for i in order:
        target[i] = source[i]


@pytest.mark.claim(
    PAGE,
    "overlap",
)
def test_overlap(assignment, built, c_file):
    """No copy without a temporary one gives these results, in whatever order it writes."""
    cases = {
        "shifted": ([0, 0, 1, 2, 3], lambda a: (a[1:], a[:-1])),
        "shifted_back": ([1, 2, 3, 4, 4], lambda a: (a[:-1], a[1:])),
        "reversed_in_place": ([4, 3, 2, 1, 0], lambda a: (a, a[::-1])),
    }
    right = {"forward": set(), "backward": set()}
    for name, (expected, sides) in cases.items():
        a = numpy.arange(5.0)
        getattr(assignment, name)(a)
        assert a.tolist() == expected, name
        for direction, seen in right.items():
            b = numpy.arange(5.0)
            target, source = sides(b)
            order = range(len(target))
            copied_in_order(target, source, order if direction == "forward" else order[::-1])
            if b.tolist() == expected:
                seen.add(name)
    assert right == {"forward": {"shifted_back"}, "backward": {"shifted"}}
    table = numpy.arange(9.0).reshape(3, 3)
    transposed = table.T.copy()
    assignment.transposed_in_place(table)
    assert numpy.array_equal(table, transposed)
    a = numpy.arange(4.0)
    assignment.repeated_element(a)
    assert a.tolist() == [1, 1, 1, 1]
    plain = "acquiring/acquire@plain"
    (copy,) = read_definitions(c_file(plain), COPY, built(plain).compiled_lines)
    _, _, after = copy.text.partition("__pyx_slices_overlap(")
    assert 0 < after.index("__pyx_memoryview_copy_data_to_temp(") < after.index("memcpy(")


@pytest.mark.claim(PAGE, "single-elements-are-swapped")
def test_single_elements_are_swapped(assignment):
    a = numpy.array([1.0, 2.0, 3.0])
    assignment.elements_swapped(a)
    assert a.tolist() == [2, 1, 3]


@pytest.mark.claim(PAGE, "leading-dimensions-of-the-right-side")
def test_leading_dimensions_of_the_right_side(assignment):
    a = numpy.zeros(3)
    assignment.from_table(a, numpy.ones((1, 3)))
    assert a.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"dimension 0 \(got 1 and 2\)"):
        assignment.from_table(a, numpy.ones((2, 3)))


@pytest.mark.claim(PAGE, "none-on-the-right")
def test_none_on_the_right(assignment):
    with pytest.raises(ValueError, match=r"dimension 0 \(got 3 and 0\)"):
        assignment.from_view(numpy.zeros(3), None)


@pytest.mark.claim(PAGE, "a-view-of-objects-is-filled-with-the-object")
def test_a_view_of_objects_is_filled_with_the_object(assignment):
    objects, array = numpy.array([1, 2, 3], dtype=object), numpy.arange(2.0)
    assignment.objects_from_object(objects, array)
    assert all(element is array for element in objects)


@pytest.mark.claim(PAGE, "a-view-object-takes-an-array-of-another-type")
@pytest.mark.claim(
    PAGE,
    "a-view-object-takes-an-array-of-another-type-2",
)
def test_a_view_object_takes_an_array_of_another_type(assignment):
    for other in (numpy.array([1, 2, 3]), numpy.array([1, 2, 3], dtype="float32")):
        memory = numpy.zeros(6)  # what lies behind the view is ours, too
        assignment.into_object(assignment.as_object(memory[:3]), other)
        assert memory.tobytes() == other.tobytes().ljust(memory.nbytes, b"\0")
        assert memory[:3].tolist() != [1, 2, 3]
    memory = numpy.zeros(6)
    assignment.into_object(assignment.as_object(memory[:3]), numpy.ones(3) + 2j)
    assert memory.tolist() == [1, 2, 1, 2, 1, 2]
    memory = numpy.zeros(3)
    numpy.asarray(assignment.as_object(memory))[:] = numpy.array([1, 2, 3])
    assert memory.tolist() == [1, 2, 3]


@pytest.mark.claim(
    PAGE,
    "swapped-rows",
)
def test_swapped_rows(assignment):
    table, other = numpy.array([[1.0, 2.0], [3.0, 4.0]]), numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assignment.swapped(table)
    other[0], other[1] = other[1], other[0]
    assert table.tolist() == other.tolist() == [[3, 4], [3, 4]]


@pytest.mark.claim(PAGE, "swapped-by-copy")
def test_swapped_by_copy(assignment):
    table = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assignment.swapped_by_copy(table)
    assert table.tolist() == [[3, 4], [1, 2]]


@pytest.mark.claim(PAGE, "assigning-to-the-name")
def test_assigning_to_the_name(assignment):
    x, y = numpy.zeros(3), numpy.zeros(3)
    assignment.renamed(x, y)
    assert x.tolist() == [0, 0, 0]
    assert y.tolist() == [-1, 0, 0]
