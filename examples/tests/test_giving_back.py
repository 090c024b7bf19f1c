"""Claims of the page on giving views back to Python."""

import array
import timeit
import weakref

import numpy
import pytest

PAGE = "guide/giving-back.md"
KEY = "giving/giving_back"


@pytest.fixture
def giving_back(load):
    return load("giving_back")


@pytest.fixture
def owners(load):
    module = load("owners")
    module.events.clear()
    return module


@pytest.mark.claim(PAGE, "returning-a-view-makes-an-object")
def test_returning_a_view_makes_an_object(c_of, giving_back):
    assert c_of(KEY, "as_object", "return a").calls == ("__pyx_memoryview_fromslice",)
    view = giving_back.as_object(numpy.arange(4.0))
    assert str(view) == "<MemoryView of 'ndarray' object>"
    assert (view[1], view.shape, view[1:].shape) == (1.0, (4,), (3,))
    assert giving_back.as_object(None) is None


@pytest.mark.claim(PAGE, "a-view-is-no-array")
def test_a_view_is_no_array(giving_back):
    view = giving_back.as_object(numpy.arange(4.0))
    assert not hasattr(view, "sum")
    with pytest.raises(TypeError, match="unsupported operand"):
        view + 1


@pytest.mark.claim(PAGE, "asarray-copies-nothing")
def test_asarray_copies_nothing(giving_back):
    x = numpy.arange(4.0)
    y = numpy.asarray(giving_back.as_object(x))
    assert y is not x
    assert numpy.shares_memory(x, y)
    assert y.__array_interface__["data"] == x.__array_interface__["data"]
    y[0] = 99
    assert x[0] == 99


@pytest.mark.claim(PAGE, "the-chain-behind-the-new-array")
def test_the_chain_behind_the_new_array(giving_back):
    x = numpy.arange(4.0)
    view = giving_back.as_object(x)
    y = numpy.asarray(view)
    assert isinstance(y.base, memoryview)
    assert y.base.obj is view
    assert view.base is x
    gone = weakref.ref(x)
    del x, view
    assert gone() is not None
    del y
    assert gone() is None


@pytest.mark.claim(PAGE, "the-base-of-a-part")
def test_the_base_of_a_part(giving_back):
    x = numpy.arange(4.0)
    part = giving_back.as_object_part(x)
    assert part.base is x
    assert numpy.asarray(part).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.claim(PAGE, "the-base-is-what-was-passed")
def test_the_base_is_what_was_passed(giving_back):
    x = numpy.arange(4.0)
    for passed in (memoryview(bytearray(16)).cast("d"), x[1:], array.array("d", [1])):
        assert giving_back.as_base(passed) is passed


@pytest.mark.claim(
    PAGE,
    "the-base-of-a-view-of-a-view",
)
def test_the_base_of_a_view_of_a_view(giving_back, load):
    x = numpy.arange(4.0)
    view = giving_back.as_object(x)
    assert giving_back.as_base(view) is x
    exporter = load("owners").Exporter(4)
    assert giving_back.as_base(exporter.view()) is exporter  # another module, the same utility code
    plain = load("variants.plain.freeing").by_cython(3)  # utility code of its own
    assert giving_back.as_base(plain) is plain


@pytest.mark.claim(
    PAGE,
    "const-ends-at-the-border",
)
def test_const_ends_at_the_border(giving_back):
    x = numpy.zeros(2)
    numpy.asarray(giving_back.as_constant(x))[1] = 77
    assert x[1] == 77
    x.flags.writeable = False
    assert not numpy.asarray(giving_back.as_constant(x)).flags.writeable


@pytest.mark.claim(PAGE, "a-view-of-a-bare-pointer-keeps-nothing-alive")
def test_a_view_of_a_bare_pointer_keeps_nothing_alive(owners):
    owner = owners.Loose(4)
    view = owner.view()
    assert owners.events == ["allocated"]
    del owner
    assert owners.events == ["allocated", "freed"]
    assert view.shape == (4,)


@pytest.mark.claim(PAGE, "a-view-of-an-exporter-keeps-it-alive")
def test_a_view_of_an_exporter_keeps_it_alive(owners):
    owner = owners.Exporter(4)
    view = owner.view()
    assert view.base is owner
    assert memoryview(owner).obj is owner
    del owner
    assert owners.events == ["allocated"]
    y = numpy.asarray(view)
    del view
    assert y.tolist() == [0.0] * 4
    assert owners.events == ["allocated"]
    del y
    assert owners.events == ["allocated", "freed"]


@pytest.mark.claim(PAGE, "a-view-of-a-local-array")
def test_a_view_of_a_local_array(c_of, giving_back):
    text = c_of(KEY, "points_to_local", "cdef double[:] a = local").text
    assert "(char *) __pyx_v_local)" in text
    assert giving_back.points_to_local()


@pytest.mark.claim(PAGE, "returning-a-view-of-a-local-array-compiles")
@pytest.mark.claim(PAGE, "returning-a-view-of-a-local-array-compiles-2")
def test_returning_a_view_of_a_local_array_compiles(c_of, giving_back):
    assert c_of(KEY, "view_of_local", "return a").calls == ("__pyx_memoryview_fromslice",)
    assert giving_back.view_of_local().shape == (3,)


@pytest.mark.claim(PAGE, "a-copy-outlives-the-function")
def test_a_copy_outlives_the_function(giving_back):
    views = [giving_back.copy_of_local() for _ in range(2)]
    first, second = map(numpy.asarray, views)
    assert first.tolist() == second.tolist() == [1.0, 2.0, 3.0]
    assert not numpy.shares_memory(first, second)


@pytest.mark.claim(PAGE, "giving-back-does-not-copy")
def test_giving_back_does_not_copy(giving_back):
    large = numpy.zeros(1_000_000)
    assert giving_back.what_came_in(large) is large

    def best(function):
        return min(timeit.repeat(lambda: function(large), number=10, repeat=7))

    copying = best(numpy.copy)
    for function in (giving_back.as_object, giving_back.as_base):
        assert copying > 10 * best(lambda a, f=function: numpy.asarray(f(a)))
