"""The script of the boxes, in a browser: odd addresses, and copying by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support import SAMPLES, Site
from test_directives import DIRECTIVES, line_of, md

# A line with a fold in its C, and one in front of it.
NUMBER = line_of("ways", "return a[i]", "from_object")
LINE = f"#ways-L{NUMBER}"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Site:
    site = Site(tmp_path_factory.mktemp("script"), cache)
    site.write({"examples/ways.pyx": (SAMPLES / "ways.pyx").read_text()})
    site.configure()
    boxes = ("listing", "excerpt", "comparison")
    text = "\n".join(md(*DIRECTIVES[name]) for name in boxes)
    site.write({"docs/index.md": f"# Index\n\n{text}\n\nAfter it.\n"})
    site.passes()
    return site


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    handler = partial(Quiet, directory=str(site.root / "html"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page; an exception of our script fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack))
    yield page
    context.close()
    assert [stack for stack in errors if "cython.js" in stack] == []


# --- addresses


@pytest.mark.parametrize("end", ["#100%", "#%E0%A4%A", "#%", "?hide=%ZZ#%", '?hide=%22%5D#"]', "#"])
def test_an_address_that_makes_no_sense_is_ignored(page: Any, address: str, end: str):
    page.goto(address + end)
    assert page.get_by_role("button", name="Open all lines").count() == 1
    assert page.locator(".cy-open[open]").count() == 0
    page.evaluate("(hash) => { location.hash = hash }", LINE)
    page.locator(f"{LINE} .cy-c").first.wait_for()


def test_a_line_is_found_however_its_address_is_written(page: Any, address: str):
    page.goto(address + LINE.replace("-", "%2D"))
    assert page.locator(f"{LINE} > .cy-open[open]").count() == 1


def test_what_is_no_kind_does_not_stay_in_the_address(page: Any, address: str):
    page.goto(f"{address}?other=1&hide=failure+nonsense+%25")
    assert not page.locator("[data-kind=failure] input").is_checked()
    page.locator(f"{LINE} summary").first.click()
    page.wait_for_url(f"{address}?other=1&hide=failure{LINE}")


def test_history_of_others_is_left_alone(page: Any, address: str):
    page.goto(address)
    page.evaluate("() => history.replaceState({ theirs: 1 }, '')")
    page.locator(f"{LINE} summary").first.click()
    assert page.evaluate("() => history.state") == {"theirs": 1}
    page.evaluate("() => history.pushState('theirs', '', '?hide=check')")
    page.go_back()
    page.wait_for_url(address + LINE)
    assert page.locator("[data-kind=check] input").is_checked()


def test_lines_open_where_neither_history_nor_storage_is_allowed(page: Any, address: str):
    # As in a frame without an origin, and in Safari after a hundred changes.
    page.add_init_script(
        """
        const refuse = () => { throw new DOMException("refused", "SecurityError"); };
        history.replaceState = refuse;
        for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, { get: refuse });
        """
    )
    page.goto(address)
    page.locator(f"{LINE} summary").first.click()
    assert page.locator(f"{LINE}.cy-chosen .cy-open[open]").count() == 1
    page.locator("[data-kind=check] input").uncheck()
    assert page.locator("html.cy-hide-check").count() == 1
    page.locator("[data-kind=check] input").check()
    assert page.locator("html.cy-hide-check").count() == 0


# --- selecting and copying


def rectangle(page: Any, selector: str, first: bool) -> dict[str, float]:
    """Return the rectangle of the first or the last visible character of an element."""
    found: dict[str, float] = page.evaluate(
        """([selector, first]) => {
          const element = document.querySelector(selector);
          const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
          const boxes = [];
          while (walker.nextNode()) {
            if (!walker.currentNode.parentElement.checkVisibility()) continue;
            if (walker.currentNode.parentElement.closest(".cy-sr, summary summary")) continue;
            const range = document.createRange();
            range.selectNodeContents(walker.currentNode);
            boxes.push(...[...range.getClientRects()].filter((box) => box.width));
          }
          const box = boxes.at(first ? 0 : -1);
          return { x: first ? box.left : box.right, y: (box.top + box.bottom) / 2 };
        }""",
        [selector, first],
    )
    return found


def drag(page: Any, start: str, end: str) -> None:
    """Select with the mouse from the first character of one element to the last of another."""
    # In the middle: near the edge, the browser scrolls while the mouse moves.
    page.locator(start).first.evaluate("(element) => element.scrollIntoView({ block: 'center' })")
    one, other = rectangle(page, start, True), rectangle(page, end, False)
    page.mouse.move(one["x"] + 0.5, one["y"])
    page.mouse.down()
    page.mouse.move((one["x"] + other["x"]) / 2, (one["y"] + other["y"]) / 2, steps=5)
    page.mouse.move(other["x"] + 1, other["y"], steps=5)
    page.mouse.up()


def copied(page: Any) -> str:
    """Copy what is selected, and return what is pasted elsewhere."""
    page.keyboard.press("Control+C")
    page.evaluate(
        """() => {
          const area = document.createElement("textarea");
          area.id = "pasted";
          document.body.append(area);
          area.focus();
        }"""
    )
    page.keyboard.press("Control+V")
    text: str = page.evaluate(
        "() => { const area = document.querySelector('#pasted'); area.remove(); return area.value }"
    )
    return text


def open_lines(page: Any) -> list[str]:
    ids: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('.cy-open[open]')].map((e) => e.parentElement.id)"
    )
    return ids


def test_lines_that_are_copied_are_the_source(page: Any, address: str):
    page.goto(address)
    first, last = NUMBER - 6, NUMBER + 2
    drag(page, f"#ways-L{first} .cy-src", f"#ways-L{last} .cy-src")
    source = (SAMPLES / "ways.pyx").read_text().splitlines()[first - 1 : last]
    lines = [line.rstrip() for line in copied(page).split("\n")]
    assert lines == source
    assert open_lines(page) == []


def test_labels_do_not_come_along_with_a_line_that_is_open(page: Any, address: str):
    page.goto(address + LINE)
    drag(page, f"#ways-L{NUMBER - 1} .cy-src", f"{LINE} .cy-src")
    assert "cdef double from_object" in (text := copied(page))
    assert "show generated C" not in text
    page.locator(f"{LINE} .cy-fold > summary").first.click()
    drag(page, f"#ways-L{NUMBER - 1} .cy-src", f"#ways-L{NUMBER + 3} .cy-src")
    text = copied(page)
    assert "__Pyx_GetItemInt" in text
    for label in ("show generated C", "on the normal path", "failure path, ", f"{NUMBER}\n"):
        assert label not in text


@pytest.mark.parametrize("opened", [False, True])
def test_c_that_is_copied_is_the_exact_c(page: Any, address: str, site: Site, opened: bool):
    page.goto(address + LINE)
    if opened:
        for fold in page.locator(f"{LINE} .cy-fold > summary").all():
            fold.click()
    drag(page, f"{LINE} .cy-c", f"{LINE} .cy-c")
    assert copied(page).rstrip("\n") == site.raw_c("ways", NUMBER).rstrip()


def test_expressions_that_are_copied_stay_on_their_lines(page: Any, address: str):
    page.goto(address)
    drag(page, ".cy-essential", ".cy-essential")
    lines = page.locator(".cy-essential").first.inner_text().split("\n")
    assert len(lines) == 2
    assert copied(page).split("\n") == lines


def test_prose_is_copied_as_ever(page: Any, address: str):
    page.goto(address)
    drag(page, ".cy-cmp + p", ".cy-cmp + p")
    assert copied(page) == "After it."


def test_dragging_in_a_line_selects_and_does_not_open_it(page: Any, address: str):
    page.goto(address)
    drag(page, f"{LINE} .cy-src", f"{LINE} .cy-src")
    assert copied(page).strip() == "return a[i]"
    assert open_lines(page) == []
    assert page.url == address
    page.locator(f"{LINE} summary").first.click()
    assert open_lines(page) == [LINE[1:]]
    drag(page, f"{LINE} .cy-src", f"{LINE} .cy-src")
    assert open_lines(page) == [LINE[1:]], "nor close it"


@pytest.mark.parametrize("clicks", [2, 3])
@pytest.mark.parametrize("end", ["", LINE])
def test_clicks_that_select_leave_a_line_as_it_was(page: Any, address: str, clicks: int, end: str):
    page.goto(address + end)
    before = open_lines(page), page.url
    page.locator(f"{LINE} .cy-src span", has_text="return").click(click_count=clicks)
    assert (open_lines(page), page.url) == before
    assert copied(page).strip() == ("return" if clicks == 2 else "return a[i]")


def test_a_click_opens_a_line_although_something_is_selected(page: Any, address: str):
    page.goto(address)
    drag(page, f"{LINE} .cy-src", f"{LINE} .cy-src")
    page.locator(f"{LINE} .cy-w").click()
    assert open_lines(page) == [LINE[1:]]
    page.keyboard.press("Enter")
    assert open_lines(page) == []


def test_screen_readers_get_what_is_not_copied(page: Any, address: str):
    page.goto(address)
    label = page.locator(f"{LINE} summary").first.aria_snapshot()
    assert "show generated C" in label
