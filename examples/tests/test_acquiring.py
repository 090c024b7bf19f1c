"""Claims of the page on what happens at ``cdef double[:] mv = arr``."""

import re
import signal
import subprocess
import sys
import timeit

import numpy
import pytest

from sphinx_cython.core.csource import read_definitions

PAGE = "guide/acquiring.md"
KEY = "acquiring/acquire@plain"
LINE = "cdef double[:] mv = arr"
CONVERT = "__Pyx_PyObject_to_MemoryviewSlice_ds_double"


@pytest.fixture
def acquire(load):
    return load("acquire")


@pytest.fixture
def asked_for(load):
    return load("asked_for")


@pytest.mark.claim(PAGE, "the-line-is-one-call")
def test_the_line_is_one_call(c_of):
    excerpt = c_of(KEY, "strided", LINE)
    assert excerpt.calls == (CONVERT,)
    assert "__pyx_v_mv = __pyx_t_1;" in excerpt.text


@pytest.mark.claim(
    PAGE,
    "an-argument-makes-the-same-call",
)
def test_an_argument_makes_the_same_call(c_file):
    assert f"__pyx_v_arr = {CONVERT}(values[0], PyBUF_WRITABLE)" in c_file(KEY)
    head = "__pyx_f_11old_and_new_first_of_view(__Pyx_memviewslice __pyx_v_a) {"
    body = c_file("buffers/old_and_new").split(head)[1].split("\n}\n")[0]
    assert "__Pyx_PyObject_to_MemoryviewSlice" not in body


@pytest.mark.claim(PAGE, "the-order-of-the-checks")
def test_the_order_of_the_checks(built, c_file):
    name = "__Pyx_ValidateAndInit_memviewslice"
    text = read_definitions(c_file(KEY), name, built(KEY).compiled_lines)[0].text
    steps = [
        "__pyx_memoryview_new(",
        "buf->ndim != ndim",
        "__Pyx_BufFmt_CheckString(",
        "buf->itemsize != dtype->size",
        "__pyx_check_strides(",
        "__pyx_check_suboffsets(",
        "__Pyx_init_memviewslice(",
    ]
    assert sorted(steps, key=text.index) == steps
    assert "PyObject_GetBuffer(__pyx_v_obj, (&__pyx_v_self->view), __pyx_v_flags)" in c_file(KEY)


@pytest.mark.claim(
    PAGE,
    "a-memoryview-object-is-not-asked-again",
)
def test_a_memoryview_object_is_not_asked_again(asked_for):
    noting = asked_for.Noting(numpy.zeros(3))
    view = asked_for.strided(noting)
    asked_for.read_only(view)
    assert len(noting.requests) == 1
    asked_for.read_only(noting)
    assert len(noting.requests) == 2


@pytest.mark.claim(
    PAGE,
    "a-memoryview-object-of-another-module",
)
def test_a_memoryview_object_of_another_module(load):
    """``acquire`` shares its utility code here; its plain variant has its own."""
    shared, plain = load("acquire"), load("variants.plain.acquire")
    noting = load("asked_for").Noting(numpy.zeros(3))
    view = load("asked_for").strided(noting)
    shared.strided(view)
    assert len(noting.requests) == 1
    read_only = shared.read_only_object(b"123")
    shared.store_byte(read_only, 0, read_only[0])
    with pytest.raises(
        ValueError, match="Cannot create writable memory view from read-only memoryview"
    ):
        plain.store_byte(read_only, 0, 0)


@pytest.mark.claim(PAGE, "from-view-to-view-is-a-copy")
@pytest.mark.claim(PAGE, "from-view-to-view-is-a-copy-2")
def test_from_view_to_view_is_a_copy(c_of):
    text = c_of(KEY, "from_view", LINE).text
    assert re.findall(r"\w+(?=\()", text) == ["__PYX_INC_MEMVIEW"]
    assert "__pyx_v_mv = __pyx_v_arr;" in text


@pytest.mark.claim(
    PAGE,
    "requests",
)
@pytest.mark.parametrize(
    ("function", "request_"),
    [
        ("strided", ["STRIDES", "FORMAT", "WRITABLE"]),
        ("read_only", ["STRIDES", "FORMAT"]),
        ("contiguous", ["C_CONTIGUOUS", "FORMAT", "WRITABLE"]),
        ("generic", ["INDIRECT", "FORMAT", "WRITABLE"]),
    ],
)
def test_requests(asked_for, function, request_):
    noting = asked_for.Noting(numpy.zeros(3))
    getattr(asked_for, function)(noting)
    assert noting.requests == [request_]


def test_request_of_a_fortran_view(asked_for):
    noting = asked_for.Noting(numpy.zeros((2, 3), order="F"))
    asked_for.fortran(noting)
    assert noting.requests == [["F_CONTIGUOUS", "FORMAT", "WRITABLE"]]


@pytest.mark.claim(PAGE, "other-element-types-are-refused")
@pytest.mark.parametrize("dtype", ["float32", "int64", "complex128", "bool", "object"])
def test_other_element_types_are_refused(acquire, dtype):
    with pytest.raises(ValueError, match=r"^Buffer dtype mismatch, expected 'double' but got"):
        acquire.strided(numpy.zeros(3, dtype=dtype))


@pytest.mark.claim(PAGE, "bool-is-an-unsigned-byte")
def test_bool_is_an_unsigned_byte(load):
    types = load("element_types")
    assert types.as_uint8_t(numpy.zeros(3, dtype=bool)) == 3
    with pytest.raises(ValueError, match="dtype mismatch"):
        types.as_int8_t(numpy.zeros(3, dtype=bool))


@pytest.mark.claim(PAGE, "byte-order")
def test_byte_order(acquire):
    with pytest.raises(ValueError, match=r"-endian buffer not supported on "):
        acquire.strided(numpy.zeros(3, dtype=numpy.dtype("d").newbyteorder()))


