"""Claims of the page on what a memoryview is made of."""

import gc
import re
import struct
import sys

import numpy
import pytest
from slice_chain import chain

from sphinx_cython.core.artefact import Failure
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/what-is-inside.md"
KEY = "inside/slice_struct@plain"


@pytest.fixture
def slices(load):
    return load("slice_struct")


@pytest.mark.claim(PAGE, "the-struct-is-two-pointers-and-three-times")
def test_the_struct_is_two_pointers_and_three_times_eight_lengths(slices):
    pointer, length = struct.calcsize("P"), struct.calcsize("n")
    assert slices.layout() == {
        "size": 2 * pointer + 3 * 8 * length,
        "memview": 0,
        "data": pointer,
        "shape": 2 * pointer,
        "strides": 2 * pointer + 8 * length,
        "suboffsets": 2 * pointer + 16 * length,
    }
    if sys.maxsize > 2**32:
        assert slices.layout()["size"] == 208


@pytest.mark.claim(PAGE, "the-declaration")
def test_the_declaration(built):
    artefact = built(KEY)
    c = artefact.c_file.read_text()
    (declared,) = read_definitions(c, "__Pyx_memviewslice", artefact.compiled_lines)
    members = re.findall(r"(\w+)(?:\[8\])?;", declared.text.split("}")[0])
    assert members == ["memview", "data", "shape", "strides", "suboffsets"]


@pytest.mark.claim(
    PAGE,
    "a-variable-starts-as-zeros",
)
def test_a_variable_starts_as_zeros(c_file, slices):
    declared = "__Pyx_memviewslice __pyx_v_view = { 0, 0, { 0 }, { 0 }, { 0 } };"
    assert declared in c_file("indexing/four_ways")
    assert slices.memview_of_none(None) is None
    assert slices.memview_of_none(numpy.zeros((1, 1))) is not None


@pytest.mark.claim(PAGE, "data-of-a-reversed-array")
def test_data_of_a_reversed_array(slices):
    x = numpy.arange(6.0).reshape(3, 2)
    last = slices.members(x[::-1, ::-1])
    assert last["data"] - slices.members(x)["data"] == 5 * 8
    assert last["strides"] == [-16, -8]
    assert slices.members(x[3:])["shape"] == [0, 2]


@pytest.mark.claim(PAGE, "one-struct-for-all-types")
def test_one_struct_for_all_types(c_file):
    """The file with one- and two-dimensional, strided and contiguous views declares one struct."""
    assert c_file("indexing/view_items").count("} __Pyx_memviewslice;") == 1


@pytest.mark.claim(PAGE, "a-slice-of-a-view")
def test_a_slice_of_a_view(slices):
    x = numpy.arange(24.0).reshape(4, 6)
    whole, part = slices.members(x), slices.members_of_part(x)
    assert (whole["shape"], whole["strides"]) == ([4, 6], [48, 8])
    assert (part["shape"], part["strides"]) == ([2, 3], [96, 16])
    assert part["data"] - whole["data"] == 8
    assert part["suboffsets"] == [-1, -1]


@pytest.mark.claim(PAGE, "slices-share-the-memoryview-object")
@pytest.mark.claim(PAGE, "slices-share-the-memoryview-object-2")
def test_slices_share_the_memoryview_object(slices, c_of):
    line = "return SLICE_MEMVIEW(a) == SLICE_MEMVIEW(a[1:])"
    text = c_of(KEY, "same_owner", line).text
    assert re.search(r"__pyx_t_\w+\.memview = __pyx_v_a\.memview;", text)
    assert "__pyx_memoryview_new" not in text
    x = numpy.zeros((3, 2))
    assert slices.same_owner(x)
    assert not slices.same_owner_if_acquired_twice(x)  # so the comparison can say no
    keep = [slices.members(x)["memview"], slices.members_of_part(x)["memview"]]
    assert keep[0] is not keep[1]


