"""The verdicts of *The well-known answer* and *Which type should I use?* rest on claims elsewhere.

Neither page runs anything. Each row of their tables is here in full, with the sentences of other
pages that back it. Such a sentence is in its page word for word, from its beginning to its end, and
a test of that page checks a claim in it. When a sentence or a row changes, a test here fails until
the two are compared again.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"

FREED = "it is freed once, when the last view of it has gone and nothing else refers to the array."
CAST = (
    "A pointer that you cast to a view is not freed by anybody, unless you set the array's "
    "`callback_free_data`."
)
BARE = (
    "A bare `int **` cannot be cast to a view; a small class with `__getbuffer__` has to export it."
)
OLDER = (
    "Its elements can be read and written without the GIL, but it cannot be acquired, passed, "
    "assigned or sliced there."
)
VECTORIZED = "gcc 12 does so only at `-O3`."
OBJECT = "The struct becomes a Python object, a memoryview object of Cython's."

# The statement, the verdict, and the page and the sentences that back it.
ANSWER = {
    "A memoryview holds a C pointer to data that it usually does not own.": (
        "True",
        (
            "what-is-inside",
            "A variable declared `double[:, :]` is a C struct of 208 bytes on a 64-bit machine: "
            "two pointers, and room for eight dimensions of lengths, strides and suboffsets.",
        ),
        ("freeing-memory", FREED),
    ),
    "It keeps a reference, so the owner stays alive.": (
        "True, except for the argument of a `cdef` function: that relies on the variable of its "
        "caller",
        (
            "who-keeps-whom",
            "it keeps the memoryview object alive, and that keeps the exporter, so the memory "
            "lives as long as any view of it that is counted.",
        ),
        ("who-keeps-whom", "An argument of a `cdef` function is not counted."),
        ("who-keeps-whom", "It relies on the variable that it was passed from."),
    ),
    "Indexing it is raw-pointer arithmetic.": (
        "True; by default with a correction of negative indices and a check",
        (
            "view-items",
            "the address of the first element, plus each index times its stride in bytes, and one "
            "load from there.",
        ),
        (
            "view-items",
            "`wraparound` adds the length to a negative index; `boundscheck` compares the result "
            "with zero and with the length, and raises `IndexError`.",
        ),
    ),
    "Indexing an untyped object ends in the `__getitem__` of its type.": (
        "True; in Cython's default build mostly not through `PyObject_GetItem`, and a list or "
        "tuple is read directly",
        (
            "object-items",
            "Again the slot is called directly: `PyObject_GetItem` does not occur.",
        ),
        (
            "object-items",
            "An `array.array` is marked as a sequence, an `ndarray` is not; so the two take "
            "different slots in the default build.",
        ),
    ),
    "Typed NumPy arrays work very much like it, with the same speed.": (
        "True for a loop over doubles; not for set-up, slices and code without the GIL",
        ("buffers", "A slice of a view is a copied struct with other numbers in it."),
        (
            "set-up-cost",
            "An `np.ndarray[double]` checks the number of dimensions and the element type like a "
            "view, and also that the object is an `ndarray`.",
        ),
        ("gil", OLDER),
    ),
    "It takes more kinds of arrays.": (
        "True, if element type, dimensions and layout fit",
        (
            "any-exporter",
            "No element was copied on the way: the function reads the memory of each exporter.",
        ),
        ("acquiring", "Views never convert."),
    ),
    "No NumPy headers are needed to compile it.": (
        "True; nor NumPy itself",
        (
            "buffers",
            "`np.ndarray` needs NumPy's headers to be compiled, and NumPy to be imported.",
        ),
        ("first-module", "a view needs no header but Python's."),
    ),
    "It can be initialised without the GIL, where array buffers cannot.": (
        "True of slices of another view. From a Python object it compiles, and crashes",
        (
            "gil",
            "it can be indexed, sliced, assigned and passed to functions while the GIL is "
            "released.",
        ),
        (
            "gil",
            "A view can be made from a view without the GIL, but not from a Python object.",
        ),
        ("gil", "and with a NumPy array as `x` the process crashes."),
        ("gil", OLDER),
    ),
    "It is slightly slower to set up.": (
        "True; “slightly” is for you to judge from the measurement",
        (
            "set-up-cost",
            "An `np.ndarray[double]` checks the number of dimensions and the element type like a "
            "view, and also that the object is an `ndarray`.",
        ),
        (
            "set-up-cost",
            "For a view, Cython requests the buffer of the exporter, checks it, and makes a small "
            "Python object that holds it.",
        ),
    ),
    "There is no gain in speed over pointers, and not much loss.": (
        "True with `::1`, without checks and in a local variable; strides, checks and views in "
        "attributes make some loops slower",
        (
            "raw-pointers",
            "Both have the same instructions; only the registers may have other names.",
        ),
        (
            "raw-pointers",
            "A strided view has a step that is known only at run time, so gcc 12 loads the "
            "elements one by one, at `-O2` and at `-O3`:",
        ),
        (
            "raw-pointers",
            "gcc 12 does not vectorize a loop that may be left at any element:",
        ),
        (
            "raw-pointers",
            "For each access Cython adds a check that the attribute was assigned "
            "(`initializedcheck`), which can raise and so keeps gcc 12 from vectorizing at `-O3`.",
        ),
    ),
    "A function with memoryview arguments can be called from Python and from Cython.": (
        "True of `cpdef` functions: a call from Cython passes the view as it is",
        (
            "callers",
            "It takes the struct by value, returns a C `double`, and is what Cython code calls.",
        ),
        (
            "callers",
            "Another function of the module calls `total` for each row, without Python in between:",
        ),
    ),
    "Cython can free the memory.": (
        "True, of memory that it allocated, or was given a function to free",
        ("freeing-memory", FREED),
        ("freeing-memory", CAST),
    ),
    "The underlying object can be handed back to Python.": (
        "True",
        ("giving-back", OBJECT),
        ("giving-back", "It is the whole of it, even if the view is a part:"),
    ),
    "Arrays of pointers to pointers can be handled too.": (
        "True with a limit: only through an exporter that sets suboffsets, and some operations "
        "refuse",
        (
            "indirect",
            "a view declared `int[::view.indirect, ::1]` follows a pointer for each row, and adds "
            "the suboffset to it.",
        ),
        ("indirect", BARE),
        ("indirect", "These operations do not work on them:"),
    ),
}
# What the reader has, what to declare and why (without the link), and what backs it.
TYPES = {
    "an array that you read": (
        "`const double[:]` | it takes read-only arrays too",
        (
            "acquiring",
            "a `const double[:]` takes both kinds of memory, and Cython does not compile a store "
            "to it.",
        ),
    ),
    "an array that you write": (
        "`double[:]` | a view without `const` requests writable memory",
        (
            "acquiring",
            "A view that is not `const` requests writable memory, whether or not the function "
            "writes.",
        ),
    ),
    "contiguous data in a hot loop": (
        "`double[::1]`, `double[:, ::1]` | the C compiler can vectorize more loops, with gcc 12 "
        "at `-O3`",
        ("raw-pointers", VECTORIZED),
    ),
    "data from callers who pass slices": (
        "`double[:]`, without `::1` | `::1` takes only slices that are contiguous, such as `x[1:]`",
        (
            "layouts",
            "An array has to be in C order for `double[:, ::1]` and in Fortran order for "
            "`double[::1, :]`, or it is refused when it is acquired.",
        ),
        (
            "layouts",
            "`double[:, :]` takes every two-dimensional layout that a shape and strides can "
            "describe, and its C is the same for all of them.",
        ),
    ),
    "a very short array, in a function that is called very often": (
        "the object itself, or a `cdef` function with a view that is made once | for one element, "
        "making the view is most of the time",
        (
            "set-up-cost",
            "In a function that is called for one element, it is most of the time.",
        ),
        ("set-up-cost", "In the second `a` is a view already, and the struct is passed on:"),
    ),
    "an array whose methods you need": (
        "an untyped or `ndarray` variable, and a view beside it | a view has no methods such as "
        "`sum`",
        ("giving-back", "It can be indexed and sliced, but it is no array."),
    ),
    "memory from C": (
        "`<double[:n]> pointer` | nothing is copied; set `callback_free_data`, or free it yourself",
        ("freeing-memory", CAST),
        ("raw-pointers", "It copies nothing and frees nothing."),
    ),
    "a pointer that you pass to C": (
        "`double[::1]`, and `&view[0]` at the call | you keep shape and checks; without `::1`, C "
        "reads strided data wrongly and without an error",
        (
            "callers",
            "`a[0]` in `&a[0]` is checked like any index, unless `boundscheck` is off.",
        ),
    ),
    "`int **` from C": (
        "`int[::view.indirect, ::1]` | a view follows the pointers; an exporter must make them "
        "known",
        ("indirect", BARE),
    ),
    "code without the GIL": (
        "a view | the elements of an `ndarray` buffer can be used there, but it cannot be "
        "acquired, passed or sliced",
        ("gil", OLDER),
    ),
}
TABLES = {"the-answer-checked": ANSWER, "which-type": TYPES}
TIES = sorted({tie for table in TABLES.values() for _, *ties in table.values() for tie in ties})


def words(text: str) -> str:
    """Reduce text to one line without markup."""
    text = re.sub(r"\{[\w:]+\}`([^`<]*[^`<\s])(?:\s*<[^`]*>)?`", r"\1", text)  # roles
    text = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text)  # links
    return " ".join(re.sub(r"[`*_]", "", text).split())


# Code, where brackets are brackets, then the two ends of a claim.
BRACKETS = re.compile(r"(`+)(?:[^`]|(?<!`)`(?!`))+?\1|\[|\](?:\{#claim-[\w-]+\})?")


def take_apart(text: str) -> tuple[str, list[str]]:
    """Return the text of a page without the marks of its claims, and the claims."""
    parts, claims, opened, done = [], [], [], 0
    for match in BRACKETS.finditer(text):
        if match[0] == "[":
            parts.append(text[done : match.start()])
            opened.append(len(parts))
            parts.append("[")
        elif match[0].startswith("]") and opened:
            parts.append(text[done : match.start()])
            start = opened.pop()
            if match[0] == "]":
                parts.append("]")
            else:
                parts[start] = ""
                claims.append("".join(parts[start:]))
        else:
            continue
        done = match.end()
    return "".join([*parts, text[done:]]), claims


@cache
def page(name: str) -> tuple[str, list[str]]:
    """Return the text of a page of the guide and its claims, each of which has a check."""
    return take_apart((GUIDE / f"{name}.md").read_text(encoding="utf-8"))


def test_claims_are_taken_out_of_their_brackets():
    text = "A `[` [and `a[i]` of [b](c)]{#claim-x}, [d]{#claim-y} or [e]."
    assert take_apart(text) == (
        "A `[` and `a[i]` of [b](c), d or [e].",
        ["and `a[i]` of [b](c)", "d"],
    )


def is_whole_sentence(sentence: str, text: str) -> bool:
    """Return whether a text has these words between the ends of two sentences or parts."""
    whole = re.escape(words(sentence).rstrip(".:?"))
    return any(
        re.search(rf"(?:^|[.:;?!)] ){whole}[.:?](?:$| )", words(part))
        for part in re.split(r"\n\s*\n|^- ", text, flags=re.M)
    )


def backs(claim: str, sentence: str) -> bool:
    """Return whether a claim has this sentence, or is a large part of it."""
    part, whole = words(claim).rstrip(".:"), words(sentence).rstrip(".:")
    return is_whole_sentence(whole, f"{part}.") or (part in whole and 3 * len(part) > len(whole))


def rows(name: str) -> dict[str, tuple[str, str]]:
    """The rows of the table of a page: the first cell, the verdict, and the pages that it names."""
    text, _claims = page(name)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    found = {}
    for line in lines[2:]:
        first, second, third = (cell.strip() for cell in line.strip("|").split("|"))
        verdict = second
        if name == "which-type":
            verdict += " | " + re.sub(r" \(\{doc\}`[\w-]+`\)$", "", third)
        found[first] = (verdict, third)
    return found


@pytest.mark.parametrize("name", TABLES)
def test_each_row_says_what_was_compared_with_its_claims(name):
    assert {first: verdict for first, (verdict, _) in rows(name).items()} == {
        first: verdict for first, (verdict, *_) in TABLES[name].items()
    }


@pytest.mark.parametrize(("name", "sentence"), TIES, ids=[f"{p}: {s[:40]}" for p, s in TIES])
def test_a_sentence_that_backs_a_row_is_in_its_page_and_is_checked(name, sentence):
    text, claims = page(name)
    assert is_whole_sentence(sentence, text), f"{name} no longer has the sentence {sentence!r}"
    assert any(backs(claim, sentence) for claim in claims), f"no test checks {sentence!r}"


@pytest.mark.parametrize("name", TABLES)
def test_each_row_names_a_page_that_backs_it(name):
    for first, (_, text) in rows(name).items():
        named = {where for where, _ in TABLES[name][first][1:]}
        assert any(f"{{doc}}`{where}`" in text for where in named), first


def test_a_claim_that_says_more_or_less_does_not_back_a_sentence():
    sentence = "An argument of a `cdef` function is not counted."
    assert backs("An argument of a cdef function is not counted.", sentence)
    assert backs("of a cdef function is not counted", sentence)
    assert backs("Before. An argument of a cdef function is not counted. After", sentence)
    assert not backs("An argument of a cdef function is not counted, except at -O3.", sentence)
    assert not backs("An argument of a cdef function is counted.", sentence)
    assert not backs("An argument", sentence)


def test_a_sentence_that_goes_on_is_another_sentence():
    sentence = "Views never convert."
    assert is_whole_sentence(sentence, "Before. Views never\nconvert. After.")
    assert is_whole_sentence(sentence, "Views never `convert`.")
    assert not is_whole_sentence(sentence, "Views never convert, except on Sundays.")
    assert not is_whole_sentence(sentence, "It is not so that Views never convert.")


@pytest.mark.claim("guide/the-answer-checked.md", "utility-code-is-most-of-a-module-that-shares")
def test_utility_code_is_most_of_a_module_that_shares_none(c_file):
    own, shared = (c_file(key).count("\n") for key in ("memory/keeping@plain", "memory/keeping"))
    assert 15_000 < own - shared < 25_000


@pytest.mark.claim("guide/which-type.md", "slices-that-are-contiguous")
def test_slices_that_are_contiguous(load):
    acquire, x = load("acquire"), numpy.arange(6.0)
    assert acquire.contiguous(x[1:]) == 5
    for part in (x[::2], x[::-1], numpy.zeros((3, 2))[:, 0]):
        assert acquire.strided(part) == len(part)
        with pytest.raises(ValueError, match="not C-contiguous"):
            acquire.contiguous(part)


@pytest.mark.claim("guide/which-type.md", "the-address-of-the-first-element-of-strided")
def test_the_address_of_the_first_element_of_strided_data(load):
    """C that counts from the address of the first element reads what lies between the elements."""
    x = numpy.arange(6.0)
    address = load("element_types").address_of_first(x[::2])
    assert list((ctypes.c_double * 3).from_address(address)) == [0.0, 1.0, 2.0] != list(x[::2])
