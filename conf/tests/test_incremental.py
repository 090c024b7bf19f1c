"""After any edit, what is built from what was there is what is built from nothing, to the byte."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from support import CONF, SAMPLES, Site, Snapshot

SETTINGS = f"""
extensions.append("publishing")
html_theme = "furo"
html_copy_source = True
html_additional_pages = {{"404": "404.html"}}
templates_path = [{str(CONF / "templates")!r}]
"""
ADD = "examples/plain/add.pyx"
PAGES = {
    "index.md": "# Index\n\nThe start.\n\n```{toctree}\nguide/index\n```\n\n"
    "```{toctree}\n:glob:\n:caption: More\n*\n```\n",
    "guide/index.md": "# Guide\n\n```{toctree}\n:maxdepth: 2\n:glob:\n*\n```\n",
    "guide/deep.md": "# Deep\n\nWords.\n\n## A section\n\nMore words.\n",
    "guide/linked.rst": "Linked\n======\n\n.. _place:\n\nA place\n-------\n\n"
    ".. index:: places\n   see: locations; places\n\nText.\n",
    "links.md": "# Links\n\n{ref}`place`, {doc}`guide/deep`, {cython:func}`add::add`.\n\n"
    "[](guide/deep.md), [](#place).\n",
    "shows.md": "# Shows\n\n```{cython-excerpt} plain/add\n:function: add\n"
    ":line: return a + b\n```\n",
    "own.md": "# Adding\n\n```{cython-example} plain/add\n```\n",
    "gallery.md": "# All\n\n```{cython-gallery}\n```\n",
    "key.md": "# Key\n\n```{cython-key}\n```\n",
    "cells.md": "# Cells\n\n```{code-cell}\nimport add, drawing\nprint(add.add(20, 1))\n"
    "drawing.picture()\n```\n\n```{code-cell}\n:tags: [raises-exception]\nlen(1)\n```\n",
    "download.rst": "Download\n========\n\n:download:`the data <data.csv>`\n\n.. image:: dot.svg\n",
    "data.csv": "1,2\n",
    "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n',
}
HELPER = """
class Picture:
    def __repr__(self):
        return "a picture"
    def _repr_png_(self):
        import base64
        return base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
            "gg=="
        )
picture = Picture
"""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory, cache) -> Snapshot:
    site = Site(tmp_path_factory.mktemp("incremental") / "site", cache)
    site.write({ADD: (SAMPLES / "plain/add.pyx").read_text(), "helpers/drawing.py": HELPER})
    site.write({f"docs/{name}": text for name, text in PAGES.items()})
    site = site.with_own_cache()
    site.configure(more=SETTINGS)
    site.passes("-j", "2")
    return Snapshot(site)


@pytest.fixture
def site(snapshot: Snapshot) -> Site:
    return snapshot.restore()


def files(folder: Path) -> dict[str, bytes]:
    """What is published (Sphinx keeps a copy of what it noted about older settings)."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".buildinfo.bak"
    }


def is_as_new(site: Site, builder: str = "html") -> None:
    """Compare what is there with what is built from nothing, in folders of its own."""
    for folder in ("doctrees", builder):
        (site.root / folder).rename(site.root / f"kept-{folder}")
    site.passes(builder=builder)
    new, kept = files(site.root / builder), files(site.root / f"kept-{builder}")
    for folder in ("doctrees", builder):
        shutil.rmtree(site.root / folder)
        (site.root / f"kept-{folder}").rename(site.root / folder)
    assert sorted(kept) == sorted(new)
    assert [name for name in new if new[name] != kept[name]] == []


def edit(site: Site, name: str, old: str, new: str) -> None:
    path = site.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_prose(site: Site) -> None:
    edit(site, "docs/guide/deep.md", "More words", "Zebras")


def edit_title(site: Site) -> None:
    edit(site, "docs/guide/deep.md", "# Deep", "# Deeper")


def edit_section(site: Site) -> None:
    edit(site, "docs/guide/deep.md", "## A section", "## One section\n\n## Another")


def edit_label(site: Site) -> None:
    edit(site, "docs/guide/linked.rst", "A place\n---", "My place\n----")


def edit_caption(site: Site) -> None:
    edit(site, "docs/index.md", ":caption: More", ":caption: The rest")


def edit_cell(site: Site) -> None:
    edit(site, "docs/cells.md", "20, 1", "30, 1")


def drop_cell(site: Site) -> None:
    site.write({"docs/cells.md": "# Cells\n\nNone.\n"})


def edit_example(site: Site) -> None:
    example = next(path.name for path in (site.root / "examples/plain").iterdir())
    edit(
        site,
        f"examples/plain/{example}",
        "\n\ndef add(",
        "\n\ndef subtract(a, b):\n    return a - b\n\n\ndef add(",
    )


def edit_helper(site: Site) -> None:
    edit(site, "helpers/drawing.py", "a picture", "a drawing")


def add_page(site: Site) -> None:
    site.write({"docs/guide/another.md": "# Another\n\nUnicorns.\n"})


