"""Kinds of C: what belongs together lights up, and what is hidden leaves a mark."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from .conftest import Tab, containing

NewTab = Callable[..., AbstractContextManager[Tab]]
LISTING, VIEWS = "examples/four_ways.html", "guide/view-items.html"
LIT = "(selector) => [...document.querySelectorAll(selector)].filter(e => e.matches('.cy-lit'))"


def lit(page: Any, selector: str) -> list[str]:
    """The texts of what is lit."""
    found: list[str] = page.evaluate(f"({LIT})('{selector}').map((e) => e.textContent)")
    return found


def lines_lit(page: Any) -> set[str]:
    found = page.evaluate(
        "() => [...document.querySelectorAll('[data-cy].cy-lit')].map(e => e.dataset.cy)"
    )
    return set(found)


@pytest.mark.parametrize("boxes", containing('class="cy-(?:listing|cmp|excerpt)'))
def test_the_kinds_are_named_once_on_a_page(tab: Tab, base: str, boxes: str) -> None:
    tab.page.goto(base + boxes)
    with_c = tab.page.locator(".cy-c").count() + tab.page.locator(".cy-loop").count()
    keys = tab.page.locator(".cy-key")
    assert keys.count() == (1 if with_c else 0)
    if with_c and "reading-the-c" not in boxes:
        link = keys.get_by_role("link", name="What is what?")
        assert link.evaluate("(link) => link.href").endswith("guide/reading-the-c.html")


def test_pointing_at_c_lights_its_line_its_kind_and_its_variable(tab: Tab, base: str) -> None:
    tab.page.goto(f"{base}{LISTING}#four_ways-L20")
    line = tab.page.locator("#four_ways-L20")
    line.locator(".cy-address").first.hover()
    assert lines_lit(tab.page) == {"indexing/four_ways:20"}
    assert [text.strip() for text in lit(tab.page, ".cy-legend li")] == ["address arithmetic"]
    line.locator(".cy-var[data-name=a]").first.hover()
    assert lit(tab.page, ".cy-src span") == ["a"]
    assert set(lit(tab.page, ".cy-var")) == {"__pyx_v_a"}
    tab.page.locator("h1").hover()
    assert lines_lit(tab.page) == set()
    assert lit(tab.page, "*") == []


def test_pointing_at_a_variable_of_the_source_lights_its_uses(tab: Tab, base: str) -> None:
    tab.page.goto(base + "index.html")
    head = tab.page.locator(".cy-cmp").first.locator(".cy-head .highlight span")
    head.filter(has_text="i").last.hover()
    uses = tab.page.locator(".cy-cmp").first.locator(".cy-essential .cy-var.cy-lit")
    # In the call on an object, and in the subscript of the pointer.
    assert set(uses.all_inner_texts()) == {"__pyx_v_i"}
    assert uses.count() >= 2
    name = tab.page.locator(".cy-essential .cy-var[data-name=i]").last
    tab.page.mouse.move(0, 0)
    name.hover()
    assert lit(tab.page, ".cy-head span") == ["i"]


def test_an_instruction_and_its_line_light_each_other(tab: Tab, base: str) -> None:
    tab.page.goto(base + "guide/raw-pointers.html")
    box = tab.page.locator(".cy-assembly").first
    instruction = box.locator(".cy-asm[data-cy]").first
    key = instruction.get_attribute("data-cy")
    instruction.hover()
    assert lines_lit(tab.page) == {key}
    assert box.locator(f".cy-asm-line[data-cy='{key}'].cy-lit").count() == 1
    # The same line in the comparison above.
    assert tab.page.locator(f".cy-row[data-cy='{key}'].cy-lit").count() >= 1
    tab.page.mouse.move(0, 0)
    box.locator(f".cy-asm-line[data-cy='{key}']").hover()
    assert box.locator(".cy-asm.cy-lit").count() == box.locator(f".cy-asm[data-cy='{key}']").count()


def test_pointing_at_a_kind_lights_all_of_it(tab: Tab, base: str) -> None:
    tab.page.goto(base + "index.html")
    tab.page.locator(".cy-legend [data-kind=call]").hover()
    everywhere = tab.page.locator(".cy-c .cy-call")
    assert tab.page.locator(".cy-c .cy-lit").count() == everywhere.count() > 2


def test_arrow_keys_go_from_part_to_part(tab: Tab, base: str) -> None:
    tab.page.goto(base + "index.html")
    code = tab.page.locator(".cy-essential").nth(2)
    assert code.locator("[tabindex='0']").count() == 1
    code.locator("[tabindex='0']").focus()
    tab.page.keyboard.press("ArrowRight")
    focused = code.locator(":focus")
    assert focused.get_attribute("class").split()[0] == "cy-address"
    assert focused.get_attribute("aria-description") == "address arithmetic"
    assert lines_lit(tab.page) == {"indexing/four_ways:20"}
    # One stop of the Tab key, wherever in the piece it is.
    assert code.locator("[tabindex='0']").count() == 1
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")  # there is nothing before the first
    assert code.locator(":focus").inner_text() == "(*"


@pytest.mark.parametrize("kind", ["check", "refcount", "failure"])
def test_a_kind_can_be_hidden_and_the_address_says_so(tab: Tab, base: str, kind: str) -> None:
    # A line with checks, failure paths and, around the view that is passed, reference counts.
    tab.page.goto(f"{base}{LISTING}#four_ways-L64")
    box = tab.page.locator(f".cy-legend [data-kind={kind}] input")
    assert box.is_checked()
    box.focus()
    tab.page.keyboard.press("Space")
    tab.page.wait_for_url(f"{base}{LISTING}?hide={kind}#four_ways-L64")
    hidden = tab.page.locator(f".cy-fold[data-kinds={kind}]")
    assert set(hidden.evaluate_all("(all) => all.map((fold) => fold.checkVisibility())")) <= {False}
    if kind == "check":
        tab.page.goto(f"{base}{LISTING}?hide={kind}#four_ways-L20")
        check = tab.page.locator("#four_ways-L20 .cy-check").first
        assert check.evaluate("(e) => getComputedStyle(e, '::after').content") == '"⋯"'
        assert check.evaluate("(e) => getComputedStyle(e).fontSize") == "0px"
    else:
        assert hidden.count() > 0
    # Whoever follows the address sees the same.
    tab.page.reload()
    assert not box.is_checked()
    box.check()
    tab.page.wait_for_url(lambda url: "hide" not in url)
    assert set(hidden.evaluate_all("(all) => all.map((fold) => fold.hidden)")) <= {False}


def test_a_fold_of_two_kinds_goes_when_both_are_hidden(tab: Tab, base: str) -> None:
    both = containing(r'data-kinds="(?:failure refcount|refcount failure)"')
    tab.page.goto(base + both[0] + "?hide=refcount")
    folds = tab.page.locator(".cy-fold[data-kinds*=' ']")
    assert set(folds.evaluate_all("(all) => all.map((fold) => fold.hidden)")) == {False}
    tab.page.goto(base + both[0] + "?hide=refcount+failure")
    assert set(folds.evaluate_all("(all) => all.map((fold) => fold.hidden)")) == {True}


def test_a_line_that_is_opened_is_in_the_address(tab: Tab, base: str) -> None:
    tab.page.goto(f"{base}{LISTING}?hide=check")
    first, second = (tab.page.locator(f"#four_ways-L{n} summary").first for n in (12, 16))
    first.click()
    tab.page.wait_for_url(f"{base}{LISTING}?hide=check#four_ways-L12")
    second.focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"{base}{LISTING}?hide=check#four_ways-L16")
    assert tab.page.locator(".cy-chosen").get_attribute("id") == "four_ways-L16"
    first.click()  # closes another line than the chosen one
    tab.page.wait_for_url(f"{base}{LISTING}?hide=check#four_ways-L16")
    second.click()
    tab.page.wait_for_url(f"{base}{LISTING}?hide=check")
    assert tab.page.locator(".cy-chosen").count() == 0
    second.click()
    tab.page.reload()
    assert tab.page.locator("#four_ways-L16 .cy-c").first.is_visible()


def test_without_script_nothing_offers_to_hide(new_tab: NewTab, base: str) -> None:
    with new_tab(java_script_enabled=False) as tab:
        tab.page.goto(f"{base}{LISTING}?hide=failure")
        assert tab.page.locator(".cy-legend input").count() == 0
        assert tab.page.locator(".cy-legend [data-kind]").count() == 6
        assert tab.page.locator(".cy-fold[hidden]").count() == 0
