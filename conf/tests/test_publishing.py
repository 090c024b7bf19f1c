"""What a published site has besides its pages, on a small site of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from support import CONF, VARIABLES, parse, write

from publishing import addresses
from publishing.descriptions import LONGEST

Make = Callable[..., Path]
BASE = "https://example.org/below/here/"
LONG = "word " * 100
# All variables are given: those of the tests may be of a site that is published.
ENVIRON = {**VARIABLES, "PATH": os.environ["PATH"]}
FILES = {
    "docs/index.rst": "Where & why\n===========\n\nThe *answer*, first.\n\n.. toctree::\n\n   long",
    "docs/long.rst": f"Long\n====\n\n{LONG}\n",
    "docs/given.rst": ':orphan:\n\n.. meta::\n   :description: By "me"\n\nGiven\n=====\n\nText.\n',
    "docs/examples/index.rst": ":orphan:\n\nExamples\n========\n\nText.\n",
    "static/first.css": "/* why */\nb { color: red }\n",
    "static/second.css": "i { color: blue }\n",
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Build the site with the extension and the templates of this one."""

    @cache
    def make(base: str = "", commit: str = "") -> Path:
        folder = tmp_path_factory.mktemp("site")
        write(folder, FILES)
        settings = {
            "project": "Site",
            "extensions": "publishing",
            "html_theme": "furo",
            "html_baseurl": base,
            "html_additional_pages.404": "404.html",
            "templates_path": str(CONF / "templates"),
            "html_static_path": str(folder / "static"),
            "html_css_files": "second.css,first.css",
        }
        options = [f"-D{name}={value}" for name, value in settings.items()]
        command = [sys.executable, "-m", "sphinx", "-nTWq", "-C", *options]
        done = subprocess.run(
            [*command, str(folder / "docs"), str(folder / "html")],
            env={**ENVIRON, "SITE_COMMIT": commit},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return folder / "html"

    return make


def read(site: Path) -> dict[str, BeautifulSoup]:
    """Return the pages of a site."""
    paths = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {name: parse(path.read_text("utf-8")) for name, path in paths.items()}


def tags(page: BeautifulSoup) -> dict[str, str]:
    """The content of the meta elements of a page, by name or property."""
    found = {meta.get("name") or meta.get("property"): meta for meta in page("meta")}
    return {str(name): str(meta.get("content", "")) for name, meta in found.items()}


def test_a_page_without_a_description_is_described_by_its_first_words(make):
    pages = read(make())
    assert tags(pages["index.html"])["description"] == "The answer, first."
    long = tags(pages["long.html"])["description"]
    assert long.startswith("word word")
    assert long.endswith("word …")
    assert LONGEST - 6 < len(long) <= LONGEST


def test_a_description_that_is_given_stays_and_is_the_only_one(make):
    given = read(make(BASE))["given.html"]
    assert [meta["content"] for meta in given("meta", {"name": "description"})] == ['By "me"']
    assert tags(given)["og:description"] == 'By "me"'


def test_without_an_address_there_are_no_social_cards(make):
    for name, page in read(make()).items():
        assert [tag for tag in tags(page) if tag.startswith(("og:", "twitter:"))] == [], name
        assert not page("link", rel="canonical"), name
        assert not page("base"), name


def test_with_an_address_every_page_has_a_social_card(make):
    pages = read(make(BASE))
    found = tags(pages["index.html"])
    assert found["og:title"] == "Where & why"
    assert found["og:description"] == "The answer, first."
    assert found["og:type"] == "website"
    assert found["og:url"] == f"{BASE}index.html"
    assert found["twitter:card"] == "summary_large_image"
    assert (CONF / "static" / found["og:image"].removeprefix(f"{BASE}_static/")).is_file()
    assert pages["index.html"].find("link", rel="canonical")["href"] == f"{BASE}index.html"
    assert tags(pages["long.html"])["og:type"] == "article"
    for name in ("404.html", "search.html"):
        assert "og:url" not in tags(pages[name])


def test_with_an_address_there_is_a_sitemap_of_all_pages(make):
    root = ElementTree.parse(make(BASE) / "sitemap.xml").getroot()
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert root.tag == f"{name}urlset"
    pages = ["examples/index.html", "given.html", "index.html", "long.html"]
    assert [url.findtext(f"{name}loc") for url in root] == [BASE + page for page in pages]


def test_without_an_address_there_is_no_sitemap(make, tmp_path):
    assert not (make() / "sitemap.xml").exists()
    copy = shutil.copytree(make(BASE).parent, tmp_path / "copy")
    command = [sys.executable, "-m", "sphinx", "-qC", "-Dextensions=publishing"]
    subprocess.run([*command, str(copy / "docs"), str(copy / "html")], check=True, env=ENVIRON)
    assert not (copy / "html" / "sitemap.xml").exists(), "that of an earlier build has to go"


def test_with_an_address_the_404_page_works_at_any_address(make):
    page = read(make(BASE))["404.html"]
    assert page.find("base")["href"] == "/below/here/"
    first = page.find(["base", "link", "script", "a"])
    assert first.name == "base", "what stands before it is not changed by it"
    assert [a["href"] for a in page("a") if a["href"].startswith(("#", "/"))] == []
    assert tags(page)["robots"] == "noindex"
    assert not page("link", rel="canonical")
    assert not page.find("head")("script", string=re.compile("fetch"))


def test_all_sheets_of_the_site_are_one(make):
    for name, page in read(make()).items():
        sheets = [link["href"].partition("?")[0] for link in page("link", rel="stylesheet")]
        assert [sheet for sheet in sheets if "styles/" not in sheet] == [
            "../" * name.count("/") + "_static/site.css"
        ], name
    joined = (make() / "_static" / "site.css").read_text("utf-8")
    assert joined == "/* second.css */\ni { color: blue }\n\n/* first.css */\nb { color: red }\n"


COLORS = CONF / "sphinx_cython" / "static" / "cython-colors.css"


def test_each_color_is_written_once():
    """Light and dark beside each other, for the screen and for paper."""
    rows = [line for line in COLORS.read_text("utf-8").splitlines() if "--cy-" in line]
    pattern = r"  --cy-[\w-]+: light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\);"
    assert [row for row in rows if not re.fullmatch(pattern, row)] == []
    assert len({row.partition(":")[0] for row in rows}) == len(rows) > 10
    sheets = [*CONF.glob("static/*.css"), *COLORS.parent.glob("*.css")]
    written = {
        f"{sheet.name}: {line.strip()}"
        for sheet in sheets
        for line in sheet.read_text("utf-8").splitlines()
        if sheet != COLORS and re.search(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", line)
    }
    assert written == set(), f"give it a name in {COLORS.name}"


@pytest.mark.parametrize("name", ["static/favicon.svg", "publishing/card.html"])
def test_pictures_without_a_style_sheet_have_colors_of_the_table(name):
    used = set(re.findall(r"#[0-9a-f]{3,6}\b", (CONF / name).read_text("utf-8"))) - {"#fff"}
    assert len(used) >= 2
    assert used <= set(re.findall(r"#[0-9a-f]{6}\b", COLORS.read_text("utf-8")))


def test_the_commit_is_named_where_it_is_known(make):
    assert "commit" not in read(make())["index.html"].find("footer").text
    footer = read(make(commit="0123456789abcdef"))["index.html"].find("footer")
    assert "Made from commit 012345678." in " ".join(footer.text.split())


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, ""),
        ({"SITE_BASEURL": "https://example.org/a"}, "https://example.org/a/"),
        (
            {"SITE_BASEURL": "", "READTHEDOCS_CANONICAL_URL": "https://a.example/"},
            "https://a.example/",
        ),
        ({"SITE_BASEURL": "https://b/", "READTHEDOCS_CANONICAL_URL": "https://a/"}, "https://b/"),
    ],
)
def test_the_address_is_what_the_environment_says(environ, address):
    assert addresses.base_address(environ) == address


def test_the_repository_is_named_if_the_theme_knows_its_kind():
    known = {"READTHEDOCS_GIT_CLONE_URL": "https://github.com/someone/something.git"}
    options = addresses.source_options(known)
    assert options["source_repository"] == "https://github.com/someone/something"
    assert addresses.source_options({"SITE_REPOSITORY": "https://git.example/x"}) == {}
    assert addresses.source_options({}) == {}
