"""Claims of the page on ``a[i]`` and ``a[i, j]`` on an untyped object."""

import array
import collections
import collections.abc
import re
import signal
import subprocess
import sys
import timeit

import numpy
import pytest

from sphinx_cython.core.annotation import normalise
from sphinx_cython.core.csource import read_definitions

PAGE = "guide/object-items.md"
KEY = "objects/object_items"
INDICES = "objects/untyped_indices"


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
    "switching-the-checks-off-changes-two",
)
def test_switching_the_checks_off_changes_two_arguments(c_of, c_file):
    checked = normalise(c_of(f"{KEY}@plain", "item", "return a[i]").text)
    unchecked = normalise(c_of(f"{KEY}@plain", "item_no_checks", "return a[i]").text)
    assert "PyLong_FromSsize_t, 1, 1, 1," in checked
    assert unchecked == checked.replace(
        "PyLong_FromSsize_t, 1, 1, 1,", "PyLong_FromSsize_t, 0, 0, 1,"
    )
    assert "to_py_func, wraparound, boundscheck, has_gil," in c_file(f"{KEY}@plain")


@pytest.mark.claim(PAGE, "an-object-index-takes-the-other-helper")
def test_an_object_index_takes_the_other_helper(c_of):
    assert c_of(KEY, "item", "return a[i]").calls == ("__Pyx_GetItemInt",)
    assert c_of(KEY, "item_by_object", "return a[i]").calls == ("__Pyx_PyObject_GetItem",)
    assert "__Pyx_PyObject_GetItem" in c_of(KEY, "item_2d", "return a[i, j]").calls


@pytest.mark.claim(
    PAGE,
    "slices-and-keys-have-other-helpers",
)
def test_slices_and_keys_have_other_helpers(c_of):
    assert c_of(INDICES, "part", "return a[i:j]").calls == ("__Pyx_PyObject_GetSlice",)
    key = c_of(INDICES, "value_of_key", "return a[key]")
    assert key.calls == ("__Pyx_PyObject_Dict_GetItem",)


@pytest.mark.claim(PAGE, "a-constant-tuple")
def test_a_constant_tuple(c_of, load):
    excerpt = c_of(INDICES, "value_at_point", "return a[1, 0]")
    assert excerpt.calls == ("__Pyx_PyObject_GetItem",)
    assert load("untyped_indices").value_at_point({(1, 0): 5}) == 5


@pytest.mark.claim(PAGE, "two-indices-make-a-tuple")
def test_two_indices_make_a_tuple(c_of):
    assert c_of(KEY, "item_2d", "return a[i, j]").calls == (
        "PyLong_FromSsize_t",
        "PyLong_FromSsize_t",
        "PyTuple_New",
        "__Pyx_PyObject_GetItem",
    )


@pytest.mark.claim(PAGE, "the-helper-for-objects-calls-the-slot")
def test_the_helper_for_objects_calls_the_slot(built):
    text = compiled(built, f"{KEY}@plain", "__Pyx_PyObject_GetItem")
    assert "return mm->mp_subscript(obj, key);" in text
    assert not re.search(r"(?<!__Pyx_)PyObject_GetItem\(", text)


@pytest.mark.claim(PAGE, "the-generated-file-is-the-same-whatever-the")
def test_the_generated_file_is_the_same_whatever_the_macros(c_file):
    assert c_file(f"{KEY}@plain") == c_file(f"{KEY}@no-type-slots") == c_file(f"{KEY}@limited-api")


@pytest.mark.claim(PAGE, "without-slots-the-helper-is-the-api-function")
@pytest.mark.parametrize("profile", ["no-type-slots", "limited-api"])
def test_without_slots_the_helper_is_the_api_function(built, profile):
    text = compiled(built, f"{KEY}@{profile}", "__Pyx_PyObject_GetItem")
    assert text.strip() == "#define __Pyx_PyObject_GetItem(obj, key)  PyObject_GetItem(obj, key)"
    fast = compiled(built, f"{KEY}@{profile}", "__Pyx_GetItemInt_Fast")
    assert "mp_subscript" not in fast
    assert "__Pyx_GetItemInt_Generic_size(o, i)" in fast


