"""Claims of the page on views that are ``None`` or were never assigned."""

import re
import signal
import subprocess
import sys

import numpy
import pytest

from sphinx_cython.core.artefact import Failure
from sphinx_cython.core.cparts import CHECK

PAGE = "guide/none-and-unassigned.md"
UNASSIGNED, NONE = "unassigned/unassigned", "unassigned/none_arguments"
ATTRIBUTE, LOCAL, ARGUMENT = (f"cdef double x = {name}[i]" for name in ("self.view", "view", "a"))
IS_NULL = "if (unlikely(!__pyx_v_{}.memview))"
IS_NONE = "if (unlikely(((PyObject *) __pyx_v_a.memview) == Py_None))"


@pytest.fixture
def unassigned(load):
    return load("unassigned")


@pytest.fixture
def none_arguments(load):
    return load("none_arguments")


def checks(excerpt):
    """Return the conditions that stay in sight."""
    return [part.text for part in excerpt.parts if getattr(part, "tag", "") == CHECK]


def ending_of(module, expression):
    folder = module.__file__.rpartition("/")[0]
    code = f"import sys; sys.path.insert(0, {folder!r})\nimport {module.__name__}\n{expression}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode


@pytest.mark.claim(PAGE, "the-check-and-where-it-is-left-out")
def test_the_check_and_where_it_is_left_out(c_of):
    attribute = c_of(UNASSIGNED, "Holder.from_attribute", ATTRIBUTE)
    assert checks(attribute)[0] == IS_NULL.format("self->view")
    perhaps = c_of(UNASSIGNED, "from_local", LOCAL)
    assert checks(perhaps)[0] == IS_NULL.format("view")
    for function, line in (("Holder.without_check", ATTRIBUTE), ("from_assigned_local", LOCAL)):
        assert ".memview" not in c_of(UNASSIGNED, function, line).text


@pytest.mark.claim(PAGE, "the-check-of-a-global")
def test_the_check_of_a_global(c_of):
    text = c_of(UNASSIGNED, "from_global", "cdef double x = shared[i]").text
    assert re.search(r"if \(unlikely\(!\w+shared\.memview\)\)", text)


@pytest.mark.claim(
    PAGE,
    "what-the-check-raises",
)
def test_what_the_check_raises(unassigned):
    with pytest.raises(AttributeError, match=r"^Memoryview is not initialized$"):
        unassigned.Holder().from_attribute(0)
    with pytest.raises(UnboundLocalError, match="local variable 'view'"):
        unassigned.from_local(numpy.ones(3), False, 0)
    assert unassigned.from_local(numpy.ones(3), True, 0) == 1.0


NOGIL = "unassigned/unassigned_nogil"


@pytest.mark.claim(PAGE, "an-attribute-without-the-gil")
@pytest.mark.claim(PAGE, "an-attribute-without-the-gil-2")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
def test_an_attribute_without_the_gil(load, c_of):
    module = load("unassigned_nogil")
    text = c_of(NOGIL, "Holder.item", "x = self.view[i]").text
    raised = text.split("!__pyx_v_self->view.memview)", 1)[1].split("goto", 1)[0].splitlines()[0]
    assert "PyErr_SetString(PyExc_AttributeError" in raised
    assert "Ensure" not in raised
    assert ending_of(module, "unassigned_nogil.Holder().item(0)") == -signal.SIGSEGV
    assert ending_of(module, "h = unassigned_nogil.Holder(); h.assign(b'')") == 1
    assigned = "import array; h = unassigned_nogil.Holder(); h.assign(array.array('d', [1.0]))"
    assert ending_of(module, f"{assigned}; h.item(0)") == 0


