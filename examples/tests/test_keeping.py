"""Claims of the page on who keeps whom alive."""

import array
import gc
import mmap
import os
import re
import signal
import subprocess
import sys
import timeit
import weakref
from pathlib import Path

import Cython
import numpy
import pytest
from counts import Steps

PAGE = "guide/who-keeps-whom.md"
KEY = "memory/keeping@plain"
ROOT = Path(__file__).parents[2]
BORROWS = tuple(map(int, Cython.__version__.split(".")[:2])) >= (3, 3)

# Rows whose code is another line than the one that counts.
UNLIKE = {
    "the same, if the function assigns to the argument",
    "the same, where the variable is assigned to in a tuple",
}

# Where each row of the table of slices stands in the example: function and line.
ROWS = {
    "argument of a cdef function": ("argument", "return use(a)"),
    "the same, if the function assigns to the argument": ("use_rest", "cdef int use_rest"),
    "attribute passed as an argument": ("Holder.attribute", "use(self.row)"),
    "global variable passed as an argument": ("global_variable", "use(row_of_module)"),
    "local variable": ("second_local", "cdef double[:] b = a"),
    "slice stored in a local variable": ("in_local", "row = a[i]"),
    "slice stored in an attribute": ("Holder.__cinit__", "self.row = a[0]"),
    "slice stored in a global variable": ("global_variable", "row_of_module = a[0]"),
    "loop variable": ("loop_variable", "for row in a:"),
    "slice used only as an argument": ("as_argument", "count = use(a[i])"),
    "the same in a nogil block": ("without_gil", "count = use(a[i])"),
    "the same in a list comprehension": ("comprehension", "[use(a[i]) for i in"),
    "the same in a return statement": ("returned", "return use(a[i])"),
    "the same in prange": ("in_prange", "count = use(a[i])"),
    "the same, where an inner function uses the variable too": ("closure", "count = use(a[i])"),
    "the same in a generator": ("generator", "count = use(a[i])"),
    "the same in a yield expression": ("yielded", "yield use(a[i])"),
    "the same in a generator expression": ("generator_expression", "max(use(a[i]) for i in"),
    "the same, where the variable is assigned to in a tuple": ("swapped", "count = use(a[i])"),
    "slice of an attribute": ("Holder.slice_of_attribute", "use(self.table[i])"),
    "slice of a global variable": ("slice_of_global", "use(table_of_module[i])"),
    "slice of a slice": ("slice_of_slice", "use_table(a[1:][:, 1:])"),
    "transposed view": ("transposed", "use_table(a.T)"),
    "slice that a function returns": ("row_of", "return a[i]"),
    "slices between which elements are copied": ("elements", "a[1:] = a[:-1]"),
    "one of two slices": ("either", "use(a[0] if first else a[1])"),
}


@pytest.fixture
def keeping(load):
    return load("variants.plain.keeping")


@pytest.fixture
def x():
    return bytearray(b"abcdef")


def numbers(counts):
    return (
        counts["exporter references"],
        counts["exports"],
        counts["memoryview references"],
        counts["acquisitions"],
    )


@pytest.mark.claim(PAGE, "the-counts")
@pytest.mark.claim(
    PAGE,
    "the-counts-2",
)
@pytest.mark.claim(PAGE, "the-counts-3")
@pytest.mark.claim(PAGE, "the-counts-4")
def test_the_counts(keeping, x):
    views = keeping.Views(x)
    seen = [numbers(views.counts())]
    views.view_x()
    seen.append(numbers(views.counts()))
    views.slice_a()
    seen.append(numbers(views.counts()))
    mv = views.object_of_a()
    assert mv.base is x
    seen.append(numbers(views.counts(mv)))
    views.drop_both()
    seen.append(numbers(views.counts(mv)))
    del mv
    seen.append(numbers(views.counts()))
    before = seen[0]
    references = before[0]
    assert seen == [
        before,
        (references + 2, 1, 1, 1),
        (references + 2, 1, 1, 2),
        (references + 3, 1, 1, 3),
        (references + 3, 1, 1, 1),
        before,
    ]
    assert before[1] == 0


