"""Examples as objects of Sphinx: references to them, the inventory, and pages that follow them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile
from support import SAMPLES, Run, Site, Snapshot

REFERENCES = {
    "{cython:example}`plain/add`": ("plain/add", "own.html"),
    "{cython:example}`add`": ("add", "own.html"),
    "{cython:example}`adding numbers <add>`": ("adding numbers", "own.html"),
    "{cython:func}`plain/add::add`": ("add()", "own.html#add-L7"),
    "{cython:func}`add::add_three()`": ("add_three()", "own.html#add-L11"),
    "{cython:func}`three <add::add_three>`": ("three", "own.html#add-L11"),
    "{cython:line}`add::add > return a + b`": ("return a + b", "own.html#add-L8"),
    "{cython:line}`add > return a + b + c`": ("return a + b + c", "own.html#add-L12"),
    "{any}`plain/add`": ("plain/add", "own.html"),
    "{any}`plain/add::add`": ("plain/add::add", "own.html#add-L7"),
    "[the function](<plain/add::add>)": ("the function", "own.html#add-L7"),
    "{cython:example}`answer`": ("answer", "both.html#answer-L1"),
}
PAGES = {
    "index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
    "own.md": "# Adding\n\n```{cython-example} plain/add\n```\n",
    "both.rst": "Both\n====\n\n.. cython-example:: answer\n\n.. cython-example:: third\n",
    "rest.rst": "Rest\n====\n\n:cython:func:`add::add`\n",
    "refers.md": "# Refers\n\n" + "\n\n".join(REFERENCES) + "\n",
}
ADD = "examples/plain/add.pyx"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory, cache) -> Snapshot:
    site = Site(tmp_path_factory.mktemp("domain") / "site", cache)
    for name in ("add", "answer"):
        site.write({f"examples/plain/{name}.pyx": (SAMPLES / f"plain/{name}.pyx").read_text()})
    site.write({"examples/third.pyx": "def third():\n    return 3\n"})
    site.write({f"docs/{name}": text for name, text in PAGES.items()})
    site.configure()
    site.passes("-j", "2")
    return Snapshot(site)


@pytest.fixture
def site(snapshot: Snapshot) -> Site:
    return snapshot.restore()


def links(site: Site, page: str, out: str = "html") -> list[tuple[str, str]]:
    """The text and address of the links in the text of a page."""
    found = site.page(page, out).select("div.body p a.reference.internal")
    return [(link.get_text(), str(link["href"])) for link in found]


def replace(site: Site, name: str, old: str, new: str) -> None:
    path = site.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def warnings(site: Site, run: Run) -> list[str]:
    return sorted(line.replace(f"{site.root}/", "") for line in run.warnings)


# --- references


def test_references_to_examples_functions_and_lines(site: Site):
    assert links(site, "refers") == list(REFERENCES.values())
    assert links(site, "rest") == [("add()", "own.html#add-L7")]
    for _text, address in REFERENCES.values():
        page, _, anchor = address.partition("#")
        if anchor:
            assert site.page(page.removesuffix(".html")).find(id=anchor), address


@pytest.mark.parametrize("builder", ["dirhtml", "singlehtml", "text", "latex"])
def test_references_with_other_builders(site: Site, builder: str):
    site.passes(builder=builder)
    if builder == "dirhtml":
        assert ("add()", "../own/#add-L7") in links(site, "refers/index", builder)
    if builder == "singlehtml":
        found = dict(links(site, "index", builder))
        assert found["add()"] == "#own/add-L7"
        assert found["plain/add"] == "#document-own"
        assert site.page("index", builder).find(id="own/add-L7")
    if builder == "text":
        assert "add()" in (site.root / "text/refers.txt").read_text()


DANGLING = {
    "{cython:example}`ad`": "no example 'ad'; nearest: 'hidden', 'plain/add', ",
    "{cython:example}`hidden`": "example 'hidden' has no page of its own (cython-example); nearest",
    "{cython:func}`add::ad`": "no function 'ad' in plain/add.pyx; nearest: 'add'",
    "{cython:func}`add`": "'add' names no function; write example::function",
    "{cython:line}`add::add > return a + c`": "no line 'return a + c' in add() of plain/add.pyx; ",
    "{cython:line}`add::add`": "'add::add' names no line; write example::function > text",
}


def test_a_reference_to_nothing_is_reported_until_it_leads_somewhere(site: Site):
    site.write(
        {
            "examples/hidden.pyx": "x = 1\n",
            "docs/refers.md": "# Refers\n\n" + "\n\n".join(DANGLING) + "\n",
        }
    )
    first = site.fails()
    for number, (line, words) in enumerate(
        zip(first.warnings, DANGLING.values(), strict=True), start=0
    ):
        place = f"{site.root}/docs/refers.md:{3 + 2 * number}: WARNING: "
        assert line.startswith(place + words), line
        assert line.endswith("[cython.ref]")
    second = site.fails()
    assert (second.read, second.written) == (set(), {"index", "refers"}), "no page is read"
    assert second.warnings == first.warnings
    site.write({"docs/hidden.md": "# Hidden\n\n```{cython-example} hidden\n```\n"})
    run = site.fails()
    assert len(run.warnings) == len(DANGLING) - 1
    assert "refers" not in run.read
    assert ("hidden", "hidden.html") in links(site, "refers")
    site.write({"docs/refers.md": "# Refers\n"})
    assert site.passes().read == {"refers"}


def test_a_reference_follows_the_line_and_the_page_it_leads_to(site: Site):
    replace(site, ADD, "\n\ndef add(", "\n\n\ndef add(")
    run = site.passes()
    assert (run.read, run.written) == ({"own"}, {"own", "index", "refers", "rest"})
    assert ("add()", "own.html#add-L8") in links(site, "refers")
    assert links(site, "rest") == [("add()", "own.html#add-L8")]
    (site.root / "docs/own.md").rename(site.root / "docs/moved.md")
    run = site.passes()
    assert run.read == {"moved", "index"}
    assert ("plain/add", "moved.html") in links(site, "refers")
    assert ("plain/add", "moved.html") in links(site, "refers"), "an `any` follows, too"


def test_a_reference_to_an_example_whose_page_is_gone(site: Site):
    (site.root / "docs/own.md").unlink()
    run = site.fails()
    assert run.read == {"index"}
    assert {"refers", "rest"} <= run.written
    assert "docs/rest.rst:4: WARNING: example 'plain/add' has no page" in "".join(
        warnings(site, run)
    )


def test_an_example_that_does_not_compile_keeps_its_place(site: Site):
    replace(site, ADD, "return a + b\n", "return nothing\n")
    replace(site, "docs/refers.md", "add::add > return a + b", "add::add > return nothing")
    (line,) = warnings(site, site.fails())
    assert "plain/add does not compile" in line
    assert ("add()", "own.html#add-L7") in links(site, "refers")


def test_links_lead_to_the_listing_that_there_is(site: Site):
    """Under another profile, its ids are others."""
    site.configure("QUICK, Profile('other', flags=('-O0',), examples=('*/add',)),")
    site.write({"docs/own.md": "# Adding\n\n```{cython-example} add\n:profile: other\n```\n"})
    site.passes()
    ((_text, address),) = links(site, "rest")
    assert site.page("own").find(id=address.partition("#")[2])


def test_the_inventory_lists_examples_and_functions(site: Site):
    inventory = InventoryFile.loads((site.root / "html/objects.inv").read_bytes(), uri="")
    found = {
        (kind, name): item.uri
        for kind, items in inventory.data.items()
        for name, item in items.items()
        if kind.startswith("cython:")
    }
    assert found == {
        ("cython:example", "plain/add"): "own.html",
        ("cython:example", "plain/answer"): "both.html#answer-L1",
        ("cython:example", "third"): "both.html#third-L1",
        ("cython:function", "plain/add::add"): "own.html#add-L7",
        ("cython:function", "plain/add::add_three"): "own.html#add-L11",
        ("cython:function", "plain/answer::answer"): "both.html#answer-L12",
        ("cython:function", "third::third"): "both.html#third-L1",
    }


# --- an example with two pages


def test_an_example_with_two_pages_is_reported_and_all_links_lead_to_the_first(site: Site):
    site.write(
        {
            "docs/again.md": "# Again\n\n```{cython-example} third\n```\n",
            "docs/zoo.rst": "Zoo\n===\n\n.. cython-example:: plain/add\n",
            "docs/gallery.md": "# Gallery\n\n```{cython-gallery}\n```\n",
            "docs/shows.md": "# Shows\n\n```{cython-excerpt} third\n:function: third\n"
            ":line: return 3\n```\n\n{cython:example}`third`\n",
        }
    )
    run = site.fails("-j", "2")
    complaints = [
        "docs/both.rst:6: WARNING: example 'third' has a page already, again; links lead there "
        "[cython.duplicate]",
        "docs/zoo.rst:4: WARNING: example 'plain/add' has a page already, own; links lead there "
        "[cython.duplicate]",
    ]
    assert warnings(site, run) == complaints
    assert links(site, "refers") == list(REFERENCES.values())
    for page in ("gallery", "shows"):
        found = {str(link["href"]) for link in site.page(page).select("div.body a")}
        assert {href.partition("#")[0] for href in found if "third" in href or "again" in href} == {
            "again.html"
        }, page
    second = site.fails()
    assert second.read == set()
    assert warnings(site, second) == complaints
    site.write({"docs/again.md": "# Again\n"})
    (site.root / "docs/zoo.rst").unlink()
    site.passes()
    assert site.page("shows").select('a[href="both.html#third-L2"]')


def test_an_example_that_has_its_page_twice(site: Site):
    site.write({"docs/rest.rst": PAGES["both.rst"].replace("third", "answer")})
    (site.root / "docs/both.rst").unlink()
    site.write({"docs/refers.md": "# Refers\n"})
    (line,) = warnings(site, site.fails())
    assert line.startswith("docs/rest.rst:6: WARNING: example 'plain/answer' has a page already")


# --- what one page shows of others


def test_a_gallery_of_all_folders_gets_a_new_folder(site: Site):
    site.write({"docs/gallery.md": "# Gallery\n\n```{cython-gallery}\n```\n"})
    site.passes()
    site.write(
        {
            "examples/fresh/new.pyx": '"""Fresh."""\n',
            "docs/new.md": "# New\n\n```{cython-example} fresh/new\n```\n",
        }
    )
    run = site.passes()
    assert "gallery" not in run.read
    assert "Fresh." in site.page("gallery").select_one("div.body").get_text()


def test_a_gallery_follows_the_titles_of_pages_that_show_an_example(site: Site):
    shows = "# Shows\n\n```{cython-listing} third\n:function: third\n```\n"
    site.write({"docs/gallery.md": "# Gallery\n\n```{cython-gallery}\n```\n"})
    site.write({"docs/shows.md": shows})
    site.passes()
    assert "Shown in: Shows" in site.page("gallery").get_text()
    site.write({"docs/shows.md": shows.replace("# Shows", "# Tells")})
    run = site.passes()
    assert run.read == {"shows"}
    assert "Shown in: Tells" in site.page("gallery").get_text()


def test_the_link_to_the_key_follows_its_page(site: Site):
    site.write({"docs/second.md": "# Second\n\n```{cython-key}\n```\n"})
    site.passes()
    assert site.page("own").select_one("a.cy-what")["href"] == "second.html"
    site.write({"docs/first.md": "# First\n\n```{cython-key}\n```\n"})
    run = site.passes()
    assert "own" not in run.read
    assert site.page("own").select_one("a.cy-what")["href"] == "first.html"
    for name in ("first", "second"):
        (site.root / f"docs/{name}.md").unlink()
    site.passes()
    assert not site.page("own").select("a.cy-what")


def test_a_measurement_that_failed_once_is_shown_when_it_succeeds(site: Site):
    site.write(
        {
            "docs/costs.md": "# Costs\n\n```{cython-comparison} return 3\n:example: third\n"
            ":setup: import pathlib\n\n"
            f"third | Third | third() + len(pathlib.Path({str(site.root / 'n')!r}).read_text())\n"
            "```\n"
        }
    )
    (line,) = warnings(site, site.fails())
    assert line.startswith("docs/costs.md:3: WARNING: a measurement failed")
    assert site.fails().read == set()
    (site.root / "n").write_text("")
    run = site.passes()
    assert run.read == set()
    assert site.page("costs").select(".cy-ratio")


# --- what is kept between builds


def test_data_of_another_version_is_discarded(site: Site):
    path = site.root / "doctrees/environment.pickle"
    env = pickle.loads(path.read_bytes())
    env.domaindata["cython"] = {"version": 0, "pages": {"index": "of an older class"}}
    path.write_bytes(pickle.dumps(env))
    assert site.passes().read == {Path(name).stem for name in PAGES}
    assert site.passes().read == set()


def test_a_pickle_of_a_class_that_is_gone_is_discarded(site: Site):
    path = site.root / "doctrees/environment.pickle"
    path.write_bytes(path.read_bytes().replace(b"PageRecord", b"PageRekord"))
    assert site.passes().read == {Path(name).stem for name in PAGES}


def test_pages_named_on_the_command_line_are_written_and_others_later(site: Site):
    replace(site, ADD, "Adding, with", "Adding up, with")
    arguments = ["-n", "-T", "-W", "-b", "html", "-d", "doctrees", "docs", "html", "docs/index.md"]
    site.arguments = lambda *options, builder="html": arguments  # type: ignore[method-assign]
    run = site.build()
    assert (run.code, run.err) == (0, "")
    del site.arguments
    assert "Adding up" not in site.page("own").get_text()
    run = site.passes()
    assert run.read == set()
    assert "Adding up" in site.page("own").get_text()
