"""Claims of the page on the GIL."""

import os
import re
import signal
import subprocess
import sys
import timeit

import numpy
import pytest

from sphinx_cython.core.artefact import Failure
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/gil.md"
KEY = "gil/without_gil"
ROWS = "gil/parallel_rows"


@pytest.fixture
def module(load):
    return load("without_gil")


@pytest.fixture
def translate(tmp_path):
    """Translate a source with Cython, and return how it ended."""

    def run(source):
        path = tmp_path / "translated.pyx"
        path.write_text(source, encoding="utf-8")
        command = [sys.executable, "-m", "cython", "-3", path.name]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def messages(outcome):
    assert isinstance(outcome, Failure)
    return [(p.line, p.message) for p in outcome.problems]


@pytest.mark.claim(
    PAGE,
    "passing-slicing-and-assigning",
)
def test_passing_slicing_and_assigning(module, c_of):
    table = numpy.arange(12.0).reshape(3, 4)
    assert module.pass_slice_assign(table, 1) == table[1, 0]
    for line in ("row = a[i]", "part = row[::2]", "row = part", "x = first(row)"):
        text = c_of(KEY, "pass_slice_assign", line).text
        assert "__Pyx_PyObject_to_MemoryviewSlice" not in text
        if line != "row = a[i]":  # its index may be out of range
            assert "GILState" not in text


@pytest.mark.claim(
    PAGE,
    "a-slice-in-a-variable-is-counted-atomically",
)
def test_a_slice_in_a_variable_is_counted_atomically(c_of, built):
    assert "__PYX_INC_MEMVIEW(&" in c_of(KEY, "pass_slice_assign", "row = a[i]").text
    artefact = built(KEY)
    c = artefact.c_file.read_text(encoding="utf-8")
    counting = read_definitions(c, "__Pyx_INC_MEMVIEW", artefact.compiled_lines)
    assert any("__pyx_add_acquisition_count(" in found.text for found in counting)
    assert re.search(r"#define __pyx_add_acquisition_count\(\w+\)\\\s+__pyx_atomic_incr", c)


@pytest.mark.claim(PAGE, "object-items-need-the-gil")
@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("object[:] a", "Cannot access buffer with object dtype without gil"),
        ("double[:] a", None),
    ],
)
def test_object_items_need_the_gil(translate, declaration, message):
    done = translate(f"def f({declaration}):\n    with nogil:\n        a[0] = a[1]\n")
    assert (done.returncode == 0) == (message is None)
    assert message is None or message in done.stderr


@pytest.mark.claim(PAGE, "shape-and-len-need-no-gil")
def test_shape_and_len_need_no_gil(translate):
    body = "cdef Py_ssize_t n\n    with nogil:\n        n = a.shape[0]\n        n = len(a)"
    assert translate(f"def f(double[:] a):\n    {body}\n    return n\n").returncode == 0
    assert translate(f"def f(double[:] a):\n    {body} + a.ndim\n").returncode != 0


@pytest.mark.claim(
    PAGE,
    "the-counting-knows-that-the-gil-is-released",
)
def test_the_counting_knows_that_the_gil_is_released(c_of):
    text = c_of(KEY, "pass_slice_assign", "part = row[::2]").text
    assert "__PYX_INC_MEMVIEW(&" in text
    assert ", 0);" in text.split("__PYX_INC_MEMVIEW", 1)[1].splitlines()[0]
    text = c_of(KEY, "pass_slice_assign", "row = part").text
    assert "__PYX_XCLEAR_MEMVIEW(&__pyx_v_row, 0);" in text


@pytest.mark.claim(
    PAGE,
    "an-index-error-without-the-gil",
)
def test_an_index_error_without_the_gil(module, c_of):
    a = numpy.arange(3.0)
    assert module.item(a, 2) == 2.0
    with pytest.raises(IndexError, match="Out of bounds on buffer access"):
        module.item(a, 5)
    excerpt = c_of(KEY, "item", "x = a[i]")
    assert "__Pyx_RaiseBufferIndexErrorNogil" in excerpt.failure_calls
    assert excerpt.calls == ()


