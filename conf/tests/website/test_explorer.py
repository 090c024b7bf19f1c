"""The strides explorer: its arithmetic against NumPy and compiled code, and its use.

The arithmetic is that of ``strides.js``, run in the browser on cases that are made here, all of
them in one call.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import random
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy
import pytest
from numpy.lib.stride_tricks import as_strided

from .conftest import PAGES, ROOT, SITE, THEMES, Tab, containing, source

NewTab = Callable[..., AbstractContextManager[Tab]]

PAGE = "guide/explorer.html"
PARTS = ("grids", "strips", "words", "code", "verdicts")
BUDGET = 100_000  # bytes of the page with all it loads, as gzip sends it
ITEM = 8

# Applies to each view the operations of its case, and returns all that can be compared.
APPLY = """([cases, memory]) => cases.map(([view, operations]) => {
  const all = { slice: Strides.slice, take: Strides.take, transpose: Strides.transpose,
    broadcast: Strides.broadcast };
  for (const [name, ...given] of operations)
    view = all[name](view, ...given, ...(name === "take" ? [memory] : []));
  return {
    shape: view.shape, strides: view.strides, offset: view.offset, suboffset: view.suboffset,
    c: Strides.contiguous(view, memory.itemsize, "C"),
    f: Strides.contiguous(view, memory.itemsize, "F"),
    bytes: Strides.indices(view.shape).map((index) => Strides.locate(view, index, memory).byte),
    taken: Strides.verdicts(view, memory.itemsize).filter(([, why]) => !why).map(([name]) => name),
  };
})"""


@pytest.fixture
def explorer(tab: Tab, base: str) -> Iterator[Any]:
    """The page of the explorer, of which nothing may have complained in the end."""
    tab.page.goto(base + PAGE)
    yield tab.page
    assert tab.errors == []


@pytest.fixture(scope="module")
def addresses(site: Path) -> ModuleType:
    """The compiled example, from the cache of the site."""
    from sphinx_cython.core.builder import Builder
    from sphinx_cython.core.example import Examples
    from sphinx_cython.core.toolchain import find_toolchain

    conf = ROOT / "conf"
    config = runpy.run_path(str(conf / "conf.py"))["cython"]
    examples = Examples.scan(config.folder(config.examples, conf), config.refused)
    cache = config.folder(config.cache, conf)
    builder = Builder(examples, config, cache, find_toolchain(), os.cpu_count() or 1, print)
    sys.path.insert(0, str(builder.stage(builder.build_all())))
    return importlib.import_module("addresses")


def view_of(array: numpy.ndarray, base: int) -> dict[str, Any]:
    return {
        "shape": array.shape,
        "strides": array.strides,
        "offset": array.__array_interface__["data"][0] - base,
        "index": [0] * array.ndim,
        "indirect": False,
        "suboffset": 0,
    }


def memory(pointers: list[int] | tuple[int, ...] = (), size: int = 10**6) -> dict[str, Any]:
    return {"size": size, "itemsize": ITEM, "pointers": list(pointers)}


def random_slice(random: random.Random, length: int) -> tuple[int | None, int | None, int]:
    ends = [None, *range(-length - 3, length + 4)]
    return random.choice(ends), random.choice(ends), random.choice([-3, -2, -1, 1, 2, 3])


def random_operation(
    random: random.Random, array: numpy.ndarray
) -> tuple[numpy.ndarray, list[Any]] | None:
    """Return an array that NumPy makes of another, and how the script is told to."""
    kind = random.choice(["slice", "slice", "slice", "transpose", "take", "broadcast"])
    dim = random.randrange(array.ndim)
    length = array.shape[dim]
    before = (slice(None),) * dim
    if kind == "slice":
        start, stop, step = random_slice(random, length)
        return array[(*before, slice(start, stop, step))], ["slice", dim, start, stop, step]
    if kind == "transpose":
        return array.T, ["transpose"]
    if kind == "take" and array.ndim > 1 and length:
        i = random.randrange(length)
        return array[(*before, i)], ["take", dim, i]
    if kind == "broadcast" and array.ndim < 3:
        shape = tuple(random.randint(1, 3) if n == 1 else n for n in array.shape)
        shape = (random.randint(0, 3), *shape) if random.random() < 0.7 else shape
        return numpy.broadcast_to(array, shape), ["broadcast", shape]
    return None


def numpy_cases(count: int) -> list[tuple[numpy.ndarray, numpy.ndarray, list[Any]]]:
    """Return arrays that NumPy made of others in up to four steps, always the same ones."""
    seeded = random.Random(20261124)
    cases = []
    for _ in range(count):
        shape = tuple(seeded.randint(1, 5) for _ in range(seeded.randint(1, 3)))
        first = numpy.zeros(shape, order=seeded.choice("CF"))
        array, operations = first, []
        for _ in range(seeded.randint(0, 4)):
            if done := random_operation(seeded, array):
                array = done[0]
                operations.append(done[1])
        cases.append((first, array, operations))
    return cases


def strided_cases(count: int, aligned: bool) -> list[numpy.ndarray]:
    """Return arrays of any strides, most of which leave their buffer: nothing reads them."""
    seeded = random.Random(7)
    memory = numpy.zeros(100)
    steps = range(-48, 49, 8) if aligned else range(-20, 21)
    found = []
    for _ in range(count):
        ndim = seeded.randint(1, 3)
        shape = [seeded.choice([0, 1, 1, 2, 3, 4]) for _ in range(ndim)]
        strides = [seeded.choice(steps) for _ in range(ndim)]
        if seeded.random() < 0.6:
            # Nearly contiguous: that is where the rule about it is told from a wrong one.
            order, step = seeded.choice([range(ndim), range(ndim)[::-1]]), ITEM
            for dim in order:
                if seeded.random() < 0.8:
                    strides[dim] = step
                step *= shape[dim]
        found.append(as_strided(memory[50:], shape, strides))
    return found


def bytes_in_numpy(array: numpy.ndarray, offset: int) -> list[int]:
    """Where the elements lie by NumPy's own arithmetic, in the order of the indices."""
    places = numpy.full(array.shape, offset)
    for dim, step in enumerate(array.strides):
        along = [1] * array.ndim
        along[dim] = array.shape[dim]
        places = places + (numpy.arange(array.shape[dim]) * step).reshape(along)
    return [int(place) for place in places.ravel()]


