"""Claims of the page on layouts."""

import ctypes
import re

import numpy
import pytest
from memory_strip import Strips, Table, strip

from sphinx_cython.core.artefact import Failure

PAGE = "guide/layouts.md"
KEY = "layouts/layouts"
LINE = "cdef double x = a[i, j]"


@pytest.fixture
def layouts(load):
    return load("layouts")


@pytest.fixture
def x():
    return numpy.arange(12.0).reshape(3, 4)


def all_arrays(x, layouts):
    f = numpy.asfortranarray(x)
    return {
        "x": x,
        "f": f,
        "x.T": x.T,
        "x[:, ::2]": x[:, ::2],
        "x[::-1]": x[::-1],
        "x[1:, 1:3]": x[1:, 1:3],
        "x[:1]": x[:1],
        "repeated": numpy.broadcast_to(x[0], (3, 4)),
        "memoryview(f)": memoryview(f),
        "view": layouts.as_object(f),
    }


def ask_for(exporter):
    """Request C-contiguous memory as a C extension does, without Cython."""
    buffer = (ctypes.c_char * 256)()
    address = ctypes.byref(buffer)
    request = ctypes.pythonapi.PyObject_GetBuffer
    request(ctypes.py_object(exporter), address, 0x38)  # PyBUF_C_CONTIGUOUS
    ctypes.pythonapi.PyBuffer_Release(address)


def answer(function, array):
    try:
        function(array, 0, 0)
    except (ValueError, BufferError) as error:
        return str(error)
    return "taken"


@pytest.mark.claim(PAGE, "takes every two-dimensional layout that a shape and strides can describe")
def test_any_layout_is_read_as_numpy_reads_it(layouts, x):
    for name, array in all_arrays(x, layouts).items():
        expected = numpy.asarray(array)
        read = layouts.read_only if name == "repeated" else layouts.any_layout
        for i, j in numpy.ndindex(expected.shape):
            assert read(array, i, j) == expected[i, j], name


@pytest.mark.claim(
    PAGE,
    "An array has to be in C order for double[:, ::1] and in Fortran order for "
    "double[::1, :], or it "
    "is refused when it is acquired.",
)
def test_what_is_taken_by_order(layouts, x):
    takes = {
        name: (answer(layouts.c_order, a) == "taken", answer(layouts.fortran_order, a) == "taken")
        for name, a in all_arrays(x, layouts).items()
    }
    for name, a in all_arrays(x, layouts).items():
        if name != "repeated":  # it is refused for being read-only as well
            flags = numpy.asarray(a).flags
            assert takes[name] == (flags.c_contiguous, flags.f_contiguous), name
    assert set(takes.values()) == {(True, False), (False, True), (False, False), (True, True)}


@pytest.mark.claim(PAGE, "A dimension declared ::1 is not multiplied by its stride, and its stride")
@pytest.mark.claim(PAGE, "Each ::1 saves one multiplication.")
def test_the_declaration_changes_the_arithmetic(c_of):
    functions = ("any_layout", "c_order", "fortran_order")
    read = {name: re.findall(r"strides\[(\d)\]", c_of(KEY, name, LINE).text) for name in functions}
    assert read == {"any_layout": ["0", "1"], "c_order": ["0"], "fortran_order": ["1"]}


@pytest.mark.claim(PAGE, "it is numbers in the struct, and none of these layouts adds a branch")
def test_the_access_has_no_branch(c_of):
    text = c_of(KEY, "any_layout", LINE).text
    assert not re.search(r"\bif\b|\?|\bfor\b", text)


@pytest.mark.claim(PAGE, "In C order the last index steps to the next element in memory")
@pytest.mark.claim(
    PAGE, "x.T is not a copy: it uses the buffer of x with shape and strides swapped"
)
def test_orders(layouts, x):
    f = numpy.asfortranarray(x)
    address, shape, strides = layouts.where(x)
    assert strides[1] == x.itemsize
    assert layouts.where(f)[2][0] == x.itemsize
    assert layouts.where(f)[0] != address
    assert layouts.where(x.T) == (address, shape[::-1], strides[::-1])


@pytest.mark.claim(PAGE, "A reversed array begins at its last element and has negative strides")
@pytest.mark.claim(PAGE, "With a stride of zero, each step stays at the same element")
@pytest.mark.claim(PAGE, "The result of numpy.broadcast_to is read-only.")
def test_reversed_and_broadcast(layouts, x):
    address, shape, strides = layouts.where(x)
    last = address + x.nbytes - x.itemsize
    assert layouts.where(x[::-1, ::-1]) == (last, shape, (-strides[0], -strides[1]))
    repeated = numpy.broadcast_to(x[0], (3, 4))
    assert layouts.where(repeated)[2] == (0, 8)
    assert not repeated.flags.writeable