@pytest.mark.claim(PAGE, "a-slice-keeps-the-exporter")
def test_a_slice_keeps_the_exporter(keeping):
    class Bytes(bytearray):
        pass

    x = Bytes(b"abc")
    gone = weakref.ref(x)
    views = keeping.Views(x)
    views.view_x()
    views.slice_a()
    del x
    gc.collect()
    assert gone() is not None
    assert views.first_of_b() == ord("b")
    views.drop_both()
    assert gone() is None


@pytest.mark.claim(PAGE, "the-c-of-a-slice")
@pytest.mark.claim(PAGE, "the-c-of-a-slice-2")
def test_the_c_of_a_slice(c_of):
    text = c_of(KEY, "Views.slice_a", "self.b = self.a[1:]").text
    assert text.index("__PYX_INC_MEMVIEW(") < text.index("__PYX_XCLEAR_MEMVIEW(&__pyx_v_self->b")
    assert "__Pyx_PyObject_to_MemoryviewSlice" not in text


@pytest.mark.claim(PAGE, "a-bytearray-with-a-view-cannot-grow")
def test_a_bytearray_with_a_view_cannot_grow(keeping, x):
    views = keeping.Views(x)
    views.view_x()
    with pytest.raises(BufferError, match="Existing exports of data: object cannot be re-sized"):
        x.append(0)
    x[0] = 0  # changing is not moving
    views.drop_both()
    x.append(0)


@pytest.mark.claim(PAGE, "an-argument-is-a-view")
def test_an_argument_is_a_view(keeping, x):
    with pytest.raises(BufferError):
        keeping.append_while_viewed(x, x)
    x.append(0)


@pytest.mark.claim(PAGE, "other-exporters-refuse-too")
def test_other_exporters_refuse_too(keeping):
    a = array.array("B", b"abc")
    holder = keeping.Holder(a)
    with pytest.raises(BufferError, match="that is exporting buffers"):
        a.append(0)
    holder.drop()
    a.append(0)
    pages = mmap.mmap(-1, 10)
    holder = keeping.Holder(pages)
    with pytest.raises(BufferError, match="exported pointers exist"):
        pages.close()
    holder.drop()
    pages.close()


@pytest.mark.claim(PAGE, "numpy-looks-at-references")
@pytest.mark.claim(
    PAGE,
    "numpy-looks-at-references-2",
)
@pytest.mark.claim(PAGE, "numpy-looks-at-references-3")
def test_numpy_looks_at_references(keeping):
    a = numpy.zeros(3, dtype="uint8")
    holder = keeping.Holder(a)
    with pytest.raises(ValueError, match="references or is referenced"):
        a.resize(4)
    a.resize(4, refcheck=False)
    assert a.shape == (4,)
    holder.drop()
    b = numpy.zeros(3, dtype="uint8")
    other_reference = [b]
    with pytest.raises(ValueError, match="references or is referenced"):
        b.resize(4)
    assert other_reference


@pytest.mark.claim(
    PAGE,
    "a-cycle-through-a-typed-view-is-not",
)
def test_a_cycle_through_a_typed_view_is_not_collected(keeping):
    class Bytes(bytearray):
        pass

    def make_cycle(make):
        exporter = Bytes(b"abc")
        exporter.owner = make(exporter)
        return weakref.ref(exporter)

    builtin, typed = make_cycle(memoryview), make_cycle(keeping.Holder)
    gc.collect()
    assert builtin() is None
    assert typed() is not None
    typed().owner.drop()
    gc.collect()
    assert typed() is None


@pytest.mark.claim(
    PAGE,
    "other-cycles-are-not-collected",
)
def test_other_cycles_are_not_collected(load):
    keeping = load("variants.plain.keeping")

    class Bytes(bytearray):
        pass

    for make in (keeping.as_object, keeping.in_closure, keeping.in_generator):
        exporter = Bytes(b"abc")
        exporter.owner = make(exporter)
        gone = weakref.ref(exporter)
        del exporter
        gc.collect()
        assert gone() is not None, make
        gone().owner = None
        gc.collect()
        assert gone() is None, make