def remove_page(site: Site) -> None:
    (site.root / "docs/guide/linked.rst").unlink()
    edit(site, "docs/links.md", "{ref}`place`, ", "")
    edit(site, "docs/links.md", ", [](#place)", "")


def rename_page(site: Site) -> None:
    (site.root / "docs/own.md").rename(site.root / "docs/moved.md")


def rename_example(site: Site) -> None:
    (site.root / ADD).rename(site.root / "examples/plain/plus.pyx")
    for path in (site.root / "docs").glob("*.md"):
        text = path.read_text().replace("plain/add", "plain/plus").replace("`add::", "`plus::")
        path.write_text(text.replace("import add,", "import plus as add,"))


def remove_example(site: Site, users: Iterable[str] = ("shows", "own", "cells")) -> None:
    shutil.rmtree(site.root / "examples/plain")
    for page in users:
        (site.root / f"docs/{page}.md").unlink()
    site.write({"docs/links.md": "# Links\n"})


def remove_downloads(site: Site) -> None:
    for name in ("download.rst", "data.csv", "dot.svg"):
        (site.root / "docs" / name).unlink()


def change_format(site: Site) -> None:
    (site.root / "docs/guide/deep.md").unlink()
    site.write({"docs/guide/deep.rst": "Deep\n====\n\nWords.\n"})
    edit(site, "docs/links.md", "[](guide/deep.md)", "nothing")


def change_settings(site: Site) -> None:
    site.configure(more=f"{SETTINGS}html_title = 'Another title'\n")


EDITS = [
    edit_prose,
    edit_title,
    edit_section,
    edit_label,
    edit_caption,
    edit_cell,
    drop_cell,
    edit_example,
    edit_helper,
    add_page,
    remove_page,
    rename_page,
    rename_example,
    remove_example,
    remove_downloads,
    change_format,
    change_settings,
]


def test_building_again_changes_nothing(site: Site):
    before = files(site.root / "html")
    site.passes()
    assert files(site.root / "html") == before
    is_as_new(site)


def test_building_again_loads_no_page(site: Site):
    """None but the first, from which Sphinx makes the tree of pages."""
    before = files(site.root / "html")
    for path in (site.root / "doctrees").rglob("*.doctree"):
        if path != site.root / "doctrees/index.doctree":
            path.write_bytes(b"damaged")
    site.passes()
    assert files(site.root / "html") == before


@pytest.mark.parametrize("change", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit(site: Site, change: Callable[[Site], None]):
    change(site)
    site.passes()
    is_as_new(site)


@pytest.mark.parametrize("seed", range(3))
def test_edits_in_any_order(site: Site, seed: int):
    apart = {drop_cell, remove_page, remove_example, change_format, change_settings}
    order = [change for change in EDITS if change not in apart]
    random.Random(seed).shuffle(order)
    for change in order:
        change(site)
        site.passes("-j", "2")
    is_as_new(site)


def break_example(site: Site) -> None:
    edit(site, ADD, "return a + b + c", "return nowhere")


def break_cell(site: Site) -> None:
    edit(site, "docs/cells.md", "import add,", "1 / 0; import gnus,")


def break_directive(site: Site) -> None:
    edit(site, "docs/shows.md", "plain/add", "plain/ad")


def break_own_page(site: Site) -> None:
    edit(site, "docs/own.md", "{cython-example} plain/add", "{cython-example} plain/ad")


def break_reference(site: Site) -> None:
    edit(site, "docs/links.md", "{ref}`place`", "Yaks {ref}`palace`")


def break_title(site: Site) -> None:
    edit(site, "docs/guide/deep.md", "# Deep\n", "# Quagga {cython:func}`nowhere`\n")


@pytest.mark.parametrize(
    "change",
    [break_example, break_cell, break_directive, break_own_page, break_reference, break_title],
    ids=lambda edit: edit.__name__,
)
def test_a_failed_build_leaves_no_trace(site: Site, change: Callable[[Site], None]):
    before = files(site.root / "html")
    change(site)
    site.fails()
    assert files(site.root / "html") != before
    for folder in ("docs", "examples"):
        shutil.copytree(
            site.root.with_name("copy") / folder, site.root / folder, dirs_exist_ok=True
        )
    # A copy keeps the times; an editor does not.
    for path in (site.root / "docs").rglob("*"):
        path.touch()
    site.passes()
    assert files(site.root / "html") == before
    is_as_new(site)


@pytest.mark.parametrize("builder", ["dirhtml", "singlehtml"])
def test_other_builders(site: Site, builder: str):
    site.passes(builder=builder)
    assert (site.root / builder / "_cython/plain-add/add.c").is_file()
    for change in (edit_title, rename_page, rename_example, edit_cell, remove_downloads):
        change(site)
        site.passes(builder=builder)
    is_as_new(site, builder)
    remove_example(site, ("shows", "moved", "cells"))
    site.passes(builder=builder)
    assert not (site.root / builder / "_cython").exists()
    is_as_new(site, builder)