@pytest.mark.claim(
    PAGE,
    "locals-without-the-gil",
)
@pytest.mark.claim(
    PAGE,
    "locals-without-the-gil-2",
)
def test_locals_without_the_gil(load, c_of, c_file):
    module = load("unassigned_nogil")
    with pytest.raises(AttributeError, match=r"^Memoryview is not initialized$"):
        module.Holder().item_of_local(0)
    with pytest.raises(UnboundLocalError, match="local variable 'view'"):
        module.local(numpy.ones(3), False, 0)
    text = c_of(NOGIL, "local", "x = view[i]").text
    assert "__Pyx_RaiseUnboundLocalErrorNogil(" in text
    body = c_file(NOGIL).split("static void __Pyx_RaiseUnboundLocalErrorNogil(const char *")
    assert "PyGILState_Ensure()" in body[-1].split("\n}\n")[0]
    holder = module.Holder()
    holder.assign(numpy.ones(3))
    assert holder.item(0) == holder.item_of_local(0) == 1.0


@pytest.mark.claim(PAGE, "uses-without-an-index")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
def test_uses_without_an_index(load):
    module = load("unassigned_nogil")
    assert ending_of(module, "unassigned_nogil.Holder().as_object()") == -signal.SIGSEGV
    assert module.Holder().is_none() is False


@pytest.mark.claim(PAGE, "the-message-for-a-global")
def test_the_message_for_a_global(unassigned):
    with pytest.raises(UnboundLocalError, match="local variable 'shared'"):
        unassigned.from_global(0)


@pytest.mark.claim(PAGE, "is-none-of-an-attribute")
def test_is_none_of_an_attribute(unassigned):
    holder = unassigned.Holder()
    with pytest.raises(AttributeError, match="Memoryview is not initialized"):
        holder.is_none()
    holder.assign(None)
    assert holder.is_none()


@pytest.mark.claim(PAGE, "without-the-check-the-length-is-zero")
def test_without_the_check_the_length_is_zero(unassigned):
    holder = unassigned.Holder()
    assert holder.length_without_check() == 0
    for index in (0, 1, -1):
        with pytest.raises(IndexError):
            holder.without_check(index)


@pytest.mark.claim(PAGE, "without-both-checks-the-process-ends")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
def test_without_both_checks_the_process_ends(unassigned):
    expression = "unassigned.Holder().without_any_check(0)"
    assert ending_of(unassigned, expression) == -signal.SIGSEGV


@pytest.mark.claim(
    PAGE,
    "none-is-let-through",
)
@pytest.mark.claim(PAGE, "none-is-let-through-2")
def test_none_is_let_through(none_arguments, c_file):
    with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
        none_arguments.maybe(None, 0)
    stored = "result.memview = (struct __pyx_memoryview_obj *) Py_None;"
    assert stored in c_file("acquiring/acquire@plain")


@pytest.mark.claim(
    PAGE,
    "a-loop-over-none-does-nothing",
)
def test_a_loop_over_none_does_nothing(none_arguments):
    assert none_arguments.total(None) == 0.0
    assert none_arguments.total(numpy.ones(3)) == 3.0
    assert none_arguments.fill(None, 1.0) is None


@pytest.mark.claim(
    PAGE,
    "operations-on-the-object",
)
def test_operations_on_the_object(none_arguments):
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'size'"):
        none_arguments.size(None)
    with pytest.raises(TypeError, match="'NoneType' is not iterable"):
        none_arguments.iterate(None)
    with pytest.raises(IndexError):
        none_arguments.first_row(None)


@pytest.mark.claim(PAGE, "slice-and-copy-of-none")
def test_slice_and_copy_of_none(none_arguments):
    assert none_arguments.rest(None) is None
    with pytest.raises(ValueError, match="indirect dimensions"):
        none_arguments.copied(None)


@pytest.mark.claim(PAGE, "none-without-bounds-check")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
def test_none_without_bounds_check(none_arguments):
    expression = "none_arguments.without_check(None, 0)"
    assert ending_of(none_arguments, expression) == -signal.SIGSEGV


