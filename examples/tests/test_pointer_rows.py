"""Claims of the page on indirect views."""

import re

import numpy
import pytest
from pointers import pointers

from sphinx_cython.core.artefact import Failure

PAGE = "guide/indirect.md"
KEY = "indirect/pointer_rows"
LINE = "cdef int x = a[i, j]"


@pytest.fixture
def module(load):
    return load("pointer_rows")


@pytest.fixture
def rows(module):
    return module.Rows(3, 4)


@pytest.mark.claim(PAGE, "an-indirect-access-loads-twice")
@pytest.mark.claim(PAGE, "an-indirect-access-loads-twice-2")
def test_an_indirect_access_loads_twice(c_of):
    indirect = c_of(KEY, "item_indirect", LINE).text
    entry = r"\(\*\(\(char \*\*\) \(__pyx_v_a\.data \+ \S+ \* __pyx_v_a\.strides\[0\]\)\) \+"
    assert re.search(entry, indirect)
    assert "+ __pyx_v_a.suboffsets[0]" in indirect
    direct = c_of(KEY, "item_direct", LINE).text
    assert "char **" not in direct
    assert "suboffsets" not in direct
    assert "[__pyx_v_i])[__pyx_v_j]" in c_of(KEY, "item_pointer", "cdef int x = a[i][j]").text


@pytest.mark.claim(PAGE, "a-generic-access-looks-at-the-suboffset")
def test_a_generic_access_looks_at_the_suboffset(c_of, c_file):
    assert "__pyx_memviewslice_index_full(" in c_of(KEY, "item_generic", LINE).text
    definition = c_file(KEY).split("__pyx_memviewslice_index_full(const char *bufp")[-1]
    assert "if (suboffset >= 0)" in definition.split("return")[0]


@pytest.mark.claim(PAGE, "all-kinds-of-access-agree")
def test_all_kinds_of_access_agree(module, rows):
    table = numpy.arange(12, dtype="int32").reshape(3, 4)
    for i, j in numpy.ndindex(3, 4):
        expected = 10 * i + j
        assert module.item_indirect(rows, i, j) == expected
        assert module.item_pointer(rows, i, j) == expected
        assert module.item_generic(rows, i, j) == expected
        assert module.item_generic(table, i, j) == module.item_direct(table, i, j) == table[i, j]


@pytest.mark.claim(PAGE, "what-does-not-fit")
@pytest.mark.claim(PAGE, "what-does-not-fit-2")
def test_what_does_not_fit(module, rows):
    with pytest.raises(ValueError, match="not indirectly accessible in dimension 0"):
        module.item_indirect(numpy.zeros((3, 4), dtype="int32"), 0, 0)
    with pytest.raises(BufferError, match="only be reached through pointers"):
        module.item_direct(rows, 0, 0)


@pytest.mark.claim(PAGE, "a-slice-moves-data-and-the-suboffset")
@pytest.mark.claim(
    PAGE,
    "a-slice-moves-data-and-the-suboffset-2",
)
def test_a_slice_moves_data_and_the_suboffset(module, rows):
    whole, part = module.members(rows), module.members_of_part(rows)
    table, addresses = rows.addresses()
    assert whole["data"] == table
    assert whole["suboffsets"] == [0, -1]
    assert part["data"] - table == whole["strides"][0] == numpy.dtype("uintp").itemsize
    assert part["suboffsets"] == [4, -1]
    assert (part["shape"], part["strides"]) == ([2, 3], whole["strides"])
    assert len(set(addresses)) == 3


@pytest.mark.claim(PAGE, "a-row-is-an-ordinary-view")
def test_a_row_is_an_ordinary_view(module, rows, c_of):
    row = numpy.asarray(module.row(rows, 1))
    assert row.tolist() == [10, 11, 12, 13]
    assert row.ctypes.data == rows.addresses()[1][1]
    assert c_of(KEY, "row", "cdef int[::1] r = a[i]").text


@pytest.mark.claim(PAGE, "python-reads-it-and-numpy-does-not")
def test_python_reads_it_and_numpy_does_not(module, rows):
    mv = module.as_object(rows)
    assert mv.suboffsets == (0, -1)
    assert memoryview(mv).tolist()[2] == [20, 21, 22, 23]
    with pytest.raises(BufferError, match="does not support importing buffers which include sub"):
        numpy.asarray(mv)


