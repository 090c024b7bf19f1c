"""Claims of the page on ``a[i]`` and ``a[i, j]`` on an untyped object."""

import array
import collections
import collections.abc
import re

import numpy
import pytest

from sphinx_cython.core.annotation import normalise
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/object-items.md"
KEY = "objects/object_items"


class Squares:
    def __getitem__(self, index):
        return index**2


class Registered(collections.abc.Sequence):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        return index**2


def compiled(built, key, name):
    """Return the lines of a definition that the compiler saw."""
    artefact = built(key)
    found = read_definitions(artefact.c_file.read_text(), name, artefact.compiled_lines)
    lines = []
    for definition in found:
        for number, line in enumerate(definition.text.split("\n"), definition.first):
            if number not in definition.inactive:
                lines.append(line)
    return "\n".join(lines)


@pytest.mark.claim(
    PAGE,
    "The 1, 1 among its arguments are wraparound and boundscheck. If you switch both off, two "
    "numbers change and the call stays",
)
def test_switching_the_checks_off_changes_two_arguments(c_of, c_file):
    checked = normalise(c_of(f"{KEY}@plain", "item", "return a[i]").text)
    unchecked = normalise(c_of(f"{KEY}@plain", "item_no_checks", "return a[i]").text)
    assert "PyLong_FromSsize_t, 1, 1, 1," in checked
    assert unchecked == checked.replace(
        "PyLong_FromSsize_t, 1, 1, 1,", "PyLong_FromSsize_t, 0, 0, 1,"
    )
    assert "to_py_func, wraparound, boundscheck, has_gil," in c_file(f"{KEY}@plain")


@pytest.mark.claim(PAGE, "It calls __Pyx_PyObject_GetItem instead")
def test_an_object_index_takes_the_other_helper(c_of):
    assert c_of(KEY, "item", "return a[i]").calls == ("__Pyx_GetItemInt",)
    assert c_of(KEY, "item_by_object", "return a[i]").calls == ("__Pyx_PyObject_GetItem",)


@pytest.mark.claim(PAGE, "The line makes two int objects, puts them into a new tuple, and asks")
def test_two_indices_make_a_tuple(c_of):
    assert c_of(KEY, "item_2d", "return a[i, j]").calls == (
        "PyLong_FromSsize_t",
        "PyLong_FromSsize_t",
        "PyTuple_New",
        "__Pyx_PyObject_GetItem",
    )


@pytest.mark.claim(PAGE, "Again the slot is called directly: PyObject_GetItem does not occur")
def test_the_helper_for_objects_calls_the_slot(built):
    text = compiled(built, f"{KEY}@plain", "__Pyx_PyObject_GetItem")
    assert "return mm->mp_subscript(obj, key);" in text
    assert not re.search(r"(?<!__Pyx_)PyObject_GetItem\(", text)


@pytest.mark.claim(PAGE, "The C compiler takes other branches of it")
def test_the_generated_file_is_the_same_whatever_the_macros(c_file):
    assert c_file(f"{KEY}@plain") == c_file(f"{KEY}@no-type-slots") == c_file(f"{KEY}@limited-api")


@pytest.mark.claim(PAGE, "Now __Pyx_PyObject_GetItem is another name for PyObject_GetItem")
@pytest.mark.parametrize("profile", ["no-type-slots", "limited-api"])
def test_without_slots_the_helper_is_the_api_function(built, profile):
    text = compiled(built, f"{KEY}@{profile}", "__Pyx_PyObject_GetItem")
    assert text.strip() == "#define __Pyx_PyObject_GetItem(obj, key)  PyObject_GetItem(obj, key)"
    fast = compiled(built, f"{KEY}@{profile}", "__Pyx_GetItemInt_Fast")
    assert "mp_subscript" not in fast
    assert "__Pyx_GetItemInt_Generic_size(o, i)" in fast


@pytest.mark.claim(PAGE, "a list (and, outside the Limited API, a tuple) is still read directly")
def test_lists_and_tuples_without_slots(built):
    slots = compiled(built, f"{KEY}@no-type-slots", "__Pyx_GetItemInt_Fast")
    limited = compiled(built, f"{KEY}@limited-api", "__Pyx_GetItemInt_Fast")
    assert "PyList_CheckExact" in slots
    assert "PyTuple_CheckExact" in slots
    assert "PyList_CheckExact" in limited
    assert "PyTuple_CheckExact" not in limited