@pytest.mark.claim(PAGE, "the-c-counts-what-the-table-says")
@pytest.mark.claim(PAGE, "the-c-counts-what-the-table-says-2")
@pytest.mark.claim(
    PAGE,
    "the-c-counts-what-the-table-says-3",
)
@pytest.mark.parametrize("row", ROWS)
def test_the_c_counts_what_the_table_says(row, c_of):
    """Compare the row's verdict with the C of its line: the column is that of this Cython."""
    verdicts = table_of_slices()[row]
    function, fragment = ROWS[row]
    name = function.split(".")[-1]
    source = (ROOT / "examples" / "memory" / "counted.pyx").read_text(encoding="utf-8")
    body = re.search(rf"^ *c?p?def [^\n]*\b{name}\(.*?(?=\n\n|\Z)", source, re.M | re.S)[0]
    (line,) = (line.strip() for line in body.splitlines() if fragment in line)
    text = c_of("memory/counted", function, line).text
    added = text.count("__PYX_INC_MEMVIEW(")
    given_back = text.count("__PYX_XCLEAR_MEMVIEW(")
    verdict = "counted" if added else "not counted"
    if re.search(r"if \(\S+\.memview != \S+\.memview\)", text):
        verdict += " when the memoryview object changes"
    if row in ("slice of a slice", "slices between which elements are copied") and added:
        verdict += ", both slices" if added == 2 else ", the second slice only"
    if row == "one of two slices" and given_back and not added:
        verdict += ", but given back below"
    assert verdicts[BORROWS] == verdict


def table_of_slices():
    """Return the verdicts of each row: before 3.3, and in 3.3."""
    text = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    table = text.partition("(which-slices-are-counted)=")[2].partition("\n###")[0]
    rows = [line.strip("| ").split(" | ") for line in re.findall(r"^\|.*", table, re.M)[2:]]
    return {
        re.sub(r": `.*|`", "", slice_): [re.sub("[()]", "", verdict) for verdict in verdicts]
        for slice_, *verdicts in rows
    }


def test_every_row_of_the_table_is_checked():
    checked = {*ROWS, "argument of a def function that Python calls"}
    assert set(table_of_slices()) == checked


def test_every_row_shows_its_line():
    """The code of a row is in the line that is checked, up to what it leaves out."""
    text = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    for name, (_, fragment) in ROWS.items():
        pattern = r"`?\s".join(rf"`?{re.escape(word)}" for word in name.split())
        (code,) = re.findall(rf"^\| {pattern}`?: `([^`]*)`", text, re.M)
        shown = code.partition(" …")[0]
        assert shown in fragment or fragment in shown or name in UNLIKE, name


@pytest.mark.claim(
    PAGE,
    "the-counts-at-run-time",
)
@pytest.mark.claim(PAGE, "the-counts-at-run-time-2")
def test_the_counts_at_run_time(load):
    counted = load("counted")
    table, row = numpy.zeros((3, 4)), numpy.zeros(4)
    borrowed = 1 if BORROWS else 2
    assert counted.argument(row) == counted.local(row) == 1
    assert counted.second_local(row) == counted.assigned_argument(row) == 2
    assert counted.as_argument(table, 1) == counted.without_gil(table, 1) == borrowed
    assert counted.comprehension(table) == next(counted.generator(table, 1)) == borrowed
    assert counted.returned(table, 1) == counted.in_prange(table) == 2
    assert counted.in_local(table) == counted.result_of_call(table, 1) == 2
    assert next(counted.yielded(table, 1)) == counted.slice_of_slice(table) == 2
    assert counted.either_index(table, True) == borrowed
    # Here an attribute, a global variable, a closure or a loop has one, and the slice another.
    assert counted.closure(table, 1) == counted.generator_expression(table) == 3
    assert counted.loop_variable(table) == counted.slice_of_global(table, 1) == 3
    holder = counted.Holder(table)
    assert (holder.attribute(), holder.slice_of_attribute(1)) == (2, 3)