def accepted(buffer: object) -> list[str]:
    """The declarations that take a buffer; the fixture ``addresses`` made them importable."""
    found: list[str] = importlib.import_module("declarations").taken(buffer)[0]
    return found


def taken(addresses: ModuleType, array: numpy.ndarray) -> list[str]:
    """The declarations that take an array; an empty one goes as indirect too, which is no use."""
    return [name for name in accepted(array) if "indirect" not in name]


def test_views_are_what_numpy_makes_of_them(explorer: Any, addresses: ModuleType) -> None:
    """Chains of slices, transposing, rows, columns and broadcasting; and what would be taken."""
    cases = numpy_cases(3000)
    starts = [first.__array_interface__["data"][0] for first, _, _ in cases]
    given = [
        [view_of(first, start), operations]
        for (first, _, operations), start in zip(cases, starts, strict=True)
    ]
    results = explorer.evaluate(APPLY, [given, memory()])
    kinds = set()
    for (_, array, operations), start, result in zip(cases, starts, results, strict=True):
        expected = view_of(array, start)
        assert result["shape"] == list(array.shape), operations
        assert (result["c"], result["f"]) == (array.flags.c_contiguous, array.flags.f_contiguous)
        if array.size:
            # NumPy gives an empty slice the place and the stride of what it was cut from.
            assert result["strides"] == list(array.strides), operations
            assert result["offset"] == expected["offset"], operations
        found = addresses.addresses(array)
        assert result["bytes"] == [address - start for address in found], operations
        assert result["taken"] == taken(addresses, array), (array.shape, array.strides)
        kinds.update(operation[0] for operation in operations)
        kinds.add((array.ndim, array.size > 0, *result["taken"]))
    assert {"slice", "take", "transpose", "broadcast"} < kinds
    assert len(kinds) > 12


