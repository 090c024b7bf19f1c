"""Claims of the page with the strides explorer. Its arithmetic is tested with the built site."""

import re
import struct

import numpy
import pytest
from numpy.lib.stride_tricks import as_strided

PAGE = "guide/explorer.md"
KEY = "layouts/addresses"


@pytest.fixture
def addresses(load):
    return load("addresses")


@pytest.fixture
def taken(load):
    return load("declarations").taken


@pytest.fixture
def b():
    return numpy.arange(12.0)


def lengths(addresses, b, start, stop, step):
    """Length and first byte of a slice, by NumPy and by compiled code."""
    address, length, _ = addresses.part_1d(b, start, stop, step)
    byte = address - b.__array_interface__["data"][0]
    return len(b[start:stop:step]), length, byte


@pytest.mark.claim(PAGE, "The one at offset + i * strides[0] + j * strides[1]")
@pytest.mark.claim(PAGE, "The cast to double * comes last, so all arithmetic is in bytes")
def test_the_sum_is_in_the_c(c_of):
    text = c_of(KEY, "item_2d", "cdef double x = a[i, j]").text
    text = re.sub(r"__pyx_v_|/\*.*?\*/|\s", "", text)
    (cast,) = re.findall(r"\*\(\(double\*\)\(+a\.data\+(\S+?)\*a\.strides\[0\]\)\)\+", text)
    assert cast.startswith("__pyx_t_")
    assert text.count("double*") == 1
    assert "shape" not in text


@pytest.mark.claim(
    PAGE, "the star with char ** fetches a pointer from the table, and suboffsets[0] is"
)
def test_the_pointer_is_fetched(c_of, addresses, b):
    text = c_of(KEY, "item_indirect", "cdef double x = a[i, j]").text
    assert re.search(r"\(\*\(\(char \*\*\) \(\S+ \+ \S+ \* \S+\)\) \+ \S+suboffsets\[0\]\)", text)
    table = addresses.RowTable(b.reshape(3, 4), [2, 0, 1])
    assert [addresses.item_indirect(table, i, 0) for i in range(3)] == [8.0, 0.0, 4.0]


def test_reading_functions(addresses, b):
    assert addresses.item_1d(b[::-1], 1) == 10.0
    assert addresses.item_2d(b.reshape(3, 4), 1, 2) == 6.0
    assert addresses.item_3d(b.reshape(2, 2, 3), 1, 0, 2) == 8.0


@pytest.mark.claim(PAGE, "no code compares its shape with its buffer, so double[:, ::1] takes it")
def test_a_row_too_many_is_taken(addresses, b, taken):
    array = as_strided(b, (4, 4), (32, 8))
    assert "double[:, ::1]" in taken(array)[0]
    assert max(addresses.addresses(array)) >= b.__array_interface__["data"][0] + b.nbytes


@pytest.mark.claim(PAGE, "where a is read-only, as a broadcast array is, they need a const")
def test_a_broadcast_array_is_read_only(addresses, b, taken):
    repeated = numpy.broadcast_to(b[:4], (3, 4))
    assert "double[:, :]" in taken(repeated)[0]
    with pytest.raises(ValueError, match="read-only"):
        addresses.item_2d(repeated, 0, 0)


@pytest.mark.claim(
    PAGE, "A slice that should be empty has one element if the step is longer than one"
)
@pytest.mark.claim(PAGE, "In the second the element is behind the end of the buffer")
@pytest.mark.claim(PAGE, "Where it has elements, and start and stop lie within the array, it is")
def test_which_slices_differ_from_numpy(addresses, b):
    """All slices with start and stop within the array: they differ there and nowhere else."""
    assert lengths(addresses, b, 8, 2, 3) == (0, 0, 64)
    assert lengths(addresses, b, 12, 11, 2) == (0, 1, b.nbytes)
    differing = 0
    for step in (-4, -3, -2, -1, 1, 2, 3, 4):
        low, high = (-1, 11) if step < 0 else (0, 12)
        for start in range(-12, 13):
            for stop in range(-12, 13):
                expected, length, byte = lengths(addresses, b, start, stop, step)
                first, end = (max(low, min(high, n + 12 if n < 0 else n)) for n in (start, stop))
                # With a negative step Python clips such a stop to the last element.
                end = 12 if stop == 12 else end
                back = (end - first) * (1 if step < 0 else -1)
                about = (start, stop, step)
                if expected:
                    assert (length, byte) == (expected, first * 8), about
                elif 0 < back < abs(step):
                    assert length == 1, about
                    differing += 1
                else:
                    assert length == 0, about
    assert differing > 100


@pytest.mark.claim(
    PAGE, "With a negative step, a stop before the first element leaves that element out"
)
@pytest.mark.claim(PAGE, "b[11::-1] is right")
def test_a_stop_before_the_first_element(addresses, b):
    assert lengths(addresses, b, 11, -20, -1)[:2] == (12, 11)
    x = b.reshape(3, 4)
    assert addresses.part_from(x, 2, -1)[1] == x[2::-1, 2::-1].shape == (3, 3)


@pytest.mark.claim("guide/indirect.md", "A negative suboffset means “no pointer”.")
@pytest.mark.claim("guide/indirect.md", "Handed to Python, that slice looks like an ordinary")
@pytest.mark.claim("guide/indirect.md", "A function that takes double[:, :] reads the pointers as")
def test_a_negative_suboffset_makes_a_slice_look_direct(addresses, b, taken):
    """What the explorer says of it: pointers are taken for numbers."""
    x = b.reshape(3, 4)[:, ::-1]
    table = addresses.RowTable(x, [0, 1, 2])
    found, part = addresses.indirect_reversed(table)
    assert found[0] == x[2:, 3:].__array_interface__["data"][0]
    assert part.suboffsets == (-1, -1)
    assert "double[:, :]" in taken(part)[0]
    pointer = struct.unpack("d", struct.pack("N", table.addresses()[1][2]))[0]
    assert addresses.item_2d(part, 0, 0) == pointer