@pytest.mark.claim(
    PAGE, "const double[:, :] takes every array of the table, the read-only one included"
)
def test_refusals(layouts, x):
    arrays = all_arrays(x, layouts)
    assert {answer(layouts.read_only, array) for array in arrays.values()} == {"taken"}
    refused = {name: answer(layouts.any_layout, array) for name, array in arrays.items()}
    assert refused.pop("repeated") == "buffer source array is read-only"
    assert set(refused.values()) == {"taken"}


@pytest.mark.claim(
    PAGE,
    "For a view that became a Python object (the last row) the message is Cython's "
    "own: it uses that "
    "view as it is and compares the strides itself.",
)
@pytest.mark.claim(
    PAGE, "The exporter writes the message where it cannot give the requested layout"
)
def test_messages(layouts, x, c_file):
    texts = c_file("acquiring/acquire@plain")
    assert '"Buffer and memoryview are not contiguous "' in texts
    assert "ndarray is not C-contiguous" not in texts
    assert "underlying buffer is not C-contiguous" not in texts
    with pytest.raises(ValueError, match="ndarray is not C-contiguous"):
        ask_for(numpy.asfortranarray(x))
    arrays = all_arrays(x, layouts)
    assert answer(layouts.c_order, arrays["f"]) == "ndarray is not C-contiguous"
    assert answer(layouts.fortran_order, x) == "ndarray is not Fortran contiguous"
    other = answer(layouts.c_order, arrays["memoryview(f)"])
    assert other == "memoryview: underlying buffer is not C-contiguous"
    view = answer(layouts.c_order, arrays["view"])
    assert view == "Buffer and memoryview are not contiguous in the same dimension."


@pytest.mark.claim(PAGE, "give an array whose layout fits; they copy only if they must")
def test_conversion_copies_only_if_it_must(layouts, x):
    assert numpy.ascontiguousarray(x) is x
    assert numpy.asfortranarray(x.T).base is x.T.base
    assert layouts.c_order(numpy.ascontiguousarray(x.T), 1, 2) == x.T[1, 2]
    assert layouts.fortran_order(numpy.asfortranarray(x), 1, 2) == x[1, 2]


@pytest.mark.claim(PAGE, "so a single row is in both orders")
def test_a_single_row_is_in_both_orders(layouts, x):
    assert [f(x[:1], 0, 2) for f in (layouts.c_order, layouts.fortran_order)] == [2.0, 2.0]


def test_transposing_swaps_the_declared_order(layouts, x):
    assert numpy.array_equal(layouts.transposed(x), x.T)


@pytest.mark.claim(PAGE, "An array is checked when it is acquired, but a slice of a view is not")
@pytest.mark.claim(
    PAGE, "Code that counts elements from &block[0, 0] reads the wrong ones, without an error"
)
def test_a_block_is_taken_for_contiguous(layouts):
    y = numpy.arange(16.0).reshape(4, 4)
    first = 5  # y[1, 1]
    by_pointer = y.ravel()[first : first + 4].sum()
    assert by_pointer != y[1:3, 1:3].sum()
    assert layouts.sums_of_block(y) == (y[1:3, 1:3].sum(), by_pointer, False)


@pytest.mark.claim(PAGE, "Indexing is right all the same, since it reads the stride of the rows")
def test_a_block_is_indexed_by_the_stride_of_its_rows(c_of):
    (line,) = [c_of(KEY, "sum_by_index", "total += a[i, j]").text]
    assert "__pyx_v_a.strides[0]" in line


@pytest.mark.claim(PAGE, "a copy, which is always contiguous")
@pytest.mark.claim(PAGE, "A block that goes through a Python object is acquired again, and then it")
def test_a_block_can_be_copied_or_acquired_again(layouts):
    y = numpy.arange(16.0).reshape(4, 4)
    assert layouts.sums_of_copied_block(y) == (30.0, 30.0, True)
    with pytest.raises(ValueError, match=r"^Buffer not C contiguous\.$"):
        layouts.sums_of_checked_block(y)


@pytest.mark.claim(
    PAGE, "An array without elements is in both orders too, whatever its strides are."
)
def test_an_empty_array_is_in_both_orders(layouts, x, load):
    steps = layouts.as_object(x[:, ::2])
    taken = load("declarations").taken
    assert "double[:, ::1]" not in taken(steps)[0]
    empty = steps[:0]
    assert empty.strides == (32, 16)
    assert {"double[:, ::1]", "double[::1, :]"} <= set(taken(empty)[0])


@pytest.mark.claim(PAGE, "copy() of a view without elements raises ValueError.")
@pytest.mark.claim(
    PAGE,
    "is_c_contig() compares the stride of every dimension, even one of length one; so it can be "
    "False for a slice that has a single row.",
)
def test_limits_of_copy_and_is_c_contig(layouts, x):
    with pytest.raises(ValueError, match="Invalid shape in axis 0: 0"):
        layouts.as_object(numpy.zeros((0, 3))).copy()
    view = layouts.as_object(x)
    assert view[:1].is_c_contig()
    assert not view[::2][:1].is_c_contig()
    assert x[::2][:1].flags.c_contiguous


