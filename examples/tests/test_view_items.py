"""Claims of the page on ``mv[i]`` and ``mv[i, j]``."""

import platform
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
import pytest

from sphinx_cython.core.annotation import load_annotation, normalise
from sphinx_cython.core.translate import translate

PAGE = "guide/view-items.md"
KEY = "indexing/view_items"
TYPES = "indexing/index_types"
ONE, TWO = "cdef double x = a[i]", "cdef double x = a[i, j]"


def address(excerpt):
    ((opening, expression, closing),) = excerpt.essential
    assert (opening.text, closing.text) == ("(*", ")")
    return expression.text


@pytest.mark.claim(PAGE, "a-checked-access-calls-only-on-failure")
@pytest.mark.parametrize("function", ["strided", "contiguous", "no_wraparound", "unsigned_index"])
def test_a_checked_access_calls_only_on_failure(c_of, function):
    excerpt = c_of(KEY, function, ONE)
    assert excerpt.calls == ()
    assert excerpt.failure_calls == ("__Pyx_RaiseBufferIndexError",)


@pytest.mark.claim(PAGE, "a-strided-access-is-base-plus-index-times")
def test_a_strided_access_is_base_plus_index_times_stride(c_of):
    text = address(c_of(KEY, "no_checks", ONE))
    expected = "((double *) ( /* dim=0 */ (__pyx_v_a.data + INDEX * __pyx_v_a.strides[0]) ))"
    assert re.sub(r"\b__pyx_t_\d+", "INDEX", text) == expected


@pytest.mark.claim(PAGE, "a-contiguous-access-has-no-stride")
def test_a_contiguous_access_has_no_stride(c_of):
    text = address(c_of(KEY, "no_checks_contiguous", ONE))
    assert "strides" not in text
    assert "*" not in text.replace("double *)", "").replace("char *)", "").replace(
        "/* dim=0 */", ""
    )
    assert "((double *) __pyx_v_a.data) +" in text


@pytest.mark.claim(PAGE, "a-contiguous-view-refuses-a-stride")
def test_a_contiguous_view_refuses_a_stride(load):
    with pytest.raises(ValueError, match="ndarray is not C-contiguous"):
        load("view_items").contiguous(numpy.arange(10.0)[::2], 0)


@pytest.mark.claim(PAGE, "wraparound-is-the-correction")
def test_wraparound_is_the_correction(c_of):
    with_it = c_of(KEY, "strided", ONE).text
    without = c_of(KEY, "no_wraparound", ONE).text
    assert re.search(r"if \(\w+ < 0\) \{\s*\w+ \+= __pyx_v_a.shape\[0\];", with_it)
    assert re.search(r"if \(\w+ < 0\) \{\s*\w+ = 0;\s*\}", without)
    assert "+=" not in without


@pytest.mark.claim(PAGE, "boundscheck-is-the-comparison")
@pytest.mark.claim(PAGE, "boundscheck-is-the-comparison-2")
def test_boundscheck_is_the_comparison(c_of):
    text = c_of(KEY, "no_boundscheck", ONE).text
    assert "+= __pyx_v_a.shape[0]" in text
    assert ">=" not in text
    assert "__Pyx_RaiseBufferIndexError" not in text


@pytest.mark.claim(PAGE, "without-checks-only-the-access-is-left")
def test_without_checks_only_the_access_is_left(c_of):
    excerpt = c_of(KEY, "no_checks", ONE)
    assert "if" not in excerpt.text
    assert "shape" not in excerpt.text
    assert excerpt.calls == excerpt.failure_calls == ()


@pytest.mark.claim(
    PAGE,
    "an-unsigned-index-has-no-negative-branch",
)
def test_an_unsigned_index_has_no_negative_branch(c_of):
    text = c_of(KEY, "unsigned_index", ONE).text
    assert "< 0" not in text
    assert ">= (size_t)__pyx_v_a.shape[0]" in text


@pytest.mark.claim(PAGE, "what-indices-do-at-run-time")
def test_what_indices_do_at_run_time(load):
    items = load("view_items")
    a = numpy.array([10.0, 20.0, 30.0])
    assert items.strided(a, -1) == items.no_boundscheck(a, -1) == 30.0
    for function, index in [
        (items.strided, 3),
        (items.strided, -4),
        (items.no_wraparound, -1),
        (items.unsigned_index, 3),
    ]:
        with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
            function(a, index)