def test_any_strides(explorer: Any, addresses: ModuleType) -> None:
    """Also those that leave the buffer: addresses, contiguity, and which declarations take them."""
    arrays = strided_cases(2000, aligned=True)
    start = arrays[0].__array_interface__["data"][0] - 400
    given = [[view_of(array, start), []] for array in arrays]
    contiguous = 0
    for array, result in zip(arrays, explorer.evaluate(APPLY, [given, memory()]), strict=True):
        about = (array.shape, array.strides)
        flags = array.flags
        assert (result["c"], result["f"]) == (flags.c_contiguous, flags.f_contiguous), about
        assert result["bytes"] == [found - start for found in addresses.addresses(array)], about
        assert result["taken"] == taken(addresses, array), about
        contiguous += flags.c_contiguous
    assert 300 < contiguous < 1700


def test_strides_that_split_elements(explorer: Any) -> None:
    arrays = strided_cases(1000, aligned=False)
    given = [[view_of(array, 0), []] for array in arrays]
    for array, result in zip(arrays, explorer.evaluate(APPLY, [given, memory()]), strict=True):
        offset = array.__array_interface__["data"][0]
        assert result["bytes"] == bytes_in_numpy(array, offset)
        assert (result["c"], result["f"]) == (array.flags.c_contiguous, array.flags.f_contiguous)


def same_in_cython(length: int, start: int, stop: int, step: int) -> bool:
    """Whether Cython slices as Python does; the page says where it does not."""
    inside = -length <= start <= length and -length <= stop <= length
    return inside and (abs(step) == 1 or len(range(length)[start:stop:step]) > 0)


def test_slices_of_a_compiled_view(explorer: Any, addresses: ModuleType) -> None:
    """All slices of a small view, one dimension at a time with a random one in the other."""
    seeded = random.Random(3)
    x = numpy.arange(20.0).reshape(4, 5)[::-1]
    base = x.__array_interface__["data"][0]
    ends = range(-5, 6)
    every = [
        (first, second)
        for first in ((a, b, step) for a in ends for b in ends for step in (-3, -2, -1, 1, 2, 3))
        for second in [random_given(seeded, 5)]
        if same_in_cython(4, *first) and same_in_cython(5, *second)
    ]
    assert len(every) > 200
    given: list[Any] = [
        [view_of(x, base), [["slice", 0, *first], ["slice", 1, *second]]] for first, second in every
    ]
    compiled: list[Any] = [addresses.part(x, *first, *second) for first, second in every]
    for step in (-3, -2, -1, 1, 2, 3):
        given.append([view_of(x, base), [["slice", dim, None, None, step] for dim in (0, 1)]])
        compiled.append(addresses.every(x, step))
        for end in range(-4, 5):
            if same_in_cython(4, end, 0 if step < 0 else 4, step):
                given.append(
                    [view_of(x, base), [["slice", dim, end, None, step] for dim in (0, 1)]]
                )
                compiled.append(addresses.part_from(x, end, step))
            if same_in_cython(4, 3 if step < 0 else 0, end, step):
                given.append(
                    [view_of(x, base), [["slice", dim, None, end, step] for dim in (0, 1)]]
                )
                compiled.append(addresses.part_to(x, end, step))
    given.append([view_of(x, base), [["transpose"]]])
    compiled.append(addresses.transposed(x))
    for i in range(4):
        given.append([view_of(x, base), [["take", 0, i]]])
        compiled.append(addresses.row(x, i))
        given.append([view_of(x, base), [["take", 1, i]]])
        compiled.append(addresses.column(x, i))
    results = explorer.evaluate(APPLY, [given, memory()])
    for (_, operations), result, (address, shape, strides) in zip(
        given, results, compiled, strict=True
    ):
        assert result["shape"] == numpy.atleast_1d(shape).tolist(), operations
        if numpy.prod(shape):
            assert result["offset"] == address - base, operations
            assert result["strides"] == numpy.atleast_1d(strides).tolist(), operations


def random_given(random: random.Random, length: int) -> tuple[int, int, int]:
    """A slice with start and stop of which NumPy and Cython make the same."""
    while True:
        start, stop = random.randint(-length, length), random.randint(-length, length)
        step = random.choice([-3, -2, -1, 1, 2, 3])
        if same_in_cython(length, start, stop, step):
            return start, stop, step


