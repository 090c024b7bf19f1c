"""Claims of the page with short answers."""

import re
import weakref

import numpy
import pytest

from sphinx_cython.core.artefact import Failure

PAGE = "guide/more-questions.md"
KEY = "questions/operations"


@pytest.fixture
def elements(load):
    return load("elements")


@pytest.fixture
def operations(load):
    return load("operations")


@pytest.mark.claim(PAGE, "bint")
def test_bint_is_no_bool(load):
    with pytest.raises(ValueError, match="expected 'bint' but got 'bool'"):
        load("element_types").as_bint(numpy.zeros(3, bool))
    assert load("element_types").as_bint(numpy.zeros(3, "int32")) == 3


@pytest.mark.claim(PAGE, "single")
def test_single_precision_complex_numbers(elements):
    assert elements.imaginary(numpy.array([1 + 2j, 3j], "complex64")) == 5.0
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        elements.imaginary(numpy.array([1j]))


@pytest.mark.claim(PAGE, "unicode")
def test_unicode_strings_have_to_become_objects(elements):
    strings = numpy.array(["a", "bc"])
    with pytest.raises(ValueError, match=r"format string \('w'\)"):
        elements.join(strings)
    assert elements.join(strings.astype(object)) == "abc"


@pytest.mark.claim(PAGE, "packed")
@pytest.mark.parametrize("align", [False, True])
def test_padding(load, align):
    records = numpy.zeros(2, numpy.dtype("i4, f8", align=align))
    types = load("element_types")
    fits, differs = (types.as_pair, types.as_aligned_pair)[:: -1 if align else 1]
    assert fits(records) == 2
    with pytest.raises(ValueError, match="next field is at offset"):
        differs(records)


@pytest.mark.claim(PAGE, "attributes")
def test_attributes_of_the_object(c_of):
    line = "return len(a), a.shape[0], a.shape[1], a.ndim, a.size, a.nbytes, a.itemsize"
    text = c_of(KEY, "lengths", line).text
    asked = re.findall(r"__Pyx_PyObject_GetAttrStr\(\w+, [\w>-]+__pyx_n_u_(\w+)\)", text)
    assert asked == ["ndim", "size", "nbytes", "itemsize"]


@pytest.mark.claim(PAGE, "loop")
def test_a_loop_over_elements_calls_nothing(c_of, operations):
    assert c_of(KEY, "total", "for x in a:").calls == ()
    assert operations.total(numpy.arange(4.0)[::-1]) == 6.0


@pytest.mark.claim(PAGE, "transposed")
def test_the_transposed_view_is_fortran_contiguous(c_of, operations):
    line = "cdef double[::1, :] b = a.T"
    assert "PyObject_to_MemoryviewSlice" not in c_of(KEY, "turned_c", line).text
    assert numpy.asarray(operations.turned_c(numpy.zeros((2, 3)))).flags.f_contiguous


@pytest.mark.claim(PAGE, "public")
def test_each_reading_makes_an_object(load):
    plain = load("attributes").Plain(numpy.ones(2))
    first, second = plain.values, plain.values
    assert first is not second
    assert not isinstance(first, numpy.ndarray)
    assert numpy.shares_memory(first, second)


@pytest.mark.claim(PAGE, "global")
def test_the_module_keeps_the_array(operations):
    values = numpy.ones(3)
    alive = weakref.ref(values)
    operations.remember(values)
    del values
    assert alive() is not None
    operations.remember(None)
    assert alive() is None


@pytest.mark.claim(PAGE, "no-global-buffer")
def test_a_buffer_cannot_be_a_global(outcomes):
    outcome = outcomes["refused/buffer_module_level"]
    assert isinstance(outcome, Failure)
    assert "Buffer types only allowed as function local variables" in outcome.summary + "".join(
        problem.message for problem in outcome.problems
    )


@pytest.mark.claim(PAGE, "atomic")
def test_the_count_is_atomic(c_file):
    text = c_file("memory/keeping@plain")
    count = re.search(
        r"#if CYTHON_ATOMICS\n +#define __pyx_add_acquisition_count\(memview\)\\\n +(\w+)", text
    )
    assert count
    assert count[1] == "__pyx_atomic_incr_relaxed"
    start = text.rindex("\n__Pyx_INC_MEMVIEW(__Pyx_memviewslice *memslice")
    assert "__pyx_add_acquisition_count(memview)" in text[start : text.index("\n}\n", start)]
