"""What can be taken away: code by a button, each page in other forms, all examples, and paper."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from .conftest import PAGES, ROOT, SITE, WHY_NOT, Tab, containing, examples
from .test_files import MACHINE_PATHS
from .test_reading import first, is_visible, press_tab_until

NewTab = Callable[..., AbstractContextManager[Tab]]
TAKEN = (".md", ".ipynb")
# They are not made from a text of their own.
OTHERS = {"404.html", "search.html"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each page that there are other forms of."""
    if "taken" in metafunc.fixturenames:
        skipped = pytest.param("", marks=pytest.mark.skip(reason=WHY_NOT))
        stems = [page.removesuffix(".html") for page in PAGES if page not in OTHERS]
        metafunc.parametrize("taken", stems if SITE else [skipped])


def load(site: Path, stem: str) -> Any:
    return nbformat.reads((site / f"{stem}.ipynb").read_text("utf-8"), as_version=4)


def parse(path: Path) -> BeautifulSoup:
    # Without the last argument, indentation in an element of its own would be one space.
    keep = {"pre", "code", "div"}
    return BeautifulSoup(path.read_text("utf-8"), "html.parser", preserve_whitespace_tags=keep)


def fences(markdown: str) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return [
        (found[2], found[3])
        for found in re.finditer(r"^(`{3,})(\w*)\n(.*?)\n\1$", markdown, re.M | re.S)
    ]


def test_a_page_offers_its_other_forms(site: Path, taken: str) -> None:
    page = parse(site / f"{taken}.html")
    for suffix in TAKEN:
        (link,) = page.select(f'footer a[href$="{suffix}"]')
        assert link.has_attr("download")
        target = ((site / taken).parent / str(link["href"])).resolve()
        assert target == site / f"{taken}{suffix}"
        assert target.is_file()
    (alternate,) = page.select('link[rel="alternate"][type="text/markdown"]')
    assert str(alternate["href"]).endswith(".md")


