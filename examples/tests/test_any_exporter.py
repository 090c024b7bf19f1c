"""Claims of the page on the objects that a typed memoryview takes."""

import array
import ctypes
import mmap
import re
import tempfile
import timeit

import numpy
import pytest

PAGE = "guide/any-exporter.md"
KEY = "exporters/any_exporter"
FOUR = bytes([4, 3, 2, 1])


def mapped(data, access=mmap.ACCESS_READ):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=access)


EXPORTERS = {
    "bytearray": lambda _: bytearray(FOUR),
    "bytes": lambda _: FOUR,
    "array": lambda _: array.array("B", FOUR),
    "mmap": lambda _: mapped(FOUR),
    "ctypes": lambda _: (ctypes.c_ubyte * 4)(*FOUR),
    "memoryview": lambda _: memoryview(FOUR),
    "Countdown": lambda module: module.Countdown(),
    "view.array": lambda module: module.cython_array(),
}


@pytest.fixture
def module(load):
    return load("any_exporter")


@pytest.mark.claim(PAGE, "Every object that exports its memory through Python's")
@pytest.mark.claim(PAGE, "An argument typed np.ndarray[...] takes NumPy arrays and nothing else.")
@pytest.mark.parametrize("name", EXPORTERS)
def test_a_view_takes_any_exporter_and_a_buffer_argument_does_not(module, name):
    exporter = EXPORTERS[name](module)
    assert module.total(exporter) == 10
    with pytest.raises(TypeError, match=r"expected numpy\.ndarray, got "):
        module.total_of_ndarray(exporter)


@pytest.mark.claim(PAGE, "refuses all but one")
def test_both_take_a_numpy_array(module):
    a = numpy.array([4, 3, 2, 1], dtype=numpy.uint8)
    assert module.total(a) == module.total_of_ndarray(a) == 10


@pytest.mark.claim(PAGE, "No element was copied on the way: the function reads the memory of each")
@pytest.mark.parametrize("name", EXPORTERS)
def test_the_memory_is_the_exporters(module, name):
    exporter = EXPORTERS[name](module)
    there = numpy.frombuffer(exporter, dtype=numpy.uint8).ctypes.data
    assert module.address(exporter) == there


@pytest.mark.claim(
    PAGE,
    "__Pyx_TypeTest in the second row compares the type of the object with numpy.ndarray and "
    "raises the TypeError, before anyone looks at the memory. The first row has no such test.",
)
def test_only_the_buffer_tests_the_type(c_of, module):
    view = c_of(KEY, "acquire_view", "cdef const unsigned char[:] data = exporter")
    buffer = c_of(KEY, "acquire_ndarray", "cdef cnp.ndarray[cnp.uint8_t, ndim=1] data = exporter")
    assert view.calls == ("__Pyx_PyObject_to_MemoryviewSlice_ds_unsigned_char__const__",)
    assert buffer.calls == ("__Pyx_TypeTest", "__Pyx_GetBufferAndValidate")
    assert "ptype_5numpy_ndarray" in buffer.text
    assert module.acquire_view(FOUR) == 4
    with pytest.raises(TypeError, match=r"Cannot convert bytes to numpy\.ndarray"):
        module.acquire_ndarray(FOUR)


@pytest.mark.claim(PAGE, "A list has no memory to hand out, and a str does not show its own")
@pytest.mark.parametrize("value", [[4, 3, 2, 1], "abcd"])
def test_objects_without_a_buffer(module, value):
    with pytest.raises(TypeError, match=r"a bytes-like object is required, not '(list|str)'"):
        module.total(value)


@pytest.mark.claim(
    PAGE,
    "A view asks for writable memory unless its element type is const, even in a function that",
)
@pytest.mark.claim(PAGE, "Without it, bytes, read-only mappings and read-only arrays are refused.")
@pytest.mark.parametrize(
    "value", [FOUR, mapped(FOUR), numpy.frombuffer(FOUR, dtype=numpy.uint8)], ids=type
)
def test_read_only_memory(module, value):
    assert module.total(value) == 10
    with pytest.raises((BufferError, ValueError), match=r"not writable|read-only"):
        module.total_writable(value)