def test_slices_through_pointers(explorer: Any, addresses: ModuleType) -> None:
    seeded = random.Random(5)
    for _ in range(40):
        rows, columns = seeded.randint(1, 5), seeded.randint(1, 5)
        x = numpy.arange(float(rows * columns)).reshape(rows, columns)
        x = x[:, :: seeded.choice([-2, -1, 1, 1, 2])]
        order = [seeded.randrange(rows) for _ in range(seeded.randint(1, 5))]
        table = addresses.RowTable(x, order)
        base = x.__array_interface__["data"][0]
        pointers = [address - base for address in table.addresses()[1]]
        members = memoryview(table)
        view = {
            "shape": members.shape,
            "strides": members.strides,
            "offset": 0,
            "index": [0, 0],
            "indirect": True,
            "suboffset": members.suboffsets[0],
        }
        slices = [
            (random_given(seeded, len(order)), random_given(seeded, x.shape[1])) for _ in range(40)
        ]
        given: list[Any] = [
            [view, [["slice", 0, *first], ["slice", 1, *second]]] for first, second in slices
        ]
        given.append([view, [["slice", dim, None, None, -1] for dim in (0, 1)]])
        given.append([view, []])
        given += [[view, [["take", 0, i]]] for i in range(len(order))]
        *results, reverse, whole = (out := explorer.evaluate(APPLY, [given, memory(pointers)]))[
            : len(slices) + 2
        ]
        for (first, second), result in zip(slices, results, strict=True):
            found, part = addresses.indirect_part(table, *first, *second)
            assert result["bytes"] == [address - base for address in found], (first, second)
            shown = [name for name in accepted(part) if "1" not in name or "view" in name]
            assert result["taken"] == shown, result
        found, part = addresses.indirect_reversed(table)
        assert reverse["taken"] == accepted(part), reverse
        assert reverse["bytes"] == [address - base for address in found]
        assert whole["taken"] == accepted(table), (x.shape, x.strides)
        for i, row in enumerate(out[len(slices) + 2 :]):
            length = x.shape[1]
            assert row["bytes"] == whole["bytes"][i * length : (i + 1) * length]


def test_buttons_do_what_they_say(explorer: Any) -> None:
    """What stands on a button, given to NumPy."""
    b = numpy.arange(60.0)
    start = b.__array_interface__["data"][0]
    arrays = [
        b[:7],
        b[40::-3],
        b.reshape(12, 5)[:, 1:],
        b.reshape((6, 10), order="F")[::-1],
        b.reshape(3, 4, 5).transpose(2, 0, 1),
    ]
    views = [view_of(array, start) | {"index": [1] * array.ndim} for array in arrays]
    buttons = explorer.evaluate(
        "([views, memory]) => views.map((view) => Strides.operations(view, memory))",
        [views, memory()],
    )
    for array, operations in zip(arrays, buttons, strict=True):
        assert len(operations) >= 4
        for text, result in operations:
            if result is None:  # it would be longer than the page has room for
                assert text.startswith("broadcast_to")
                continue
            expected = eval(text, {"a": array, "broadcast_to": numpy.broadcast_to})
            found = [result["offset"], *result["shape"], *result["strides"]]
            wanted = view_of(expected, start)
            assert found == [wanted["offset"], *wanted["shape"], *wanted["strides"]], text


def test_steps_between_pointers(explorer: Any, addresses: ModuleType) -> None:
    """What is exported may be nonsense: no code checks the steps between pointers."""
    x = numpy.arange(20.0).reshape(4, 5)
    for rows, columns, step in product((1, 2), (1, 3), (-8, -4, 0, 4, 8, 16)):
        table = addresses.RowTable(x[:, :columns], list(range(rows)), step)
        view = {"shape": [rows, columns], "strides": [step, 8], "offset": 0, "index": [0, 0]}
        view |= {"indirect": True, "suboffset": 0}
        (result,) = explorer.evaluate(APPLY, [[[view, []]], memory([0, 40])])
        assert result["taken"] == accepted(table), view


