"""Claims of the page that compares ``np.ndarray[double]`` with ``double[:]``."""

import array
import math
import re
import subprocess
import timeit

import numpy
import pytest
from building import building

from sphinx_cython.core.artefact import Failure
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/buffers.md"
KEY = "buffers/old_and_new"
ITEM = "cdef double x = a[i]"


@pytest.fixture
def both(load):
    return load("old_and_new")


def times(module, *statements, **names):
    """Return the best time of each statement; in turns, so that a busy machine is busy for all."""
    names = {**vars(module), **names}
    timers = [timeit.Timer(statement, globals=names) for statement in statements]
    best = [math.inf] * len(timers)
    for _ in range(40):
        best = [min(b, timer.timeit(20)) for b, timer in zip(best, timers, strict=True)]
    return best


def neutral(text):
    """Give the members of both structs the same names."""
    text = re.sub(r"__pyx_pybuffernd_(\w)\.diminfo\[(\d)\]\.(shape|strides)", r"\1.\3[\2]", text)
    text = re.sub(r"__pyx_v_(\w)\.(shape|strides)", r"\1.\2", text)
    text = re.sub(r"__PYX_ERR\(0, \d+", "__PYX_ERR(0, LINE", re.sub(r"\s+", " ", text))
    return re.sub(r"\(\*\(\(double.*|\(\*__Pyx_BufPtr.*", "ADDRESS", text)


@pytest.mark.claim(PAGE, "the-checks-are-the-same")
@pytest.mark.parametrize(
    ("buffer", "view", "line"),
    [
        ("buffer_item", "view_item", ITEM),
        ("buffer_item_2d", "view_item_2d", "cdef double x = a[i, j]"),
    ],
)
def test_the_checks_are_the_same(c_of, buffer, view, line):
    one, other = c_of(KEY, buffer, line), c_of(KEY, view, line)
    assert neutral(one.text) == neutral(other.text)
    assert "shape[0]" in neutral(one.text)
    assert one.calls == other.calls == ()
    assert one.failure_calls == other.failure_calls == ("__Pyx_RaiseBufferIndexError",)


@pytest.mark.claim(PAGE, "the-macro-is-the-same-arithmetic")
def test_the_macro_is_the_same_arithmetic(built, c_of):
    artefact = built(KEY)
    (macro,) = read_definitions(
        artefact.c_file.read_text(), "__Pyx_BufPtrStrided1d", artefact.compiled_lines
    )
    assert macro.text.strip().endswith("(type)((char*)buf + i0 * s0)")
    view = c_of(KEY, "view_item", ITEM).text
    assert re.search(r"\(__pyx_v_a\.data \+ \w+ \* __pyx_v_a\.strides\[0\]\)", view)


@pytest.mark.claim(PAGE, "mode-c-has-no-stride")
def test_mode_c_has_no_stride(c_of, c_file):
    line = "y[i] += factor * x[i]"
    assert "__Pyx_BufPtrCContig1d" in c_of(KEY, "contiguous_buffer_axpy", line).text
    macro = "#define __Pyx_BufPtrCContig1d(type, buf, i0, s0) ((type)buf + i0)"
    assert macro in c_file(KEY)
    assert "strides" not in c_of(KEY, "contiguous_view_axpy", line).text


@pytest.mark.claim(PAGE, "both-loops-do-the-same")
@pytest.mark.parametrize("kind", ["", "contiguous_"])
def test_both_loops_do_the_same(both, kind):
    x, y, z = numpy.arange(9.0), numpy.ones(9), numpy.ones(9)
    getattr(both, f"{kind}buffer_axpy")(x, y, 0.5)
    getattr(both, f"{kind}view_axpy")(x, z, 0.5)
    assert y.tolist() == z.tolist() == (1 + 0.5 * x).tolist()
    x, y = numpy.arange(4000.0), numpy.ones(4000)
    buffer, view = times(
        both, f"{kind}buffer_axpy(x, y, 0.5)", f"{kind}view_axpy(x, y, 0.5)", x=x, y=y
    )
    assert 1 / 3 < buffer / view < 3, "a difference would be a finding"


@pytest.mark.claim(
    PAGE,
    "loops-over-bytes",
)
def test_loops_over_bytes(load, c_of):
    loops = load("variants.O3.byte_loops")
    x, y, z = (numpy.arange(1000, dtype="uint8") for _ in range(3))
    loops.contiguous_buffer(x, y, 3)
    loops.contiguous_view(x, z, 3)
    assert y.tolist() == z.tolist() == (x * 4).tolist()
    buffer, view = times(
        loops, "contiguous_buffer(x, y, 3, 9)", "contiguous_view(x, y, 3, 9)", x=x, y=y
    )
    assert buffer > 3 * view