@pytest.mark.claim(
    PAGE,
    "long-long-takes-a-long-of-its-size",
)
def test_long_long_takes_a_long_of_its_size(acquire):
    acquire.long_long(numpy.zeros(3, dtype="q"))
    if numpy.dtype("l").itemsize == numpy.dtype("q").itemsize:
        acquire.long_long(numpy.zeros(3, dtype="l"))
    for dtype in ("int32", "uint64", "float64"):
        with pytest.raises(ValueError, match="expected 'long long'"):
            acquire.long_long(numpy.zeros(3, dtype=dtype))


@pytest.mark.claim(PAGE, "dimensions-must-agree")
def test_dimensions_must_agree(acquire):
    table = numpy.zeros((2, 3))
    with pytest.raises(ValueError, match=r"\(expected 1, got 2\)"):
        acquire.strided(table)
    acquire.strided(table.ravel())


@pytest.mark.claim(
    PAGE,
    "the-layout-of-a-memoryview-object-is-checked",
)
@pytest.mark.parametrize("build", ["acquire", "variants.plain.acquire"])
def test_the_layout_of_a_memoryview_object_is_checked_by_cython(load, build):
    module = load(build)
    for view in (acquire.as_object(numpy.zeros(6)[::2]) for acquire in (module, load("acquire"))):
        with pytest.raises(
            ValueError, match=r"^Buffer and memoryview are not contiguous in the same dimension\.$"
        ):
            module.contiguous(view)


@pytest.mark.claim(
    PAGE,
    "short-dimensions-have-any-stride",
)
def test_short_dimensions_have_any_stride(acquire):
    x = numpy.zeros(8)
    assert acquire.contiguous(x[::2][:1]) == 1
    assert acquire.contiguous(x[::2][:0]) == 0
    for length in 1, 0:
        assert acquire.contiguous(acquire.as_object(x[::2][:length])) == length
    with pytest.raises(ValueError, match="not C-contiguous"):
        acquire.contiguous(x[::2][:2])


@pytest.mark.claim(PAGE, "the-class-of-objects-is-not-checked")
def test_the_class_of_objects_is_not_checked(acquire):
    assert acquire.instances(numpy.array([1, "two", None], dtype=object)) == 3


@pytest.mark.claim(
    PAGE,
    "the-layout-is-refused-by-the-exporter",
)
def test_the_layout_is_refused_by_the_exporter(acquire):
    x = numpy.zeros(6)
    with pytest.raises(ValueError, match=r"^ndarray is not C-contiguous$"):
        acquire.contiguous(x[::2])
    with pytest.raises(BufferError, match=r"^memoryview: underlying buffer is not C-contiguous$"):
        acquire.contiguous(memoryview(x)[::2])
    acquire.contiguous(numpy.ascontiguousarray(x[::2]))
    acquire.strided(x[::2])


@pytest.mark.claim(PAGE, "read-only-memory")
def test_read_only_memory(acquire):
    x = numpy.zeros(3)
    acquire.read_only(x)
    x.flags.writeable = False
    acquire.read_only(x)
    with pytest.raises(ValueError, match=r"^buffer source array is read-only$"):
        acquire.strided(x)
    with pytest.raises(BufferError, match=r"^Object is not writable\.$"):
        acquire.store_byte(b"bytes", 0, 0)


def test_a_list_has_no_buffer(acquire):
    with pytest.raises(TypeError, match="'list'"):
        acquire.strided([1.0, 2.0])


@pytest.mark.claim(PAGE, "the-exporter-comes-first")
def test_the_exporter_comes_first(acquire):
    wrong = numpy.zeros((4, 6), dtype="int32")
    with pytest.raises(ValueError, match="not C-contiguous"):
        acquire.contiguous(wrong[:, ::2])
    with pytest.raises(ValueError, match="number of dimensions"):
        acquire.contiguous(wrong)
    with pytest.raises(ValueError, match="dtype mismatch"):
        acquire.contiguous(wrong[0])


@pytest.mark.claim(PAGE, "alignment-is-not-checked")
def test_alignment_is_not_checked(acquire):
    odd = numpy.frombuffer(bytearray(25), dtype="float64", offset=1)
    assert not odd.flags.aligned
    acquire.strided(odd)


@pytest.mark.claim(
    PAGE,
    "a-const-view-comes-back-writable",
)
def test_a_const_view_comes_back_writable(acquire):
    constant = bytes([1, 2, 3])
    view = acquire.read_only_object(constant)
    assert memoryview(view).readonly
    acquire.store_byte(view, 0, 255)
    assert list(constant) == [255, 2, 3]


@pytest.mark.claim(PAGE, "fields-of-records")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
@pytest.mark.parametrize(
    ("dtype", "code"),
    [("i4, f8", 0), ("i4", 1), ("i4, f8, f8", 1), ("i4, f8, i4", -signal.SIGSEGV)],
)
def test_fields_of_records(load, dtype, code):
    folder = load("record_fields").__file__.rpartition("/")[0]
    script = (
        f"import sys; sys.path.insert(0, {folder!r})\n"
        "import numpy, record_fields\n"
        f"record_fields.acquire_pairs(numpy.zeros(2, dtype={dtype!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == code
    assert (b"dtype mismatch" in done.stderr) == (code == 1)


@pytest.mark.claim(PAGE, "acquiring-does-not-depend-on-the-length")
def test_acquiring_does_not_depend_on_the_length(acquire):
    large = numpy.zeros(1_000_000)

    def best(function):
        return min(timeit.repeat(lambda: function(large), number=20, repeat=7))

    assert best(numpy.copy) > 20 * best(acquire.strided)