def test_the_script_draws_what_the_build_drew(explorer: Any, site: Path) -> None:
    """The picture without script and the one with it are made by two programs."""
    raw = (site / PAGE).read_text("utf-8")
    drawn, built = explorer.evaluate(
        """(raw) => {
          const root = new DOMParser().parseFromString(raw, "text/html")
            .querySelector("[data-explorer]");
          const data = JSON.parse(root.querySelector("script").textContent);
          const drawn = StridesExplorer.draw(data.starts[0], StridesExplorer.remember(data));
          const there = [...root.querySelectorAll("[data-part]")]
            .map((part) => [part.dataset.part, part.innerHTML]);
          const same = (html) => {
            const box = document.createElement("div");
            box.innerHTML = html;
            return box.innerHTML.replaceAll(' class=""', "");
          };
          const all = (pairs) =>
            Object.fromEntries(pairs.map(([name, html]) => [name, same(html)]));
          return [all(Object.entries(drawn)), all(there)];
        }""",
        raw,
    )
    assert sorted(built) == sorted(PARTS)
    for name in PARTS:
        assert drawn[name] == built[name], name


def data_of(site: Path) -> dict[str, Any]:
    raw = (site / PAGE).read_text("utf-8")
    found = re.search(r'data-explorer><script type="application/json">(.*?)</script>', raw, re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_table_says_what_the_script_says(explorer: Any, site: Path) -> None:
    """Each array to start from: recorded addresses and verdicts, against the script's."""
    data = data_of(site)
    size = len(data["contents"]) // 2
    given = [[start, []] for start in data["starts"]]
    results = explorer.evaluate(APPLY, [given, memory(data["pointers"], size)])
    rows = explorer.locator("table.words tbody tr").all()
    assert len(rows) == len(results) >= 9
    for row, start, result in zip(rows, data["starts"], results, strict=True):
        title, *_, places, taken = row.locator("th, td").all_text_contents()
        assert title == start["title"]
        assert places == ", ".join(map(str, result["bytes"])).replace("-", "−")
        assert taken == "; ".join(result["taken"])


def test_the_c_is_that_of_the_excerpts(explorer: Any, site: Path) -> None:
    text = explorer.locator(".cy-cmp").first.text_content().replace("\n", "")
    for layout in data_of(site)["c"].values():
        assert "".join(words for _, words in layout["parts"]) in text


def words(explorer: Any) -> str:
    return str(explorer.locator(".ex-words").inner_text())


def open_at(explorer: Any, base: str, state: str) -> None:
    explorer.goto("about:blank")
    explorer.goto(f"{base}{PAGE}#{state}")


def index(explorer: Any) -> str:
    """The index that is chosen."""
    return str(explorer.locator("[aria-selected=true]").get_attribute("data-index"))


def middle(explorer: Any, cell: str) -> tuple[float, float]:
    box = explorer.locator(f"[data-index='{cell}']").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_dragging(explorer: Any) -> None:
    explorer.locator(".ex-grids").scroll_into_view_if_needed()
    explorer.mouse.move(*middle(explorer, "0,0"))
    explorer.mouse.down()
    for cell in ("0,1", "1,1", "2,3"):
        explorer.mouse.move(*middle(explorer, cell), steps=4)
        assert index(explorer) == cell
    assert "2 × 32 + 3 × 8 = 88" in words(explorer)
    explorer.mouse.up()
    explorer.mouse.move(*middle(explorer, "0,0"))
    assert index(explorer) == "2,3"


def test_touching(new_tab: NewTab, base: str) -> None:
    with new_tab(375, has_touch=True, is_mobile=True) as tab:
        tab.page.goto(base + PAGE)
        tab.page.locator(".ex-grids").scroll_into_view_if_needed()
        scrolled = tab.page.evaluate("scrollY")
        touch = tab.page.context.new_cdp_session(tab.page)

        # Asked for beforehand: the cells are drawn anew on each touch.
        places = {cell: middle(tab.page, cell) for cell in ("2,0", "1,0", "0,0", "0,3")}

        def send(kind: str, *cells: str) -> None:
            points = [dict(zip("xy", places[cell], strict=True)) for cell in cells]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        first, *rest = places
        send("touchStart", first)
        for cell in rest:
            send("touchMove", cell)
        send("touchEnd")
        tab.page.wait_for_function("location.hash.includes('index=0,3')")
        assert abs(tab.page.evaluate("scrollY") - scrolled) < 3
        assert tab.errors == []


def test_keys(explorer: Any) -> None:
    """One stop for Tab; then the arrows, Home and End."""
    explorer.locator("[role=gridcell][tabindex='0']").focus()
    for key, expected in [
        ("ArrowRight", "1,3"),
        ("ArrowRight", "1,3"),
        ("ArrowUp", "0,3"),
        ("ArrowLeft", "0,2"),
        ("Home", "0,0"),
        ("ArrowDown", "1,0"),
        ("End", "1,3"),
    ]:
        explorer.keyboard.press(key)
        assert index(explorer) == expected, key
        focused = explorer.evaluate("document.activeElement.dataset.index")
        assert focused == expected, "the focus stays on the chosen cell"
    assert explorer.locator("[role=gridcell][tabindex='0']").count() == 1
    assert explorer.locator("[aria-selected=true]").count() == 1
    assert explorer.locator(".ex-words").get_attribute("aria-live") == "polite"
    assert explorer.evaluate(
        "parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2"
    )


def test_the_chosen_cell_is_in_sight(new_tab: NewTab, base: str) -> None:
    """A wide grid scrolls by itself on a phone, and the page does not."""
    sight = """() => {
      const cell = document.querySelector("[aria-selected=true]").getBoundingClientRect();
      const box = document.querySelector(".ex-grids").getBoundingClientRect();
      return cell.left >= box.left && cell.right <= box.right;
    }"""
    with new_tab(320) as tab:
        open_at(tab.page, base, "shape=12,12&strides=8,8&offset=0&index=6,11")
        assert tab.page.evaluate(sight)
        tab.page.locator("[role=gridcell][tabindex='0']").focus()
        # The theme scrolls smoothly.
        tab.page.wait_for_function(
            """() => {
          const before = window.before;
          window.before = scrollY;
          return scrollY > 0 && scrollY === before;
        }""",
            polling=200,
        )
        place = tab.page.evaluate("scrollY")
        for key in ("Home", "End", *["ArrowLeft"] * 9):
            tab.page.keyboard.press(key)
            assert tab.page.evaluate(sight), key
        assert tab.page.evaluate("scrollY") == place


def test_keys_in_three_dimensions(explorer: Any, base: str) -> None:
    open_at(explorer, base, "shape=2,2,3&strides=48,24,8&offset=0&index=0,0,0")
    explorer.locator("[role=gridcell][tabindex='0']").focus()
    explorer.keyboard.press("PageDown")
    explorer.keyboard.press("ArrowDown")
    explorer.keyboard.press("ArrowRight")
    assert index(explorer) == "1,1,1"


def test_buttons_undo_and_back(explorer: Any) -> None:
    start = explorer.evaluate("location.hash")
    explorer.get_by_role("button", name="a[::-1]").click()
    assert "shape=3,4&strides=-32,8&offset=64" in explorer.evaluate("location.hash")
    explorer.get_by_role("button", name="a.T").click()
    assert "shape=4,3&strides=8,-32&offset=64" in explorer.evaluate("location.hash")
    explorer.go_back()
    explorer.wait_for_function("location.hash.includes('strides=-32,8')")
    assert explorer.locator("[data-group=strides]").first.input_value() == "-32"
    explorer.get_by_role("button", name="Undo").click()
    assert "shape=3,4&strides=32,8&offset=0" in explorer.evaluate("location.hash")
    assert explorer.get_by_role("button", name="Undo").is_disabled()
    explorer.get_by_role("button", name=re.compile("broadcast")).click()
    assert explorer.locator(".ex-grid").count() == 3
    explorer.get_by_role("button", name="Reset").click()
    assert explorer.locator(".ex-grid").count() == 1
    assert start == ""


def test_keyboard_alone_works_the_buttons(explorer: Any) -> None:
    explorer.get_by_role("button", name="a[::2]", exact=True).focus()
    for expected in ("2,4", "1,4"):
        explorer.keyboard.press("Enter")
        assert f"shape={expected}" in explorer.evaluate("location.hash")
        assert explorer.evaluate("document.activeElement.textContent") == "a[::2]"


def test_numbers(explorer: Any) -> None:
    explorer.get_by_label("strides of dimension 1").fill("16")
    assert "strides=32,16" in explorer.evaluate("location.hash")
    assert "asks for 8" in explorer.locator(".ex-verdicts").inner_text()
    explorer.get_by_label("offset in bytes").select_text()
    explorer.keyboard.type("-")
    assert "offset=0" in explorer.evaluate("location.hash")
    explorer.get_by_label("offset in bytes").fill("4")
    assert "not a multiple of 8" in words(explorer)
    # What is no number, or too large a one, changes nothing.
    explorer.get_by_label("shape of dimension 0").fill("99")
    assert "shape=3,4" in explorer.evaluate("location.hash")
    explorer.get_by_label("shape of dimension 0").fill("0")
    assert "no elements" in words(explorer)
    assert explorer.locator(".ex-grid").count() == 0
    explorer.get_by_label("shape of dimension 0").fill("2")
    assert explorer.locator("[data-index]").count() == 8
    # Both numbers of the shape were one step.
    explorer.get_by_role("button", name="Undo").click()
    assert "shape=3,4" in explorer.evaluate("location.hash")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("shape=12&strides=-8&offset=80&index=11", "Byte −8 is before the buffer"),
        ("shape=4,4&strides=32,8&offset=0&index=3,0", "Byte 103 is behind the buffer"),
        ("shape=4,4&strides=8,8&offset=0&index=3,0&indirect=1", "Byte 31 is behind the table"),
        ("shape=3,4&strides=4,8&offset=0&index=1,0&indirect=1", "No pointer begins there"),
        (
            "shape=3,4&strides=8,8&offset=0&index=0,3&indirect=1&suboffset=8",
            "Byte 103 is behind the buffer",
        ),
    ],
)
def test_accesses_that_leave_the_buffer(explorer: Any, base: str, state: str, said: str) -> None:
    """Said in words, and marked by more than a hue."""
    open_at(explorer, base, state)
    assert said in words(explorer)
    assert "accesses would leave the buffer" in words(explorer)
    style = explorer.locator("[data-index].now.out").evaluate(
        "(cell) => [getComputedStyle(cell).borderTopStyle, cell.querySelector('b').textContent]"
    )
    assert style == ["dashed", "×"]