@pytest.mark.claim(
    PAGE,
    "the-address-of-a-buffer-is-given-away",
)
@pytest.mark.claim(PAGE, "the-address-of-a-buffer-is-given-away-2")
def test_the_address_of_a_buffer_is_given_away(c_file, c_of):
    text = c_file("speed/byte_loops")
    assert "__Pyx_GetBufferAndValidate(&__pyx_pybuffernd_y.rcbuffer->pybuffer" in text
    line = "y[i] += factor * x[i]"
    buffer = c_of("speed/byte_loops", "contiguous_buffer", line).text
    assert "__pyx_pybuffernd_y.rcbuffer->pybuffer.buf" in buffer
    assert "__pyx_v_y.data" in c_of("speed/byte_loops", "contiguous_view", line).text


@pytest.mark.claim(PAGE, "alignment-is-no-matter-of-c")
def test_alignment_is_no_matter_of_c(c_file, outcomes):
    assert c_file(KEY) == c_file(f"{KEY}@aligned-loops")
    assert "-falign-loops=64" in outcomes[f"{KEY}@aligned-loops"].variant.profile.flags


@pytest.mark.claim(
    PAGE,
    "where-the-structs-are",
)
def test_where_the_structs_are(c_of, c_file):
    buffer = c_of(KEY, "buffer_set_up", "cdef cnp.ndarray[double, ndim=1] x = a")
    assert "&__pyx_pybuffernd_x.rcbuffer->pybuffer" in buffer.text
    assert "  __Pyx_Buffer __pyx_pybuffer_x;" in c_file(KEY)


@pytest.mark.claim(
    PAGE,
    "operators",
)
def test_operators(both, outcomes):
    whole = both.buffer_whole(numpy.arange(3.0))
    assert isinstance(whole, numpy.ndarray)
    assert whole.tolist() == [1.0, 2.0, 3.0]
    messages = [problem.message for problem in outcomes["refused/arithmetic"].problems]
    assert any(message.startswith("Invalid operand types for '+'") for message in messages)
    view = both.Holder(numpy.arange(3.0)).as_object()
    assert not hasattr(view, "sum")
    with pytest.raises(TypeError, match="unsupported operand"):
        view + 1.0


@pytest.mark.claim(PAGE, "read-only-arrays")
@pytest.mark.claim(PAGE, "read-only-arrays-2")
def test_read_only_arrays(both, c_of):
    a = numpy.arange(3.0)
    a.flags.writeable = False
    assert both.buffer_set_up(a) == 3
    for refused in both.view_set_up, lambda a: both.buffer_store(a, 1.0):
        with pytest.raises(ValueError, match="buffer source array is read-only"):
            refused(a)
    buffer = c_of(KEY, "buffer_set_up", "cdef cnp.ndarray[double, ndim=1] x = a").text
    assert "PyBUF_WRITABLE" not in buffer
    assert "PyBUF_WRITABLE" in c_of(KEY, "view_set_up", "cdef double[:] x = a").text


@pytest.mark.claim(PAGE, "slices")
@pytest.mark.claim(
    PAGE,
    "slices-2",
)
def test_slices(both, c_of):
    buffer, view = (c_of(KEY, f"{kind}_slices", "rest = a[i:]") for kind in ("buffer", "view"))
    assert "__Pyx_GetBufferAndValidate" in (*buffer.calls, *buffer.failure_calls)
    assert any("Slice" in name for name in buffer.calls)
    assert "PyBUF" not in view.text
    assert "__pyx_memoryview_slice_memviewslice" in view.text or ".shape[0] =" in view.text
    a = numpy.arange(100.0)
    assert both.buffer_slices(a) == both.view_slices(a) == a.sum()
    slow, fast = times(both, "buffer_slices(a)", "view_slices(a)", a=a)
    assert slow > 5 * fast


@pytest.mark.claim(PAGE, "passing-on")
def test_passing_on(both, c_of, c_file):
    line = "total += first_of_{}(a)"
    buffer = c_of(KEY, "buffer_passed", line.format("buffer"))
    view = c_of(KEY, "view_passed", line.format("view"))
    assert "first_of_buffer(((PyArrayObject *)__pyx_v_a))" in buffer.text
    assert "first_of_view(__pyx_v_a)" in view.text
    body = c_file(KEY).split("__pyx_f_11old_and_new_first_of_buffer(PyArrayObject *__pyx_v_a) {")
    assert "__Pyx_GetBufferAndValidate(" in body[1].split("\n}\n")[0]
    body = c_file(KEY).split("__pyx_f_11old_and_new_first_of_view(__Pyx_memviewslice __pyx_v_a) {")
    assert "PyBUF" not in body[1].split("\n}\n")[0]
    a = numpy.ones(3)
    assert both.buffer_passed(a, 4) == both.view_passed(a, 4) == 4.0
    slow, fast = times(both, "buffer_passed(a, 100)", "view_passed(a, 100)", a=a)
    assert slow > 3 * fast


