"""What every page has besides its text: an icon, a description, a footer; and the page for 404."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from http.server import ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, Tag

from .conftest import PREFIX, ROOT, Handler
from .conftest import Tab as BrowserTab

# They are no pages to find, so they need no description, and they have no source.
UNLISTED = ("404.html", "search.html")


@cache
def parse(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def only(found: list[Tag]) -> Tag:
    (one,) = found
    return one


def target(site: Path, page: str, address: str) -> Path:
    """The file that a link of a page leads to."""
    return (site / page).parent / urlsplit(address).path


def test_every_page_has_the_icon(site: Path, page: str) -> None:
    icon = only(parse(site / page).select("head link[rel~=icon]"))
    drawing = ElementTree.parse(target(site, page, str(icon["href"]))).getroot()
    assert drawing.tag.endswith("svg")


def test_every_page_says_in_one_sentence_or_two_what_it_is_about(site: Path, page: str) -> None:
    found = parse(site / page).select('head meta[name="description"]')
    if page in UNLISTED:
        assert found == []
    else:
        assert 10 <= len(str(only(found)["content"])) <= 300


def test_the_footer_names_what_the_page_was_made_with(site: Path, page: str) -> None:
    footer = only(parse(site / page).select("footer .bottom-of-page"))
    text = " ".join(footer.get_text().split())
    for name in ("Sphinx", "MyST-NB", "Furo", "Cython", "NumPy"):
        assert f"{name} {version(name)}" in text
    assert "CPython" in text
    assert any(kind in text for kind in ("gcc", "clang")), text


def test_furo_still_links_the_pages_before_and_after(site: Path) -> None:
    """The template takes that part of Furo's footer, and leaves the other."""
    footer = only(parse(site / "guide/view-items.html").select("footer"))
    assert len(footer.select(".related-pages a")) == 2
    assert "Made with" not in footer.get_text()


def test_every_page_leads_to_its_source(site: Path, page: str) -> None:
    document = parse(site / page)
    if page in UNLISTED:
        assert not document.select(".view-this-page, footer a[href*=_sources]")
        return
    button = only(document.select(".view-this-page a"))
    link = only(document.select("footer a[href*=_sources]"))
    assert button["href"] == link["href"]
    assert "source" in button.get_text()
    source = ROOT / "docs" / page.replace(".html", ".md")
    assert target(site, page, str(link["href"])).read_bytes() == source.read_bytes()


def test_what_cannot_be_found_is_not_in_the_search_index(site: Path) -> None:
    assert "There is no such page" not in (site / "searchindex.js").read_text("utf-8")


class Host(Handler):
    """A host that sends the 404 page for what is not there."""

    def send_error(self, code: int, *args: object, **options: object) -> None:
        data = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self) -> None:
        if self.path.startswith(PREFIX):
            self.path = self.path.removeprefix(PREFIX.rstrip("/"))
            super().do_HEAD()
        else:
            self.send_error(404)


@pytest.fixture
def host(site: Path) -> Iterator[str]:
    """The address of the site on that host."""

    def handler(*args: Any) -> Host:
        return Host(*args, directory=str(site))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


@pytest.mark.parametrize("address", ["nothing.html", "guide/deep/er/nothing", "guide/nothing/"])
def test_the_404_page_is_whole_at_any_address(tab: BrowserTab, host: str, address: str) -> None:
    """Without a known address of the site, which test_publishing.py is about, by its script."""
    tab.page.goto(host + address)
    tab.page.wait_for_url("**/404.html")
    assert tab.page.locator("h1").inner_text() == "There is no such page"
    styled = "[...document.styleSheets].every((sheet) => sheet.cssRules.length > 0)"
    assert tab.page.evaluate(styled)
    tab.page.locator("article").get_by_role("searchbox").fill("stride")
    tab.page.locator("article").get_by_role("button").click()
    tab.page.wait_for_url(f"{host}search.html?q=stride")
    tab.page.go_back()
    tab.page.locator("article li a").first.click()
    tab.page.wait_for_url(f"{host}index.html")


def test_the_404_page_opened_as_a_file_stays_where_it_is(tab: BrowserTab, site: Path) -> None:
    tab.page.goto((site / "404.html").as_uri())
    assert tab.page.locator("article li a").count() == 2
    assert tab.errors == []


@pytest.mark.parametrize(
    ("file", "used"),
    [
        ("_static/mystnb.", "div.cell"),
        ("_static/pygments.css", ".highlight"),
        ("_static/cython.js", "[class*=cy-]"),
        ("_static/scrollable.js", ".highlight pre, .table-wrapper"),
    ],
)
def test_a_file_is_loaded_where_it_is_used(site: Path, page: str, file: str, used: str) -> None:
    document = parse(site / page)
    if document.select(used):
        assert document.select(f"[href*='{file}'], [src*='{file}']")
    elif page in UNLISTED or "mystnb" in file:
        assert not document.select(f"[href*='{file}'], [src*='{file}']")
