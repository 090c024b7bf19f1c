"""Digests decide what is compiled, read and executed again: all that must be, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from support import CONF, SAMPLES, Run, Site, Snapshot

PROFILES = (
    "QUICK, Profile('macro', 'a word', ('-O0',), (('ANSWER', '42'),), examples=('*/answer',)),"
)
ADD, ANSWER = "examples/plain/add.pyx", "examples/plain/answer.pyx"

PAGES = {
    "index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
    "prose.md": "# Prose\n\nAnd nothing else.\n",
    "shows.md": """
        # Shows an example

        ```{cython-excerpt} plain/add
        :function: add
        :line: return a + b
        ```
    """,
    "imports.md": """
        # Imports an example

        ```{code-cell}
        import add
        print(add.add(20, 1))
        ```
    """,
    "variant.md": """
        # Imports a variant

        ```{code-cell}
        from variants.macro import answer
        answer.answer()
        ```
    """,
    "helped.md": """
        # Imports a helper

        ```{code-cell}
        import drawing
        print(drawing.draw())
        ```
    """,
    "other.rst": """
        Shows another
        =============

        .. cython-listing:: plain/answer
    """,
    "own.md": "# The page of an example\n\n```{cython-example} plain/add\n```\n",
    "gallery.md": "# All examples\n\n```{cython-gallery}\n```\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory, cache) -> Snapshot:
    """A site that was built by parallel readers."""
    site = Site(tmp_path_factory.mktemp("rebuild") / "site", cache)
    for name in ("add", "answer"):
        site.write({f"examples/plain/{name}.pyx": (SAMPLES / f"plain/{name}.pyx").read_text()})
    site.write({f"docs/{name}": text for name, text in PAGES.items()})
    site.write({"helpers/drawing.py": "def draw():\n    return 'a circle'\n"})
    # A cache of its own: nothing that another test executed may spare an execution here.
    site = site.with_own_cache()
    site.configure(PROFILES)
    site.passes("-j", "2")
    return Snapshot(site)


@pytest.fixture
def site(built: Snapshot) -> Site:
    return built.restore()


def done(run: Run) -> tuple[set[str], set[str], set[str]]:
    return run.compiled, run.read, run.executed


def edit(site: Site, name: str, old: str, new: str, keep_time: bool = False) -> None:
    path = site.root / name
    before = path.stat()
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def text_of(site: Site, page: str) -> str:
    return site.page(page).select_one("div.body").get_text()


def test_without_a_change_nothing_happens(site: Site):
    run = site.passes()
    assert done(run) == (set(), set(), set())
    assert run.written == set()


def test_touched_files_that_did_not_change_change_nothing(site: Site):
    for name in (ADD, "helpers/drawing.py"):
        os.utime(site.root / name)
    assert done(site.passes()) == (set(), set(), set())


def test_an_edit_of_prose_reads_that_page_only_and_executes_nothing(site: Site):
    edit(site, "docs/imports.md", "# Imports an example", "# Imports an example, of course")
    run = site.passes()
    assert done(run) == (set(), {"imports"}, set())
    assert "of course" in text_of(site, "imports")
    assert "21" in text_of(site, "imports")


def test_an_edit_of_a_cell_executes_that_page_only(site: Site):
    edit(site, "docs/imports.md", "add(20, 1)", "add(30, 1)")
    assert done(site.passes()) == (set(), {"imports"}, {"imports"})
    assert "31" in text_of(site, "imports")


def test_an_edit_of_an_example_reaches_the_pages_that_show_or_import_it(site: Site):
    old, new = "def add(a, b):\n", "def add(a, b):\n    a += 100\n"
    edit(site, ADD, old, new, keep_time=True)
    run = site.passes()
    assert done(run) == ({"plain/add"}, {"shows", "imports", "own"}, {"imports"})
    assert "121" in text_of(site, "imports")
    assert "add.pyx:9" in text_of(site, "shows")
    assert "a += 100" in text_of(site, "own")
    assert "a += 100" in (site.root / "html/_cython/plain-add/add.pyx").read_text()
    # Back again, to what is still in the cache.
    edit(site, ADD, new, old)
    assert done(site.passes()) == (set(), {"shows", "imports", "own"}, {"imports"})
    assert "add.pyx:8" in text_of(site, "shows")


def test_an_edit_of_an_example_builds_all_its_variants(site: Site):
    edit(site, ANSWER, "return ANSWER", "return ANSWER + 1")
    run = site.passes("-j", "2")
    assert run.compiled == {"plain/answer", "plain/answer@macro"}
    assert run.executed == {"variant"}
    assert "43" in text_of(site, "variant")
    assert "ANSWER + 1" in text_of(site, "other")


def test_an_edit_of_a_helper_executes_the_pages_that_import_it(site: Site):
    edit(site, "helpers/drawing.py", "a circle", "a square", keep_time=True)
    assert done(site.passes()) == (set(), {"helped"}, {"helped"})
    assert "a square" in text_of(site, "helped")


def test_a_change_of_a_profile_builds_and_executes_what_is_under_it(site: Site):
    edit(site, "docs/conf.py", "'42'", "'43'")
    run = site.passes()
    assert (run.compiled, run.executed) == ({"plain/answer@macro"}, {"variant"})
    assert "43" in text_of(site, "variant")


def test_a_change_in_how_a_profile_is_described_compiles_and_executes_nothing(site: Site):
    edit(site, "docs/conf.py", "'a word'", "'another word'")
    run = site.passes()
    assert (run.compiled, run.executed) == (set(), set())
    assert run.read == {Path(name).stem for name in PAGES}


def test_a_change_of_the_extension_itself_makes_every_page_anew(site: Site, tmp_path: Path):
    shutil.copytree(CONF / "sphinx_cython", tmp_path / "sphinx_cython")
    env = {"PYTHONPATH": str(tmp_path)}
    assert site.passes(env=env).read == set(), "where it is does not matter"
    with (tmp_path / "sphinx_cython" / "templates" / "listing.html").open("a") as file:
        file.write("{# changed #}\n")
    run = site.passes(env=env)
    assert run.read == {Path(name).stem for name in PAGES}
    assert (run.compiled, run.executed) == (set(), set())


def test_pages_of_an_example_that_is_gone_are_read_and_complain(site: Site):
    (site.root / ADD).unlink()
    run = site.fails()
    assert run.read == {"shows", "imports", "own"}
    assert len(run.warnings) == 3
    text = re.sub(r"\s+", " ", run.err)
    assert text.count("no example 'plain/add'; nearest: 'plain/answer'") == 2
    assert "No module named 'add'" in text


def test_files_of_an_example_that_is_gone_are_gone_from_the_site(site: Site):
    (site.root / ANSWER).unlink()
    (site.root / "docs/other.rst").unlink()
    (site.root / "docs/variant.md").unlink()
    site.passes()
    assert {path.name for path in (site.root / "html/_cython").iterdir()} == {"plain-add"}


# --- what one page says of others


def test_a_gallery_follows_the_docstrings_of_the_examples(site: Site):
    edit(site, ADD, "Adding, with nothing typed.", "Adding, and nothing but adding.")
    site.passes()
    assert "nothing but adding" in text_of(site, "gallery")


def test_a_gallery_follows_the_pages_there_are(site: Site):
    site.write({"docs/second.md": "# Second\n\n```{cython-example} plain/answer\n```\n"})
    run = site.passes()
    assert "A number that a macro can change." in text_of(site, "gallery")
    assert run.read == {"second", "index"} or run.read == {"second"}
    (site.root / "docs/second.md").unlink()
    site.passes()
    assert "A number that a macro can change." not in text_of(site, "gallery")


def test_links_to_the_page_of_an_example_follow_it(site: Site):
    link = 'a[href="own.html#add-L8"]'
    assert site.page("shows").select(link)
    (site.root / "docs/own.md").rename(site.root / "docs/moved.md")
    site.passes()
    assert not site.page("shows").select(link)
    assert site.page("shows").select('a[href="moved.html#add-L8"]')
