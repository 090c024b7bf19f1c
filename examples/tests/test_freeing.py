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
    "memory-of-an-array-is-freed-once",
)
def test_memory_of_an_array_is_freed_once(freeing):
    a = freeing.by_cython(3)
    part = a[1:]
    del a
    assert freeing.events() == ["malloc(24) → A"]
    del part
    assert freeing.events() == ["malloc(24) → A", "free(A)"]
    freeing.begin()
    a = freeing.by_cython(3)
    array = a.base
    del a
    assert freeing.events() == ["malloc(24) → A"]
    del array
    assert freeing.events() == ["malloc(24) → A", "free(A)"]


@pytest.mark.claim(
    PAGE,
    "a-cast-pointer-is-not-freed",
)
def test_a_cast_pointer_is_not_freed(freeing):
    a = freeing.lent(3)
    owner = a.base
    assert type(owner).__name__ == "array"
    del owner, a
    assert freeing.events() == ["malloc(24) → A"]


@pytest.mark.claim(PAGE, "setting-the-callback-is-a-store")
def test_setting_the_callback_is_a_store(c_of):
    excerpt = c_of(KEY, "given", "owner.callback_free_data = free")
    assert excerpt.calls == excerpt.failure_calls == ()
    assert "__pyx_v_owner->callback_free_data = free;" in excerpt.text


@pytest.mark.claim(PAGE, "the-cast-makes-an-array")
def test_the_cast_makes_an_array(c_of):
    excerpt = c_of(KEY, "given", "cdef view.array owner = <double[:n]> p")
    assert "= __pyx_array_new(" in excerpt.text


@pytest.mark.claim(PAGE, "a-view-has-no-callback")
def test_a_view_has_no_callback(tmp_path):
    errors = compile_errors(
        tmp_path,
        "from libc.stdlib cimport free\ndef f(double[:] a):\n    a.callback_free_data = free\n",
    )
    assert "Cannot convert 'void (void *) noexcept nogil' to Python object" in errors
    errors = compile_errors(
        tmp_path,
        "from cython cimport view\n"
        "from libc.stdlib cimport free\n"
        "def f(view.array a):\n    a.callback_free_data = free\n",
    )
    assert errors == ""


def compile_errors(folder, text):
    """Return the messages of Cython for a source, which are none if it compiles."""
    source = folder / "attempt.pyx"
    source.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "cython", "-3", str(source)], capture_output=True, text=True
    )
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


@pytest.mark.claim(PAGE, "the-callback-runs-once-after-the-last-user")
def test_the_callback_runs_once_after_the_last_user(freeing):
    a = freeing.given(3)
    x = numpy.asarray(a)
    part = x[1:]
    del a, x
    assert part.tolist() == [1.0, 2.0]
    assert freeing.events() == ["malloc(24) → A"]
    del part
    assert freeing.events() == ["malloc(24) → A", "free(A)"]


@pytest.mark.claim(PAGE, "the-gil-is-held-during-the-callback")
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


@pytest.mark.claim(PAGE, "the-callback-may-use-python-objects")
def test_the_callback_may_use_python_objects(freeing):
    a = freeing.given_to_python_code(3)
    del a
    assert freeing.events() == ["malloc(24) → A", "# the callback runs", "free(A)"]


@pytest.mark.claim(PAGE, "a-callback-without-noexcept-is-refused")
def test_a_callback_without_noexcept_is_refused(tmp_path):
    text = (
        "from cython cimport view\n"
        "cdef void callback(void *data):\n    pass\n"
        "def f(view.array a):\n    a.callback_free_data = callback\n"
    )
    assert "Exception values are incompatible" in compile_errors(tmp_path, text)
    assert compile_errors(tmp_path, text.replace("data):", "data) noexcept:")) == ""


@pytest.mark.claim(PAGE, "a-callback-replaces-free")
def test_a_callback_replaces_free(freeing):
    a = freeing.callback_on_own_memory(3)
    del a
    assert freeing.events() == ["malloc(24) → A", "# the callback runs, and does not free"]


@pytest.mark.claim(
    PAGE,
    "a-callback-keeps-the-references-of-elements",
)
def test_a_callback_keeps_the_references_of_elements(freeing):
    element = object()
    before = sys.getrefcount(element)
    array = freeing.objects(element)
    del array
    assert sys.getrefcount(element) == before
    array = freeing.callback_on_objects(element)
    del array
    assert sys.getrefcount(element) == before + 1


@pytest.mark.claim(PAGE, "a-null-pointer")
@pytest.mark.parametrize("length", [3, 0])
def test_a_null_pointer(freeing, length):
    with pytest.raises(ValueError, match=r"Cannot create cython\.array from NULL pointer"):
        freeing.null(length)


@pytest.mark.claim(
    PAGE,
    "a-failing-cast-leaves-the-memory-to-its",
)
@pytest.mark.claim(PAGE, "a-failing-cast-leaves-the-memory-to-its-2")
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
    "copies-made-by-python-code-leak",
)
@pytest.mark.claim(PAGE, "copies-made-by-python-code-leak-2")
@pytest.mark.parametrize("method", ["copy", "copy_fortran"])
def test_copies_made_by_python_code_leak(freeing, method):
    a = freeing.by_cython(3)
    copy = getattr(a, method)()
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
