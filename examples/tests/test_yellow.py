"""Claims of the page on the score of ``cython -a``."""

import re
import timeit

import numpy
import pytest

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
    "5 for each call of a function of Python's C-API, 2 for each call of a helper of Cython's (its "
    "name begins with __Pyx_), 1 for each macro of either kind",
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


WEIGHTS = {"py_c_api": 5, "pyx_c_api": 2, "py_macro_api": 1, "pyx_macro_api": 1}


@pytest.mark.claim(PAGE, "The line checked twice scores 4 for two calls that run only when")
def test_a_checked_line_is_yellow_for_calls_it_does_not_make(score, c_of):
    assert score("gathered", "total += a[index[i]]") == 4
    excerpt = c_of(KEY, "gathered", "total += a[index[i]]")
    assert excerpt.calls == ()
    assert excerpt.failure_calls == ("__Pyx_RaiseBufferIndexError",) * 2


@pytest.mark.claim(
    PAGE, "return a[i] on an untyped object scores 3, less than that line, and it calls"
)
def test_an_untyped_access_is_paler_and_calls(score, c_of):
    assert score("item", "return a[i]") == 3
    assert c_of(KEY, "item", "return a[i]").calls == ("__Pyx_GetItemInt",)


@pytest.mark.claim(PAGE, "Passing a slice scores 0")
def test_a_slice_is_white(score, c_of):
    assert score("sliced", "total += first(a[i, :])") == 0
    text = c_of(KEY, "sliced", "total += first(a[i, :])").text
    assert ".data = __pyx_v_a.data" in text
    assert "MEMVIEW" not in text


@pytest.mark.claim(
    PAGE, "__PYX_INC_MEMVIEW and __PYX_XCLEAR_MEMVIEW are macros that are not counted"
)
def test_counting_of_slices_is_not_in_the_score(built, c_of):
    text = c_of(KEY, "iterated", "for row in a:").text
    assert "__PYX_INC_MEMVIEW(" in text
    assert "__PYX_XCLEAR_MEMVIEW(" in text
    page = built(KEY).html_file.read_text(encoding="utf-8")
    assert "'>__PYX_INC_MEMVIEW</span>" not in page
    assert "'>__PYX_XCLEAR_MEMVIEW</span>" not in page


@pytest.mark.claim(PAGE, "a.sum() scores 5, all of it Python")
def test_a_method_call_scores_like_any_call(score, c_of):
    (call,) = c_of(KEY, "whole_sum", "return a.sum()").calls
    assert "Call" in call
    assert score("whole_sum", "return a.sum()") == 5


@pytest.mark.claim(PAGE, "Iterating over the rows changes that counter for each row")
def test_what_the_lines_cost(load):
    yellow = load("yellow")
    vector, matrix, index = numpy.ones(1000), numpy.ones((1000, 2)), numpy.arange(1000)

    def best(function, *arguments):
        return min(timeit.repeat(lambda: function(*arguments), number=20, repeat=9))

    assert best(yellow.untyped, vector) > 10 * best(yellow.gathered, vector, index)
    assert best(yellow.iterated, matrix) > 3 * best(yellow.sliced, matrix)


def test_all_loops_add_up(load):
    yellow = load("yellow")
    vector, matrix, index = numpy.arange(5.0), numpy.arange(10.0).reshape(5, 2), numpy.arange(5)
    assert yellow.untyped(vector) == yellow.gathered(vector, index) == 10.0
    assert yellow.indexed(matrix) == yellow.sliced(matrix) == yellow.iterated(matrix) == 20.0
    assert yellow.item(vector, 2) == 2.0
    assert yellow.whole_sum(vector) == 10.0