@pytest.mark.claim(
    PAGE,
    "noexcept-swallows",
)
def test_noexcept_swallows(builder, outcomes):
    code = "import numpy, raising; print(raising.swallowed(numpy.arange(3.0) + 7, 5))"
    env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "0.0\n")
    assert "IndexError: Out of bounds on buffer access (axis 0)" in done.stderr
    assert "Exception ignored in: 'raising.item_swallowed'" in done.stderr


@pytest.mark.claim(PAGE, "an-exception-value-passes-it-on")
@pytest.mark.claim(
    PAGE,
    "an-exception-value-passes-it-on-2",
)
@pytest.mark.parametrize("name", ["raised", "undeclared"])
def test_an_exception_value_passes_it_on(load, name):
    function = getattr(load("raising"), name)
    assert function(numpy.array([-1.0, 5.0]), 0) == -1.0
    with pytest.raises(IndexError, match="Out of bounds on buffer access"):
        function(numpy.arange(3.0), 5)


@pytest.mark.claim(
    PAGE,
    "the-check-after-the-call",
)
@pytest.mark.parametrize("name", ["raised", "undeclared"])
def test_the_check_after_the_call(c_of, name):
    text = c_of("gil/raising", name, f"x = item_{name}(a, i)").text
    assert re.search(r"== \(\(double\)-1(\.0)?\) && __Pyx_ErrOccurredWithGIL\(\)", text)


@pytest.mark.claim(
    PAGE,
    "void-functions-that-may-raise",
)
def test_void_functions_that_may_raise(load, c_of, translate):
    star = c_of("gil/raising", "fill_star", "store_star(a, i)").text
    assert "if (unlikely(__Pyx_ErrOccurredWithGIL()))" in star
    reported = c_of("gil/raising", "fill_reported", "store_reported(a, i)").text
    assert "WithGIL" not in reported
    source = "cdef void f(double[:] a) nogil:\n    a[0] = 1\n"
    assert "will always require the GIL to be acquired" in translate(source).stderr
    module, a = load("raising"), numpy.zeros(1000)
    for function in module.fill_star, module.fill_reported:
        a[:] = -1
        function(a, 1000)
        assert a.tolist() == list(range(1000))
        with pytest.raises(IndexError):
            function(a, 1001)

    def best(function):
        return min(timeit.repeat(lambda: function(a, 1000), number=5, repeat=15))

    assert best(module.fill_star) > 3 * best(module.fill_reported)


@pytest.mark.claim(
    PAGE,
    "an-ndarray-buffer",
)
def test_an_ndarray_buffer(outcomes, translate):
    found = messages(outcomes["refused/buffer_without_gil"])
    advice = "Consider using memoryview slices instead."
    assert found[0] == (6, f"Buffer may not be acquired without the GIL. {advice}")
    assert (13, "Assignment of Python object not allowed without gil") in found
    assert (14, "Indexing Python object not allowed without gil") in found
    source = (
        "cimport numpy as cnp\n"
        "def first(cnp.ndarray[double, ndim=1] a):\n"
        "    cdef double x\n    with nogil:\n        x = a[0]\n        a[1] = x\n    return x\n"
    )
    assert translate(source).returncode == 0


@pytest.mark.claim(
    PAGE,
    "what-needs-the-gil",
)
@pytest.mark.claim(PAGE, "what-needs-the-gil-2")
def test_what_needs_the_gil(outcomes):
    found = messages(outcomes["refused/view_needs_gil"])
    assert {line for line, _ in found} == {6, 12, 18, 25, 31}
    assert (6, "Converting to Python object not allowed without gil") in found
    assert (12, "Calling gil-requiring function not allowed without gil") in found
    assert (18, "Operation not allowed without gil") in found
    assert (25, "Operation not allowed without gil") in found
    assert (31, "Accessing Python attribute not allowed without gil") in found