def run_apart(load, name, *arguments):
    """Call a function of the example in a process of its own."""
    folder = str(Path(load("counted").__file__).parent)
    program = f"import counted, numpy\ncounted.{name}({', '.join(arguments)})"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, *sys.path])},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(not BORROWS, reason="slices are counted before 3.3")
@pytest.mark.claim(PAGE, "a-choice-between-slices-ends-the-process")
@pytest.mark.claim(PAGE, "a-choice-between-slices-ends-the-process-2")
@pytest.mark.parametrize("name", ["either", "either_stored"])
def test_a_choice_between_slices_ends_the_process(load, name):
    done = run_apart(load, name, "numpy.zeros((2, 3))", "True")
    assert done.returncode == -signal.SIGABRT, done
    assert "Acquisition count is -1" in done.stderr


@pytest.mark.claim(
    PAGE,
    "safe-choices",
)
@pytest.mark.claim(PAGE, "safe-choices-2")
def test_safe_choices(load):
    table, row = "numpy.zeros((2, 3))", "numpy.zeros(3)"
    calls = {
        "either_returned": (table, "True"),
        "either_variable": (row, row, "True"),
        "either_index": (table, "True"),
    }
    for name, arguments in calls.items():
        assert run_apart(load, name, *arguments).returncode == 0, name


@pytest.mark.claim(PAGE, "what-an-argument-relies-on")
@pytest.mark.claim(PAGE, "what-an-argument-relies-on-2")
@pytest.mark.claim(
    PAGE,
    "what-an-argument-relies-on-3",
)
@pytest.mark.claim(
    PAGE,
    "what-an-argument-relies-on-4",
)
@pytest.mark.claim(
    PAGE,
    "what-an-argument-relies-on-5",
)
@pytest.mark.claim(
    PAGE,
    "what-an-argument-relies-on-6",
)
def test_what_an_argument_relies_on(keeping):
    class Bytes(bytearray):
        pass

    def is_gone_during_the_call(function):
        exporter = Bytes(b"abc")
        reference = weakref.ref(exporter)
        holder = keeping.Holder(exporter)
        del exporter
        return function(holder, reference)

    assert is_gone_during_the_call(keeping.attribute_passed)
    assert is_gone_during_the_call(keeping.global_passed)
    assert is_gone_during_the_call(keeping.closure_passed)
    assert not is_gone_during_the_call(keeping.local_passed)
    assert not is_gone_during_the_call(keeping.slice_passed)
    assert is_gone_during_the_call(keeping.argument_passed)
    assert is_gone_during_the_call(keeping.slice_of_argument_passed) == BORROWS


@pytest.mark.claim(
    PAGE,
    "a-local-view-that-is-replaced-frees-the",
)
def test_a_local_view_that_is_replaced_frees_the_exporter(keeping, x):
    assert keeping.append_after_replacing(x) == len(x)


@pytest.mark.claim(
    PAGE,
    "a-slice-is-cheaper-than-a-view-of-an-object",
)
def test_a_slice_is_cheaper_than_a_view_of_an_object(load, x):
    keeping = load("keeping")
    views = keeping.Views(x)
    views.view_x()

    def best(function, argument):
        return min(timeit.repeat(lambda: function(argument, 1000), number=10, repeat=7))

    assert best(keeping.new_views, x) > 3 * best(keeping.new_slices, views)


def test_the_picture_shows_the_counts_and_refuses_others(keeping, x):
    def build():  # the references are those of the page: one name
        exporter = bytearray(b"ab")
        views = keeping.Views(exporter)
        picture = Steps("x", "bytearray")
        picture.add("x", views.counts())
        views.view_x()
        picture.add("a = x", views.counts())
        return picture

    picture = build()
    html = picture._repr_html_()
    assert html.count("<figure>") == 2
    assert html.count('class="arrow"') == 1 + 4
    assert "1 acquisitions" in repr(picture)
    with pytest.raises(ValueError, match="would not show"):
        picture.add("wrong", {**keeping.Views(x).counts(), "exporter references": 9})
