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


@pytest.mark.claim(PAGE, "any-layout-is-read-as-numpy-reads-it")
def test_any_layout_is_read_as_numpy_reads_it(layouts, x):
    for name, array in all_arrays(x, layouts).items():
        expected = numpy.asarray(array)
        read = layouts.read_only if name == "repeated" else layouts.any_layout
        for i, j in numpy.ndindex(expected.shape):
            assert read(array, i, j) == expected[i, j], name


@pytest.mark.claim(
    PAGE,
    "what-is-taken-by-order",
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


@pytest.mark.claim(PAGE, "the-declaration-changes-the-arithmetic-2")
@pytest.mark.claim(PAGE, "the-declaration-changes-the-arithmetic")
def test_the_declaration_changes_the_arithmetic(c_of):
    functions = ("any_layout", "c_order", "fortran_order")
    read = {name: re.findall(r"strides\[(\d)\]", c_of(KEY, name, LINE).text) for name in functions}
    assert read == {"any_layout": ["0", "1"], "c_order": ["0"], "fortran_order": ["1"]}


@pytest.mark.claim(PAGE, "the-access-has-no-branch")
def test_the_access_has_no_branch(c_of):
    text = c_of(KEY, "any_layout", LINE).text
    assert not re.search(r"\bif\b|\?|\bfor\b", text)


@pytest.mark.claim(PAGE, "orders")
@pytest.mark.claim(PAGE, "orders-2")
def test_orders(layouts, x):
    f = numpy.asfortranarray(x)
    address, shape, strides = layouts.where(x)
    assert strides[1] == x.itemsize
    assert layouts.where(f)[2][0] == x.itemsize
    assert layouts.where(f)[0] != address
    assert layouts.where(x.T) == (address, shape[::-1], strides[::-1])


@pytest.mark.claim(PAGE, "reversed-and-broadcast")
@pytest.mark.claim(PAGE, "reversed-and-broadcast-2")
@pytest.mark.claim(PAGE, "reversed-and-broadcast-3")
def test_reversed_and_broadcast(layouts, x):
    address, shape, strides = layouts.where(x)
    last = address + x.nbytes - x.itemsize
    assert layouts.where(x[::-1, ::-1]) == (last, shape, (-strides[0], -strides[1]))
    repeated = numpy.broadcast_to(x[0], (3, 4))
    assert layouts.where(repeated)[2] == (0, 8)
    assert not repeated.flags.writeable


@pytest.mark.claim(PAGE, "refusals")
def test_refusals(layouts, x):
    arrays = all_arrays(x, layouts)
    assert {answer(layouts.read_only, array) for array in arrays.values()} == {"taken"}
    refused = {name: answer(layouts.any_layout, array) for name, array in arrays.items()}
    assert refused.pop("repeated") == "buffer source array is read-only"
    assert set(refused.values()) == {"taken"}


@pytest.mark.claim(
    PAGE,
    "messages-2",
)
@pytest.mark.claim(PAGE, "messages")
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


@pytest.mark.claim(PAGE, "conversion-copies-only-if-it-must")
def test_conversion_copies_only_if_it_must(layouts, x):
    assert numpy.ascontiguousarray(x) is x
    assert numpy.asfortranarray(x.T).base is x.T.base
    assert layouts.c_order(numpy.ascontiguousarray(x.T), 1, 2) == x.T[1, 2]
    assert layouts.fortran_order(numpy.asfortranarray(x), 1, 2) == x[1, 2]


@pytest.mark.claim(PAGE, "a-single-row-is-in-both-orders")
def test_a_single_row_is_in_both_orders(layouts, x):
    assert [f(x[:1], 0, 2) for f in (layouts.c_order, layouts.fortran_order)] == [2.0, 2.0]


def test_transposing_swaps_the_declared_order(layouts, x):
    assert numpy.array_equal(layouts.transposed(x), x.T)


@pytest.mark.claim(PAGE, "a-block-is-taken-for-contiguous")
@pytest.mark.claim(PAGE, "a-block-is-taken-for-contiguous-2")
def test_a_block_is_taken_for_contiguous(layouts):
    y = numpy.arange(16.0).reshape(4, 4)
    first = 5  # y[1, 1]
    by_pointer = y.ravel()[first : first + 4].sum()
    assert by_pointer != y[1:3, 1:3].sum()
    assert layouts.sums_of_block(y) == (y[1:3, 1:3].sum(), by_pointer, False)


@pytest.mark.claim(PAGE, "a-block-is-indexed-by-the-stride-of-its-rows")
def test_a_block_is_indexed_by_the_stride_of_its_rows(c_of):
    (line,) = [c_of(KEY, "sum_by_index", "total += a[i, j]").text]
    assert "__pyx_v_a.strides[0]" in line


@pytest.mark.claim(PAGE, "a-block-can-be-copied-or-acquired-again")
@pytest.mark.claim(PAGE, "a-block-can-be-copied-or-acquired-again-2")
def test_a_block_can_be_copied_or_acquired_again(layouts):
    y = numpy.arange(16.0).reshape(4, 4)
    assert layouts.sums_of_copied_block(y) == (30.0, 30.0, True)
    with pytest.raises(ValueError, match=r"^Buffer not C contiguous\.$"):
        layouts.sums_of_checked_block(y)


@pytest.mark.claim(PAGE, "an-empty-array-is-in-both-orders")
def test_an_empty_array_is_in_both_orders(layouts, x, load):
    steps = layouts.as_object(x[:, ::2])
    taken = load("declarations").taken
    assert "double[:, ::1]" not in taken(steps)[0]
    empty = steps[:0]
    assert empty.strides == (32, 16)
    assert {"double[:, ::1]", "double[::1, :]"} <= set(taken(empty)[0])


@pytest.mark.claim(PAGE, "limits-of-copy-and-is-c-contig")
@pytest.mark.claim(
    PAGE,
    "limits-of-copy-and-is-c-contig-2",
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
    "other-refusals",
)
def test_other_refusals(layouts, x):
    for array in (x.astype("float32"), x.ravel(), x.astype(">f8"), numpy.array(1.0)):
        for function in (layouts.any_layout, layouts.c_order, layouts.read_only):
            with pytest.raises(ValueError, match=r"^(Buffer|Big-endian|ndarray)"):
                function(array, 0, 0)


@pytest.mark.claim(PAGE, "transposing-a-view-of-other-dimensions")
@pytest.mark.claim(PAGE, "transposing-a-view-of-other-dimensions-4")
@pytest.mark.claim(PAGE, "transposing-a-view-of-other-dimensions-2")
@pytest.mark.claim(PAGE, "transposing-a-view-of-other-dimensions-3")
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


@pytest.mark.claim(PAGE, "a-step-is-refused")
def test_a_step_is_refused(outcomes):
    outcome = outcomes["refused/every_other_row"]
    assert isinstance(outcome, Failure)
    (problem,) = outcome.problems
    assert problem.line == 5
    assert problem.message == (
        "Memoryview 'double[:, ::contiguous]' not conformable to memoryview 'double[:, ::1]'."
    )


@pytest.mark.claim(PAGE, "the-order-decides-on-the-step-of-the-inner")
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
