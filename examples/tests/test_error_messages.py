"""Claims of the pages on messages. ``test_messages.py`` checks that each message is given."""

import array
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

PAGE = "guide/error-messages.md"
COMPILER = "guide/compile-errors.md"


@pytest.fixture
def types(load):
    return load("element_types")


@pytest.mark.claim(PAGE, "bool-arrays")
def test_bool_arrays(types):
    flags = numpy.ones(3, bool)
    assert types.as_uint8_t(flags) == 3
    with pytest.raises(ValueError, match="expected 'bint' but got 'bool'"):
        types.as_bint(flags)
    assert types.as_bint(numpy.ones(3, "intc")) == 3


@pytest.mark.claim(PAGE, "names-of-types")
def test_names_of_types(types):
    assert types.as_float(numpy.zeros(3, "float32")) == 3
    assert types.as_double(numpy.zeros(3, "float64")) == 3


@pytest.mark.claim(
    PAGE,
    "both-names",
)
def test_both_names(types):
    with pytest.raises(ValueError, match="expected 'int64_t' but got 'int'"):
        types.as_int64_t(numpy.zeros(3, "intc"))
    with pytest.raises(ValueError, match="expected 'int' but got 'long long'"):
        types.as_int(numpy.zeros(3, "longlong"))


@pytest.mark.claim(PAGE, "conversion")
def test_conversion():
    doubles, floats = numpy.zeros(3), numpy.zeros(3, "float32")
    assert numpy.asarray(doubles, dtype="float64") is doubles
    assert not numpy.shares_memory(numpy.asarray(floats, dtype="float64"), floats)


@pytest.mark.claim(PAGE, "names-of-fields-do-not-matter")
def test_names_of_fields_do_not_matter(types):
    renamed = numpy.dtype([("value", "i4"), ("key", "f8")])
    swapped = numpy.dtype([("value", "f8"), ("key", "i4")])
    assert types.as_pair(numpy.zeros(3, renamed)) == 3
    with pytest.raises(ValueError, match="mismatch"):
        types.as_pair(numpy.zeros(3, swapped))


@pytest.mark.claim(
    PAGE,
    "packed-and-aligned-records",
)
def test_packed_and_aligned_records(types):
    fields = [("key", "i4"), ("value", "f8")]
    assert types.as_pair(numpy.zeros(3, numpy.dtype(fields))) == 3
    assert types.as_aligned_pair(numpy.zeros(3, numpy.dtype(fields, align=True))) == 3


@pytest.mark.claim(
    PAGE,
    "characters",
)
def test_characters(types):
    assert types.as_char(bytearray(b"bytes")) == 5
    assert types.as_const_unsigned_char(b"bytes") == 5
    for data in (b"bytes", bytearray(b"bytes")):
        with pytest.raises(ValueError, match="expected 'const char' but got 'unsigned char'"):
            types.as_const_char(data)


@pytest.mark.claim(PAGE, "times")
def test_times(types):
    times = numpy.zeros(3, "datetime64[s]")
    assert numpy.shares_memory(times, times.view("int64"))
    assert types.as_int64_t(times.view("int64")) == 3
    for kind in ("datetime64[s]", "timedelta64[s]"):
        with pytest.raises(ValueError, match="cannot include dtype"):
            memoryview(numpy.zeros(3, kind))


@pytest.mark.claim(
    PAGE,
    "one-fused-type-for-all-arguments",
)
def test_one_fused_type_for_all_arguments(types):
    doubles, integers = numpy.zeros(3), numpy.zeros(3, "int32")
    assert types.as_two_numbers(doubles, doubles) == 3
    assert types.as_two_numbers(integers, integers) == 3
    with pytest.raises(ValueError, match="expected 'double' but got 'int'"):
        types.as_two_numbers(doubles, integers)
    with pytest.raises(ValueError, match="expected 'int32_t' but got 'double'"):
        types.as_two_numbers(integers, doubles)


@pytest.mark.claim(PAGE, "address-in-an-empty-view")
def test_address_in_an_empty_view(types):
    with pytest.raises(IndexError):
        types.address_of_first(numpy.zeros(0))
    assert types.address_or_null(numpy.zeros(0)) == 0
    x = numpy.zeros(3)
    assert types.address_or_null(x) == types.address_of_first(x) == x.ctypes.data