@pytest.mark.claim(PAGE, "lists-and-tuples-without-slots")
@pytest.mark.claim(
    PAGE,
    "lists-and-tuples-without-slots-2",
)
def test_lists_and_tuples_without_slots(built, c_file):
    slots = compiled(built, f"{KEY}@no-type-slots", "__Pyx_GetItemInt_Fast")
    limited = compiled(built, f"{KEY}@limited-api", "__Pyx_GetItemInt_Fast")
    assert "PyList_CheckExact" in slots
    assert "PyTuple_CheckExact" in slots
    assert "if ((!wraparound || i >= 0) & PyList_CheckExact(o))" in limited
    assert "PyTuple_CheckExact" not in limited
    macro = compiled(built, f"{KEY}@limited-api", "__Pyx_PyList_GetItemRef")
    assert "PyList_GetItem(o, i)" in macro


@pytest.mark.claim(
    PAGE,
    "a-class-cannot-be-indexed-without-slots",
)
@pytest.mark.parametrize("profile", ["no_type_slots", "limited_api"])
def test_a_class_cannot_be_indexed_without_slots(load, profile):
    assert load("variants.plain.object_items").item(list, 1) == list[1]
    items = load(f"variants.{profile}.object_items")
    with pytest.raises(TypeError, match="'type' object does not support indexing"):
        items.item(list, 1)
    assert items.item_by_object(list, 1) == list[1]


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
    PAGE,
    "which-slot-the-default-build-calls",
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


@pytest.mark.claim(PAGE, "without-type-slots-all-but-lists-and-tuples")
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


WIDE = 2**63


@pytest.mark.claim(PAGE, "indices-out-of-range-reach-the-fallback-2")
@pytest.mark.claim(
    PAGE,
    "indices-out-of-range-reach-the-fallback",
)
@pytest.mark.parametrize("build", ["which_branch", "variants.no_type_slots.which_branch"])
@pytest.mark.parametrize(
    ("a", "index"), [([7, 8], 2), ((7, 8), 2), ([7, 8], -3), ([7, 8], WIDE), (numpy.ones(2), WIDE)]
)
def test_indices_out_of_range_reach_the_fallback(load, build, a, index):
    which_branch = load(build)
    with pytest.raises((IndexError, OverflowError)):
        which_branch.watch(a, index)
    assert which_branch.last_calls() == (1, 0)


@pytest.mark.parametrize("build", ["which_branch", "variants.no_type_slots.which_branch"])
def test_wide_keys_reach_the_fallback(load, build):
    assert load(build).watch({WIDE: 8}, WIDE) == (("mp_subscript",), 1, 0, 8)


def test_an_object_without_slots_reaches_the_fallback(load):
    which_branch = load("which_branch")
    assert which_branch.watch(list, 1) == ((), 1, 0, list[1])
    with pytest.raises(TypeError, match="'object' object is not subscriptable"):
        which_branch.watch(object(), 1)
    assert which_branch.last_calls() == (1, 0)


@pytest.mark.claim(
    PAGE,
    "without-bounds-checks",
)
@pytest.mark.claim(PAGE, "without-bounds-checks-2")
@pytest.mark.skipif(sys.platform == "win32", reason="ends differently")
def test_without_bounds_checks(load):
    items = load("object_items")
    for a in (numpy.array([7, 8]), array.array("i", [7, 8]), collections.deque([7, 8]), "ab"):
        with pytest.raises(IndexError):
            items.item_no_checks(a, 2)
    folder = items.__file__.rpartition("/")[0]
    for a in ("[7, 8]", "(7, 8)"):
        code = f"import sys; sys.path.insert(0, {folder!r}); import object_items"
        code = f"{code}; object_items.item_no_checks({a}, 10**9)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert done.returncode == -signal.SIGSEGV


