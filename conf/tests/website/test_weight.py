"""What each page weighs with all it loads, and that nothing on it moves while it loads."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import PREFIX, WIDTHS, Tab

NewTab = Callable[..., AbstractContextManager[Tab]]

# In kB (1000 bytes), compressed as most servers do it.
BUDGET = 60
# The first page shows more than others, and the explorer brings data to explore.
# Search loads its index, and eighteen short hazards come each with the C that shows why.
LARGER = {
    "index.html": 100,
    "guide/explorer.html": 100,
    "guide/what-can-go-wrong.html": 100,
    "search.html": 100,
}

# Notes what moves from before the first paint on. Shifts that follow an input do not count, nor
# does what is too small to see: a button that appears in a line of links is 0.0007 or more.
OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    if (shift.hadRecentInput || shift.value < 0.0001) continue;
    const moved = shift.sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? "?");
    shifts.push(`${shift.value.toFixed(4)}: ${moved.join(" | ")}`);
  }
}).observe({ type: "layout-shift", buffered: true });
"""

# To the end of the page and back, some screens at a time; shifts are told a frame later. Not waited
# for here, so that the other width is looked at meanwhile.
SCROLL = """() => {
  const frame = () => new Promise(requestAnimationFrame);
  const scroll = async () => {
    const end = document.documentElement.scrollHeight;
    for (let top = 0; top < end; top += 3 * innerHeight) { scrollTo(0, top); await frame(); }
    scrollTo(0, 0);
    await frame();
    await frame();
    return shifts;
  };
  window.scrolled = scroll();
}"""


@cache
def compressed(path: Path) -> int:
    """How many bytes of a file a server sends."""
    data = path.read_bytes()
    return min(len(data), len(gzip.compress(data, 6, mtime=0)))


@dataclass
class Load:
    """What loading a page at one width brought.

    Attributes:
        sizes: The bytes of each file it asked for.
        elsewhere: The addresses it asked for that are not of this site.
        shifts: What moved on the page, a line each.
    """

    sizes: dict[str, int]
    elsewhere: list[str]
    shifts: list[str]

    @property
    def weight(self) -> float:
        """The kilobytes of all files of this site."""
        return sum(self.sizes.values()) / 1000


Loader = Callable[[str], dict[int, Load]]


@pytest.fixture(scope="module")
def tabs(new_tab: NewTab) -> Iterator[dict[int, Tab]]:
    """A tab for each width."""
    with new_tab(WIDTHS[0]) as wide, new_tab(WIDTHS[1]) as narrow:
        found = dict(zip(WIDTHS, (wide, narrow), strict=True))
        for tab in found.values():
            tab.page.add_init_script(OBSERVE)
        yield found


@pytest.fixture(scope="module")
def load(
    tabs: dict[int, Tab], base: str, site: Path, pytestconfig: pytest.Config
) -> Iterator[Loader]:
    """Load a page in a browser, once and at each width; tell the heaviest pages at the end."""
    weights: dict[str, float] = {}

    @cache
    def load(page: str) -> dict[int, Load]:
        # What moves by the page's own fault moves each time; on a busy machine a frame may also be
        # painted at an odd moment, which is not looked for here.
        for _ in range(3):
            for tab in tabs.values():
                tab.requests.clear()
                tab.page.goto(base + page)
                tab.page.evaluate(SCROLL)
            found = {width: result(tab) for width, tab in tabs.items()}
            if not any(one.shifts for one in found.values()):
                break
        weights[page] = max(one.weight for one in found.values())
        return found

    def result(tab: Tab) -> Load:
        shifts = tab.page.evaluate("scrolled")
        sizes, elsewhere = {}, []
        for address in dict.fromkeys(tab.requests):
            name = urlsplit(address).path.removeprefix(PREFIX)
            if address.startswith(base):
                sizes[name] = compressed(site / name)
            elif not address.startswith("data:"):
                elsewhere.append(address)
        return Load(sizes, elsewhere, shifts)

    yield load
    heaviest = sorted(weights, key=lambda page: -weights[page])[:5]
    told = ", ".join(f"{page} {weights[page]:.1f} kB" for page in heaviest)
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nThe heaviest pages: {told}")


def test_a_page_is_light(load: Loader, page: str, width: int) -> None:
    found = load(page)[width]
    assert page in found.sizes
    heaviest = sorted(found.sizes.items(), key=lambda item: -item[1])
    told = "\n".join(f"{size / 1000:5.1f} kB  {name}" for name, size in heaviest)
    assert found.weight <= LARGER.get(page, BUDGET), f"{found.weight:.1f} kB\n{told}"


def test_nothing_moves(load: Loader, page: str, width: int) -> None:
    shifts = load(page)[width].shifts
    assert not shifts, "\n".join(shifts)


def test_nothing_is_asked_of_elsewhere(load: Loader, page: str, width: int) -> None:
    assert load(page)[width].elsewhere == []
