"""Listings and comparisons as a reader uses them: by keyboard, without script, on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

from .conftest import ROOT, Tab, containing, source

NewTab = Callable[..., AbstractContextManager[Tab]]

# What the keyboard is on: whether that is what is looked for, and whether it can be seen.
FOCUS = """(wanted) => {
  const focused = document.activeElement, style = getComputedStyle(focused);
  const ring = focused.matches(":focus-visible") && style.outlineStyle !== "none"
    && parseFloat(style.outlineWidth) >= 1 && style.outlineColor !== "rgba(0, 0, 0, 0)";
  return [focused.matches(wanted), ring];
}"""

# For each listing the address of Cython's own page, and the C of each line: all text but that of
# summaries, which is no C. A line without any has an empty one.
SHOWN_C = """() => [...document.querySelectorAll(".cy-listing:not(.cy-refusal)")].map((listing) => {
  const shown = {};
  for (const line of listing.querySelectorAll(".cy-line")) {
    const c = line.querySelector(".cy-c")?.cloneNode(true);
    for (const summary of c?.querySelectorAll("summary") ?? []) summary.remove();
    shown[line.querySelector(".cy-no").textContent] = c?.textContent ?? "";
  }
  return [listing.querySelector(".cy-links a[href$='.html']").href, shown];
})"""

# The same from Cython's own page: the nth line there is line n, its C is the block behind it.
RAW_C = """() => {
  const raw = {};
  for (const [number, line] of document.querySelectorAll("pre.cython.line").entries()) {
    const c = line.nextElementSibling;
    if (c?.matches("pre.code")) raw[number + 1] = c.textContent;
  }
  return raw;
}"""


def first(pattern: str) -> str:
    """The first page with something on it."""
    pages = containing(pattern)
    if not pages:
        pytest.skip(f"no page has {pattern}")
    return pages[0]


# Whether elements can be seen: not only in the document, but given room in the picture. (What a
# closed element hides keeps its size, so size alone says nothing.)
VISIBLE = """(elements) => elements.map((element) => element.getBoundingClientRect().height > 0
  && element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))"""


def are_visible(locator: Any) -> set[bool]:
    """Whether the elements can be seen."""
    return set(locator.evaluate_all(VISIBLE))


def is_visible(locator: Any) -> bool:
    """Whether an element can be seen."""
    return are_visible(locator.first) == {True}


def press_tab_until(page: Any, wanted: str) -> None:
    """Move to the next element of a kind, on which the keyboard must be seen to be."""
    for _ in range(500):
        page.keyboard.press("Tab")
        found, ring = page.evaluate(FOCUS, wanted)
        if found:
            assert ring, f"nothing shows that the keyboard is on this {wanted}"
            return
    raise AssertionError(f"500 times Tab, and no {wanted}")


def test_the_c_of_a_listing_is_what_cython_wrote(tab: Tab, base: str, listing_page: str) -> None:
    """Compared with Cython's own annotated page, to the character."""
    tab.page.goto(base + listing_page)
    for raw_page, shown in tab.page.evaluate(SHOWN_C):
        tab.page.goto(raw_page)
        raw = tab.page.evaluate(RAW_C)
        assert any(shown.values())
        # The line break at the end is not C.
        assert {number: c.rstrip() for number, c in shown.items()} == {
            number: raw.get(number, "").rstrip() for number in shown
        }


def test_keyboard_reaches_and_opens_every_line(tab: Tab, base: str) -> None:
    pages = [page for page in containing('class="cy-open"') if page.startswith("examples/")]
    tab.page.goto(base + min(pages, key=lambda page: len(source(page).ids)))
    lines = tab.page.locator(".cy-open")
    assert lines.count() > 1
    for number in range(lines.count()):
        press_tab_until(tab.page, ".cy-open > summary")
        line = lines.nth(number)
        assert line.evaluate("(line) => line.firstElementChild === document.activeElement")
        code = line.locator(".cy-c")
        assert not is_visible(code)
        tab.page.keyboard.press("Enter")
        assert is_visible(code)
        # Closed again, or Tab would go through the folds inside.
        tab.page.keyboard.press("Enter")
        assert not is_visible(code)