@pytest.mark.claim(
    PAGE,
    "a-view-that-comes-back-serves-as-memoryview",
)
def test_a_view_that_comes_back_serves_as_memoryview_object(slices, load):
    x = numpy.zeros((3, 2))
    shared, plain = slices, load("variants.plain.slice_struct")
    for module in (shared, plain):
        mv = module.as_object(x)
        assert module.members(mv)["memview"] is mv
    mv = plain.as_object(x)
    assert shared.members(mv)["memview"] is not mv
    assert shared.members(mv)["memview"].base is mv


@pytest.mark.claim(PAGE, "the-exporter-is-the-base")
def test_the_exporter_is_the_base(slices):
    x = numpy.zeros((3, 2))
    assert slices.as_object(x).base is x
    assert slices.as_object(None) is None


@pytest.mark.claim(PAGE, "a-view-keeps-its-exporter-alive")
def test_a_view_keeps_its_exporter_alive(slices):
    x = numpy.arange(6.0).reshape(3, 2)
    before = sys.getrefcount(x)
    mv = slices.as_object(x)
    assert sys.getrefcount(x) > before
    del mv
    gc.collect()
    assert sys.getrefcount(x) == before


@pytest.mark.claim(
    PAGE,
    "a-c-function-takes-the-struct-by-value",
)
def test_a_c_function_takes_the_struct_by_value(built):
    artefact = built(KEY)
    c = artefact.c_file.read_text()
    (read,) = read_definitions(c, "__pyx_f_12slice_struct_read", artefact.compiled_lines)
    assert "(__Pyx_memviewslice __pyx_v_a)" in read.text.partition("{")[0]


@pytest.mark.claim(
    PAGE,
    "an-attribute-is-checked",
)
def test_an_attribute_is_checked(c_of):
    text = c_of("memory/keeping@plain", "Views.first_of_b", "return self.b[0]").text
    assert "if (unlikely(!__pyx_v_self->b.memview))" in text
    text = c_of(
        "memory/counted", "slice_of_global", "cdef int count = use(table_of_module[i])"
    ).text
    assert re.search(r"if \(unlikely\(!__pyx_v_\w*table_of_module\.memview\)\)", text)


@pytest.mark.claim(
    PAGE,
    "the-count-is-not-the-number-of-structs",
)
def test_the_count_is_not_the_number_of_structs(load):
    """While ``use`` runs there are two structs: its argument, and the caller's."""
    assert load("counted").argument(numpy.zeros(4)) == 1


@pytest.mark.claim(PAGE, "the-address-is-refused")
def test_the_address_is_refused(outcomes):
    outcome = outcomes["refused/address_of_view"]
    assert isinstance(outcome, Failure)
    assert [(p.line, p.message) for p in outcome.problems] == [
        (5, "Cannot take address of memoryview slice")
    ]


@pytest.mark.claim("index.md", "the-picture-shows-what-the-example-reads")
@pytest.mark.claim("index.md", "the-picture-shows-what-the-example-reads-2")
def test_the_picture_shows_what_the_example_reads(slices):
    x = numpy.arange(24.0).reshape(4, 6)
    drawn = chain(slices.layout(), slices.members_of_part(x), x)
    assert drawn.offset == 8
    assert drawn.strides[0] == 2 * x.strides[0]
    assert drawn.reached() == x[::2, 1::2].ravel().astype(int).tolist()
    picture = drawn._repr_html_()
    for text in ("208 bytes", "A + 8", "96, 16", "2, 3", "−1, −1", ">ndarray<", ">memoryview<"):
        assert picture.count(text) >= 2, text


def test_another_example_gives_another_picture(slices):
    x = numpy.arange(30.0).reshape(5, 6)
    drawn = chain(slices.layout(), slices.members(x[1:, 2:]), x)
    assert drawn.reached() == x[1:, 2:].ravel().astype(int).tolist()
    picture = drawn._repr_html_()
    assert "A + 64" in picture
    assert "48, 8" in picture
    assert "5, 6" in picture


def test_the_picture_refuses_a_slice_of_something_else(slices):
    x, y = numpy.zeros((2, 2)), numpy.zeros((2, 2))
    with pytest.raises(ValueError, match="does not point into"):
        chain(slices.layout(), slices.members(x), y)