@pytest.mark.claim(PAGE, "copy-of-an-empty-view")
def test_copy_of_an_empty_view(types):
    with pytest.raises(ValueError, match="Invalid shape in axis 0: 0"):
        types.copied(numpy.zeros(0))
    assert types.copied(numpy.zeros(6)[::2]) == 3


@pytest.mark.claim(PAGE, "numpy-copies-an-empty-view")
def test_numpy_copies_an_empty_view(load):
    view = load("giving_back").as_object(numpy.zeros(0))
    assert numpy.array(view).shape == (0,)


@pytest.mark.claim(PAGE, "dimensions")
@pytest.mark.claim(
    PAGE,
    "dimensions-2",
)
def test_dimensions(types):
    x = numpy.zeros((4, 6))
    assert numpy.shares_memory(x.ravel(), x)
    for other in (x[::2], numpy.asfortranarray(x)):
        assert not numpy.shares_memory(other.ravel(), other)
    assert types.as_double(x.ravel()) == 24
    assert numpy.shares_memory(x[:, None], x)
    zero = numpy.array(3.0)
    assert types.as_double(numpy.atleast_1d(zero)) == 1
    assert numpy.shares_memory(numpy.atleast_1d(zero), zero)


@pytest.mark.claim(PAGE, "contiguous-copies")
def test_contiguous_copies():
    c, f = numpy.zeros((3, 4)), numpy.zeros((3, 4), order="F")
    assert numpy.ascontiguousarray(c) is c
    assert numpy.asfortranarray(f) is f
    assert not numpy.shares_memory(numpy.ascontiguousarray(f), f)
    assert not numpy.shares_memory(numpy.asfortranarray(c), c)


@pytest.mark.claim(
    PAGE,
    "const-is-lost-on-the-way-through-a",
)
def test_const_is_lost_on_the_way_through_a_memoryview_object(load, types):
    constant = load("giving_back").as_constant
    for data in (numpy.zeros(3), numpy.frombuffer(bytes(24))):
        data.flags.writeable = False
        load("slice_assignment").from_value(constant(data), 5.0)
        assert data.tolist() == [5.0] * 3
        assert not data.flags.writeable
        with pytest.raises(ValueError, match="Cannot create writable memory view"):
            types.as_int64_t(constant(data))


@pytest.mark.claim(
    PAGE,
    "writing-to-a-file-mapped-for-reading-crashes",
)
@pytest.mark.skipif(sys.platform == "win32", reason="maps files in another way")
def test_writing_to_a_file_mapped_for_reading_crashes(builder, outcomes, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(4096))
    code = "import sys, mmap, numpy, giving_back, slice_assignment\n"
    code += "file = open(sys.argv[1])\n"
    code += "data = mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ)\n"
    code += "constant = giving_back.as_constant(numpy.frombuffer(data))\n"
    code += "print(constant[0], flush=True)\n{}\nprint('alive', flush=True)\n"
    env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}

    def run(line: str) -> tuple[int, str]:
        command = [sys.executable, "-c", code.format(line), str(path)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=env)
        return done.returncode, done.stdout

    assert run("") == (0, "0.0\nalive\n")
    code_of_crash, printed = run("slice_assignment.from_value(constant, 5.0)")
    assert code_of_crash < 0
    assert printed == "0.0\n"


@pytest.mark.claim(
    PAGE,
    "objects-of-const-views",
)
def test_objects_of_const_views(load):
    as_constant = load("giving_back").as_constant
    data = numpy.zeros(3)
    as_constant(data)[0] = 1.0
    assert data[0] == 1.0
    data.flags.writeable = False
    with pytest.raises(TypeError, match="Cannot assign to read-only memoryview"):
        as_constant(data)[0] = 2.0


@pytest.mark.claim(PAGE, "arrays-from-views-can-be-pickled")
def test_arrays_from_views_can_be_pickled(load):
    data = numpy.arange(3.0)
    view = load("giving_back").as_object(data)
    with pytest.raises(TypeError, match="no default __reduce__"):
        pickle.dumps(view)
    as_array = numpy.asarray(view)
    assert numpy.shares_memory(as_array, data)
    assert pickle.loads(pickle.dumps(as_array)).tolist() == [0.0, 1.0, 2.0]
    assert as_array[[2, 0]].tolist() == [2.0, 0.0]