def test_pointers(explorer: Any) -> None:
    explorer.get_by_label("through a table of pointers").check()
    assert explorer.locator(".ex-strip").count() == 2
    assert "(*((char **) (t + 0 + 0 * 8))" in explorer.locator(".ex-code").inner_text()
    assert explorer.get_by_role("button", name="a.T").is_disabled()
    explorer.get_by_role("button", name="a[0]").click()
    assert "shape=4&strides=8&offset=64" in explorer.evaluate("location.hash")
    assert not explorer.get_by_label("through a table of pointers").is_checked()
    explorer.get_by_label("through a table of pointers").check()
    explorer.get_by_label("through a table of pointers").uncheck()
    assert "shape=3,4&strides=32,8" in explorer.evaluate("location.hash")


def test_the_state_is_in_the_address(explorer: Any, base: str) -> None:
    explorer.get_by_role("button", name="a[:, ::2]").click()
    explorer.locator("[data-index='2,1']").click()
    explorer.wait_for_function("location.hash.includes('index=2,1')")
    state, drawn = explorer.evaluate("location.hash"), explorer.locator(".ex-grids").inner_html()
    open_at(explorer, base, state[1:])
    assert explorer.locator(".ex-grids").inner_html() == drawn
    assert explorer.evaluate("Strides.format(Strides.parse(location.hash))") == state[1:]


