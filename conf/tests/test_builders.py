"""Every builder of Sphinx: ids are unique, links lead somewhere, books are well-formed."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from support import SAMPLES, Site
from test_directives import DIRECTIVES, PROFILES, md

from sphinx_cython.assets import asset_folder

# Two pairs of examples that have one module name.
EXAMPLES = {
    "examples/other/add.pyx": '''
        """Adding, in another way."""


        def add(a, b):
            total = a
            return total + b
        ''',
    "examples/c/unit.pyx": '"""One."""\n\n\ndef unit():\n    return 1\n',
    "examples/a/b/unit.pyx": '"""Two."""\n\n\ndef unit():\n    return 2\n',
}
PAGES = {
    # The same boxes again, on one page.
    "twice": [
        ("cython-listing", "ways", {}, ""),
        ("cython-listing", "ways", {}, ""),
        ("cython-listing", "ways", {"function": "unchecked"}, ""),
        ("cython-listing", "ways", {"function": "unchecked"}, ""),
        ("cython-listing", "ways", {"function": "total"}, ""),
        DIRECTIVES["excerpt"],
        DIRECTIVES["excerpt"],
        DIRECTIVES["comparison"],
        DIRECTIVES["assembly"],
        ("cython-listing", "answer", {"profile": "macro"}, ""),
        ("cython-listing", "answer", {"profile": "macro"}, ""),
    ],
    # The pages of two examples of one module name, on one page, one of them listed twice.
    "adding": [
        ("cython-example", "other/add", {}, ""),
        ("cython-example", "c/unit", {}, ""),
        ("cython-example", "a/b/unit", {}, ""),
        ("cython-listing", "a/b/unit", {}, ""),
    ],
    "answering": [("cython-example", "answer", {"profile": "macro"}, "")],
    "linking": [
        ("cython-excerpt", "plain/add", {"function": "add", "line": "return a + b"}, ""),
        ("cython-excerpt", "other/add", {"function": "add", "line": "return total + b"}, ""),
        ("cython-excerpt", "answer", {"function": "answer", "line": "return ANSWER"}, ""),
        ("cython-excerpt", "c/unit", {"function": "unit", "line": "return 1"}, ""),
        ("cython-excerpt", "a/b/unit", {"function": "unit", "line": "return 2"}, ""),
    ],
}
EPUB = "epub_title, epub_author, language, version = 'Small', 'Author', 'en', '1'\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Site:
    """A site with every directive, and with all that could claim one id twice."""
    site = Site(tmp_path_factory.mktemp("builders"), cache)
    shutil.copytree(SAMPLES, site.root / "examples")
    site.configure(PROFILES, more=EPUB)
    site.write(EXAMPLES)
    site.write({"docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n"})
    pages = {page: [parts] for page, parts in DIRECTIVES.items()} | PAGES
    for page, boxes in pages.items():
        text = "\n".join(md(*parts) for parts in boxes)
        site.write({f"docs/{page}.md": f"# {page.title()}\n\n{text}"})
    return site


@dataclass
class Page(HTMLParser):
    """The ids of a page, and what it links to."""

    text: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "a" and "href" in given:
            self.links.append(given["href"] or "")

    handle_startendtag = handle_starttag


def read_pages(site: Site, builder: str) -> dict[str, str]:
    """Build, and return the text of every page by its name."""
    site.passes(builder=builder)
    out = site.root / builder
    if builder == "epub":
        (book,) = out.glob("*.epub")
        with zipfile.ZipFile(book) as archive:
            names = [name for name in archive.namelist() if name.endswith((".xhtml", ".html"))]
            return {name: archive.read(name).decode("utf-8") for name in names}
    return {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in out.rglob("*.html")
        if "_cython" not in path.parts and path.stem not in ("search", "genindex")
    }


@pytest.fixture(scope="module", params=["html", "dirhtml", "singlehtml", "epub"])
def built(request: pytest.FixtureRequest, site: Site) -> tuple[str, dict[str, str]]:
    """A builder that writes HTML, and its pages."""
    return request.param, read_pages(site, request.param)


def test_no_id_occurs_twice_in_a_page(built):
    _, pages = built
    for name, text in pages.items():
        twice = [key for key, count in Counter(Page(text).ids).items() if count > 1]
        assert not twice, name


def test_every_link_within_the_site_leads_somewhere(built, site: Site):
    builder, texts = built
    pages = {name: Page(text) for name, text in texts.items()}
    checked = 0
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = normpath(join(dirname(name), unquote(parts.path))) if parts.path else name
            if (site.root / builder / target).is_dir():
                target = normpath(f"{target}/index.html")
            if target not in pages:
                assert builder != "epub", f"{name} links to {link}, which is not in the book"
                assert (site.root / builder / target).is_file(), (name, link)
            elif parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, (name, link)
            checked += 1
    assert checked > 100


def test_a_link_to_a_line_leads_to_that_line(site: Site):
    site.passes()
    excerpts = site.page("linking").select(".cy-excerpt > .cy-head")
    assert len(excerpts) == 5
    for head in excerpts:
        page, _, anchor = str(head.select_one("a")["href"]).partition(".html#")
        (line,) = site.page(page).select(f'[id="{anchor}"]')
        source = line.select_one(".cy-src").get_text().strip()
        assert source == head.select_one("code").get_text()


def test_examples_of_one_module_name_do_not_light_each_other(site: Site):
    site.passes()
    marks = [box["data-cy"] for box in site.page("linking").select(".cy-head[data-cy]")]
    assert len(set(marks)) == 5
    listings = [box["data-example"] for box in site.page("adding").select(".cy-listing")]
    assert listings == ["other/add", "c/unit", "a/b/unit", "a/b/unit"]


def test_files_of_examples_do_not_meet(site: Site):
    site.passes()
    for listing in site.page("adding").select(".cy-listing"):
        download = site.root / "html" / str(listing.select_one("a[download]")["href"])
        source = site.root / "examples" / f"{listing['data-example']}.pyx"
        assert download.read_bytes() == source.read_bytes()


def test_folders_of_files_differ_if_names_differ():
    names = ["a/b", "a-b", "a--b", "a/-b", "a-/b", "a~b", "a~1b", "a~-b", "a~/b", "a.b", "a/~b"]
    keys = names + [f"{name}@{profile}" for name in names for profile in ("b", "-b", "O3", "a-b")]
    folders = {asset_folder(SimpleNamespace(key=key)) for key in keys}
    assert len(folders) == len(keys)


def test_a_name_that_is_given_twice_is_a_warning(site: Site, tmp_path: Path, cache: Path):
    other = Site(tmp_path, cache)
    other.write({"examples/plain/add.pyx": (SAMPLES / "plain/add.pyx").read_text()})
    other.configure()
    box = md("cython-listing", "plain/add", {"name": "one-name"}, "")
    other.write({"docs/index.md": f"# Index\n\n{box}\n{box}"})
    run = other.fails()
    assert re.search(r'index.md:\d+: WARNING: Duplicate explicit target name: "one-name"', run.err)
    ids = Page((other.root / "html/index.html").read_text(encoding="utf-8")).ids
    assert len(ids) == len(set(ids))


def test_a_book_is_well_formed(site: Site):
    pages = read_pages(site, "epub")
    assert len(pages) > len(DIRECTIVES)
    for name, text in pages.items():
        try:
            ET.fromstring(text)
        except ET.ParseError as error:
            pytest.fail(f"{name}: {error}")


def test_a_book_carries_no_files_that_its_pages_do_not_need(site: Site):
    site.passes(builder="epub")
    assert not (site.root / "epub" / "_cython").exists()


EPUBCHECK = Path("/usr/share/java/epubcheck.jar")


@pytest.mark.skipif(
    not (EPUBCHECK.is_file() and shutil.which("java")),
    reason="Debian's packages epubcheck and java are not installed",
)
def test_epubcheck_finds_nothing_in_a_book(site: Site):
    site.passes(builder="epub")
    (book,) = (site.root / "epub").glob("*.epub")
    done = subprocess.run(
        ["java", "-jar", EPUBCHECK, book], capture_output=True, text=True, check=False
    )
    messages = re.findall(r"^(?:FATAL|ERROR|WARNING)\(.*", done.stderr + done.stdout, re.M)
    assert "epubcheck" in done.stdout.lower()
    # MyST-NB copies its style sheet too late for the first book, and nests rules in it.
    assert [text for text in messages if "_static/mystnb." not in text] == []


OTHERS = ["text", "latex", "gettext", "linkcheck", "man", "texinfo", "xml", "json", "htmlhelp"]


@pytest.mark.parametrize("builder", OTHERS)
def test_other_builders_work(site: Site, builder: str):
    # Sphinx does not let gettext share what it has read.
    doctrees = "messages" if builder == "gettext" else "doctrees"
    site.passes(builder=builder, doctrees=doctrees)
    assert any((site.root / builder).iterdir())
