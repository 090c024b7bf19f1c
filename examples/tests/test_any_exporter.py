"""Claims of the page on the objects that a typed memoryview takes."""

import array
import ctypes
import mmap
import re
import signal
import subprocess
import sys
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
@pytest.mark.claim(
    PAGE,
    "An argument typed np.ndarray[...] takes NumPy arrays, those of subclasses too, and None; "
    "nothing else.",
)
@pytest.mark.parametrize("name", EXPORTERS)
def test_a_view_takes_any_exporter_and_a_buffer_argument_does_not(module, name):
    exporter = EXPORTERS[name](module)
    assert module.total(exporter) == 10
    with pytest.raises(TypeError, match=r"expected numpy\.ndarray, got "):
        module.total_of_ndarray(exporter)


@pytest.mark.claim(
    PAGE,
    "The same function with an argument of type np.ndarray[np.uint8_t] takes only one of the nine",
)
def test_both_take_a_numpy_array(module):
    a = numpy.array([4, 3, 2, 1], dtype=numpy.uint8)
    assert module.total(a) == module.total_of_ndarray(a) == 10


@pytest.mark.parametrize("kind", [numpy.ma.MaskedArray, numpy.recarray])
def test_subclasses_of_ndarray(module, kind):
    a = numpy.array([4, 3, 2, 1], dtype=numpy.uint8).view(kind)
    assert type(a) is kind
    assert module.total(a) == module.total_of_ndarray(a) == 10


@pytest.mark.claim(
    PAGE,
    "if the memory matches the declaration: element type, number of dimensions, layout, and "
    "writable unless the view is const",
)
@pytest.mark.parametrize(
    ("take", "value"),
    [
        ("total", numpy.zeros(4, dtype=numpy.int8)),
        ("total", numpy.zeros((2, 2), dtype=numpy.uint8)),
        ("total", numpy.zeros((), dtype=numpy.uint8)),
        ("total_of_doubles", numpy.zeros(4, dtype=numpy.dtype("d").newbyteorder())),
        ("total_writable", FOUR),
    ],
)
def test_memory_that_does_not_match(module, take, value):
    with pytest.raises((ValueError, BufferError)):
        getattr(module, take)(value)


def test_the_layout_has_to_match(load):
    with pytest.raises(ValueError, match="not C-contiguous"):
        load("station_log").total_in_place(numpy.zeros(40, dtype=numpy.uint8)[::2], 0)


@pytest.mark.claim(
    PAGE,
    "From Python 3.12 on, a class written in Python can be an exporter too, with a method",
)
def test_a_class_in_python(module):
    class Exporter:
        def __buffer__(self, flags):
            return memoryview(FOUR)

    if sys.version_info >= (3, 12):
        assert module.total(Exporter()) == 10
    else:
        with pytest.raises(TypeError, match="a bytes-like object is required, not 'Exporter'"):
            module.total(Exporter())


@pytest.mark.claim(
    PAGE,
    "An index is stopped by the bounds check, and methods are those of None. But a.shape[0] reads "
    "the C struct of an array, which None does not have, and the process ends.",
)
@pytest.mark.claim(PAGE, "So it does at an index with boundscheck off")
@pytest.mark.claim(
    PAGE, "not None, in the line before the last, is the way to refuse it in a def function."
)
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
@pytest.mark.parametrize(
    ("call", "ends"),
    [
        ("is_none", "True"),
        ("item", "IndexError: Out of bounds on buffer access (axis 0)"),
        ("method", "AttributeError: 'NoneType' object has no attribute 'sum'"),
        ("length", -signal.SIGSEGV),
        ("item_unchecked", -signal.SIGSEGV),
        (
            "length_of_not_none",
            "TypeError: Argument 'a' has incorrect type (expected numpy.ndarray, got NoneType)",
        ),
        ("length_of_view", "0"),
        ("length_of_plain", -signal.SIGSEGV),
    ],
)
def test_none_for_an_ndarray(load, call, ends):
    folder = load("none_for_ndarray").__file__.rpartition("/")[0]
    code = f"import sys; sys.path.insert(0, {folder!r}); import none_for_ndarray as n"
    code = f"{code}; print(n.{call}(None))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    printed = (done.stdout or done.stderr).strip().rpartition("\n")[2]
    assert (done.returncode if done.returncode < 0 else printed) == ends


@pytest.mark.claim(PAGE, "No element was copied on the way: the function reads the memory of each")
@pytest.mark.parametrize("name", EXPORTERS)
def test_the_memory_is_the_exporters(module, name):
    exporter = EXPORTERS[name](module)
    there = numpy.frombuffer(exporter, dtype=numpy.uint8).ctypes.data
    assert module.address(exporter) == there