@pytest.mark.claim(
    PAGE,
    "indices-of-memoryview-objects",
)
def test_indices_of_memoryview_objects(load):
    view = load("giving_back").as_object(numpy.arange(3.0))
    assert view[numpy.int32(2)] == view[-1] == view[(2,)] == 2.0
    assert view[1:].shape == view[1:, ...].shape == (2,)
    assert view[...] is view
    for index in ("1", 1.0, None, [0, 1], numpy.array([0, 1])):
        with pytest.raises(TypeError):
            view[index]


@pytest.mark.claim(PAGE, "returned-nothing")
def test_returned_nothing(load):
    mistakes = load("mistakes")
    assert mistakes.choose(numpy.ones(3), True) == 1.0
    with pytest.raises(TypeError, match="Memoryview return value is not initialized"):
        mistakes.choose(numpy.ones(3), False)


@pytest.mark.claim(PAGE, "lengths-in-assignments")
def test_lengths_in_assignments(load):
    assign = load("slice_assignment").from_view
    target = numpy.zeros(3)
    assign(target, numpy.ones(1))
    assert target.tolist() == [1.0] * 3
    for length in (0, 2, 4):
        with pytest.raises(ValueError, match="got differing extents"):
            assign(target, numpy.ones(length))


@pytest.mark.claim(PAGE, "nonecheck-is-off-by-default")
def test_nonecheck_is_off_by_default(load):
    checked, plain = load("none_checked"), load("none_arguments")
    with pytest.raises(TypeError, match="Cannot index None memoryview slice"):
        checked.item(None)
    with pytest.raises(IndexError):
        plain.maybe(None, 0)
    with pytest.raises(TypeError, match="must not be None"):
        plain.never(None, 0)


@pytest.mark.claim(
    PAGE,
    "what-buffer-arguments-take",
)
def test_what_buffer_arguments_take(load):
    with pytest.raises(TypeError, match=r"expected numpy\.ndarray, got array\.array"):
        load("mistakes").replaced(array.array("d", [1.0]), None)
    with pytest.raises(TypeError, match="'NoneType' object is not subscriptable"):
        load("none_checked").item_of_buffer(None)


WARNINGS = {
    "Index should be typed for more efficient access": "def f(double[:] a, i):\n    return a[i]\n",
    "Use boundscheck(False) for faster access": "cdef double f(double[:] a) noexcept nogil:\n"
    "    return a[0]\n",
    "Buffer unpacking not optimized away.": "from numpy cimport ndarray\n"
    "cdef inline double f(ndarray[double] a):\n    return a[0]\n",
    "Module is declared as 'subinterpreters_compatible' but uses typed memoryviews. This is not "
    "supported yet and will likely crash.": "# cython: subinterpreters_compatible=own_gil\n"
    "def f(double[:] a):\n    return a[0]\n",
}


@pytest.mark.claim(COMPILER, "warnings")
@pytest.mark.parametrize("text", WARNINGS)
def test_warnings(text, translated):
    assert f"| `{text}` |" in (Path(__file__).parents[2] / "docs" / COMPILER).read_text("utf-8")
    accepted, printed = translated(WARNINGS[text])
    assert accepted
    assert text in printed


