"""Two builds of one site are the same to the byte, outside what is measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import SAMPLES, Site

PROFILES = (
    "QUICK, Profile('macro', macros=(('ANSWER', '42'),), flags=('-O0',), examples=('*/answer',)),"
)
COMPARISON = """
    # Costs

    ```{cython-comparison} return a + b
    :example: plain/add
    :cost: cost of it

    add | Two | add(1, 2)
    add_three > return a + b + c | Three | add_three(1, 2, 3)
    ```
"""
CELLS = """
    # Cells

    ```{code-cell}
    import answer, numpy
    from variants.macro import answer as other
    print(answer.answer(), other.answer(), {"a", "b", "c"}, object())
    numpy.arange(3)
    ```
"""


def build(site: Site, seed: str, *options: str) -> dict[str, str | bytes]:
    """Build the site in a folder; return the text of every file of it."""
    root = site.root
    for name in ("add", "answer"):
        site.write({f"examples/plain/{name}.pyx": (SAMPLES / f"plain/{name}.pyx").read_text()})
    site.configure(PROFILES)
    site.write(
        {
            "docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
            "docs/all.md": "# All\n\n```{cython-gallery}\n```\n",
            "docs/costs.md": COMPARISON,
            "docs/cells.md": CELLS,
            "docs/add.md": "# Add\n\n```{cython-example} plain/add\n```\n",
            "docs/answer.rst": "Answer\n======\n\n.. cython-example:: answer\n",
            "docs/variant.rst": "Other\n=====\n\n.. cython-listing:: answer\n   :profile: macro\n",
            "docs/code.md": "# Code\n\n```{cython-utility} plain/add\n__Pyx_AddTraceback\n```\n",
        }
    )
    # Sphinx reads in parallel what is more than five pages.
    site.passes(*options, env={"PYTHONHASHSEED": seed})
    found: dict[str, str | bytes] = {}
    for path in sorted((root / "html").rglob("*")):
        name = path.relative_to(root / "html").as_posix()
        if path.suffix == ".html" and not name.startswith("_cython"):
            page = site.page(name.removesuffix(".html"))
            for element in page.select(".volatile"):
                element.clear()
                element.attrs.clear()
            found[name] = str(page)
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory, cache) -> dict[str, str | bytes]:
    site = Site(tmp_path_factory.mktemp("a"), cache).with_own_cache()
    return build(site, "1")


def test_in_another_folder_with_another_seed_and_in_parallel(first, tmp_path: Path):
    root = tmp_path / "a deeper" / "földer"
    # Compiled there, while the first took what other tests had compiled elsewhere.
    second = build(Site(root, root / "cache"), "2", "-j", "2")
    assert second.keys() == first.keys()
    # What Sphinx keeps for itself about the settings has the folder of the style sheet in it.
    assert [name for name in first if first[name] != second[name]] in ([], [".buildinfo"])


def test_nothing_but_what_is_measured_is_volatile(first):
    volatile = {
        name for name, text in first.items() if isinstance(text, str) and "volatile" in text
    }
    assert volatile == set(), "the attributes of volatile elements were taken off"


def test_outputs_do_not_depend_on_the_order_in_a_set(first):
    assert re.search(r"1 42 \{'\w', '\w', '\w'\}", str(first["cells.html"]))