def test_a_notebook_is_valid_and_has_the_cells_of_its_page(site: Path, taken: str) -> None:
    notebook = load(site, taken)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == [
        f"cell-{number}" for number in range(len(notebook.cells))
    ]
    wanted = re.findall(
        r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)\n?^```$",
        # What shows an author how to write a cell stands in a longer fence.
        re.sub(
            r"^(````+).*?^\1$",
            "",
            (ROOT / "docs" / f"{taken}.md").read_text("utf-8"),
            flags=re.M | re.S,
        ),
        re.M | re.S,
    )
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if code and "build_examples" in code[0]:
        code = code[1:]
    assert [text.strip() for text in code] == [text.strip() for text in wanted]


def test_a_notebook_has_the_outputs_that_the_page_shows(site: Path, taken: str) -> None:
    """All that cells wrote: text, exceptions, and HTML with its pictures."""
    page = parse(site / f"{taken}.html")
    shown = [
        [part for output in cell.select(".cell_output") for part in output.select(":scope > *")]
        for cell in page.select("div.cell")
    ]
    cells = [cell for cell in load(site, taken).cells if cell.cell_type == "code"]
    style = []
    if cells and "build_examples" in cells[0].source:
        style = cells.pop(0).outputs
    # So that the pictures have their colors before anything is run.
    assert all(output.data["text/html"].startswith("<style>") for output in style)
    assert bool(style) == bool(page.select(".cell_output .picture"))
    assert [len(cell.outputs) for cell in cells] == [len(parts) for parts in shown]
    for cell, parts in zip(cells, shown, strict=True):
        for output, part in zip(cell.outputs, parts, strict=True):
            if html := output.get("data", {}).get("text/html"):
                written = BeautifulSoup(html, "html.parser")
                assert len(written.select("svg *")) == len(part.select("svg *"))
                assert written.get_text().split() == part.get_text().split()
            else:
                text = output.get("text") or output.get("data", {}).get("text/plain") or ""
                text += "\n".join(output.get("traceback", []))
                assert re.sub(r"\x1b\[[0-9;]*m", "", text).split() == part.get_text().split()


def test_a_notebook_builds_what_it_imports(site: Path, taken: str) -> None:
    modules = {Path(name).stem for name in examples() if not name.startswith("refused/")}
    code = [cell.source for cell in load(site, taken).cells if cell.cell_type == "code"]
    # In strings too: some cells start another Python, which is to crash.
    statements = re.findall(r"\bimport +([^;\n]+)|\bfrom (\w+) import", "\n".join(code))
    names = re.findall(r"\w+", " ".join(" ".join(statement) for statement in statements))
    for name in modules & set(names):
        assert re.search(rf'build_examples\.build\(.*["\.]{name}"', code[0]), name


def test_markdown_has_no_directive_and_the_text_of_the_page(site: Path, taken: str) -> None:
    text = (site / f"{taken}.md").read_text("utf-8")
    shown = text if taken == "contributing/directives" else re.sub(r"(?s)```.*?```", "", text)
    assert text.startswith("# ")
    if taken != "contributing/directives":
        written = re.sub(r"`` .+? ``", "", text)  # a role that is written about
        assert not re.findall(r"^:?`{3,}\{|\{(?:doc|ref|term|numref)\}`", written, re.M)
    assert "<svg" not in text
    assert "\x1b" not in text
    page = parse(site / f"{taken}.html")
    for heading in page.select("article h2"):
        words = re.findall(r"\w{4,}", heading.get_text())
        assert all(word in shown for word in words), heading.get_text()


def test_markdown_lists_pages_and_marks_what_is_measured(site: Path) -> None:
    text = (site / "index.md").read_text("utf-8")
    assert "\n**What it is**\n\n- [" in text
    assert all(line.count("](") <= 2 for line in text.splitlines() if line.startswith("- ["))
    costs = re.findall(r"cost (.*?)\.$", text, re.M)
    assert len(costs) == 4
    assert all(re.fullmatch(r'<span class="volatile">[\d.]+ ×</span>', cost) for cost in costs)


def test_markdown_has_the_c_that_the_page_shows(site: Path, taken: str) -> None:
    page = parse(site / f"{taken}.html")
    blocks = "\n".join(text for _, text in fences((site / f"{taken}.md").read_text("utf-8")))
    for code in page.select(".cy-excerpt:not(.cy-assembly) .cy-c, .cy-all .cy-c"):
        for summary in code.select("summary"):
            summary.decompose()
        assert code.get_text().strip() in blocks
    for listing in page.select(".cy-listing"):
        lines = [line.get_text().rstrip() for line in listing.select(".cy-src")]
        assert "\n".join(lines).strip() in blocks


def test_links_of_markdown_and_notebooks_lead_somewhere(site: Path, taken: str) -> None:
    for suffix in TAKEN:
        text = (site / f"{taken}{suffix}").read_text("utf-8")
        if suffix == ".ipynb":
            cells = load(site, taken).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        prose = re.sub(r"(?ms)^(`{3,}).*?^\1$|`[^`\n]+`", "", text)
        for address in re.findall(r"(?<!\\)\]\(([^()\s]+)\)", prose):
            if not urlsplit(address).scheme:
                assert ((site / taken).parent / address).is_file(), address
                # Pages of checks have no copy.
                assert not address.endswith(".html") or "_checks/" in address


def test_what_is_taken_away_knows_of_no_machine(site: Path, taken: str) -> None:
    assert not re.findall(MACHINE_PATHS, (site / f"{taken}.md").read_text("utf-8"))
    for cell in load(site, taken).cells:
        outputs = [str(value) for output in cell.get("outputs", []) for value in output.values()]
        assert not re.findall(MACHINE_PATHS, "\n".join([cell.source, *outputs]))


def test_llms_txt_lists_every_page_and_says_what_is_in_it(site: Path) -> None:
    lines = (site / "llms.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("> ")
    found = {
        match[1]: match[2]
        for line in lines
        if (match := re.match(r" *- \[.+\]\(([^)]+)\): (\S.{20,})$", line))
    }
    wanted = {page.replace(".html", ".md") for page in PAGES if page not in OTHERS}
    assert set(found) == wanted | {"examples.zip"}
    assert all((site / name).is_file() for name in found)


@pytest.fixture(scope="module")
def archive(site: Path) -> dict[str, bytes]:
    """The files of the archive, without the folder that they are in."""
    with zipfile.ZipFile(site / "examples.zip") as whole:
        assert whole.testzip() is None
        times = {info.date_time for info in whole.infolist()}
        assert times == {(1980, 1, 1, 0, 0, 0)}, "or no two builds would be the same"
        names = whole.namelist()
        assert names == sorted(names)
        return {name.removeprefix("examples/"): whole.read(name) for name in names}


def test_the_archive_has_every_example_as_it_is(archive: dict[str, bytes]) -> None:
    inside = {name: data for name, data in archive.items() if name.endswith(".pyx")}
    assert sorted(inside) == examples()
    for name, data in inside.items():
        assert data == (ROOT / "examples" / name).read_bytes()


def test_the_archive_has_what_builds_it_and_nothing_of_this_machine(
    archive: dict[str, bytes],
) -> None:
    assert {"README.md", "LICENSE", "build_examples.py", "profiles.json"} <= set(archive)
    left_over = {".c", ".cpp", ".so", ".pyd", ".pyc", ".o"}
    assert not [name for name in archive if Path(name).suffix in left_over]
    assert not [name for name in archive if name.startswith("tests/")]
    for name, data in archive.items():
        assert not re.findall(MACHINE_PATHS, data.decode("utf-8")), name


def test_a_notebook_has_the_style_that_its_first_cell_writes(
    site: Path, archive: dict[str, bytes]
) -> None:
    first = next(cell for cell in load(site, "index").cells if cell.cell_type == "code")
    (output,) = first.outputs
    style = archive["pictures/pictures.css"].decode("utf-8")
    assert output.data["text/html"] == f"<style>{style}</style>"


def test_what_builds_the_archive_finds_all_but_the_refused(site: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(site / "examples.zip") as whole:
        whole.extractall(tmp_path)
    code = "import build_examples; print(*build_examples.sources())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "examples",
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {Path(name).stem for name in examples() if not name.startswith("refused/")}
    assert set(done.stdout.split()) == wanted
    profiles = json.loads((tmp_path / "examples" / "profiles.json").read_text("utf-8"))
    imported = {
        name
        for page in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"^from variants\.(\w+)", page.read_text("utf-8"), re.M)
    }
    assert imported <= set(profiles)


def test_the_gallery_and_the_notebooks_link_the_archive(site: Path) -> None:
    page = (site / "examples" / "index.html").read_text("utf-8")
    assert 'href="../examples.zip"' in page
    assert "(examples.zip)" in (site / "llms.txt").read_text("utf-8")


# Copy buttons


def copied(tab: Tab, button: Any) -> str:
    """Press a button by keyboard and return what is on the clipboard then."""
    button.evaluate("(button) => button.focus({ focusVisible: true })")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_function(
        "() => document.querySelector('.copy-status').textContent.startsWith('Copied')"
    )
    assert button.inner_text() == "Copied"
    return str(tab.page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture
def clipboard(new_tab: NewTab) -> Any:
    """A tab that may use the clipboard."""
    with new_tab(permissions=["clipboard-read", "clipboard-write"]) as tab:
        yield tab
        assert tab.errors == []


def test_a_button_copies_the_source_of_a_listing(clipboard: Tab, base: str) -> None:
    clipboard.page.goto(base + "examples/four_ways.html")
    button = clipboard.page.locator(".cy-listing > .cy-head .copy")
    assert button.get_attribute("aria-label") == "Copy the source"
    source = (ROOT / "examples" / "indexing" / "four_ways.pyx").read_text("utf-8")
    assert copied(clipboard, button) == source


def test_a_button_copies_the_c_and_no_label(clipboard: Tab, base: str) -> None:
    clipboard.page.goto(base + "guide/view-items.html")
    box = clipboard.page.locator(".cy-excerpt:has(.cy-fold)").first
    got = copied(clipboard, box.locator(".copy"))
    text = (SITE or ROOT).joinpath("guide/view-items.md").read_text("utf-8")
    c = [block for language, block in fences(text) if language == "c"]
    assert got.strip("\n") in [block.strip("\n") for block in c]
    assert "failure path" not in got


def test_a_button_copies_the_code_of_a_cell_and_not_its_output(clipboard: Tab, base: str) -> None:
    clipboard.page.goto(base + "index.html")
    cells = clipboard.page.locator(".cell:has(.cell_output)")
    cell = cells.last
    assert cell.locator(".cell_output .copy").count() == 0
    got = copied(clipboard, cell.locator(".cell_input .copy"))
    notebook = load(SITE or ROOT, "index")
    assert got.strip() in [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_a_button_copies_instructions(clipboard: Tab, base: str) -> None:
    clipboard.page.goto(base + first("cy-assembly"))
    got = copied(clipboard, clipboard.page.locator(".cy-assembly .copy").first)
    assert all("\t" in line for line in got.splitlines())
    assert len(got.splitlines()) > 3


def test_the_keyboard_reaches_a_button_and_sees_it(clipboard: Tab, base: str) -> None:
    clipboard.page.goto(base + "guide/first-module.html")
    press_tab_until(clipboard.page, "div.highlight > .copy")
    style = "() => getComputedStyle(document.activeElement).opacity"
    assert clipboard.page.evaluate(style) == "1"


def test_without_script_there_is_no_button(new_tab: NewTab, base: str) -> None:
    with new_tab(java_script_enabled=False) as tab:
        tab.page.goto(base + "examples/four_ways.html")
        assert tab.page.locator(".copy").count() == 0


# Paper


def test_paper_has_the_text_and_nothing_to_press(tab: Tab, base: str) -> None:
    for page in ("index.html", "guide/view-items.html", "examples/four_ways.html"):
        tab.page.goto(base + page)
        tab.page.emulate_media(media="print")
        for selector in (
            ".sidebar-drawer",
            ".toc-drawer",
            ".mobile-header",
            ".related-pages",
            ".copy",
            ".cy-toggle",
            ".content-icon-container",
            ".back-to-top",
            ".headerlink",
            ".skip-to-content",
        ):
            for element in tab.page.locator(selector).all():
                assert not is_visible(element), f"{page}: {selector}"
        assert is_visible(tab.page.locator("article h1"))


def test_paper_is_white_whatever_the_screen_is(tab: Tab, base: str) -> None:
    tab.page.goto(base + containing('class="cy-excerpt')[0])
    tab.page.evaluate("document.body.dataset.theme = 'dark'")
    tab.page.emulate_media(media="print")
    for selector in ("body", ".cy-head"):
        colour = tab.page.locator(selector).first.evaluate(
            "(e) => getComputedStyle(e).backgroundColor"
        )
        parts = [int(part) for part in re.findall(r"\d+", colour)[:3]]
        assert sum(parts) > 690 or "0, 0, 0, 0" in colour, (selector, colour)