FIXES = {
    "write-a-0-a-0-2": "def f(int[:] a):\n    a[0] = a[0] // 2\n",
    "or-switch-on-cython-cdivision-which": "cimport cython\n"
    "@cython.cdivision(True)\ndef f(int[:] a):\n    a[0] //= 2\n",
    "write-cython-const-cython-double": "import cython\n"
    "def f(a: cython.const[cython.double][:]):\n    return a[0]\n",
    "with-cimport-numpy-as-np-the": "cimport numpy as np\n"
    "def f(np.float64_t[:] a):\n    return a[0]\n",
    "for-an-enum-declare-int-for": "cdef enum E:\n"
    "    A\ndef f(int[:] a, size_t[:] p):\n    return <E> a[0] == A and (<double *> p[0])[0]\n",
    "slice-afterwards-double-n-p-1": "cdef f(double *p, int n):\n"
    "    cdef double[:] a = (<double[:n]> p)[1::2]\n    return a[0]\n",
    "write-dataclass-eq-false-and-a": "from "
    "cython.dataclasses cimport dataclass\n@dataclass(eq=False)\ncdef class Series:\n"
    "    cdef double[:] values\n",
    "declare-the-argument-of-the-inner": "ctypedef fused number:\n    int\n    double\n"
    "cdef number total(number[::1] a):\n    return a[0]\n"
    "cdef number any_total(number[:] a):\n    return a[0]\n"
    "def f(number[:, ::1] a):\n    cdef number[:] row = a[0]\n"
    "    return total(a[0]) + any_total(row)\n",
    "write-np-ndarray-double-ndim-2": "cimport numpy "
    "as np\n"
    'def f(np.ndarray[double, ndim=2, mode="c"] a, double[:, ::1] b):\n'
    "    return a[0, 0] + b[0, 0]\n",
    "the-elements-of-a-view-are": ""
    "cdef struct S:\n    double[3] x\nctypedef double[3] triple\n"
    "def f(double complex[:] a, object[:] b, S[:] c, triple[:] d):\n"
    "    return a[0], b[0], d[0][1]\n",
}


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, id=fix, marks=pytest.mark.claim(COMPILER, fix))
        for fix, source in FIXES.items()
    ],
)
def test_fixes_compile(source, translated):
    accepted, printed = translated(source)
    assert accepted, printed


REJECTED = {
    "pointers-are-none-of-these-alone": (
        "ctypedef double *pointer\ndef f(pointer[:] a):\n    pass\n",
        "Invalid base type for memoryview slice",
    ),
    "eight-dimensions-where-a-view-has": (
        "def f(double[:, :, :, :, :, :, :, :] a):\n    pass\n",
        "More dimensions than the maximum number",
    ),
    "if-and-not-do-not-take": (
        "def f(double[:] a):\n    if a:\n        pass\n",
        "not acceptable as a boolean",
    ),
    "only-dtype-may-stand-without-its": (
        "from numpy cimport ndarray\ndef f(ndarray[double, 1] a):\n    pass\n",
        "Too many buffer options",
    ),
}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(*case, id=claim, marks=pytest.mark.claim(COMPILER, claim))
        for claim, case in REJECTED.items()
    ],
)
def test_what_the_compiler_rejects(source, message, translated):
    accepted, printed = translated(source)
    assert not accepted
    assert message in printed


CONTIGUOUS = (
    "def f(double[:] a, double[:, :, :, :, :, :, :] b):\n"
    "    cdef double[::1] c = {}\n    return c\n"
)
TWO_MISTAKES = (
    "from numpy cimport ndarray\ndef f(ndarray[double, 1] a):\n    pass\n"
    "def g(ndarray[double, cast=1] a):\n    pass\n"
)


@pytest.mark.claim(COMPILER, "a-copy-is-contiguous-2")
@pytest.mark.claim(COMPILER, "a-copy-is-contiguous")
def test_a_copy_is_contiguous(translated):
    assert translated(CONTIGUOUS.format("a.copy()"))[0]
    accepted, printed = translated(CONTIGUOUS.format("a"))
    assert not accepted
    assert "Memoryview 'double[:]' not conformable to memoryview 'double[::1]'." in printed


@pytest.mark.claim(COMPILER, "the-first-mistake")
def test_the_first_mistake(translated):
    accepted, printed = translated(TWO_MISTAKES)
    assert not accepted
    assert "Too many buffer options" in printed
    assert "must be a boolean" not in printed


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    """Translate all sources above in one process. Return a function from source to result.

    The result is whether Cython accepted the source, and what it printed about it.
    """
    folder = tmp_path_factory.mktemp("translated")
    sources = [*WARNINGS.values(), *FIXES.values(), *(source for source, _ in REJECTED.values())]
    sources += [CONTIGUOUS.format("a.copy()"), CONTIGUOUS.format("a"), TWO_MISTAKES]
    paths = {source: folder / f"source_{i}.pyx" for i, source in enumerate(sources)}
    for source, path in paths.items():
        path.write_text(source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "cython",
        "-3",
        "--shared=_cyutility",
        *map(str, paths.values()),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder)

    def result(source: str) -> tuple[bool, str]:
        path = paths[source]
        c = path.with_suffix(".c")
        accepted = c.is_file() and not c.read_text("utf-8").startswith("#error")
        printed = [line for line in done.stderr.splitlines() if f"{path.name}:" in line]
        return accepted, "\n".join(printed)

    return result