@pytest.mark.parametrize("state", ["where-does-the-c-come-from", "shape=3,x&strides=1", "shape="])
def test_an_address_that_is_no_state(explorer: Any, base: str, state: str) -> None:
    open_at(explorer, base, state)
    assert "All 12 accesses stay in the buffer" in words(explorer)


def test_an_address_cannot_ask_for_too_much(explorer: Any, base: str) -> None:
    open_at(explorer, base, "shape=99999,99999,99999&strides=99999,1,1&offset=-99999&index=9,9,9")
    assert explorer.locator("[data-index]").count() == 6**3
    assert "offset=-4096" in explorer.evaluate("'#' + Strides.format(Strides.parse(location.hash))")


def test_each_array_to_start_from(explorer: Any, site: Path) -> None:
    for number, start in enumerate(data_of(site)["starts"]):
        explorer.locator(".ex select").select_option(str(number))
        shape = ",".join(map(str, start["shape"]))
        assert f"shape={shape}&" in explorer.evaluate("location.hash")
        assert explorer.locator(".ex select").input_value() == str(number)


def test_without_script_the_picture_is_complete(new_tab: NewTab, base: str) -> None:
    with new_tab(java_script_enabled=False) as tab:
        tab.page.goto(base + PAGE)
        for name in PARTS:
            assert tab.page.locator(f".ex-{name}").is_visible(), name
        assert tab.page.locator(".ex-grid [data-index]").count() == 12
        assert tab.page.locator(".ex-bytes i").count() == 96
        assert "(b + 0 + 1 * 32) ) + 2 * 8)" in tab.page.locator(".ex-code").inner_text()
        assert tab.page.locator(".ex :is(button, input, select)").count() == 0