@pytest.mark.claim(PAGE, "not-none-is-one-comparison")
def test_not_none_is_one_comparison(c_of, none_arguments):
    excerpt = c_of(NONE, "first", "def first(double[:] a not None):")
    assert checks(excerpt) == [IS_NONE.replace("*) ", "*)")]
    assert excerpt.text.count("Py_None)") == 1
    conversion = excerpt.text.index("__Pyx_PyObject_to_MemoryviewSlice_ds_double(")
    assert conversion < excerpt.text.index("Py_None)")
    assert "Py_None" not in c_of(NONE, "rest", "def rest(double[:] a):").text
    with pytest.raises(TypeError, match="Argument 'a' must not be None"):
        none_arguments.never(None, 0)


@pytest.mark.claim(
    PAGE,
    "annotations",
)
def test_annotations(none_arguments):
    with pytest.raises(TypeError, match="Argument 'a' must not be None"):
        none_arguments.annotated(None, 0)
    with pytest.raises(IndexError):
        none_arguments.annotated_optional(None, 0)
    assert none_arguments.annotated_default() is none_arguments.annotated_default(None) is True
    assert none_arguments.annotated_union(None) is True
    ones = numpy.ones(3)
    assert none_arguments.annotated(ones, 0) == none_arguments.annotated_optional(ones, 0) == 1.0


@pytest.mark.claim(PAGE, "not-none-is-refused-elsewhere")
def test_not_none_is_refused_elsewhere(outcomes):
    outcome = outcomes["refused/not_none_in_cpdef"]
    assert isinstance(outcome, Failure)
    assert [problem.message for problem in outcome.problems] == [
        "'not None' only allowed in Python functions"
    ] * 2


@pytest.mark.claim(PAGE, "is-none-is-one-comparison")
def test_is_none_is_one_comparison(c_of, none_arguments):
    excerpt = c_of(NONE, "total_or_none", "if a is None:")
    assert "(((PyObject *) __pyx_v_a.memview) == Py_None)" in excerpt.text
    assert excerpt.calls == excerpt.failure_calls == ()
    assert none_arguments.total_or_none() is None
    assert none_arguments.total_or_none(numpy.ones(3)) == 3.0


@pytest.mark.claim(
    PAGE,
    "nonecheck",
)
def test_nonecheck(c_of, none_arguments):
    assert checks(c_of(NONE, "each_time", ARGUMENT))[0] == IS_NONE
    assert "Py_None" not in c_of(NONE, "maybe", ARGUMENT).text
    with pytest.raises(TypeError, match="Cannot index None memoryview slice"):
        none_arguments.each_time(None, 0)
    with pytest.raises(TypeError, match="Cannot slice None memoryview slice"):
        none_arguments.rest_with_nonecheck(None)
    with pytest.raises(AttributeError, match="Cannot access 'shape' attribute of None"):
        none_arguments.length_with_nonecheck(None)
    assert none_arguments.len_with_nonecheck(None) == 0


@pytest.mark.claim(PAGE, "a-local-variable-takes-the-check-out-of-the")
def test_a_local_variable_takes_the_check_out_of_the_loop(c_of, unassigned):
    attribute = c_of(UNASSIGNED, "Holder.double_attribute", "out[i] = 2 * self.view[i]")
    assert checks(attribute)[0] == IS_NULL.format("self->view")
    local = c_of(UNASSIGNED, "Holder.double_local", "out[i] = 2 * view[i]")
    assert ".memview" not in local.text
    before = c_of(UNASSIGNED, "Holder.double_local", "cdef double[:] view = self.view")
    assert "Memoryview is not initialized" in before.text
    holder, out = unassigned.Holder(), numpy.empty(3)
    holder.assign(numpy.arange(3.0))
    for function in (holder.double_attribute, holder.double_unchecked, holder.double_local):
        out[:] = 0
        function(out)
        assert out.tolist() == [0.0, 2.0, 4.0]