@pytest.mark.claim(
    PAGE,
    "a-view-of-an-object-without-the-gil-crashes",
)
@pytest.mark.claim(PAGE, "a-view-of-an-object-without-the-gil-crashes-2")
def test_a_view_of_an_object_without_the_gil_crashes(load, builder, outcomes, c_of):
    text = c_of("gil/object_in_nogil", "crash", "a = x").text
    assert "__Pyx_PyObject_to_MemoryviewSlice_ds_double(" in text
    assert "GILState" not in text
    code = "import numpy, object_in_nogil; object_in_nogil.crash(numpy.zeros(3))"
    env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
    assert done.returncode == -signal.SIGSEGV


@pytest.mark.claim(PAGE, "the-gil-can-be-taken-for-one-line")
def test_the_gil_can_be_taken_for_one_line(module):
    assert module.from_object(numpy.arange(3.0) + 7) == 7.0


def test_the_work_is_the_same_with_and_without_the_gil(module):
    a = numpy.linspace(0, 1, 1000)
    expected = pytest.approx(numpy.sin(a).sum())
    assert module.work_holding(a) == module.work_releasing(a) == expected


@pytest.mark.claim(PAGE, "a-nogil-block-lets-go-of-the-thread-state")
def test_a_nogil_block_lets_go_of_the_thread_state(c_of):
    block = c_of(KEY, "work_releasing", "with nogil:").text
    assert "PyEval_SaveThread()" in block or "Py_UNBLOCK_THREADS" in block
    held = c_of(KEY, "work_holding", "total = work(a)").text
    assert "Save" not in held
    assert "UNBLOCK" not in held


@pytest.mark.claim(PAGE, "prange-gives-the-same-with-and-without")
def test_prange_gives_the_same_with_and_without_openmp(load, builder):
    serial, parallel = load("parallel_rows"), load("variants.openmp.parallel_rows")
    assert not serial.with_openmp()
    assert parallel.with_openmp() == builder.toolchain.accepts("-fopenmp")
    a = numpy.random.default_rng(1).random((7, 5))
    results = []
    for module in (serial, parallel):
        for function in (module.rows_serial, module.rows_parallel):
            out = numpy.zeros(7)
            function(a, out)
            results.append(out)
        expected = pytest.approx((a[:, 0] + a[:, 1]).sum())
        for function in (module.sum_indexed, module.sum_sliced, module.sum_sliced_serial):
            assert function(a) == expected
    for out in results:
        assert out.tolist() == results[0].tolist() == pytest.approx(numpy.sin(a).sum(axis=1))


@pytest.mark.claim(
    PAGE,
    "the-schedule-is-handed-to-openmp",
)
def test_the_schedule_is_handed_to_openmp(c_of, c_file):
    line = 'for i in prange(a.shape[0], nogil=True, schedule="dynamic", chunksize=10):'
    c = c_of(ROWS, "rows_parallel", line).text
    chunk = re.search(r"#pragma omp for .*schedule\(dynamic, (\w+)\)", c)
    assert f"{chunk[1]} = 10;" in c_file(ROWS)


@pytest.mark.claim(
    PAGE,
    "slices-count-in-prange-only",
)
def test_slices_count_in_prange_only(c_of):
    line = "total += corner_of_row(a[i])"
    assert "__PYX_INC_MEMVIEW" in c_of(ROWS, "sum_sliced", line).text
    assert "MEMVIEW(" not in c_of(ROWS, "sum_sliced_serial", line).text
    assert "MEMVIEW(" not in c_of(ROWS, "sum_indexed", "total += corner(a, i)").text


@pytest.mark.claim(PAGE, "a-slice-in-prange-is-slow")
def test_a_slice_in_prange_costs_several_times_an_index(load):
    module = load("parallel_rows")  # even in one thread
    a = numpy.zeros((20000, 2))

    def best(function):
        return min(timeit.repeat(lambda: function(a), number=5, repeat=15))

    assert best(module.sum_sliced) > 3 * best(module.sum_indexed)


@pytest.mark.claim(
    PAGE,
    "a-private-view-is-refused",
)
def test_a_private_view_is_refused(outcomes):
    assert messages(outcomes["refused/private_view"]) == [
        (11, "Memoryview slices can only be shared in parallel sections")
    ]