@pytest.mark.claim(PAGE, "negative-indices")
@pytest.mark.claim(PAGE, "negative-indices-2")
@pytest.mark.claim(PAGE, "negative-indices-3")
def test_negative_indices(load):
    items = load("object_items")
    assert Registered()[-1] == items.item_no_checks(Registered(), -1) == (-1) ** 2
    assert items.item(Registered(), -1) == (9 - 1) ** 2
    assert items.item(Squares(), -1) == (-1) ** 2
    for a in (array.array("i", [7, 8]), collections.deque([7, 8])):
        assert items.item(a, -1) == 8
        with pytest.raises(IndexError):
            items.item_no_checks(a, -1)
    assert items.item_no_checks(numpy.array([7, 8]), -1) == 8


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


def best(function, *arguments):
    return min(timeit.repeat(lambda: function(*arguments), number=20, repeat=9))


@pytest.mark.claim(
    PAGE,
    "without-checks-an-untyped-loop-is-still-ten",
)
def test_without_checks_an_untyped_loop_is_still_ten_times_slower(load):
    items = load("variants.plain.object_items")
    a = numpy.arange(1000.0)
    assert best(items.sum_items_no_checks, a) > 10 * best(items.sum_typed, a)


@pytest.mark.claim(PAGE, "what-a-typed-index-gains")
@pytest.mark.claim(
    PAGE,
    "what-a-typed-index-gains-2",
)
def test_what_a_typed_index_gains(load, c_of):
    indices = load("untyped_indices")
    a = numpy.arange(1000.0)
    assert best(indices.sum_object_index, a) < 2 * best(indices.sum_c_index, a)
    assert best(indices.sum_object_index, a.tolist()) > 3 * best(indices.sum_c_index, a.tolist())
    line = "x = a[i]"
    assert "__Pyx_PyObject_GetItem" in c_of(INDICES, "sum_object_index", line).calls
    assert "__Pyx_GetItemInt" in c_of(INDICES, "sum_c_index", line).calls


@pytest.mark.claim(
    PAGE,
    "an-inferred-index",
)
def test_an_inferred_index(c_of, load):
    inferred = c_of(INDICES, "sum_inferred_index", "x = a[i]")
    assert normalise(inferred.text) == normalise(c_of(INDICES, "sum_c_index", "x = a[i]").text)
    arithmetic = c_of(INDICES, "last_of_inferred", "item = a[i + 1]")
    assert "__Pyx_PyObject_GetItem" in arithmetic.calls
    indices = load("untyped_indices")
    assert indices.sum_inferred_index([1.0, 2.0]) == indices.sum_object_index([1.0, 2.0]) == 3.0
    assert indices.last_of_inferred([1, 2, 3], 2) == 3


def test_the_untyped_curve_of_the_break_even_plot_adds_c_doubles(c_of):
    """Adding objects would double its time, and make every typed way look better than it is."""
    added = c_of("setup/set_up", "sum_object", "total += x")
    assert added.calls == added.failure_calls == ()
    view = c_of("setup/set_up", "sum_view", "total += a[i]")
    assert view.calls == ()


@pytest.mark.claim(PAGE, "the-mapping-slot-is-given-an-object")
def test_the_mapping_slot_is_given_an_object(built):
    text = compiled(built, f"{KEY}@plain", "__Pyx_GetItemInt_Fast_mapping")
    assert "*key = PyLong_FromSsize_t(i);" in text
    assert "getitem(o, key)" in text


@pytest.mark.claim(PAGE, "the-sequence-slot-is-given-the-integer")
def test_the_sequence_slot_is_given_the_integer(built):
    assert "return sm->sq_item(o, i);" in compiled(built, f"{KEY}@plain", "__Pyx_GetItemInt_Fast")