def test_writable_memory_is_taken_without_const(module):
    assert module.total_writable(bytearray(FOUR)) == 10


@pytest.mark.claim(PAGE, "Nothing is converted. A bytearray says that it holds bytes")
@pytest.mark.claim(PAGE, "The same holds for bytes and for mmap, which export bytes as well.")
@pytest.mark.claim(PAGE, "changes the description and leaves the bytes where they are")
@pytest.mark.parametrize("kind", [bytearray, bytes, mapped])
def test_bytes_pass_for_doubles_only_by_a_cast(module, kind):
    raw = kind(array.array("d", [0.5, 1.5]).tobytes())
    with pytest.raises(ValueError, match="expected 'const double' but got 'unsigned char'"):
        module.total_of_doubles(raw)
    assert module.total_of_doubles(memoryview(raw).cast("d")) == 2.0


@pytest.mark.claim(PAGE, 'An array.array("d") or a ctypes array of c_double says by itself')
@pytest.mark.parametrize("value", [array.array("d", [0.5, 1.5]), (ctypes.c_double * 2)(0.5, 1.5)])
def test_exporters_of_doubles(module, value):
    assert module.total_of_doubles(value) == 2.0


@pytest.mark.claim(PAGE, "A const char[:] refuses even bytes")
@pytest.mark.parametrize("value", [FOUR, bytearray(FOUR)], ids=type)
def test_const_char(module, value):
    with pytest.raises(ValueError, match="expected 'const char' but got 'unsigned char'"):
        module.total_of_chars(value)


@pytest.mark.claim(PAGE, "All four give the same total")
def test_the_totals_of_a_station(load):
    log = load("station_log")
    data = mapped(log.some_records(1003))
    expected = float(sum(range(3, 1003, 10)))
    assert log.total_in_place(data, 3) == expected
    assert log.total_of_records(numpy.frombuffer(data, log.DTYPE), 3) == expected
    assert log.total_by_numpy(data, 3) == expected
    assert log.total_by_struct(data, 3) == expected
    assert log.total_in_place(b"", 3) == 0.0


@pytest.mark.claim(PAGE, "A log file holds records of 20 bytes")
def test_the_size_of_a_record(load):
    log = load("station_log")
    assert log.FORMAT.size == log.DTYPE.itemsize == len(log.some_records(1)) == 20


@pytest.mark.claim(
    PAGE, "it trusts the file: whoever casts a pointer to Record * has to know the layout"
)
@pytest.mark.claim(
    PAGE, "the fields of the dtype are compared with those of the struct when the view is made"
)
def test_who_checks_the_layout(load):
    log = load("station_log")
    other = numpy.zeros(2, dtype=[("time", "=i8"), ("station", "=i4"), ("value", "=i8")])
    with pytest.raises(ValueError, match=r"expected 'double' but got 'long( long)?' in "):
        log.total_of_records(other, 0)
    assert log.total_in_place(other.tobytes(), 0) == 0.0


@pytest.mark.claim(PAGE, "What is far off is one Python object for each field of each record.")
def test_struct_is_far_off(load):
    log = load("station_log")
    data = mapped(log.some_records(5000))

    def best(function):
        return min(timeit.repeat(lambda: function(data, 3), number=5, repeat=5))

    assert best(log.total_by_struct) > 10 * best(log.total_in_place)


def test_the_mapped_bytes_need_no_numpy(c_of):
    """The line reads the record at its address and calls nothing."""
    excerpt = c_of("exporters/station_log", "total_in_place", "total += records[i].value")
    assert excerpt.calls == excerpt.failure_calls == ()
    assert re.search(r"__pyx_v_records\[__pyx_v_i\]\)?\.value", excerpt.text)
