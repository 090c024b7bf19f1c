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


@pytest.mark.claim(PAGE, "a-view-takes-any-exporter-and-a-buffer")
@pytest.mark.claim(
    PAGE,
    "a-view-takes-any-exporter-and-a-buffer-2",
)
@pytest.mark.parametrize("name", EXPORTERS)
def test_a_view_takes_any_exporter_and_a_buffer_argument_does_not(module, name):
    exporter = EXPORTERS[name](module)
    assert module.total(exporter) == 10
    with pytest.raises(TypeError, match=r"expected numpy\.ndarray, got "):
        module.total_of_ndarray(exporter)


@pytest.mark.claim(
    PAGE,
    "both-take-a-numpy-array",
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
    "memory-that-does-not-match",
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
    "a-class-in-python",
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
    "none-for-an-ndarray",
)
@pytest.mark.claim(PAGE, "none-for-an-ndarray-2")
@pytest.mark.claim(PAGE, "none-for-an-ndarray-3")
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


@pytest.mark.claim(PAGE, "the-memory-is-the-exporters")
@pytest.mark.parametrize("name", EXPORTERS)
def test_the_memory_is_the_exporters(module, name):
    exporter = EXPORTERS[name](module)
    there = numpy.frombuffer(exporter, dtype=numpy.uint8).ctypes.data
    assert module.address(exporter) == there


@pytest.mark.claim(
    PAGE,
    "only-the-buffer-tests-the-type",
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


@pytest.mark.claim(PAGE, "objects-without-a-buffer")
@pytest.mark.parametrize("value", [[4, 3, 2, 1], "abcd"])
def test_objects_without_a_buffer(module, value):
    with pytest.raises(TypeError, match=r"a bytes-like object is required, not '(list|str)'"):
        module.total(value)


@pytest.mark.claim(
    PAGE,
    "read-only-memory",
)
@pytest.mark.claim(PAGE, "read-only-memory-2")
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
    "bytes-pass-for-doubles-only-by-a-cast",
)
@pytest.mark.claim(PAGE, "bytes-pass-for-doubles-only-by-a-cast-3")
@pytest.mark.claim(
    PAGE,
    "bytes-pass-for-doubles-only-by-a-cast-2",
)
@pytest.mark.parametrize("kind", [bytearray, bytes, mapped])
def test_bytes_pass_for_doubles_only_by_a_cast(module, kind):
    raw = kind(array.array("d", [0.5, 1.5]).tobytes())
    with pytest.raises(ValueError, match="expected 'const double' but got 'unsigned char'"):
        module.total_of_doubles(raw)
    assert module.total_of_doubles(memoryview(raw).cast("d")) == 2.0
    with pytest.raises(TypeError, match="C-contiguous"):
        memoryview(raw)[::2].cast("d")


@pytest.mark.claim(PAGE, "exporters-of-doubles")
@pytest.mark.parametrize("value", [array.array("d", [0.5, 1.5]), (ctypes.c_double * 2)(0.5, 1.5)])
def test_exporters_of_doubles(module, value):
    assert module.total_of_doubles(value) == 2.0


@pytest.mark.claim(PAGE, "const-char")
@pytest.mark.parametrize("value", [FOUR, bytearray(FOUR)], ids=type)
def test_const_char(module, value):
    with pytest.raises(ValueError, match="expected 'const char' but got 'unsigned char'"):
        module.total_of_chars(value)


@pytest.mark.claim(
    PAGE,
    "what-const-char-takes",
)
@pytest.mark.parametrize(
    "value",
    [array.array("b", FOUR), numpy.array([4, 3, 2, 1], numpy.int8), numpy.frombuffer(FOUR, "S1")],
)
def test_what_const_char_takes(module, value):
    assert module.total_of_chars(value) == 10


@pytest.mark.claim(PAGE, "char")
def test_char(load):
    assert load("element_types").as_char(bytearray(FOUR)) == 4


@pytest.mark.claim(PAGE, "the-totals-of-a-station")
def test_the_totals_of_a_station(load):
    log = load("station_log")
    data = mapped(log.some_records(1003))
    expected = float(sum(range(3, 1003, 10)))
    assert log.total_in_place(data, 3) == expected
    assert log.total_of_records(numpy.frombuffer(data, log.DTYPE), 3) == expected
    assert log.total_by_numpy(data, 3) == expected
    assert log.total_by_struct(data, 3) == expected
    assert log.total_in_place(b"", 3) == 0.0


@pytest.mark.claim(PAGE, "the-size-of-a-record")
def test_the_size_of_a_record(load):
    log = load("station_log")
    assert log.FORMAT.size == log.DTYPE.itemsize == len(log.some_records(1)) == 20


@pytest.mark.claim(
    PAGE,
    "who-checks-the-layout",
)
@pytest.mark.claim(
    PAGE,
    "who-checks-the-layout-2",
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
    "struct-is-far-off",
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
