"""Finding one's way by looking: the page tree, the gallery, the page before and the page after."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from .conftest import PAGES, Tab, examples

NewTab = Callable[..., AbstractContextManager[Tab]]
GALLERY = "examples/index.html"


def parse(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@pytest.mark.parametrize("kind", ["index.html", "guide/view-items.html", "examples/four_ways.html"])
def test_the_page_tree_fits_on_one_screen(tab: Tab, base: str, kind: str) -> None:
    tab.page.goto(base + kind)
    tree = tab.page.locator(".sidebar-scroll")
    assert tree.evaluate("(tree) => tree.scrollHeight - tree.clientHeight") == 0
    shown = tab.page.locator(".sidebar-tree a:visible")
    assert shown.count() > 20
    low = shown.evaluate_all("(links) => links.filter((a) => a.offsetHeight < 24).length")
    assert low == 0, "too low for a finger"


def test_of_the_examples_the_page_tree_names_the_one_that_is_open(tab: Tab, base: str) -> None:
    tab.page.goto(base + "examples/four_ways.html")
    shown = tab.page.locator(".sidebar-tree .toctree-l2 > a:visible")
    assert shown.all_inner_texts() == ["four_ways"]


def test_lists_in_the_text_have_the_questions(site: Path) -> None:
    """And not the short names that the tree gives to pages."""
    for link in parse(site / "index.html").select(".toctree-wrapper .toctree-l1 > a"):
        title = parse(site / str(link["href"])).select_one("h1")
        assert title
        assert link.get_text() == title.get_text().removesuffix("¶")


def test_the_gallery_has_each_example_once_and_says_what_is_in_it(site: Path) -> None:
    cards = parse(site / GALLERY).select(".cy-gallery > li")
    names = [card.select_one(".cy-name").get_text() for card in cards]  # type: ignore[union-attr]
    wanted = [name for name in examples() if not name.startswith("refused/")]
    assert sorted(names) == [name.removesuffix(".pyx") for name in wanted]
    for card in cards:
        assert len(card.select("p")) >= 3, card.get_text()
        for link in card.select("a"):
            assert (site / "examples" / str(link["href"]).partition("#")[0]).is_file()
    assert sum(bool(card.select(".cy-users a")) for card in cards) > len(cards) / 2


def test_the_gallery_comes_in_the_order_of_the_pages(site: Path) -> None:
    """Within a folder as in the table of contents, which is also the order of "Next"."""
    page = parse(site / GALLERY)
    listed = [link["href"] for link in page.select(".sidebar-tree .toctree-l2 > a")]
    listed = [href for href in listed if (site / "examples" / str(href)).is_file()]
    by_folder: dict[str, list[int]] = {}
    for link in page.select(".cy-gallery .cy-name a"):
        folder = link.get_text().partition("/")[0]
        by_folder.setdefault(folder, []).append(listed.index(link["href"]))
    assert len(by_folder) > 10
    for folder, places in by_folder.items():
        assert places == sorted(places), folder


def test_next_leads_through_all_pages(site: Path) -> None:
    """From the first page, and back again."""
    page, seen = "index.html", ["index.html"]
    while True:
        after = parse(site / page).select_one("footer .related-pages .next-page")
        if not after:
            break
        page = ((site / page).parent / str(after["href"])).resolve()
        page = page.relative_to(site).as_posix()
        assert page not in seen
        before = parse(site / page).select_one("footer .related-pages .prev-page")
        assert before
        assert ((site / page).parent / str(before["href"])).resolve() == site / seen[-1]
        seen.append(page)
    assert sorted(seen) == [p for p in PAGES if not re.match(r"404|search|genindex", p)]
