"""Claims of the page on the standard library's ``array``."""

import array
import gc
import subprocess

import numpy
import pytest

PAGE = "guide/array-module.md"
KEY = "exporters/cheap_memory"


@pytest.fixture
def memory(load):
    return load("cheap_memory")


@pytest.mark.claim(PAGE, "a-view-fills-an-array")
@pytest.mark.claim(PAGE, "a-view-fills-an-array-2")
def test_a_view_fills_an_array(memory):
    assert memory.squares(4) == array.array("d", [0, 1, 4, 9])


@pytest.mark.claim(PAGE, "the-pointer-is-a-member")
@pytest.mark.claim(PAGE, "the-pointer-is-a-member-2")
def test_the_pointer_is_a_member(c_of, c_file, memory):
    excerpt = c_of(KEY, "from_array_by_pointer", "cdef double *scratch = owner.data.as_doubles")
    assert excerpt.text.count("__pyx_f_7cpython_5array_5array_4data___get__(__pyx_v_owner)") == 1
    getter = c_file(KEY).split("4data___get__(arrayobject *__pyx_v_self) {")[1]
    assert "__pyx_r = __Pyx_PyArray_Data(__pyx_v_self);" in getter.split("\n}\n")[0]
    assert excerpt.calls == excerpt.failure_calls == ()
    assert memory.from_array_by_pointer(3) == 3


@pytest.mark.claim(PAGE, "clone-is-compiled-into-the-module")
@pytest.mark.claim(PAGE, "clone-is-compiled-into-the-module-2")
def test_clone_is_compiled_into_the_module(c_of, c_file, memory):
    line = "cdef double[::1] scratch = array.clone(doubles, count, zero=False)"
    assert "__pyx_f_7cpython_5array_clone(" in c_of(KEY, "from_array", line).text
    assert "CYTHON_INLINE arrayobject *__pyx_f_7cpython_5array_clone(" in c_file(KEY)
    assert memory.squares(1).typecode == "d"


@pytest.mark.claim(PAGE, "cpython-array-in-the-limited-api")
def test_cpython_array_in_the_limited_api(built, builder, tmp_path):
    c = built("exporters/moving_memory").c_file

    def compiles(*flags):
        command = builder.toolchain.compile_command(str(c), str(tmp_path / "m.o"), ("-O0", *flags))
        return subprocess.run(command, capture_output=True).returncode == 0

    assert compiles()
    assert not compiles("-DPy_LIMITED_API=0x030B0000")


@pytest.mark.claim(
    PAGE,
    "memory-that-moves",
)
@pytest.mark.claim(
    PAGE,
    "memory-that-moves-2",
)
@pytest.mark.claim(
    PAGE,
    "memory-that-moves-3",
)
def test_memory_that_moves(load, c_file):
    moving = load("moving_memory")
    assert moving.pointer_after_append(array.array("d", [1.0]), 0)
    assert not moving.pointer_after_append(array.array("d", [1.0]), 100_000)
    owner = array.array("d", [1.0])
    assert not moving.view_after_resize(owner, 1_000_000)
    assert len(owner) == 1_000_000
    for name in "resize", "resize_smart":
        body = c_file("exporters/moving_memory").split(f" {name}(arrayobject *self, Py_ssize_t n) ")
        assert "PyMem_Resize(" in body[1].split("\n}\n")[0]
        assert "ob_exports" not in body[1].split("\n}\n")[0]


@pytest.mark.claim(
    PAGE,
    "the-letter-is-the-element-type",
)
def test_the_letter_is_the_element_type(load):
    total = load("any_exporter").total_of_doubles
    assert total(array.array("d", [1.5])) == 1.5
    with pytest.raises(ValueError, match="expected 'const double' but got 'int'"):
        total(array.array("i", [1]))


@pytest.mark.claim(
    PAGE,
    "letters-of-equal-size",
)
def test_letters_of_equal_size(load):
    long_long = load("acquire").long_long
    assert long_long(array.array("q", [1])) == 1
    if array.array("l").itemsize == 8:
        assert long_long(array.array("l", [1])) == 1
    with pytest.raises(ValueError, match="expected 'long long'"):
        long_long(array.array("Q", [1]))


@pytest.mark.claim(
    PAGE,
    "an-array-cannot-grow-under-a-view",
)
def test_an_array_cannot_grow_under_a_view(memory):
    a = array.array("d", [1.0])
    with pytest.raises(BufferError, match="cannot resize an array that is exporting buffers"):
        memory.append_while_viewed(a)
    gc.collect()
    a.append(2.0)
    assert a.tolist() == [1.0, 2.0]


@pytest.mark.claim(PAGE, "operators")
def test_operators(memory):
    a = memory.squares(2)
    assert (a + a).tolist() == [0.0, 1.0, 0.0, 1.0]
    with pytest.raises(TypeError):
        a / 2


@pytest.mark.claim(PAGE, "two-dimensions")
def test_two_dimensions(memory):
    six = array.array("d", range(6))
    assert memory.trace(memoryview(six).cast("B").cast("d", shape=[2, 3])) == 0.0 + 4.0


@pytest.mark.claim(PAGE, "numpy-shares-the-memory")
def test_numpy_shares_the_memory(memory):
    a = memory.squares(3)
    numpy.asarray(a)[0] = 7.0
    assert a[0] == 7.0
