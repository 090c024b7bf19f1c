"""Every page, in both themes and both widths: what axe, the console and the network say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import THEMES, WIDTHS, Tab, containing

NewTab = Callable[..., AbstractContextManager[Tab]]

# What the functions below have in common. They run in the page.
HELPERS = """
const colourRules = ["color-contrast", "link-in-text-block"];

const setTheme = (theme) => { document.body.dataset.theme = theme };

const setDetails = (state) => {
  for (const details of document.querySelectorAll("details")) details.open = state === "open";
};

// What axe finds, a line each. Without preload: it would fetch every style sheet once more, for
// rules that are not run.
const runAxe = async (label, options) => {
  const all = { resultTypes: ["violations"], preload: false, ...options };
  const found = await axe.run(document, all);
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${label}: ${rule.id}: ${node.html.slice(0, 150)} (${node.failureSummary})`));
};

// Boxes that hide what does not fit must not have anything that does not fit. On a phone Furo lets
// the column of text scroll by itself, so it does not show on the page.
const tooWide = (label) => {
  const root = document.documentElement;
  const found = root.scrollWidth > root.clientWidth ? [`the page: ${root.scrollWidth} px`] : [];
  const boxes = ".content, .cy-listing, .cy-excerpt, .cy-cmp, div.cell";
  for (const box of document.querySelectorAll(boxes))
    if (box.scrollWidth > box.clientWidth + 1)
      found.push(`.${box.className}: ${box.textContent.trim().slice(0, 60)}`);
  return found.map((words) => `${label}: ${words}`);
};

// Colours depend on the classes of an element and of what it stands in. Of the elements with a
// text that are alike in that, two are left, and none of what an earlier page has shown: axe takes
// a fifth of a second instead of ten. Returns what is new.
const removeTwins = (known) => {
  const paths = new Map(), count = new Map(known.map((path) => [path, 2]));
  const path = (element) => {
    if (!element) return "";
    if (!paths.has(element)) {
      const own = [element.tagName, element.getAttribute("class"), element.getAttribute("style")];
      paths.set(element, `${path(element.parentElement)} > ${own}`);
    }
    return paths.get(element);
  };
  const keep = (element) => {
    const seen = count.get(path(element)) ?? 0;
    const kept = element.tagName === "STYLE" || (seen < 2 && element.textContent.trim() !== "");
    if (kept) count.set(path(element), seen + 1);
    const inside = [...element.children].map(keep).includes(true);
    if (!kept && !inside) element.remove();
    return kept || inside;
  };
  [...document.body.children].forEach(keep);
  return [...count.keys()];
};
"""

# The rules that look at colours take nearly all the time, and only they can tell the themes apart.
LOOK = f"""([themes, known]) => {{
  {HELPERS}
  const look = async () => {{
    const said = [], wide = [];
    const rules = Object.fromEntries(colourRules.map((rule) => [rule, {{ enabled: false }}]));
    for (const state of ["closed", "open"]) {{
      setDetails(state);
      wide.push(...tooWide(state));
      said.push(...await runAxe(state, {{ rules }}));
    }}
    const seen = removeTwins(known);
    for (const theme of themes) {{
      setTheme(theme);
      for (const state of ["closed", "open"]) {{
        setDetails(state);
        said.push(...await runAxe(`${{theme}}, ${{state}}`, {{ runOnly: colourRules }}));
      }}
    }}
    return {{ said, wide, seen }};
  }};
  window.looked = look();
}}"""

WIDE = f"""() => {{
  {HELPERS}
  return ["closed", "open"].flatMap((state) => {{ setDetails(state); return tooWide(state) }});
}}"""

# What tells a theme: the colours of the page and of everything that has colours of its own.
COLOURS = """() => {
  const boxes = "body, .cell_input, .cell_output .highlight, .traceback, .cy-listing, .cy-head, "
    + ".cy-c, .cy-c [class], .highlight, .highlight span, .picture rect, .picture text, input";
  const found = {};
  for (const element of document.querySelectorAll(boxes)) {
    const style = getComputedStyle(element);
    const name = `${element.tagName}.${element.getAttribute("class")}`;
    found[name] ??= ["color", "backgroundColor", "borderLeftColor", "borderTopColor", "fill"]
      .map((property) => style[property]).join(" ");
  }
  return found;
}"""


@dataclass
class Visit:
    """What was found on one page at one width.

    Attributes:
        axe: What axe complained about, each with theme and state.
        wide: What is too wide.
        errors: What the console and the network complained about.
        requests: The addresses that were asked for.
    """

    axe: list[str]
    wide: list[str]
    errors: list[str]
    requests: list[str]


class Looker:
    """Visits pages, each once and at both widths at the same time.

    Args:
        tabs: A tab for each width.
        base: The address of the site.
        axe: The script of axe.
    """

    def __init__(self, tabs: dict[int, Tab], base: str, axe: str) -> None:
        self.tabs = tabs
        self.base = base
        self.axe = axe
        self.known: dict[int, list[str]] = {width: [] for width in tabs}
        self.visits: dict[str, dict[int, Visit]] = {}

    def visit(self, page: str) -> dict[int, Visit]:
        """Return what is found on a page at each width."""
        if page not in self.visits:
            for width, tab in self.tabs.items():
                tab.errors.clear()
                tab.requests.clear()
                tab.page.goto(self.base + page)
                tab.page.evaluate(self.axe)
                # Not waited for here, so that the other width is looked at meanwhile.
                tab.page.evaluate(LOOK, [list(THEMES), self.known[width]])
            self.visits[page] = {width: self._result(width) for width in self.tabs}
        return self.visits[page]

    def _result(self, width: int) -> Visit:
        tab = self.tabs[width]
        found = tab.page.evaluate("looked")
        self.known[width] = found["seen"]
        return Visit(found["said"], found["wide"], list(tab.errors), list(tab.requests))

    def wide(self, page: str, width: int) -> list[str]:
        """Return what is too wide on a page at a width of which nothing else is asked."""
        tab = self.tabs[WIDTHS[0]]
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.goto(self.base + page)
        found: list[str] = tab.page.evaluate(WIDE)
        tab.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        return found


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe."""
    script: str = pytest.importorskip("axe_playwright_python.base").AXE_SCRIPT
    return script


@pytest.fixture(scope="module")
def looker(new_tab: NewTab, base: str, axe: str) -> Iterator[Looker]:
    """What visits the pages."""
    with new_tab(WIDTHS[0]) as wide, new_tab(WIDTHS[1]) as narrow:
        yield Looker(dict(zip(WIDTHS, (wide, narrow), strict=True)), base, axe)


@pytest.fixture
def visited(looker: Looker, page: str, width: int) -> Visit:
    """What was found on the page at the width."""
    return looker.visit(page)[width]


def test_axe_finds_nothing(visited: Visit) -> None:
    assert not visited.axe, "\n".join(visited.axe)


def test_no_error_in_the_console(visited: Visit) -> None:
    assert not visited.errors, "\n".join(visited.errors)


def test_no_request_leaves_the_site(visited: Visit, base: str, page: str) -> None:
    assert base + page in visited.requests
    allowed = (base, base.partition("/some/")[0] + "/favicon.ico", "data:")
    assert [address for address in visited.requests if not address.startswith(allowed)] == []


def test_nothing_is_too_wide(visited: Visit) -> None:
    assert not visited.wide, "\n".join(visited.wide)


@pytest.mark.parametrize("narrow", [320, 640])
def test_nothing_is_too_wide_on_a_small_phone_or_with_zoom(
    looker: Looker, page: str, narrow: int
) -> None:
    """A window of 1280 px is 640 px wide for a page that is zoomed to 200 %."""
    assert not (wide := looker.wide(page, narrow)), "\n".join(wide)


def test_axe_finds_nothing_after_scrolling_up(
    new_tab: NewTab, base: str, axe: str, width: int
) -> None:
    """That is when Furo shows its “Back to top”."""
    with new_tab(width) as tab:
        tab.page.goto(base + "index.html")
        tab.page.evaluate("scrollTo(0, 600)")
        tab.page.wait_for_function("scrollY === 600")
        tab.page.evaluate("scrollTo(0, 400)")
        tab.page.locator(".back-to-top").wait_for(state="visible")
        tab.page.evaluate(axe)
        assert tab.page.evaluate(f"() => {{ {HELPERS} return runAxe('scrolled', {{}}) }}") == []


@pytest.mark.parametrize("system", THEMES)
def test_axe_finds_nothing_where_the_system_decides(
    new_tab: NewTab, base: str, axe: str, system: str
) -> None:
    with new_tab(color_scheme=system) as tab:
        tab.page.goto(base + "index.html")
        assert tab.page.evaluate("document.body.dataset.theme") == "auto"
        tab.page.evaluate(axe)
        tab.page.evaluate(LOOK, [["auto"], []])
        assert tab.page.evaluate("looked.then((found) => found.said)") == []


def colours_of(page: Any, system: str, theme: str) -> dict[str, str]:
    page.emulate_media(color_scheme=system)
    page.evaluate("(theme) => { document.body.dataset.theme = theme }", theme)
    found: dict[str, str] = page.evaluate(COLOURS)
    return found


def test_colours_follow_the_switch_of_the_site(tab: Tab, base: str) -> None:
    """And the system where the switch says so; on the pages with all kinds of boxes."""
    pages = containing('class="cell_input')
    assert pages
    for page in pages:
        tab.page.goto(base + page)
        light = colours_of(tab.page, "light", "light")
        dark = colours_of(tab.page, "dark", "dark")
        assert {"BODY.null", "DIV.cell_input docutils container"} <= light.keys()
        assert not {name for name in light if "cell_input" in name and light[name] == dark[name]}
        assert colours_of(tab.page, "dark", "light") == light
        assert colours_of(tab.page, "light", "dark") == dark
        assert colours_of(tab.page, "light", "auto") == light
        assert colours_of(tab.page, "dark", "auto") == dark
