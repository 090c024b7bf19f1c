"""What the tests of the built site share: its pages, a server below a sub-path, and a browser.

The site is the folder named by SITE_HTML, or ``build/html``. No page is named here: tests are
made for what is found, so that a new page is tested from the day it is written.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
# A site that works here works below any path.
PREFIX = "/some/path/"
WIDTHS = (1280, 375)
THEMES = ("light", "dark")


def find_site() -> tuple[Path | None, str]:
    """Return the folder of the built site, or why there is none."""
    named = os.environ.get("SITE_HTML")
    folder = Path(named) if named else ROOT / "build" / "html"
    if (folder / "index.html").is_file():
        return folder.resolve(), ""
    if named:
        raise pytest.UsageError(f"SITE_HTML names {folder}, where there is no index.html")
    return None, "the site is not built (nox -s docs), and SITE_HTML names no other"


SITE, WHY_NOT = find_site()


def relative(paths: Iterator[Path]) -> list[str]:
    """Return paths as they stand in an address, sorted."""
    return sorted(path.relative_to(SITE or ROOT).as_posix() for path in paths)


# Cython's own annotated pages are shown as they are; nothing is promised of them but the C.
ALL_PAGES = relative(SITE.rglob("*.html")) if SITE else []
PAGES = [page for page in ALL_PAGES if not page.startswith(("_cython/", "_checks/"))]


def containing(pattern: str) -> list[str]:
    """The pages in which a pattern is found."""
    return [page for page in PAGES if SITE and re.search(pattern, (SITE / page).read_text("utf-8"))]


@cache
def examples() -> list[str]:
    """The examples there are in the repository, those that must not compile included."""
    folder = ROOT / "examples"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.pyx"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each page, page with a listing, width, or example."""
    found: dict[str, Callable[[], list[str]]] = {
        "page": lambda: PAGES,
        "any_page": lambda: ALL_PAGES,
        "listing_page": lambda: containing(r'class="cy-open"'),
        "example": lambda: [name for name in examples() if not name.startswith("refused/")],
        "refused": lambda: [name for name in examples() if name.startswith("refused/")],
    }
    for name, find in found.items():
        if name in metafunc.fixturenames:
            skipped = pytest.param("", marks=pytest.mark.skip(reason=WHY_NOT))
            metafunc.parametrize(name, find() if SITE else [skipped])
    if "width" in metafunc.fixturenames:
        metafunc.parametrize("width", WIDTHS)


@dataclass
class Source:
    """What stands in the HTML of a page.

    Attributes:
        ids: The names that an address can end with.
        refs: Tag, attribute and value of whatever refers to something.
        styles: The text of ``style`` elements and attributes.
        listings: For each listing its title and the source lines it shows.
    """

    ids: set[str] = field(default_factory=set)
    refs: list[tuple[str, str, str]] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    listings: list[tuple[str, list[str]]] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads a page; far quicker than building a tree of it."""

    REFS = ("href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href")

    def __init__(self) -> None:
        super().__init__()
        self.found = Source()
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found.ids.update(given[name] for name in ("id", "name") if name in given)
        self.found.refs += [(tag, name, given[name]) for name in self.REFS if name in given]
        if "style" in given:
            self.found.styles.append(given["style"])
        classes = given.get("class", "").split()
        if "cy-listing" in classes:
            self.found.listings.append((given.get("aria-label", ""), []))
        elif "cy-src" in classes:
            self.found.listings[-1][1].append("")
            self.inside = "cy-src"
        elif tag == "style":
            self.found.styles.append("")
            self.inside = "style"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("code", "style"):
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "cy-src":
            self.found.listings[-1][1][-1] += data
        elif self.inside == "style":
            self.found.styles[-1] += data


@cache
def source(page: str) -> Source:
    """Read a page of the site."""
    reader = Reader()
    reader.feed(((SITE or ROOT) / page).read_text("utf-8"))
    return reader.found


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if SITE is None:
        pytest.skip(WHY_NOT)
    return SITE


class Handler(SimpleHTTPRequestHandler):
    """Serves the site below PREFIX, and nothing beside it."""

    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":
            # The browser asks the host for it, of its own accord.
            self.send_response(204)
            self.end_headers()
        elif self.path.startswith(PREFIX):
            self.path = self.path.removeprefix(PREFIX.rstrip("/"))
            super().do_GET()
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """The address that the site is served at."""

    def handler(*args: Any) -> Handler:
        return Handler(*args, directory=str(site))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


class Tab:
    """A page of the browser that keeps account of what went wrong in it.

    Attributes:
        page: Playwright's page.
        errors: What the console and the network complained about.
        requests: The addresses that were asked for.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self._fail)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))
        page.on("console", self._hear)
        page.on("response", self._look)

    def _fail(self, request: Any) -> None:
        # What is under way when a test goes on to another page is cancelled: no fault of the page.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"failed: {request.url}: {request.failure}")

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

    def _look(self, response: Any) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def new_tab(browser: Any) -> Callable[..., AbstractContextManager[Tab]]:
    """Open a tab in a context of its own, with the options of Playwright's ``new_context``."""

    @contextmanager
    def new_tab(width: int = WIDTHS[0], **options: Any) -> Iterator[Tab]:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        yield Tab(context.new_page())
        context.close()

    return new_tab


@pytest.fixture(scope="session")
def shared_tab(browser: Any) -> Tab:
    """A tab for all tests that need nothing special: a new one takes half a second."""
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900})
    return Tab(context.new_page())


@pytest.fixture
def tab(shared_tab: Tab) -> Tab:
    """A tab with nothing in it."""
    shared_tab.page.goto("about:blank")
    shared_tab.page.emulate_media(media="screen", color_scheme="light")
    shared_tab.errors.clear()
    shared_tab.requests.clear()
    return shared_tab