def test_keyboard_opens_folds_inside_a_line(tab: Tab, base: str) -> None:
    tab.page.goto(base + first('class="cy-fold"'))
    fold = tab.page.locator(".cy-excerpt .cy-fold, .cy-gen .cy-fold").first
    fold.evaluate(
        "(fold) => { for (let outer = fold.parentElement.closest('details'); outer;"
        " outer = outer.parentElement.closest('details')) outer.open = true }"
    )
    fold.locator("summary").focus()
    tab.page.keyboard.press("Enter")
    assert fold.evaluate("(fold) => fold.open")


def test_keyboard_opens_a_comparison(new_tab: NewTab, base: str, width: int) -> None:
    with new_tab(width) as tab:
        tab.page.goto(base + "index.html")
        rows = tab.page.locator(".cy-cmp").first.locator(".cy-row")
        assert rows.count() > 1
        for number in range(rows.count()):
            press_tab_until(tab.page, ".cy-all > summary")
            code = rows.nth(number).locator(".cy-all .cy-c")
            assert not is_visible(code)
            tab.page.keyboard.press("Enter")
            assert is_visible(code)
            tab.page.keyboard.press("Enter")
            assert not is_visible(code)


def test_address_of_a_line_opens_it(tab: Tab, base: str) -> None:
    page = first('class="cy-open"')
    tab.page.goto(base + page)
    anchor = tab.page.locator(".cy-line:has(> .cy-open)").last.get_attribute("id")
    assert re.fullmatch(r"[\w-]+-L\d+", anchor)
    tab.page.goto("about:blank")
    tab.page.goto(f"{base}{page}#{anchor}")
    line = tab.page.locator(f"#{anchor}")
    assert is_visible(line.locator(".cy-c").first)
    tab.page.wait_for_function(
        "(id) => { const top = document.getElementById(id).getBoundingClientRect().top;"
        " return top >= 0 && top < innerHeight }",
        arg=anchor,
    )
    assert tab.page.locator(".cy-open[open]").count() == 1


def test_link_to_a_line_opens_it(tab: Tab, base: str) -> None:
    """From an excerpt or a comparison to the listing on the example's own page."""
    tab.page.goto(base + first(r'class="cy-cmp"'))
    link = tab.page.locator(".cy-cmp a[href*='-L']").first
    anchor = link.get_attribute("href").partition("#")[2]
    link.evaluate("(link) => { link.closest('details').open = true }")
    link.click()
    tab.page.wait_for_url(f"**#{anchor}")
    assert is_visible(tab.page.locator(f"#{anchor} .cy-c").first)


def test_button_opens_and_closes_all_lines(tab: Tab, base: str) -> None:
    tab.page.goto(base + first('class="cy-open"'))
    listing = tab.page.locator(".cy-listing:not(.cy-refusal)").first
    lines, opened = listing.locator(".cy-open"), listing.locator(".cy-open[open]")
    button = listing.locator(".cy-links").get_by_role("button")
    assert button.inner_text() == "Open all lines"
    button.focus()
    tab.page.keyboard.press("Enter")
    assert opened.count() == lines.count() > 1
    assert button.inner_text() == "Close all lines"
    lines.first.locator("summary").first.click()
    # Waited for: a browser tells of what was opened or closed a little later.
    listing.get_by_role("button", name="Open all lines").wait_for()
    button.click()
    button.click()
    assert opened.count() == 0


def test_without_script_lines_open_and_have_addresses(new_tab: NewTab, base: str) -> None:
    with new_tab(java_script_enabled=False) as tab:
        tab.page.goto(base + first('class="cy-open"'))
        line = tab.page.locator(".cy-line:has(> .cy-open)").nth(1)
        c = line.locator(".cy-c").first
        assert not is_visible(c)
        line.locator(".cy-open > summary").focus()
        tab.page.keyboard.press("Enter")
        assert is_visible(c)
        line.locator(".cy-no").click()
        assert tab.page.url.endswith("#" + line.get_attribute("id"))
        assert line.evaluate("(line) => line.matches(':target')")
        # A button that does nothing would be worse than none.
        assert tab.page.locator(".cy-toggle").count() == 0


def test_without_script_comparisons_say_it_all(new_tab: NewTab, base: str) -> None:
    with new_tab(java_script_enabled=False) as tab:
        tab.page.goto(base + "index.html")
        comparison = tab.page.locator(".cy-cmp").first
        for row in comparison.locator(".cy-row").all():
            assert is_visible(row.locator(".cy-c").first)
            c = row.locator(".cy-all .cy-c")
            row.locator(".cy-all > summary").focus()
            tab.page.keyboard.press("Enter")
            assert is_visible(c)