@pytest.mark.claim(PAGE, "directives-for-the-file-do-what-decorators")
def test_directives_for_the_file_do_what_decorators_do(c_of):
    decorated = c_of(KEY, "no_checks", ONE).text
    undecorated = c_of(f"{KEY}@unchecked", "strided", ONE).text
    assert normalise(decorated) == normalise(undecorated)
    assert normalise(decorated) != normalise(c_of(KEY, "strided", ONE).text)


@pytest.mark.claim(
    PAGE,
    "two-dimensions",
)
def test_two_dimensions(c_of):
    multiplied = {
        function: re.findall(r"\* __pyx_v_a\.strides\[(\d)\]", address(c_of(KEY, function, TWO)))
        for function in ("no_checks_2d", "no_checks_c_order", "no_checks_f_order")
    }
    assert multiplied == {
        "no_checks_2d": ["0", "1"],
        "no_checks_c_order": ["0"],
        "no_checks_f_order": ["1"],
    }


@pytest.mark.claim(PAGE, "each-index-is-checked")
def test_each_index_is_checked(c_of):
    text = c_of(KEY, "strided_2d", TWO).text
    assert ">= __pyx_v_a.shape[0]" in text
    assert ">= __pyx_v_a.shape[1]" in text


def test_two_dimensions_read_what_numpy_reads(load):
    items = load("view_items")
    a = numpy.arange(12.0).reshape(3, 4)
    for i, j in numpy.ndindex(a.shape):
        assert items.strided_2d(a, i, j) == items.no_checks_2d(a, i, j) == a[i, j]
        assert items.no_checks_c_order(a, i, j) == a[i, j]
        assert items.no_checks_f_order(numpy.asfortranarray(a), i, j) == a[i, j]
        assert items.strided_2d(a.T, j, i) == a[i, j]
    with pytest.raises(IndexError, match=r"\(axis 1\)"):
        items.strided_2d(a, 0, 4)


@pytest.mark.claim(PAGE, "a-store-is-an-assignment-to-the-address")
def test_a_store_is_an_assignment_to_the_address(c_of, load):
    text = c_of(KEY, "store", "a[i] = value").text
    assert re.search(r"\*\(\(double \*\) .*__pyx_v_a\.strides\[0\].* = __pyx_v_value;", text)
    a = numpy.zeros(3)
    load("view_items").store(a, 2, 7.0)
    assert a.tolist() == [0.0, 0.0, 7.0]


@pytest.mark.claim(PAGE, "two-brackets-are-merged")
def test_two_brackets_are_merged(c_of, load):
    one = normalise(c_of(TYPES, "one_bracket", TWO).text)
    assert normalise(c_of(TYPES, "two_brackets", "cdef double x = a[i][j]").text) == one
    assert ".memview = " not in one
    # The others make a view of their own.
    assert ".memview = " in c_of(TYPES, "named_row", "cdef double[:] row = a[i]").text
    assert ".memview = " in c_of(TYPES, "element_of_block", "cdef double x = a[1:][i][j]").text
    types, a = load("index_types"), numpy.arange(12.0).reshape(3, 4)
    for i, j in numpy.ndindex(a.shape):
        assert types.one_bracket(a, i, j) == types.two_brackets(a, i, j) == a[i, j]
        assert types.named_row(a, i, j) == a[i, j]
        assert i == 2 or types.element_of_block(a, i, j) == a[1:][i, j]


@pytest.mark.claim(PAGE, "calls-for-objects")
@pytest.mark.claim(PAGE, "calls-for-objects-2")
def test_calls_for_objects(c_of):
    assert c_of(TYPES, "item", ONE).calls == ()
    assert c_of(TYPES, "object_index", ONE).calls == ("__Pyx_PyIndex_AsSsize_t",)
    assert c_of(TYPES, "object_result", "return a[i]").calls == ("PyFloat_FromDouble",)


