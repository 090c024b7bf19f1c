"""Claims of the page on who keeps whom alive."""

import array
import gc
import mmap
import timeit
import weakref

import numpy
import pytest
from counts import Steps

PAGE = "guide/who-keeps-whom.md"
KEY = "memory/keeping@plain"


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


@pytest.mark.claim(PAGE, "The first view adds two references to the exporter, not one")
@pytest.mark.claim(
    PAGE,
    "A second view, a slice, adds nothing to the exporter. It adds an acquisition to the "
    "memoryview object, which has one reference on behalf of all of them.",
)
@pytest.mark.claim(
    PAGE, "It acquires like the others, and it keeps the exporter itself too, as its base."
)
@pytest.mark.claim(PAGE, "When the last view goes, everything is as it was.")
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


@pytest.mark.claim(PAGE, "so the memory lives as long as any view of it")
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


@pytest.mark.claim(PAGE, "A slice copies the struct and adds to the count")
@pytest.mark.claim(PAGE, "The clearing of the old value at the end is the other half")
def test_the_c_of_a_slice(c_of):
    text = c_of(KEY, "Views.slice_a", "self.b = self.a[1:]").text
    assert text.index("__PYX_INC_MEMVIEW(") < text.index("__PYX_XCLEAR_MEMVIEW(&__pyx_v_self->b")
    assert "__Pyx_PyObject_to_MemoryviewSlice" not in text


@pytest.mark.claim(
    PAGE, "As long as there is one, the exporter also refuses whatever would move the memory"
)
@pytest.mark.claim(PAGE, "it refuses while it has exports")
def test_a_bytearray_with_a_view_cannot_grow(keeping, x):
    views = keeping.Views(x)
    views.view_x()
    with pytest.raises(BufferError, match="Existing exports of data: object cannot be re-sized"):
        x.append(0)
    x[0] = 0  # changing is not moving
    views.drop_both()
    x.append(0)


@pytest.mark.claim(PAGE, "A typed argument is a view for as long as the function runs")
def test_an_argument_is_a_view(keeping, x):
    with pytest.raises(BufferError):
        keeping.append_while_viewed(x, x)
    x.append(0)


@pytest.mark.claim(PAGE, "Others say it in other words")
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


@pytest.mark.claim(PAGE, "NumPy does not count exports, but references")
@pytest.mark.claim(PAGE, "With refcheck=False, which the message offers, NumPy resizes")
def test_numpy_looks_at_references(keeping):
    a = numpy.zeros(3, dtype="uint8")
    holder = keeping.Holder(a)
    with pytest.raises(ValueError, match="references or is referenced"):
        a.resize(4)
    a.resize(4, refcheck=False)
    holder.drop()
    b = numpy.zeros(3, dtype="uint8")
    other_reference = [b]
    with pytest.raises(ValueError, match="references or is referenced"):
        b.resize(4)
    assert other_reference


@pytest.mark.claim(
    PAGE,
    "Python's built-in memoryview is collected, the typed view is not. Dropping the view by "
    "hand, by assigning None to it, breaks the cycle.",
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
    "The first makes a Python object and asks the exporter; the second copies a struct and adds "
    "and subtracts one.",
)
def test_a_slice_is_cheaper_than_a_view_of_an_object(load, x):
    keeping = load("keeping")
    views = keeping.Views(x)
    views.view_x()

    def best(function, argument):
        return min(timeit.repeat(lambda: function(argument, 1000), number=10, repeat=7))

    assert best(keeping.new_views, x) > 2 * best(keeping.new_slices, views)


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
