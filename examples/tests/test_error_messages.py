"""Claims of the page on error messages. That each message is raised is checked on the page."""

import numpy
import pytest

PAGE = "guide/error-messages.md"


@pytest.fixture
def types(load):
    return load("element_types")


@pytest.mark.claim(PAGE, "A bool array is taken as uint8_t, and not as bint, which is a C int.")
def test_bool_arrays(types):
    flags = numpy.ones(3, bool)
    assert types.as_uint8_t(flags) == 3
    with pytest.raises(ValueError, match="expected 'bint' but got 'bool'"):
        types.as_bint(flags)
    assert types.as_bint(numpy.ones(3, "intc")) == 3


@pytest.mark.claim(PAGE, "Both names are C's: float is NumPy's float32, double is float64")
def test_names_of_types(types):
    assert types.as_float(numpy.zeros(3, "float32")) == 3
    assert types.as_double(numpy.zeros(3, "float64")) == 3


@pytest.mark.claim(PAGE, "Fields are compared by position and type, not by name.")
def test_names_of_fields_do_not_matter(types):
    renamed = numpy.dtype([("value", "i4"), ("key", "f8")])
    swapped = numpy.dtype([("value", "f8"), ("key", "i4")])
    assert types.as_pair(numpy.zeros(3, renamed)) == 3
    with pytest.raises(ValueError, match="mismatch"):
        types.as_pair(numpy.zeros(3, swapped))


@pytest.mark.claim(
    PAGE,
    "Declare a packed struct for NumPy's default, or make the array with "
    "numpy.dtype(…, align=True).",
)
def test_packed_and_aligned_records(types):
    fields = [("key", "i4"), ("value", "f8")]
    assert types.as_pair(numpy.zeros(3, numpy.dtype(fields))) == 3
    assert types.as_aligned_pair(numpy.zeros(3, numpy.dtype(fields, align=True))) == 3


@pytest.mark.claim(
    PAGE,
    "For a plain char[:] Cython makes an exception, and for const char[:] it does not.",
)
def test_characters(types):
    assert types.as_char(bytearray(b"bytes")) == 5
    assert types.as_const_unsigned_char(b"bytes") == 5
    for data in (b"bytes", bytearray(b"bytes")):
        with pytest.raises(ValueError, match="expected 'const char' but got 'unsigned char'"):
            types.as_const_char(data)


@pytest.mark.claim(PAGE, 'x.view("int64") is the same memory as integers, without a copy.')
def test_times(types):
    times = numpy.zeros(3, "datetime64[s]")
    assert numpy.shares_memory(times, times.view("int64"))
    assert types.as_int64_t(times.view("int64")) == 3
    for kind in ("datetime64[s]", "timedelta64[s]"):
        with pytest.raises(ValueError, match="cannot include dtype"):
            memoryview(numpy.zeros(3, kind))


@pytest.mark.claim(
    PAGE,
    "the first array decides for all arguments of the same fused type, and the second does not",
)
def test_one_fused_type_for_all_arguments(types):
    doubles, integers = numpy.zeros(3), numpy.zeros(3, "int32")
    assert types.as_two_numbers(doubles, doubles) == 3
    assert types.as_two_numbers(integers, integers) == 3
    with pytest.raises(ValueError, match="expected 'double' but got 'int'"):
        types.as_two_numbers(doubles, integers)
    with pytest.raises(ValueError, match="expected 'int32_t' but got 'double'"):
        types.as_two_numbers(integers, doubles)


@pytest.mark.claim(PAGE, "the address of the first element of an empty view, &mv[0], is an index")
def test_address_in_an_empty_view(types):
    with pytest.raises(IndexError):
        types.address_of_first(numpy.zeros(0))
    assert types.address_or_null(numpy.zeros(0)) == 0
    x = numpy.zeros(3)
    assert types.address_or_null(x) == types.address_of_first(x) == x.ctypes.data


@pytest.mark.claim(PAGE, "that does not take a length of zero.")
def test_copy_of_an_empty_view(types):
    with pytest.raises(ValueError, match="Invalid shape in axis 0: 0"):
        types.copied(numpy.zeros(0))
    assert types.copied(numpy.zeros(6)[::2]) == 3


@pytest.mark.claim(PAGE, "Ask for the length first, or copy with numpy.array(mv).")
def test_numpy_copies_an_empty_view(load):
    view = load("giving_back").as_object(numpy.zeros(0))
    assert numpy.array(view).shape == (0,)