@pytest.mark.claim(
    PAGE,
    "an-attribute-has-a-third-check",
)
@pytest.mark.claim(PAGE, "an-attribute-has-a-third-check-2")
@pytest.mark.claim(PAGE, "an-attribute-has-a-third-check-3")
def test_an_attribute_has_a_third_check(c_of, load):
    check = r"^if \(unlikely\(!\S+\.memview\)\)"
    attribute = "cdef double x = self.a[i]"
    assert not re.search(check, c_of(TYPES, "item", ONE).text, re.MULTILINE)
    for function in ("Kept.item", "Kept.item_unchecked"):
        text = c_of(TYPES, function, attribute).text.strip()
        assert re.search(check, text, re.MULTILINE), function
    unchecked = c_of(TYPES, "Kept.item_unchecked", attribute).text
    assert "shape" not in unchecked
    assert load("index_types").Kept(numpy.arange(3.0)).item(2) == 2.0


@pytest.mark.claim(PAGE, "one-before-an-unsigned-index")
@pytest.mark.claim(PAGE, "one-before-an-unsigned-index-2")
def test_one_before_an_unsigned_index(load):
    types, a = load("index_types"), numpy.array([10.0, 20.0, 30.0])
    assert types.before(a, 0) == 30.0
    assert types.before_unsigned(a, 1) == 10.0
    with pytest.raises(IndexError, match=r"Out of bounds on buffer access \(axis 0\)"):
        types.before_unsigned(a, 0)


@pytest.mark.claim(PAGE, "gcc-drops-the-checks-of-a-loop")
def test_gcc_drops_the_checks_of_a_loop(builder, built):
    if not builder.toolchain.name.startswith("gcc 12"):
        pytest.skip("the sentence is about gcc 12")
    text = built(KEY).assembly_file.read_text(encoding="utf-8")
    # The helper that raises is inlined; its message is left.
    (message,) = re.findall(r'^(\.LC\d+):\n\s*\.string\s+"Out of bounds on', text, re.MULTILINE)
    for function, checked in [("sum_strided", False), ("sum_contiguous", False), ("strided", True)]:
        (body,) = re.findall(
            rf"^(__pyx_pw_10view_items_\d+{function}):\n(.*?)^\s*\.size\s+\1,",
            text,
            re.MULTILINE | re.DOTALL,
        )
        assert bool(re.search(rf"{re.escape(message)}\b", body[1])) == checked, function


@pytest.mark.claim(PAGE, "doubles-are-added-one-by-one")
def test_doubles_are_added_one_by_one(built):
    text = built(KEY).assembly_file.read_text(encoding="utf-8")
    assert "addpd" not in text  # what adds two doubles at once, on x86-64
    if platform.machine() in ("x86_64", "AMD64"):
        assert "addsd" in text


def test_body_lines_are_the_same_with_shared_and_with_own_utility_code(
    builder, outcomes, pytestconfig, tmp_path
):
    """The default profile takes utility code from a shared module; its body lines do not differ.

    A translation is kept in pytest's cache under the digest of the example, which covers its
    source and Cython.
    """
    from sphinx_cython.core.artefact import Variant
    from sphinx_cython.core.config import Profile

    cache = getattr(pytestconfig, "cache", None)  # pytest can run without it
    kept = cache.mkdir("own-utility-code") if cache else tmp_path

    def own_utility_code(example):
        """Return the page of ``cython -a``."""
        plain = outcomes.get(f"{example.name}@plain")
        if plain:
            return plain.html_file
        page = kept / f"{outcomes[example.name].folder.name}.html"
        if not page.exists():
            with TemporaryDirectory(dir=kept) as folder:
                translate(Variant(example, Profile("own")), example.root, Path(folder))
                Path(folder, f"{example.module}.html").replace(page)
        return page

    examples = [example for example in builder.examples if not example.refused]
    with ThreadPoolExecutor(builder.jobs) as pool:
        pages = list(pool.map(own_utility_code, examples))
    for example, page in zip(examples, pages, strict=True):
        own = load_annotation(page, example)
        shared = load_annotation(outcomes[example.name].html_file, example)
        bodies = {
            number
            for function in example.functions.values()
            for number in range(function.header + 1, function.last + 1)
        }
        for line in sorted(bodies):
            assert normalise(own[line - 1].c) == normalise(shared[line - 1].c), (example.name, line)
