"""The verdicts of *The well-known answer* and *Which type should I use?* rest on claims elsewhere.

Neither page runs anything. Each row of their tables is tied here to the claims that back it, by
page and the beginning of the sentence; those are checked by tests of their own.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The beginning of the row, the verdict's words that matter, and what backs it.
ANSWER = {
    "A memoryview holds a C pointer to data that it usually does not own.": [
        ("what-is-inside", "a C struct of 208 bytes"),
        ("freeing-memory", "it is freed once"),
    ],
    "It keeps a reference, so the owner stays alive.": [
        ("who-keeps-whom", "so the memory lives as long as any view of it"),
        ("who-keeps-whom", "The first view adds two references to the exporter"),
    ],
    "Indexing it is raw-pointer arithmetic.": [
        ("view-items", "the address of the first element, plus each index times its stride"),
        ("view-items", "boundscheck compares the result with the length"),
    ],
    "Indexing an untyped object ends in the `__getitem__` of its type.": [
        ("object-items", "Again the slot is called directly: PyObject_GetItem does not occur"),
        ("object-items", "is asked through its slot sq_item"),
    ],
    "Typed NumPy arrays work very much like it, with the same speed.": [
        ("buffers", "In a loop over elements it makes no difference"),
        ("buffers", "A buffer's struct lies on the C stack; a view makes a Python object for it"),
        ("buffers", "a new Python object, whose buffer is acquired anew"),
        ("buffers", "it cannot be the argument of a nogil function"),
    ],
    "It takes more kinds of arrays.": [
        ("any-exporter", "Every object that exports its memory"),
        ("any-exporter", "An argument typed np.ndarray[...] takes NumPy arrays and nothing else."),
    ],
    "No NumPy headers are needed to compile it.": [
        ("buffers", "A view needs nothing but Python's headers."),
        ("first-module", "a view needs no header but Python's"),
    ],
    "It can be initialised without the GIL, where array buffers cannot.": [
        ("gil", "it can be indexed, sliced, assigned and passed to functions while the GIL"),
        ("gil", "Cython compiles it all the same"),
        ("gil", "and the process that runs it ends"),
    ],
    "It is slightly slower to set up.": [
        ("set-up-cost", "checks the same as a view, into a struct on the C stack"),
        ("set-up-cost", "Four sums of the elements of a NumPy array"),
    ],
    "There is no gain in speed over pointers, and not much loss.": [
        ("raw-pointers", "Both have the same instructions"),
        ("raw-pointers", "the elements are loaded one by one, whatever the flags"),
        ("raw-pointers", "a loop that may be left at any element is not vectorised by gcc"),
    ],
    "A function with memoryview arguments can be called from Python and from Cython.": [
        ("callers", "The first function is the loop."),
        ("callers", "calls it for each row, without Python in between"),
    ],
    "Cython can free the memory.": [
        ("freeing-memory", "it is freed once, when the last view of it has gone"),
        ("freeing-memory", "A pointer that you cast to a view is not freed by anybody, unless"),
    ],
    "The underlying object can be handed back to Python.": [
        ("giving-back", "The struct becomes a Python object"),
        ("giving-back", "It is the whole of it, even if the view is a part"),
    ],
    "Arrays of pointers to pointers can be handled too.": [
        ("indirect", "a view declared int[::view.indirect, ::1] follows a pointer for each row"),
        ("indirect", "A bare int ** cannot be cast to a view"),
        ("indirect", "These operations do not work on them"),
    ],
}
TYPES = {
    "an array that you read": [("acquiring", "a const double[:] takes both kinds of memory")],
    "an array that you write": [("acquiring", "A view that is not const asks for writable memory")],
    "contiguous data in a hot loop": [("raw-pointers", "gcc 12 does so only at -O3")],
    "data from callers who pass slices": [
        ("layouts", "double[:, ::1] takes C order only"),
        ("layouts", "takes every layout that a shape and strides can describe"),
    ],
    "a very short array, in a function that is called very often": [
        ("set-up-cost", "Against untyped access that is earned back within a few elements"),
        ("set-up-cost", "in the second a is a view already, and the struct is passed on"),
    ],
    "an array whose methods you need": [
        ("giving-back", "It can be indexed and sliced, but it is no array"),
    ],
    "memory from C": [("freeing-memory", "A pointer that you cast to a view is not freed")],
    "a pointer that you pass to C": [("callers", "&a[0] is an index, and checked like one.")],
    "`int **` from C": [("indirect", "A bare int ** cannot be cast to a view")],
    "code without the GIL": [
        ("gil", "Its elements can be read without the GIL, but it cannot be passed"),
        ("buffers", "it cannot be the argument of a nogil function"),
    ],
}
TABLES = {"the-answer-checked": ANSWER, "which-type": TYPES}


@cache
def claims() -> frozenset[tuple[str, str]]:
    """The page and the sentence of every claim of these tests."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "claim":
                page, sentence = (
                    constants[arg.id] if isinstance(arg, ast.Name) else ast.literal_eval(arg)
                    for arg in node.args
                )
                found.add((page.removeprefix("guide/").removesuffix(".md"), sentence))
    return frozenset(found)


def rows(page: str) -> list[list[str]]:
    """The rows of the table of a page, without its head."""
    text = (ROOT / "docs" / "guide" / f"{page}.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("page", TABLES)
def test_each_row_is_backed_by_claims_of_other_pages(page):
    assert [row[0] for row in rows(page)] == list(TABLES[page])
    for row, backing in TABLES[page].items():
        for where, sentence in backing:
            assert any(
                where == claimed and said.startswith(sentence) for claimed, said in claims()
            ), f"{row}: {where} has no claim that begins with {sentence!r}"


@pytest.mark.parametrize("page", TABLES)
def test_each_row_names_a_page_that_backs_it(page):
    for first, *others in rows(page):
        named = {where for where, _ in TABLES[page][first]}
        text = " ".join(others)
        if "{doc}" in text:
            assert any(f"{{doc}}`{where}`" in text for where in named), first


@pytest.mark.claim("guide/the-answer-checked.md", "some twenty thousand lines in each module")
def test_utility_code_is_most_of_a_module_that_shares_none(c_file):
    own, shared = (c_file(key).count("\n") for key in ("memory/keeping@plain", "memory/keeping"))
    assert 15_000 < own - shared < 25_000
