"""The files of the built site, without a browser: links, addresses, the examples on it."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .conftest import ALL_PAGES, ROOT, SITE, WHY_NOT, containing, source

# Where things lie on some machine. (Written so that it does not match this file.)
# A drive letter, but not the end of a word before an octal escape in packed constants of C.
MACHINE_PATHS = (
    r"(?<![\w./-])/(?:root|work|home/\w+|Users/\w+|tmp|var/folders)/(?=\w)"
    r"|\b[A-Z]:\\(?![0-7]{3})\w"
)
TEXT = {".html", ".js", ".css", ".c", ".pyx", ".txt", ".svg", ".json"}

STYLE_URLS = r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)"""


def is_elsewhere(address: str) -> bool:
    """Whether an address leads away from this host."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def test_links_within_the_site_lead_somewhere(site: Path, page: str) -> None:
    broken = []
    for _tag, _name, address in source(page).refs:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        path = unquote(parts.path)
        target = (site / page).parent / path if path else site / page
        if target.is_dir():
            target /= "index.html"
        target = target.resolve()
        found = target.is_file() and target.is_relative_to(site)
        if found and parts.fragment and target.suffix == ".html":
            found = unquote(parts.fragment) in source(target.relative_to(site).as_posix()).ids
        # An address with a slash in front would work at the root of a host only.
        if not found or path.startswith("/"):
            broken.append(address)
    assert not broken, "\n".join(broken)


def test_nothing_is_loaded_from_elsewhere(any_page: str) -> None:
    found = source(any_page)
    loaded = [(tag, address) for tag, _, address in found.refs if tag not in ("a", "area")]
    loaded += [("style", "".join(urls)) for urls in re.findall(STYLE_URLS, " ".join(found.styles))]
    assert [(tag, address) for tag, address in loaded if is_elsewhere(address)] == []


def test_no_style_sheet_loads_anything_from_elsewhere(site: Path) -> None:
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        urls = ["".join(urls) for urls in re.findall(STYLE_URLS, sheet.read_text("utf-8"))]
        assert [(sheet.name, address) for address in urls if is_elsewhere(address)] == []


def test_no_file_knows_where_it_was_made(site: Path) -> None:
    here = (ROOT, site, Path(sys.prefix), Path.home(), Path(tempfile.gettempdir()))
    named = "|".join(re.escape(f"{folder}/") for folder in here if len(folder.parts) > 2)
    pattern = re.compile(f"{MACHINE_PATHS}|{named}")
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix not in TEXT or not path.is_file():
            continue
        text = path.read_text("utf-8")
        for match in pattern.finditer(text):
            around = text[max(match.start() - 40, 0) : match.end() + 40]
            found.append(f"{path.relative_to(site)}: {around!r}")
    assert not found, "\n".join(found)


def test_generated_names_do_not_fill_the_search_index(site: Path) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    assert "strides" in index
    prose = "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    # Those that are written about are words like others.
    names = {name for name in re.findall(r"__pyx_\w+", index) if name not in prose.lower()}
    assert names == set()


def test_each_example_has_a_page_that_shows_all_of_it(site: Path, example: str) -> None:
    path = ROOT / "examples" / example
    address = f'href="[^"]*_cython/{example.removesuffix(".pyx").replace("/", "-")}/{path.name}"'
    shown = [
        [line.rstrip() for line in lines]
        for page in containing(address)
        for _title, lines in source(page).listings
    ]
    assert [line.rstrip() for line in path.read_text("utf-8").splitlines()] in shown


def test_each_refused_example_is_shown(refused: str) -> None:
    path = ROOT / "examples" / refused
    shown = [
        [line.rstrip() for line in lines]
        for page in containing("cy-refusal")
        for _title, lines in source(page).listings
    ]
    assert [line.rstrip() for line in path.read_text("utf-8").splitlines()] in shown


def test_there_is_something_to_test() -> None:
    """An empty folder would pass all of the above."""
    if SITE is None:
        pytest.skip(WHY_NOT)
    assert "index.html" in ALL_PAGES
    assert any(page.startswith("_cython/") for page in ALL_PAGES)
