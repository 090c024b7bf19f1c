"""Claims of the page on the score of ``cython -a``."""

import re
import timeit

import numpy
import pytest
from Cython.Compiler import Annotate

from sphinx_cython.core.annotation import load_annotation

PAGE = "guide/yellow.md"
KEY = "indexing/yellow"


@pytest.fixture
def score(built):
    def get(function, line):
        artefact = built(KEY)
        example = artefact.variant.example
        lines = load_annotation(artefact.html_file, example)
        return lines[example.find_line(line, function) - 1].score

    return get


@pytest.mark.claim(
    PAGE,
    "the-score-is-a-weighted-count",
)
@pytest.mark.parametrize("key", [KEY, "indexing/four_ways", "objects/which_branch"])
def test_the_score_is_a_weighted_count(built, key):
    page = built(key).html_file.read_text(encoding="utf-8")
    codes = re.findall(r"<pre class='cython code score-(\d+) '>(.*?)</pre>", page, re.S)
    assert codes
    for value, code in codes:
        spans = {kind: code.count(f"<span class='{kind}'>") for kind in WEIGHTS}
        assert int(value) == sum(WEIGHTS[kind] * count for kind, count in spans.items())
    assert any(int(value) for value, _ in codes)


@pytest.mark.claim(
    PAGE,
    "what-the-names-count",
)
@pytest.mark.parametrize(
    ("call", "weight"),
    [
        ("PyErr_Occurred()", 5),
        ("__Pyx_GetItemInt(a, i)", 2),
        ("__pyx_convert_vector_to_py(a)", 2),
        ("PyList_GET_SIZE(a)", 1),
        ("__Pyx_XDECREF(a)", 1),
        ("__pyx_memoryview_fromslice(a)", 0),
        ("__Pyx_is_valid_index(i, n)", 0),
        ("__PYX_INC_MEMVIEW(&a, 1)", 0),
        ("f(a)", 0),
    ],
)
def test_what_the_names_count(call, weight):
    kinds: list[str] = []

    def note(match):
        kinds.append(match.lastgroup)
        return match[0]

    Annotate._parse_code(note, call)
    assert sum(WEIGHTS.get(kind, 0) for kind in kinds) == weight


WEIGHTS = {"py_c_api": 5, "pyx_c_api": 2, "py_macro_api": 1, "pyx_macro_api": 1}


@pytest.mark.claim(PAGE, "a-checked-line-is-yellow-for-calls-it-does")
def test_a_checked_line_is_yellow_for_calls_it_does_not_make(score, c_of):
    assert score("gathered", "total += a[index[i]]") == 4
    excerpt = c_of(KEY, "gathered", "total += a[index[i]]")
    assert excerpt.calls == ()
    assert excerpt.failure_calls == ("__Pyx_RaiseBufferIndexError",) * 2


@pytest.mark.claim(
    PAGE,
    "an-untyped-access-is-paler-and-calls",
)
def test_an_untyped_access_is_paler_and_calls(score, c_of, load):
    assert score("item", "return a[i]") == 3
    assert c_of(KEY, "item", "return a[i]").calls == ("__Pyx_GetItemInt",)
    item, numbers = load("yellow").item, numpy.arange(3.0)
    assert item(numbers, 1) == 1.0
    assert item(numbers, 1) is not item(numbers, 1)
    same = object()
    assert item([same], 0) is same


@pytest.mark.claim(
    PAGE,
    "making-an-object-of-a-view-scores-nothing",
)
def test_making_an_object_of_a_view_scores_nothing(score, c_of):
    line = "total += first_of_object(a[i, :])"
    excerpt = c_of(KEY, "boxed", line)
    assert excerpt.calls == ("__pyx_memoryview_fromslice",)
    others = 5 * len(excerpt.failure_calls) + len(re.findall(r"_\w*DECREF\w*\(", excerpt.text))
    assert score("boxed", line) == others > 0


@pytest.mark.claim(PAGE, "a-slice-is-white")
def test_a_slice_is_white(score, c_of):
    assert score("sliced", "total += first(a[i, :])") == 0
    text = c_of(KEY, "sliced", "total += first(a[i, :])").text
    assert ".data = __pyx_v_a.data" in text
    assert "MEMVIEW" not in text


@pytest.mark.claim(
    PAGE,
    "counting-of-slices-is-not-in-the-score",
)
def test_counting_of_slices_is_not_in_the_score(built, c_of):
    text = c_of(KEY, "iterated", "for row in a:").text
    assert "__PYX_INC_MEMVIEW(" in text
    assert "__PYX_XCLEAR_MEMVIEW(" in text
    page = built(KEY).html_file.read_text(encoding="utf-8")
    assert "'>__PYX_INC_MEMVIEW</span>" not in page
    assert "'>__PYX_XCLEAR_MEMVIEW</span>" not in page


@pytest.mark.claim(PAGE, "a-method-call-scores-like-any-call")
def test_a_method_call_scores_like_any_call(score, c_of):
    (call,) = c_of(KEY, "whole_sum", "return a.sum()").calls
    assert "Call" in call
    assert score("whole_sum", "return a.sum()") == 5


@pytest.mark.claim(PAGE, "what-the-lines-cost")
def test_what_the_lines_cost(load):
    yellow = load("yellow")
    vector, matrix, index = numpy.ones(1000), numpy.ones((1000, 2)), numpy.arange(1000)

    def best(function, *arguments):
        return min(timeit.repeat(lambda: function(*arguments), number=20, repeat=9))

    assert best(yellow.untyped, vector) > 10 * best(yellow.gathered, vector, index)
    assert best(yellow.iterated, matrix) > 3 * best(yellow.sliced, matrix)


def test_all_loops_add_up(load):
    yellow = load("yellow")
    # Sums of different powers of two are equal only if they are of the same elements.
    vector, matrix = 2.0 ** numpy.arange(5), 2.0 ** numpy.arange(10).reshape(5, 2)
    index = numpy.array([0, 2, 2, 4], dtype=numpy.intp)
    assert yellow.untyped(vector) == yellow.whole_sum(vector) == 31.0
    assert yellow.gathered(vector, index) == 1 + 4 + 4 + 16
    for function in yellow.indexed, yellow.sliced, yellow.iterated, yellow.boxed:
        assert function(matrix) == matrix[:, 0].sum()
    assert yellow.item(vector, 2) == 4.0
