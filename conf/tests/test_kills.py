"""Killed, two at once, damaged: the next build is right, without anything being removed first."""

from __future__ import annotations

import os

import pytest
from support import SAMPLES, Site, Snapshot

HANG = """
import os, threading
from pathlib import Path

def hang(app, pagename, *rest):
    if pagename == os.environ.get("HANG_AT"):
        Path(app.outdir, "hanging").touch()
        threading.Event().wait()

def setup(app):
    app.connect("html-page-context", hang)
"""
SHOWS = "\n\n```{cython-listing} plain/add\n:function: add\n```\n"
PAGES = {
    "docs/a.md": f"# First{SHOWS}",
    "docs/cells.md": "# Cells\n\n```{code-cell}\nimport add\nprint(add.add(20, 1))\n```\n",
    "docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
    "docs/z.md": f"# Last{SHOWS}",
}


@pytest.fixture
def site(site: Site) -> Site:
    """A site with a cache of its own, not yet built."""
    return prepare(site)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory, cache) -> Snapshot:
    """The same site, built."""
    site = prepare(Site(tmp_path_factory.mktemp("built") / "site", cache))
    site.passes()
    is_right(site)
    return Snapshot(site)


@pytest.fixture
def built(snapshot: Snapshot) -> Site:
    return snapshot.restore()


def prepare(site: Site) -> Site:
    site = site.with_own_cache()
    site.configure(more=HANG)
    source = (SAMPLES / "plain/add.pyx").read_text()
    site.write(PAGES | {"examples/plain/add.pyx": source})
    return site


def forget(site: Site, pattern: str) -> None:
    """Take artefacts out of the cache."""
    for path in site.cache.glob(pattern):
        path.rename(site.root / f"forgotten-{path.name}")


def is_right(site: Site, line: str = "return a + b", output: str = "21") -> None:
    """Check every page."""
    for page in ("a", "z"):
        assert line in site.page(page).select_one(".cy-listing").get_text()
        assert len(site.page(page).select("footer, div.footer")) == 1, "the page is whole"
        assert site.page(page).select(".cy-c")
    assert site.page("cells").select_one(".cell_output").get_text().strip() == output


def test_killed_while_compiling(site: Site):
    forget(site, "plain.add-*")
    site.kill(lambda: list(site.cache.glob(".tmp-*/*.c")))
    assert list(site.cache.glob("plain.add-*")) == []
    assert site.passes().compiled == {"plain/add"}
    is_right(site)


def test_killed_while_executing(site: Site):
    started, hang = site.root / "started", site.root / "hang"
    hang.touch()
    cell = f"""
        # Cells

        ```{{code-cell}}
        import threading
        from pathlib import Path
        Path({str(started)!r}).touch()
        if Path({str(hang)!r}).exists():
            threading.Event().wait()
        print(21)
        ```
    """
    site.write({"docs/cells.md": cell})
    site.kill(started.exists)
    hang.unlink()
    assert site.passes().executed == {"cells"}
    is_right(site)


def test_killed_while_writing(built: Site):
    source = (SAMPLES / "plain/add.pyx").read_text()
    built.write({"examples/plain/add.pyx": source.replace("return a + b\n", "return b + a\n", 1)})
    hanging = built.root / "html/hanging"
    built.kill(hanging.exists, env={"HANG_AT": "cells"})
    # The first page was written, the last one was not; what was being written may be cut off.
    assert "b + a" in built.page("a").select_one(".cy-listing").get_text()
    assert "b + a" not in built.page("z").select_one(".cy-listing").get_text()
    os.truncate(built.root / "html/a.html", 2000)
    run = built.passes()
    assert (run.compiled, run.executed) == (set(), set()), "what was done is kept"
    is_right(built, "return b + a")
    assert built.passes().read == set()


def test_two_builds_at_once_into_one_folder(site: Site):
    forget(site, "plain.add-*")
    processes = [site.start() for _ in range(2)]
    ends = [(*process.communicate(), process.returncode) for process in processes]
    if all(code == 0 for *_, code in ends):
        is_right(site)
    site.passes()
    is_right(site)
    assert site.passes().read == set()


def test_damaged_artefacts_and_modules(built: Site):
    for path in built.cache.rglob("add.*"):
        os.truncate(path, path.stat().st_size // 2)
    built.write({"docs/cells.md": PAGES["docs/cells.md"].replace("20, 1", "40, 2")})
    built.write({"docs/a.md": PAGES["docs/a.md"] + "\nMore.\n"})
    run = built.passes()
    assert (run.compiled, run.executed) == ({"plain/add"}, {"cells"})
    is_right(built, output="42")


def test_a_damaged_module_that_cells_import(built: Site):
    (module,) = built.cache.glob("stage-*/add.*")
    module.write_bytes(b"")
    built.write({"docs/cells.md": PAGES["docs/cells.md"].replace("20, 1", "40, 2")})
    assert built.passes().compiled == set()
    is_right(built, output="42")


def test_damaged_outputs(built: Site):
    (kept,) = (built.cache / "executed").iterdir()
    text = kept.read_text()
    kept.write_text(text.replace("21\\n", "22\\n"))
    assert kept.read_text() != text
    built.write({"docs/cells.md": PAGES["docs/cells.md"] + "\nMore.\n"})
    assert built.passes().executed == {"cells"}
    is_right(built)


def test_a_damaged_environment(built: Site):
    os.truncate(built.root / "doctrees/environment.pickle", 1000)
    assert built.passes().executed == set()
    is_right(built)


def test_a_damaged_page_of_what_was_read(built: Site):
    os.truncate(built.root / "doctrees/a.doctree", 100)
    built.write({"docs/z.md": PAGES["docs/z.md"].replace("Last", "Very last")})
    (built.root / "html/a.html").unlink()
    assert built.build().code != 0
    built.passes()
    is_right(built)