@pytest.mark.claim(
    PAGE,
    "A wrong element type, a wrong number of dimensions and swapped bytes (>f8) are "
    "refused by every "
    "declaration here",
)
def test_other_refusals(layouts, x):
    for array in (x.astype("float32"), x.ravel(), x.astype(">f8"), numpy.array(1.0)):
        for function in (layouts.any_layout, layouts.c_order, layouts.read_only):
            with pytest.raises(ValueError, match=r"^(Buffer|Big-endian|ndarray)"):
                function(array, 0, 0)


@pytest.mark.claim(PAGE, ".T swaps the dimensions of the array that was acquired.")
@pytest.mark.claim(
    PAGE, "A plane that goes through a Python object is acquired again, with two dimensions"
)
@pytest.mark.claim(PAGE, "With a new axis, there is no error and no transposing:")
@pytest.mark.claim(PAGE, "copies of planes in C order work:")
def test_transposing_a_view_of_other_dimensions(load):
    transposing = load("transposing")
    cube = numpy.arange(24.0).reshape(2, 3, 4)
    fortran = numpy.asfortranarray(cube)
    message = "Cannot transpose memoryview with indirect dimensions"
    assert numpy.array_equal(transposing.whole(cube[0]), cube[0].T)
    with pytest.raises(ValueError, match=message):
        transposing.plane(cube)
    assert transposing.with_new_axis(numpy.arange(5.0)).shape == (1, 5)
    assert numpy.array_equal(transposing.plane_in_fortran_order(cube), cube[0])
    with pytest.raises(ValueError, match=message):
        transposing.plane_in_fortran_order(fortran)
    target = numpy.zeros_like(cube)
    transposing.copy_plane(target, cube)
    assert numpy.array_equal(target[0], cube[0])
    with pytest.raises(ValueError, match=message):
        transposing.copy_plane(numpy.zeros_like(fortran), fortran)
    assert numpy.array_equal(transposing.plane_as_object(cube), cube[0].T)
    target = numpy.zeros_like(fortran)
    transposing.copy_plane_as_object(target, fortran)
    assert numpy.array_equal(target[0], cube[0])
    assert not target[1].any()


@pytest.mark.claim(PAGE, "A slice with a step is refused by the compiler already")
def test_a_step_is_refused(outcomes):
    outcome = outcomes["refused/every_other_row"]
    assert isinstance(outcome, Failure)
    (problem,) = outcome.problems
    assert problem.line == 5
    assert problem.message == (
        "Memoryview 'double[:, ::contiguous]' not conformable to memoryview 'double[:, ::1]'."
    )


@pytest.mark.claim(PAGE, "In Fortran order each step of the inner loop is 16 000 bytes long")
def test_the_order_decides_on_the_step_of_the_inner_loop(c_of):
    f = numpy.asfortranarray(numpy.ones((2000, 2000)))
    assert f.strides == (8, 16000)
    text = c_of(KEY, "sum_by_rows", "for j in range(a.shape[1]):").text
    assert "__pyx_v_a.shape[1]" in text


def test_the_pictures_show_what_the_example_reads(layouts, x):
    f = numpy.asfortranarray(x)
    block = x[1:, 1:3]
    for title, array, exporter in [
        ("x", x, x),
        ("f", f, f),
        ("x.T", x.T, x),
        ("reversed", x[::-1, ::-1], x),
        ("steps", x[:, ::2], x),
        ("block", block, x),
    ]:
        drawn = strip(title, layouts.where(array), exporter)
        assert [drawn.values[place] for place in drawn.reached()] == array.ravel().tolist(), title
    drawn = strip("block", layouts.where(block), x)
    assert drawn.visits() == {5: [0], 6: [1], 9: [2], 10: [3]}
    picture = Strips(drawn)._repr_html_()
    for text in ("shape 2, 2 · strides 32, 8", ">i +32<", ">j +8<", ">block<"):
        assert picture.count(text) == 2, text
    assert picture.count('class="hit"') == 8
    repeated = strip("repeated", layouts.where(numpy.broadcast_to(x[0], (3, 4))), x)
    assert repeated.visits()[1] == [1, 5, 9]
    assert ">i 0<" in repeated._repr_html_()


def test_a_picture_of_something_else_is_refused(layouts, x):
    with pytest.raises(ValueError, match="leaves the exporter's buffer"):
        strip("y", layouts.where(x.copy()), x)


def test_the_table_shows_its_cells():
    table = Table(["", "`double[:]`"], [["`x[<1]`", "taken"]])
    assert repr(table) == " | `double[:]`\n`x[<1]` | taken"
    html = table._repr_html_()
    assert '<th scope="col"><code>double[:]</code></th>' in html
    assert '<th scope="row"><code>x[&lt;1]</code></th><td>taken</td>' in html
