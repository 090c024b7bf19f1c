"""Claims of the page on freeing memory."""

import subprocess
import sys

import numpy
import pytest

PAGE = "guide/freeing-memory.md"
KEY = "memory/freeing@plain"


@pytest.fixture
def freeing(load):
    module = load("variants.plain.freeing")
    module.begin()
    return module


@pytest.mark.claim(
    PAGE,
    "it is freed once, when the last view of it has gone",
)
def test_memory_of_an_array_is_freed_once(freeing):
    a = freeing.by_cython(3)
    part = a[1:]
    del a
    assert freeing.events() == ["malloc(24) → A"]
    del part
    assert freeing.events() == ["malloc(24) → A", "free(A)"]


@pytest.mark.claim(
    PAGE, "A pointer that you cast to a view is not freed by anybody, unless you set"
)
def test_a_cast_pointer_is_not_freed(freeing):
    a = freeing.lent(3)
    owner = a.base
    assert type(owner).__name__ == "array"
    del owner, a
    assert freeing.events() == ["malloc(24) → A"]


@pytest.mark.claim(PAGE, "In C it is one store")
def test_setting_the_callback_is_a_store(c_of):
    excerpt = c_of(KEY, "given", "owner.callback_free_data = free")
    assert excerpt.calls == excerpt.failure_calls == ()
    assert "__pyx_v_owner->callback_free_data = free;" in excerpt.text


@pytest.mark.claim(PAGE, "The cast <double[:n]> p makes a cython.view.array too")
def test_the_cast_makes_an_array(c_of):
    excerpt = c_of(KEY, "given", "cdef view.array owner = <double[:n]> p")
    assert "= __pyx_array_new(" in excerpt.text


@pytest.mark.claim(PAGE, "which has to be made on the array, since a view has no such attribute")
def test_python_does_not_see_the_callback(freeing):
    view = freeing.by_cython(3)
    for thing in (view, view.base):
        assert not hasattr(thing, "callback_free_data")


@pytest.mark.claim(PAGE, "A NumPy array made of the array, and a slice of that, keep it")
def test_the_callback_runs_once_after_the_last_user(freeing):
    a = freeing.given(3)
    x = numpy.asarray(a)
    part = x[1:]
    del a, x
    assert part.tolist() == [1.0, 2.0]
    assert freeing.events() == ["malloc(24) → A"]
    del part
    assert freeing.events() == ["malloc(24) → A", "free(A)"]


@pytest.mark.claim(PAGE, "it is called with the GIL held, also when the last view goes in a nogil")
def test_the_gil_is_held_during_the_callback(freeing, c_of):
    kept = freeing.replaced_without_gil(3, 4)
    assert freeing.events() == [
        *("malloc(24) → A", "malloc(32) → B"),
        *("# before", "free(A)", "# after"),
    ]
    assert freeing.frees_with_gil() == [True]
    del kept
    text = c_of(KEY, "replaced_without_gil", "a = b").text
    assert "__PYX_XCLEAR_MEMVIEW(&__pyx_v_a, 0)" in text


@pytest.mark.claim(PAGE, "Use Python objects")
def test_the_callback_may_use_python_objects(freeing):
    a = freeing.given_to_python_code(3)
    del a
    assert freeing.events() == ["malloc(24) → A", "# the callback runs", "free(A)"]


@pytest.mark.claim(PAGE, "a cdef function has to be declared noexcept to fit")
def test_a_callback_without_noexcept_is_refused(tmp_path):
    source = tmp_path / "raising.pyx"
    source.write_text(
        "from cython cimport view\n"
        "cdef void callback(void *data):\n    pass\n"
        "def f(view.array a):\n    a.callback_free_data = callback\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "cython", "-3", str(source)], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Exception values are incompatible" in done.stderr


@pytest.mark.claim(PAGE, "A callback replaces Cython's free; it is not called in addition to it.")
def test_a_callback_replaces_free(freeing):
    a = freeing.callback_on_own_memory(3)
    del a
    assert freeing.events() == ["malloc(24) → A", "# the callback runs, and does not free"]


@pytest.mark.claim(
    PAGE, "The cast raises, the array has not taken over the memory, and it is still yours to free"
)
def test_a_failing_cast_leaves_the_memory_to_its_caller(freeing):
    with pytest.raises(ValueError, match=r"Invalid shape in axis 0: 0\."):
        freeing.given(0)
    assert freeing.events() == ["malloc(0) → A"]
    freeing.begin()
    with pytest.raises(ValueError, match=r"Invalid shape in axis 0: 0\."):
        freeing.given_safely(0)
    assert freeing.events() == ["malloc(0) → A", "free(A)"]


@pytest.mark.claim(
    PAGE,
    "the method copy() of a view, called by Python code, never frees the copy. The same method "
    "called in Cython code, on a typed view, does",
)
def test_copies_made_by_python_code_leak(freeing):
    a = freeing.by_cython(3)
    copy = a.copy()
    del copy
    assert [e for e in freeing.events() if e != "free(NULL)"] == [
        "malloc(24) → A",
        "malloc(24) → B",
    ]
    copy = freeing.copied(a)
    del copy
    assert [e for e in freeing.events() if e != "free(NULL)"] == [
        *("malloc(24) → A", "malloc(24) → B"),
        *("malloc(24) → C", "free(C)"),
    ]
