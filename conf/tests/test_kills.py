"""Killed, two at once, damaged: the next build is right, without anything being removed first."""

from __future__ import annotations

import os

import pytest
from support import SAMPLES, Site, Snapshot

# Stops for ever, or with an error, when a page is written or has been read.
HANG = """
import os, threading
from pathlib import Path

class Unpicklable:
    def __init__(self, app):
        self.app = app
    def __reduce__(self):
        hang(self.app, "pickle")

def hang(app, where, *rest):
    if where == os.environ.get("FAIL_AT"):
        raise RuntimeError("told to fail")
    if where == os.environ.get("HANG_AT"):
        Path(app.outdir, "hanging").touch()
        threading.Event().wait()

def hang_after_reading(app, doctree):
    hang(app, f"read {app.env.docname}")

def hang_in_pickle(app, env):
    if os.environ.get("HANG_AT") == "pickle":
        env.unpicklable = Unpicklable(app)

def setup(app):
    app.connect("html-page-context", hang)
    app.connect("doctree-read", hang_after_reading)
    app.connect("env-updated", hang_in_pickle)
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


def edit_example(site: Site) -> None:
    source = (SAMPLES / "plain/add.pyx").read_text()
    site.write({"examples/plain/add.pyx": source.replace("return a + b\n", "return b + a\n", 1)})


def restore_example(site: Site) -> None:
    site.write({"examples/plain/add.pyx": (SAMPLES / "plain/add.pyx").read_text()})


EVERY_PAGE = {"a", "cells", "index", "z"}


def test_killed_while_writing(built: Site):
    edit_example(built)
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "cells"})
    # The first page was written, the last one was not; what was being written may be cut off.
    assert "b + a" in built.page("a").select_one(".cy-listing").get_text()
    assert "b + a" not in built.page("z").select_one(".cy-listing").get_text()
    for page in ("a", "index"):  # the second of them was not even to be written
        os.truncate(built.root / f"html/{page}.html", 2000)
    run = built.passes()
    assert (run.compiled, run.read, run.executed) == (set(), set(), set()), "what was done is kept"
    assert run.written == EVERY_PAGE
    is_right(built, "return b + a")
    run = built.passes()
    assert (run.read, run.written) == (set(), set())


def test_killed_while_writing_what_was_not_read(built: Site):
    (built.root / "html/a.html").unlink()
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "a"})
    (built.root / "html/a.html").write_text("<p>half a page")
    run = built.passes()
    assert (run.read, run.written) == (set(), EVERY_PAGE)
    is_right(built)


def test_killed_while_writing_the_search_index(built: Site):
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "search"})
    os.truncate(built.root / "html/searchindex.js", 500)
    built.passes()
    is_right(built)
    assert "Cells" in (built.root / "html/searchindex.js").read_text()


def test_killed_while_reading(built: Site):
    edit_example(built)
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "read z"})
    run = built.passes()
    assert {"a", "z"} <= run.read
    is_right(built, "return b + a")
    assert built.passes().written == set()


def test_killed_while_reading_what_is_undone_then(built: Site):
    """The page that was read before the kill must not come back when it is next written."""
    edit_example(built)
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "read z"})
    restore_example(built)
    built.passes()
    is_right(built)
    (built.root / "html/a.html").unlink()
    built.passes()
    is_right(built)


def test_killed_while_saving_the_environment(built: Site):
    edit_example(built)
    built.kill((built.root / "html/hanging").exists, env={"HANG_AT": "pickle"})
    restore_example(built)
    run = built.passes()
    assert run.read == EVERY_PAGE
    is_right(built)
    assert built.passes().written == set()


@pytest.mark.parametrize("where", ["read z", "cells"])
def test_stopped_by_an_error_of_another_extension(built: Site, where: str):
    edit_example(built)
    assert built.build(env={"FAIL_AT": where}).code == 2
    restore_example(built)
    built.passes()
    is_right(built)
    assert built.passes().written == set()


def test_a_build_that_does_not_begin_makes_nothing_outdated(built: Site):
    settings = (built.root / "docs/conf.py").read_text()
    built.write({"docs/conf.py": settings.replace("../examples", "../elsewhere")})
    assert built.build().code == 2
    built.write({"docs/conf.py": settings})
    run = built.passes()
    assert (run.read, run.written) == (set(), set())


def test_two_builders_that_share_what_was_read(built: Site):
    edit_example(built)
    built.passes(builder="text")
    assert "b + a" in (built.root / "text/a.txt").read_text()
    built.passes()
    is_right(built, "return b + a")
    assert built.passes().written == set()
    assert built.passes(builder="text").written == set()


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