@pytest.mark.claim(
    PAGE,
    "what-is-refused",
)
@pytest.mark.claim(
    PAGE,
    "what-is-refused-2",
)
@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("buffer_attribute", ["Buffer types only allowed as function local variables"]),
        (
            "buffer_module_level",
            [
                "Buffer types only allowed as function local variables",
                "Buffer vars not allowed in module scope",
            ],
        ),
        ("buffer_in_generator", ["Buffer types only allowed as function local variables"] * 2),
        (
            "buffer_argument_nogil",
            [
                "Buffer may not be acquired without the GIL. Consider using memoryview slices "
                "instead."
            ],
        ),
        (
            "buffer_slice_nogil",
            [
                "Assignment of Python object not allowed without gil",
                "Constructing Python slice object not allowed without gil",
                "Indexing Python object not allowed without gil",
                "Python type test not allowed without gil",
            ],
        ),
    ],
)
def test_what_is_refused(outcomes, name, messages):
    outcome = outcomes[f"refused/{name}"]
    assert isinstance(outcome, Failure)
    assert sorted(problem.message for problem in outcome.problems) == messages


def test_where_a_view_can_be_kept(both, load):
    a = numpy.arange(3.0)
    assert both.Holder(a).item(2) == 2.0
    assert list(both.view_in_generator(a)) == [both.view_in_closure(a)()] == [0.0]


@pytest.mark.claim(
    PAGE,
    "without-the-gil",
)
@pytest.mark.claim(PAGE, "without-the-gil-2")
def test_without_the_gil(both, c_of):
    a = numpy.arange(4.0)
    assert both.without_gil(a) == 2.0
    assert both.buffer_item_without_gil(a, 3) == 3.0
    assert both.buffer_length_without_gil(a) == 4
    assert c_of(KEY, "without_gil", "x = second(a[1:])").calls == ()


@pytest.mark.claim(PAGE, "other-exporters")
def test_other_exporters(both, load):
    assert load("none_for_ndarray").is_none(None)
    with pytest.raises(TypeError, match=r"Cannot convert memoryview to numpy\.ndarray"):
        both.buffer_set_up(memoryview(numpy.arange(3.0)))
    assert both.view_set_up(memoryview(numpy.arange(3.0))) == 3


@pytest.mark.claim(PAGE, "what-each-needs-to-be-built")
@pytest.mark.claim(PAGE, "what-each-needs-to-be-built-2")
@pytest.mark.claim(PAGE, "what-each-needs-to-be-built-3")
def test_what_each_needs_to_be_built():
    table = building({"view": "building/sum_of_view", "buffer": "building/sum_of_buffer"})
    _, view, buffer = zip(*table.rows, strict=True)
    assert view == ("works",) * 4
    assert buffer[0] == buffer[2] == "works"
    assert "numpy/arrayobject.h" in buffer[1]
    assert buffer[3].startswith("ImportError")


@pytest.mark.claim(
    PAGE,
    "a-module-built-without-numpy-takes-its",
)
def test_a_module_built_without_numpy_takes_its_arrays(load):
    total = load("sum_of_view").total
    assert total(array.array("d", [1, 2, 6])) == total(numpy.array([1.0, 2.0, 6.0])) == 9.0
    assert load("sum_of_buffer").total(numpy.array([1.0, 2.0, 6.0])) == 9.0


@pytest.mark.claim(PAGE, "views-work-in-the-limited-api")
def test_views_work_in_the_limited_api(load, built, builder, tmp_path):
    key = "building/sum_of_view@limited-api"
    assert load("variants.limited_api.sum_of_view").total(array.array("d", [1, 2, 6])) == 9.0
    c = built(key).c_file

    def compiles(version):
        macro = f"-DPy_LIMITED_API={version}"
        command = builder.toolchain.compile_command(str(c), str(tmp_path / "m.o"), ("-O0", macro))
        return subprocess.run(command, capture_output=True).returncode == 0

    assert compiles("0x030B0000")
    assert not compiles("0x030A0000")