OBJECTS = {
    "list": [7, 8],
    "tuple": (7, 8),
    "dict": {1: 8},
    "ndarray": numpy.array([7, 8]),
    "array": array.array("i", [7, 8]),
    "deque": collections.deque([7, 8]),
    "Squares": Squares(),
    "Registered": Registered(),
}


@pytest.mark.claim(
    PAGE, "An array.array is marked as a sequence, an ndarray is not; so the two take different"
)
@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("list", ()),
        ("tuple", ()),
        ("dict", ("mp_subscript",)),
        ("ndarray", ("mp_subscript",)),
        ("array", ("sq_item",)),
        ("deque", ("sq_item",)),
        ("Squares", ("mp_subscript",)),
        ("Registered", ("sq_item",)),
    ],
)
def test_which_slot_the_default_build_calls(load, name, slots):
    a = OBJECTS[name]
    assert load("which_branch").watch(a, 1) == (slots, 0, 0, a[1])


@pytest.mark.claim(PAGE, "a type that has only sq_item is asked through PySequence_GetItem")
@pytest.mark.parametrize("name", OBJECTS)
def test_without_type_slots_all_but_lists_and_tuples_go_through_the_api(load, name):
    a = OBJECTS[name]
    slots, object_calls, sequence_calls, item = load("variants.no_type_slots.which_branch").watch(
        a, 1
    )
    assert item == a[1]
    if name in ("list", "tuple"):
        assert (object_calls, sequence_calls, slots) == (0, 0, ())
    elif name == "deque":
        assert (object_calls, sequence_calls, slots) == (0, 1, ("sq_item",))
    else:
        assert (object_calls, sequence_calls, slots) == (1, 0, ("mp_subscript",))


def test_two_indices_on_an_array(load):
    table = numpy.array([[1, 2], [3, 4]])
    assert load("which_branch").watch(table, 1, 0) == (("mp_subscript",), 0, 0, 3)
    without = load("variants.no_type_slots.which_branch").watch(table, 1, 0)
    assert without == (("mp_subscript",), 1, 0, 3)


@pytest.mark.claim(
    PAGE,
    "Only what has neither slot arrives at PyObject_GetItem: a class, which is asked for its "
    "__class_getitem__, or an object that cannot be indexed at all",
)
def test_an_object_without_slots_reaches_the_fallback(load):
    which_branch = load("which_branch")
    assert which_branch.watch(list, 1) == ((), 1, 0, list[1])
    with pytest.raises(TypeError, match="'object' object is not subscriptable"):
        which_branch.watch(object(), 1)
    assert which_branch.last_calls() == (1, 0)


def test_the_watched_functions_are_those_of_the_page(c_of):
    """``which_branch`` proves something about ``object_items`` only if their lines agree."""
    for function, line in [("item", "return a[i]"), ("item_2d", "return a[i, j]")]:
        watched = normalise(c_of("objects/which_branch", function, line).text)
        assert watched == normalise(c_of(KEY, function, line).text)


@pytest.mark.parametrize("profile", ["plain", "no_type_slots", "limited_api"])
def test_every_build_gives_the_same_items(load, profile):
    items = load(f"variants.{profile}.object_items")
    table = numpy.array([[1, 2], [3, 4]])
    assert items.item([7, 8], -1) == items.item_no_checks([7, 8], 1) == 8
    assert items.item_by_object({"k": 5}, "k") == 5
    assert items.item_2d(table, 1, 0) == 3
    a = numpy.arange(10.0)
    assert items.sum_items(a) == items.sum_items_no_checks(a) == items.sum_typed(a) == 45.0


@pytest.mark.claim(PAGE, "it is the whole cost, and no directive helps")
def test_without_checks_an_untyped_loop_is_still_ten_times_slower(load):
    import timeit

    items = load("variants.plain.object_items")
    a = numpy.arange(1000.0)

    def best(function):
        return min(timeit.repeat(lambda: function(a), number=20, repeat=7))

    assert best(items.sum_items_no_checks) > 10 * best(items.sum_typed)


@pytest.mark.claim(PAGE, "The C integer is made into a Python int first")
def test_the_mapping_slot_is_given_an_object(built):
    text = compiled(built, f"{KEY}@plain", "__Pyx_GetItemInt_Fast_mapping")
    assert "*key = PyLong_FromSsize_t(i);" in text
    assert "getitem(o, key)" in text


@pytest.mark.claim(PAGE, "is asked through its slot sq_item, which takes the C integer as it is")
def test_the_sequence_slot_is_given_the_integer(built):
    assert "return sm->sq_item(o, i);" in compiled(built, f"{KEY}@plain", "__Pyx_GetItemInt_Fast")
