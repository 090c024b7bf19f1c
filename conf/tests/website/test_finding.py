"""Finding: what search puts first, what a result shows, and that each page says what it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup

from .conftest import PAGES, Tab, source

MESSAGES = "guide/error-messages"
COMPILER = "guide/compile-errors"
NONE = "guide/none-and-unassigned"

# What people ask, in their words, and the page that should come first: where two pages answer,
# either. With an anchor, the section.
MESSAGES_PASTED = {
    "Buffer dtype mismatch, expected 'double' but got 'float'": MESSAGES,
    "ValueError: Buffer dtype mismatch, expected 'long' but got 'long long'": MESSAGES,
    "Buffer dtype mismatch, expected 'int64_t' but got 'int'": MESSAGES,
    "Buffer dtype mismatch; next field is at offset 8 but 4 expected": MESSAGES,
    "ndarray is not C-contiguous": MESSAGES,
    "ValueError: ndarray is not Fortran contiguous": MESSAGES,
    "buffer source array is read-only": MESSAGES,
    "ValueError: buffer source array is read-only": MESSAGES,
    "Buffer has wrong number of dimensions (expected 1, got 2)": MESSAGES,
    "TypeError: a bytes-like object is required, not 'list'": MESSAGES,
    "Does not understand character buffer dtype format string ('e')": MESSAGES,
    "cannot include dtype 'M' in a buffer": MESSAGES,
    "No matching signature found": MESSAGES,
    "IndexError: Out of bounds on buffer access (axis 0)": MESSAGES,
    "Invalid shape in axis 0: 0.": MESSAGES,
    "Argument 'a' must not be None": MESSAGES,
    "AttributeError: Memoryview is not initialized": MESSAGES,
    "BufferError: Existing exports of data: object cannot be re-sized": MESSAGES,
    "'_memoryviewslice' object has no attribute 'sum'": MESSAGES,
    "Memoryview 'double[:]' not conformable to memoryview 'double[::1]'": COMPILER,
    "Memoryview slices can only be shared in parallel sections": COMPILER,
    "Operation not allowed without gil": COMPILER,
    "Buffer types only allowed as function local variables": COMPILER,
    "Cannot take address of memoryview slice": COMPILER,
    "Cannot create cython.array from NULL pointer": MESSAGES,
    "TypeError: only 0-dimensional arrays can be converted to Python scalars": "guide/assigning",
    "ValueError: got differing extents in dimension 0 (got 3 and 4)": "guide/assigning",
    "local variable referenced before assignment": f"{NONE} {MESSAGES}",
}
QUESTIONS = {
    "what is a typed memoryview": "index",
    "memoryview or np.ndarray which is faster": "guide/buffers",
    "memoryview vs ndarray buffer": "guide/buffers",
    "is a pointer faster than a memoryview": "guide/raw-pointers",
    "memory leak object kept alive": "guide/who-keeps-whom",
    "how do I convert a memoryview to a numpy array": "guide/giving-back",
    "return memoryview from function without copy": "guide/giving-back",
    "slow slicing rows in a loop": "guide/yellow guide/gil",
    "prange memoryview slice slow": "guide/gil#slices-in-prange-are-slow guide/gil#index-3",
    "nogil memoryview": "guide/gil",
    "segmentation fault nogil": "guide/gil",
    "who frees malloc memory callback_free_data": "guide/freeing-memory",
    "None argument memoryview": NONE,
    "initializedcheck cost": NONE,
    "per-call overhead of creating a memoryview": "guide/set-up-cost",
    "cost of passing small arrays": "guide/set-up-cost",
    "why is my cython line yellow": "guide/yellow",
    "boundscheck wraparound": "guide/view-items",
    "C-contiguous Fortran order transposed": "guide/layouts",
    "non-contiguous array strided": "guide/layouts",
    "int ** pointer to pointer suboffsets": "guide/indirect",
    "pass memoryview to C function pointer": "guide/callers",
    "structured array record dtype struct": "guide/any-exporter guide/acquiring",
    "bytes bytearray memoryview": "guide/any-exporter",
    "mmap": "guide/any-exporter",
    "array.array": "guide/array-module",
    "PyObject_GetItem": "guide/object-items",
    "sizeof memoryview struct 208 bytes": "guide/what-is-inside",
    "which type should I use": "guide/which-type",
    "setup.py pyproject build cython module": "guide/first-module",
    "do I need numpy headers": "guide/buffers",
    "read-only numpy array const": f"guide/acquiring {MESSAGES}",
    "vectorize SIMD ::1": "guide/raw-pointers",
    "cpdef function memoryview argument": "guide/callers",
    "datetime64": MESSAGES,
    "bool array": MESSAGES,
    "list of memoryviews": COMPILER,
    "array of memoryviews struct member": COMPILER,
    "empty array &mv[0]": f"{MESSAGES} guide/callers",
    "fused type memoryview": f"{COMPILER} {MESSAGES}",
    "swap rows of a memoryview": "guide/assigning",
    "assign numpy array to memoryview slice": "guide/assigning",
    "int64 dtype long windows": f"{MESSAGES} guide/acquiring",
    "alignment": "guide/acquiring guide/more-questions",
    "pandas read-only": f"{MESSAGES} guide/acquiring",
    "copy a memoryview": "guide/assigning guide/layouts",
    "add two memoryviews": COMPILER,
    "module size compile time": "guide/buffers",
    "bytes const unsigned char": f"{MESSAGES} guide/any-exporter",
    "string str to memoryview": f"{MESSAGES} guide/any-exporter",
    "stride": "glossary guide/layouts guide/view-items guide/what-is-inside",
    "what is an exporter": "guide/any-exporter glossary",
    "suboffsets": "guide/indirect glossary guide/what-is-inside",
    "limited api": "guide/object-items",
    "machine code assembly": "guide/raw-pointers guide/reading-the-c",
    "ImportError numpy headers arrayobject.h": "guide/buffers guide/first-module",
}

FIRST = """query => {
  const results = Search._performSearch(...Search._parseQuery(query)).reverse();
  return results.slice(0, 5).map(([docname, , anchor]) => docname + anchor);
}"""


@pytest.fixture(scope="module")
def search(base: str, shared_tab: Tab) -> Any:
    """The search page, with its index: what it lists for a query, as addresses."""

    def ask(query: str) -> list[str]:
        page = shared_tab.page
        if not page.url.startswith(f"{base}search.html"):
            page.goto(f"{base}search.html")
            page.wait_for_function("Search.hasIndex()")
        found: list[str] = page.evaluate(FIRST, query)
        return found

    return ask


def leads_to(address: str, wanted: str) -> bool:
    """Whether an address is one of the pages wanted, or in it."""
    return any(address == page or address.startswith(f"{page}#") for page in wanted.split())


@pytest.mark.parametrize(("query", "wanted"), {**MESSAGES_PASTED, **QUESTIONS}.items())
def test_search_puts_the_right_page_first(search: Any, query: str, wanted: str) -> None:
    found = search(query)
    assert found, "nothing was found"
    assert leads_to(found[0], wanted), found


@pytest.mark.parametrize(
    "query", [key for key, page in MESSAGES_PASTED.items() if page in (MESSAGES, COMPILER)]
)
def test_a_message_leads_to_its_section(site: Any, search: Any, query: str) -> None:
    """Not only to the page: the section whose heading is the message, or whose cell raises it."""
    page, _, anchor = search(query)[0].partition("#")
    soup = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser")
    section = soup.find(id=anchor)
    assert section, f"no section: {anchor!r}"
    words = re.findall(r"[a-z_]{3,}", query.partition("Error: ")[2] or query)
    text = section.get_text()
    assert [word for word in words if word not in text] == []


def test_each_heading_of_the_messages_is_raised_below_it(site: Any) -> None:
    soup = BeautifulSoup((site / f"{MESSAGES}.html").read_text("utf-8"), "html.parser")
    sections = soup.select("section section")
    assert len(sections) > 15
    for section in sections:
        heading = section.find("h2").code.get_text()
        # An ellipsis stands for names and numbers.
        pattern = re.escape(heading).replace("…", ".+")
        shown = [element.get_text() for element in section.select(".cell_output, .cy-refusal")]
        assert any(re.search(pattern, text) for text in shown), heading


def test_each_place_is_listed_once(search: Any) -> None:
    """The glossary has a term as heading of its own and as index entry."""
    found = search("stride")
    assert "glossary#term-stride" in found
    assert len(found) == len(set(found))


def test_a_result_shows_prose_and_no_generated_c(base: str, tab: Tab) -> None:
    tab.page.goto(f"{base}search.html?q=typed+memoryview+example+strides")
    tab.page.wait_for_function(
        """/found/.test(document.querySelector(".search-summary")?.innerText)
        && [...document.querySelectorAll("ul.search li")].every((li) => li.querySelector("p"))"""
    )
    shown = tab.page.eval_on_selector_all("ul.search p.context", "all => all.map(p => p.innerText)")
    assert len(shown) > 8
    assert [text for text in shown if re.search("__pyx_[a-z]_", text) or len(text) < 40] == []
    assert tab.errors == []


def test_single_letters_are_marked_only_where_they_are_all_of_the_query(
    base: str, tab: Tab, search: Any
) -> None:
    tab.page.goto(f"{base}search.html?q=C-contiguous")
    tab.page.wait_for_selector("ul.search .highlighted")
    marked = set(tab.page.locator("ul.search .highlighted").all_inner_texts())
    assert {text.lower() for text in marked} == {"contiguous"}
    assert search("C")


def test_search_works_from_a_disk(site: Any, tab: Tab) -> None:
    tab.page.goto(f"{(site / 'search.html').as_uri()}?q=read-only")
    tab.page.wait_for_selector("ul.search li")
    assert tab.page.locator("ul.search li a").first.get_attribute("href").startswith("guide/")
    assert tab.errors == []


def head(site: Any, page: str) -> tuple[str, str, bool]:
    """Title and description of a page, and whether search engines are asked to leave it out."""
    text = (site / page).read_text("utf-8").partition("</head>")[0]
    soup = BeautifulSoup(f"{text}</head>", "html.parser")
    found = {meta.get("name"): str(meta.get("content")) for meta in soup.find_all("meta")}
    title = soup.title.get_text() if soup.title else ""
    return title, found.get("description", ""), "noindex" in found.get("robots", "")


def test_every_page_says_what_it_is(site: Any, page: str) -> None:
    title, description, left_out = head(site, page)
    assert title
    if not left_out:
        assert 50 <= len(description) <= 160, description


@pytest.mark.parametrize("part", [0, 1], ids=["title", "description"])
def test_no_two_pages_say_the_same(site: Any, part: int) -> None:
    pages: dict[str, list[str]] = {}
    for page in PAGES:
        if text := head(site, page)[part]:
            pages.setdefault(text, []).append(page)
    assert [names for names in pages.values() if len(names) > 1] == []


def test_headings_of_pages_are_questions(site: Any) -> None:
    """All but those of examples, which are names, and those that only help to find."""
    titles = {}
    for page in PAGES:
        soup = BeautifulSoup((site / page).read_text("utf-8"), "html.parser")
        heading = soup.select_one("article h1")
        assert heading, page
        titles[page] = heading.get_text().rstrip("¶")
    others = {page for page, title in titles.items() if not title.endswith("?")}
    names = {page for page, title in titles.items() if re.fullmatch(r"\w+", title)}
    assert sorted(others - names - {"404.html", "search.html"}) == []


def test_each_term_of_the_glossary_is_linked(site: Any) -> None:
    glossary = BeautifulSoup((site / "glossary.html").read_text("utf-8"), "html.parser")
    terms = {str(term["id"]) for term in glossary.select("dl.glossary dt")}
    assert len(terms) > 20
    linked = {
        address.partition("#")[2]
        for page in PAGES
        if page != "glossary.html"
        for _tag, _name, address in source(page).refs
        if "glossary.html#" in address
    }
    assert sorted(terms - linked) == []
