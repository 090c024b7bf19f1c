"""Claims of the page on how to read the C."""

import pytest

from sphinx_cython.core.cparts import ACCESS, ADDRESS, CALL, CHECK, FAILURE, REFCOUNT, Fold

PAGE = "guide/reading-the-c.md"
LINE = "x = a[i]"


def kinds(excerpt):
    flat = [bit for p in excerpt.parts for bit in (p.parts if isinstance(p, Fold) else (p,))]
    return {bit.tag for bit in flat if bit.tag}


@pytest.mark.claim(PAGE, "the-two-lines-have-all-kinds")
@pytest.mark.claim(PAGE, "the-two-lines-have-all-kinds-2")
def test_the_two_lines_have_all_kinds(c_of):
    view = kinds(c_of("indexing/view_items", "strided", "cdef double x = a[i]"))
    untyped = kinds(c_of("indexing/four_ways", "sum_object", LINE))
    assert view == {ADDRESS, ACCESS, CHECK, FAILURE}
    assert view | untyped == {ADDRESS, ACCESS, CHECK, CALL, REFCOUNT, FAILURE}


@pytest.mark.claim(PAGE, "plain-c-has-no-kind")
def test_plain_c_has_no_kind(c_of):
    excerpt = c_of("indexing/view_items", "strided", "cdef double x = a[i]")
    plain = "".join(p.text for p in excerpt.parts if not isinstance(p, Fold) and not p.tag)
    assert "__pyx_t_1 = __pyx_v_i;" in plain


@pytest.mark.claim(PAGE, "the-names-are-those-of-generated-c")
def test_the_names_are_those_of_generated_c(c_file, c_of):
    c = c_file("indexing/four_ways")
    assert len("four_ways") == 9
    for name in ("__pyx_v_a", "__pyx_t_1", "__pyx_r", "__pyx_f_9four_ways_from_view"):
        assert f" {name}" in c
    assert "PyObject_GetItem(" in c_file("objects/object_items@plain")
    assert "__pyx_L1_error:;" in c
    assert "__Pyx_GetItemInt(" in c_of("indexing/four_ways", "from_object", "return a[i]").text


@pytest.mark.claim(PAGE, "what-is-counted")
def test_what_is_counted(c_of):
    excerpt = c_of("indexing/four_ways", "sum_object", LINE)
    assert "__Pyx_DECREF" in excerpt.text
    assert excerpt.calls == ("__Pyx_GetItemInt", "__Pyx_PyFloat_AsDouble")