STATES = (
    "",
    "shape=4,4&strides=32,8&offset=-8&index=0,0",
    "shape=3,4&strides=8,8&offset=0&index=1,2&indirect=1",
    "shape=2,2,3&strides=48,24,8&offset=4&index=1,0,2",
    "shape=24&strides=8&offset=0&index=23",
)


@pytest.mark.parametrize("narrow", [1280, 375, 320])
def test_axe_finds_nothing_in_any_state(new_tab: NewTab, base: str, narrow: int) -> None:
    script = pytest.importorskip("axe_playwright_python.base").AXE_SCRIPT
    with new_tab(narrow) as tab:
        for state in STATES:
            open_at(tab.page, base, state)
            tab.page.evaluate(script)
            for theme in THEMES:
                tab.page.evaluate("(theme) => { document.body.dataset.theme = theme }", theme)
                found = tab.page.evaluate(
                    """() => axe.run(".ex", { resultTypes: ["violations"], preload: false })
                    .then(({ violations }) => violations.flatMap((rule) => rule.nodes
                      .map((node) => `${rule.id}: ${node.html} ${node.failureSummary}`)))"""
                )
                assert not found, f"{state}, {theme}: " + "\n".join(found)
            wide = tab.page.evaluate(
                """() => [".content", ".ex"].filter((box) => {
                  const { scrollWidth, clientWidth } = document.querySelector(box);
                  return scrollWidth > clientWidth + 1;
                })"""
            )
            assert wide == [], state
        assert tab.errors == []


def test_motion_stops_where_it_is_not_wanted(new_tab: NewTab, base: str) -> None:
    name = "getComputedStyle(document.querySelector('.ex-bytes .now')).animationName"
    for preference, expected in (("no-preference", "ex-grow"), ("reduce", "none")):
        with new_tab(reduced_motion=preference) as tab:
            tab.page.goto(base + PAGE)
            assert tab.page.evaluate(name) == expected


def test_opened_as_a_file(new_tab: NewTab, site: Path) -> None:
    with new_tab() as tab:
        tab.page.goto((site / PAGE).as_uri())
        tab.page.get_by_role("button", name="a.T").click()
        assert "shape=4,3" in tab.page.evaluate("location.hash")
        assert tab.errors == []


def test_loaded_on_its_page_only_and_small() -> None:
    if SITE is None:
        pytest.skip("the site is not built")
    assert PAGE in PAGES
    assert containing(r"_static/(?:strides|explorer)\.") == [PAGE]
    loaded = {
        urlsplit(urljoin(PAGE, address)).path
        for tag, name, address in source(PAGE).refs
        if tag in ("script", "link") and name in ("src", "href")
    }
    files = [SITE / path for path in loaded if path.endswith((".js", ".css"))] + [SITE / PAGE]
    assert {"strides.js", "explorer.js", "explorer.css"} <= {path.name for path in files}
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= BUDGET