@pytest.mark.claim(PAGE, "writing-reaches-the-table")
def test_writing_reaches_the_table(module, rows):
    before = rows.sum_in_c()
    module.double_all(rows)
    assert rows.sum_in_c() == 2 * before


@pytest.mark.claim(PAGE, "a-table-of-the-rows-of-an-array")
@pytest.mark.claim(PAGE, "a-table-of-the-rows-of-an-array-2")
def test_a_table_of_the_rows_of_an_array(module, c_of):
    a = numpy.arange(12, dtype="int32").reshape(3, 4)
    assert module.sum_by_table(a) == a.sum()
    line = c_of(KEY, "sum_by_table", "table[i] = &a[i, 0]").text
    assert re.search(r"\(__pyx_v_table\[\S+\]\) = \(&", line)
    with pytest.raises(IndexError):
        module.sum_by_table(numpy.zeros((3, 0), dtype="int32"))


@pytest.mark.claim(PAGE, "what-the-compiler-refuses-2")
@pytest.mark.claim(PAGE, "what-the-compiler-refuses")
def test_what_the_compiler_refuses(outcomes):
    operations, filled = (
        outcomes["refused/indirect_operations"],
        outcomes["refused/indirect_filled"],
    )
    assert isinstance(operations, Failure)
    assert isinstance(filled, Failure)
    assert [p.message for p in operations.problems] == [
        "All dimensions must be direct",
        "cannot handle 'full' or 'ptr' access at this time.",
        "Memoryview 'int[::indirect, ::contiguous]' not conformable to memoryview 'int[:, ::1]'.",
        "Pointer base type does not match cython.array base type",
    ]
    assert [p.message for p in filled.problems] == ["All dimensions must be direct"]


@pytest.mark.claim(PAGE, "what-the-object-refuses")
def test_what_the_object_refuses(module, rows):
    mv = module.as_object(rows)
    with pytest.raises(ValueError, match="Cannot transpose memoryview with indirect dimensions"):
        mv.T  # noqa: B018
    with pytest.raises(ValueError, match="Cannot copy memoryview slice with indirect dimensions"):
        mv.copy()


@pytest.mark.claim(
    PAGE,
    "what-works",
)
def test_what_works(module, rows):
    mv = module.as_object(rows)
    assert mv[1:, 1:][0, 0] == 11
    assert list(module.row(rows, 2)) == [20, 21, 22, 23]
    assert list(module.column(rows, 1)) == list(mv[:, 1]) == [1, 11, 21]
    mv[2, 3] = 99
    assert rows.sum_in_c() == 138 - 23 + 99
    mv[0] = numpy.arange(100, 104, dtype="int32")
    assert memoryview(mv).tolist()[0] == [100, 101, 102, 103]
    with pytest.raises(ValueError, match="Indirect dimensions not supported"):
        mv[:, :] = 0


@pytest.mark.claim(PAGE, "cython-tests-the-suboffsets-itself")
def test_cython_tests_the_suboffsets_itself(module, rows):
    """A Cython view of another module exports its suboffsets to everyone who takes strides."""
    with pytest.raises(ValueError, match="not compatible with direct access in dimension 0"):
        module.item_direct(module.as_object(rows), 0, 0)


@pytest.mark.claim(PAGE, "the-sums-agree")
def test_the_sums_agree(module, c_of):
    calls = {
        name: "__pyx_memviewslice_index_full(" in c_of(KEY, name, "total += a[i, j]").text
        for name in ("sum_direct", "sum_indirect", "sum_generic")
    }
    assert calls == {"sum_direct": False, "sum_indirect": False, "sum_generic": True}
    big = module.Rows(100, 100)
    a = numpy.array(memoryview(big).tolist(), dtype="int32")
    assert module.sum_indirect(big) == module.sum_generic(big) == module.sum_direct(a) == a.sum()


@pytest.mark.claim(PAGE, "the-picture-is-computed-from-the-struct")
def test_the_picture_is_computed_from_the_struct(module, rows):
    drawn = pointers(module.members_of_part(rows), rows)
    assert drawn.reached() == [(i, j) for i in (1, 2) for j in (1, 2, 3)]
    assert "suboffsets[0] = 4" in drawn._repr_html_()
    assert drawn._repr_html_().count('class="hit"') == 2 + 6
    assert len(pointers(module.members(rows), rows).reached()) == 12
    with pytest.raises(ValueError, match="does not point into the table"):
        pointers(module.members(module.Rows(2, 2)), rows)