def test_print_shows_what_is_closed(tab: Tab, base: str, listing_page: str) -> None:
    tab.page.goto(base + listing_page)
    code = tab.page.locator(".cy-gen .cy-c, .cy-all .cy-c")
    assert are_visible(code) == {False}
    tab.page.emulate_media(media="print")
    assert are_visible(code) == {True}


def test_downloads_and_raw_page_are_there(base: str, listing_page: str) -> None:
    refs = {urljoin(base + listing_page, ref) for _, _, ref in source(listing_page).refs}
    offered = {ref for ref in refs if "/_cython/" in ref}
    suffixes = {Path(ref).suffix.replace(".cpp", ".c") for ref in offered}
    assert suffixes >= {".pyx", ".c", ".html"}
    for address in offered:
        with urlopen(address) as answer:
            assert answer.status == 200
            got = answer.read()
        if address.endswith(".pyx"):
            assert got in [path.read_bytes() for path in (ROOT / "examples").rglob("*.pyx")]
        else:
            assert b"Generated by Cython" in got


def test_raw_page_opens(tab: Tab, base: str, listing_page: str) -> None:
    tab.page.goto(base + listing_page)
    tab.page.get_by_role("link", name="raw annotated page").first.click()
    tab.page.wait_for_url("**/_cython/**")
    assert "Generated by Cython" in tab.page.inner_text("body")
    assert tab.errors == []


def test_no_motion_for_who_wants_none(new_tab: NewTab, base: str) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return scrollBehavior !== "auto" || animationName !== "none"
        || transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
    }).map((element) => element.className)"""
    with new_tab() as tab:
        tab.page.goto(base + "index.html")
        assert tab.page.evaluate(moving) != [], "or this test could not fail"
    with new_tab(reduced_motion="reduce") as tab:
        tab.page.goto(base + "index.html")
        assert tab.page.evaluate(moving) == []


def test_with_the_systems_own_colours_nothing_is_lost(new_tab: NewTab, base: str) -> None:
    """Windows high contrast: backgrounds and shadows go, so lines and outlines must tell."""
    outline = "(e) => getComputedStyle(e).outlineStyle"
    with new_tab(forced_colors="active") as tab:
        tab.page.goto(base + "examples/four_ways.html#four_ways-L20")
        line = tab.page.locator("#four_ways-L20")
        assert line.evaluate(outline) == "dashed", "the chosen line"
        assert tab.page.locator(".cy-c .cy-call").first.evaluate(outline) == "solid"
        line.locator(".cy-address").first.hover()
        assert line.evaluate(outline) == "solid", "the line that is pointed at"
        tab.page.goto(base + "index.html")
        bar = tab.page.locator(".cy-bar > span").first
        background = bar.evaluate("(e) => getComputedStyle(e).backgroundColor")
        assert background == bar.evaluate("(e) => getComputedStyle(document.body).color")
        press_tab_until(tab.page, ".cy-all > summary")


def test_search_finds_prose(new_tab: NewTab, base: str, width: int) -> None:
    with new_tab(width) as tab:
        tab.page.goto(base + "search.html")
        field = tab.page.locator("article input[name=q]")
        field.fill("strides")
        field.press("Enter")
        tab.page.wait_for_url(f"{base}search.html?q=strides")
        value = "document.querySelector('article input[name=q]').value"
        tab.page.wait_for_function(f"() => {value} === 'strides'")
        tab.page.locator("#search-results li a").first.click()
        tab.page.wait_for_url(lambda address: "search.html" not in address)
        assert "stride" in tab.page.inner_text("article")
        assert tab.errors == []


def test_home_page_works_as_a_file(tab: Tab, site: Path) -> None:
    tab.page.goto((site / "index.html").as_uri())
    comparison = tab.page.locator(".cy-cmp").first
    assert comparison.locator(".cy-row").count() > 1
    assert is_visible(comparison)
    assert is_visible(comparison.locator(".cy-c").first)
    # The style sheet has been found: the rows are what it makes of them.
    assert comparison.locator(".cy-row").first.evaluate(
        "(row) => getComputedStyle(row).display"
    ) == ("grid")
    assert tab.errors == []
    assert [address for address in tab.requests if not address.startswith("file:")] == []