@pytest.mark.claim(
    PAGE,
    "__Pyx_TypeTest in the second row compares the type of the object with numpy.ndarray and "
    "raises the TypeError, before the buffer is requested. In front of it, the line lets None "
    "through. The first row has no such test",
)
def test_only_the_buffer_tests_the_type(c_of, module):
    view = c_of(KEY, "acquire_view", "cdef const unsigned char[:] data = exporter")
    buffer = c_of(KEY, "acquire_ndarray", "cdef cnp.ndarray[cnp.uint8_t, ndim=1] data = exporter")
    assert view.calls == ("__Pyx_PyObject_to_MemoryviewSlice_ds_unsigned_char__const__",)
    assert buffer.calls == ("__Pyx_TypeTest", "__Pyx_GetBufferAndValidate")
    assert "ptype_5numpy_ndarray" in buffer.text
    assert "Py_None) || likely(__Pyx_TypeTest(" in buffer.text
    assert "Py_None" not in view.text
    assert module.acquire_view(FOUR) == 4
    with pytest.raises(TypeError, match=r"Cannot convert bytes to numpy\.ndarray"):
        module.acquire_ndarray(FOUR)


@pytest.mark.claim(PAGE, "A list exports no memory, and neither does a str")
@pytest.mark.parametrize("value", [[4, 3, 2, 1], "abcd"])
def test_objects_without_a_buffer(module, value):
    with pytest.raises(TypeError, match=r"a bytes-like object is required, not '(list|str)'"):
        module.total(value)


@pytest.mark.claim(
    PAGE,
    "A view requests writable memory unless its element type is const, even in a function that "
    "only reads.",
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


@pytest.mark.claim(
    PAGE,
    "Nothing is converted. A bytearray exports its memory as bytes, and a view of doubles refuses "
    "it, even if the bytes are those of doubles",
)
@pytest.mark.claim(PAGE, "The same holds for bytes and for mmap, which export bytes as well.")
@pytest.mark.claim(
    PAGE,
    "changes the description and leaves the bytes where they are, if they are contiguous",
)
@pytest.mark.parametrize("kind", [bytearray, bytes, mapped])
def test_bytes_pass_for_doubles_only_by_a_cast(module, kind):
    raw = kind(array.array("d", [0.5, 1.5]).tobytes())
    with pytest.raises(ValueError, match="expected 'const double' but got 'unsigned char'"):
        module.total_of_doubles(raw)
    assert module.total_of_doubles(memoryview(raw).cast("d")) == 2.0
    with pytest.raises(TypeError, match="C-contiguous"):
        memoryview(raw)[::2].cast("d")


@pytest.mark.claim(
    PAGE, 'An array.array("d") or a ctypes array of c_double exports its elements as doubles.'
)
@pytest.mark.parametrize("value", [array.array("d", [0.5, 1.5]), (ctypes.c_double * 2)(0.5, 1.5)])
def test_exporters_of_doubles(module, value):
    assert module.total_of_doubles(value) == 2.0


@pytest.mark.claim(PAGE, "A const char[:] refuses even bytes")
@pytest.mark.parametrize("value", [FOUR, bytearray(FOUR)], ids=type)
def test_const_char(module, value):
    with pytest.raises(ValueError, match="expected 'const char' but got 'unsigned char'"):
        module.total_of_chars(value)


@pytest.mark.claim(
    PAGE,
    'It takes arrays of signed bytes and of one-character strings, such as array.array("b"), '
    "NumPy's int8 and S1.",
)
@pytest.mark.parametrize(
    "value",
    [array.array("b", FOUR), numpy.array([4, 3, 2, 1], numpy.int8), numpy.frombuffer(FOUR, "S1")],
)
def test_what_const_char_takes(module, value):
    assert module.total_of_chars(value) == 10


@pytest.mark.claim(PAGE, "while a char[:] takes a bytearray")
def test_char(load):
    assert load("element_types").as_char(bytearray(FOUR)) == 4


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
    PAGE,
    "it trusts the file: code that casts a pointer to Record * has to be right about the layout",
)
@pytest.mark.claim(
    PAGE,
    "In the second, the types and offsets of the dtype's fields are compared with those of the "
    "struct when the view is made; their names are not",
)
def test_who_checks_the_layout(load):
    log = load("station_log")
    other = numpy.zeros(2, dtype=[("time", "=i8"), ("station", "=i4"), ("value", "=i8")])
    with pytest.raises(ValueError, match=r"expected 'double' but got 'long( long)?' in "):
        log.total_of_records(other, 0)
    assert log.total_in_place(other.tobytes(), 0) == 0.0
    renamed = numpy.zeros(2, dtype=[("a", "=i8"), ("b", "=i4"), ("c", "=f8")])
    assert log.total_of_records(renamed, 0) == 0.0
    shifted = numpy.zeros(
        2, dtype=numpy.dtype([("a", "=i8"), ("b", "=i4"), ("c", "=f8")], align=True)
    )
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        log.total_of_records(shifted, 0)


@pytest.mark.claim(
    PAGE,
    "The slow one is the last, which makes a Python object for each field of each record.",
)
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
