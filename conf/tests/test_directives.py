"""Each directive, in MyST and in reStructuredText, for every builder."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path
from textwrap import indent

import pytest
from bs4 import Tag
from docutils import nodes
from support import SAMPLES, Site

from sphinx_cython.components.base import cython_node
from sphinx_cython.components.listing import Listing

PROFILES = """
    QUICK,
    Profile('macro', 'with a macro', ('-O0',), (('ANSWER', '42'),), examples=('*/answer',)),
"""

FOUR = """
from_object | Untyped object | item(a, 1)
from_buffer | NumPy buffer
from_view | Typed memoryview | item(a, 2)
from_pointer
"""
# Each page is one directive: name, argument, options, content.
DIRECTIVES = {
    "listing": ("cython-listing", "ways", {}, ""),
    "function": ("cython-listing", "ways", {"function": "unchecked", "name": "some-name"}, ""),
    "excerpt": ("cython-excerpt", "ways", {"function": "from_view", "line": "return a[i]"}, ""),
    "comparison": (
        "cython-comparison",
        "return a[i]",
        {"example": "ways", "setup": '"import numpy; a = numpy.arange(9.0)"', "cost": "cost of it"},
        FOUR,
    ),
    "across": (
        "cython-comparison",
        "return ANSWER",
        {},
        "answer::answer | Without\nanswer::answer@macro | With\nplain/add::add > return a + b",
    ),
    "utility": ("cython-utility", "ways", {}, "__Pyx_GetItemInt_Fast\n__Pyx_memviewslice"),
    "assembly": ("cython-assembly", "ways", {"function": "total", "line": "result += a[i]"}, ""),
    "scores": (
        "cython-comparison",
        "return a[i]",
        {"example": "ways", "score": ""},
        "from_object | Object\nfrom_view | View",
    ),
    "refusal": ("cython-refusal", "refused/address", {}, ""),
    "example": ("cython-example", "plain/add", {}, ""),
    "variant": ("cython-listing", "plain/answer", {"profile": "macro"}, ""),
    "gallery": ("cython-gallery", "", {}, ""),
    "key": ("cython-key", "", {}, ""),
}


def md(name: str, argument: str, options: dict[str, str], content: str) -> str:
    lines = [f"```{{{name}}} {argument}", *(f":{key}: {value}" for key, value in options.items())]
    return "\n".join([*lines, *(["", content] if content else []), "```", ""])


def rst(name: str, argument: str, options: dict[str, str], content: str) -> str:
    # What needs quotes in MyST, where options are YAML, needs none here.
    lines = [f":{key}: {value.strip(chr(34))}" for key, value in options.items()]
    return f".. {name}:: {argument}\n" + indent("\n".join([*lines, "", content, ""]), "   ")


INDEX_MD = "# Index\n\n```{toctree}\n:glob:\n*\n```\n\nSee {ref}`there <some-name>`.\n"
INDEX_RST = "Index\n=====\n\n.. toctree::\n   :glob:\n\n   *\n\nSee :ref:`there <some-name>`.\n"
CELLS = """
    # Cells

    ```{code-cell}
    import answer
    from variants.macro import answer as other
    print("without", answer.answer(), "with", other.answer())
    ```

    ```{code-cell}
    object()
    ```
"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory, cache) -> dict[str, Site]:
    """The same site twice, in MyST and in reStructuredText."""
    made = {}
    for syntax, write, index in (("md", md, INDEX_MD), ("rst", rst, INDEX_RST)):
        site = Site(tmp_path_factory.mktemp(syntax), cache)
        shutil.copytree(SAMPLES, site.root / "examples")
        site.configure(PROFILES)
        heading = "# {0}\n\n" if syntax == "md" else "{0}\n==============\n\n"
        site.write({f"docs/index.{syntax}": index})
        for page, parts in DIRECTIVES.items():
            site.write({f"docs/{page}.{syntax}": heading.format(page.title()) + write(*parts)})
        made[syntax] = site
    made["md"].write({"docs/cells.md": CELLS})
    for site in made.values():
        site.passes()
    return made


@pytest.fixture(scope="module", params=["md", "rst"])
def site(request, sites: dict[str, Site]) -> Site:
    return sites[request.param]


def line_of(name: str, line: str, function: str | None = None) -> int:
    from sphinx_cython.core.example import Examples

    return Examples.scan(SAMPLES)[name].find_line(line, function)


def data(site: Site, page: str):
    """The data of the one node of a page."""
    (node,) = site.doctree(page).findall(cython_node)
    return node["data"]


def pick(site: Site, page: str, selector: str) -> Tag:
    (element,) = site.page(page).select(selector)
    return element


def shown_c(site: Site, page: str, selector: str = ".cy-c:not(.cy-essential)") -> list[str]:
    return [site.exact_c(element) for element in site.page(page).select(selector)]


def raw(site: Site, folder: str, number: int) -> str:
    return site.raw_c(folder, number).rstrip() + "\n"


# --- one directive after the other


def test_a_listing_has_every_line_and_the_exact_c_of_each(site: Site):
    source = (SAMPLES / "ways.pyx").read_text().splitlines()
    listing = data(site, "listing")
    assert isinstance(listing, Listing)
    assert [line.source for line in listing.lines] == source
    rows = site.page("listing").select(".cy-lines > .cy-line")
    assert [row.select_one(".cy-src").get_text() for row in rows] == [
        line or " " for line in source
    ]
    opened = 0
    for number, row in enumerate(rows, 1):
        assert row["id"] == f"ways-L{number}"
        assert row.select_one("a.cy-no")["href"] == f"#ways-L{number}"
        if c := row.select_one(".cy-c"):
            assert site.exact_c(c) == raw(site, "ways", number)
            opened += 1
    assert opened > 15
    assert opened == sum(line.excerpt is not None for line in listing.lines)


def test_a_listing_links_to_its_source_its_c_and_cythons_own_page(site: Site):
    links = [a["href"] for a in site.page("listing").select(".cy-links a")]
    assert [Path(link).suffix for link in links] == [".pyx", ".c", ".html"]
    for link in links:
        assert (site.root / "html" / link).is_file()
    published = (site.root / "html" / links[0]).read_text()
    assert published == (SAMPLES / "ways.pyx").read_text()


def test_a_listing_of_a_function_has_its_lines_only_and_ids_of_its_own(site: Site):
    numbers = [line.number for line in data(site, "function").lines]
    first = line_of("ways", "def unchecked(double[:, ::1] a, Py_ssize_t i, Py_ssize_t j):") - 2
    assert numbers == list(range(first, first + 4))
    ids = [row["id"] for row in site.page("function").select(".cy-line")]
    assert len(set(ids)) == 4
    assert not any(re.fullmatch(r"ways-L\d+", name) for name in ids)


def test_a_name_can_be_referred_to(site: Site):
    assert pick(site, "function", "#some-name")
    assert site.page("index").select_one('a[href="function.html#some-name"]')


def test_an_excerpt_is_the_exact_c_of_the_line(site: Site):
    number = line_of("ways", "return a[i]", "from_view")
    shown = data(site, "excerpt")
    assert (shown.number, shown.function, shown.source) == (number, "from_view", "return a[i]")
    assert shown_c(site, "excerpt") == [raw(site, "ways", number)]
    assert shown.excerpt.text == raw(site, "ways", number)
    head = pick(site, "excerpt", ".cy-head").get_text()
    assert "return a[i]" in head
    assert "from_view(double[:] a, Py_ssize_t i)" in head
    assert f"ways.pyx:{number}" in head


def test_a_comparison_has_the_exact_c_and_the_counts_of_every_row(site: Site):
    functions = ["from_object", "from_buffer", "from_view", "from_pointer"]
    rows = site.page("comparison").select(".cy-row")
    labels = ["Untyped object", "NumPy buffer", "Typed memoryview", "from_pointer"]
    assert [row.select_one("b").get_text() for row in rows] == labels
    c = [raw(site, "ways", line_of("ways", "return a[i]", function)) for function in functions]
    assert shown_c(site, "comparison") == c
    counts = [row.select_one(".cy-count").get_text() for row in rows]
    assert counts == ["2 calls", "0 calls", "0 calls", "0 calls"]
    essence = [row.select_one(".cy-essential").get_text() for row in rows]
    assert essence[3] == "(__pyx_v_a[__pyx_v_i])"
    assert all(essence)


def test_costs_are_measured_where_asked_and_are_all_that_is_volatile(site: Site):
    rows = site.page("comparison").select(".cy-row")
    ratios = [r.get_text() if (r := row.select_one(".cy-ratio")) else None for row in rows]
    assert ratios[1] is ratios[3] is None
    assert "1.0 ×" in (ratios[0], ratios[2])
    volatile = site.page("comparison").select(".volatile")
    assert len(volatile) == 5, "two bars, two ratios and the name of the machine"
    others = [page for page in DIRECTIVES if site.page(page).select(".volatile")]
    assert others == ["comparison"]


def test_a_comparison_reaches_across_examples_profiles_and_lines(site: Site):
    rows = data(site, "across").rows
    assert [(r.label, r.line.origin.profile, r.line.source) for r in rows] == [
        ("Without", "default", "return ANSWER"),
        ("With", "macro", "return ANSWER"),
        ("add", "default", "return a + b"),
    ]
    number = line_of("plain/answer", "return ANSWER")
    c = [raw(site, folder, number) for folder in ("plain-answer", "plain-answer--macro")]
    add = line_of("plain/add", "return a + b")
    assert shown_c(site, "across") == [*c, raw(site, "plain-add", add)]


def test_utility_code_is_the_exact_c_of_the_file(site: Site):
    c = (site.root / "html/_cython/ways/ways.c").read_text().split("\n")
    definitions = data(site, "utility").definitions
    assert [d.name for d in definitions] == ["__Pyx_GetItemInt_Fast", "__Pyx_memviewslice"]
    blocks = shown_c(site, "utility")
    for definition, block in zip(definitions, blocks, strict=True):
        lines = block.count("\n")
        assert block == "\n".join(c[definition.first - 1 :][:lines]) + "\n"
    folds = pick(site, "utility", ".cy-excerpt").select("details > summary")
    assert folds
    assert all("not compiled in this build" in fold.get_text() for fold in folds)


def test_assembly_shows_each_instruction_and_marks_those_of_the_line(site: Site):
    machine = data(site, "assembly")
    number = line_of("ways", "result += a[i]", "total")
    assert machine.number == number
    loop, *others = machine.loops
    shown = site.page("assembly").select(".cy-assembly > .cy-loop .cy-asm")
    assert [row.select_one("code").get_text() for row in shown] == [
        item.text for item in loop.instructions
    ]
    own = [row.select_one("code").get_text() for row in shown if "cy-asm-other" not in row["class"]]
    assert own == [item.text for item in loop.instructions if item.line == number]
    assert own
    assert len(site.page("assembly").select(".cy-assembly > .cy-fold")) == len(others)
    caption = pick(site, "assembly", ".cy-foot").get_text()
    assert "Cython" in caption
    assert caption.endswith(platform.machine())


def test_scores_are_those_of_cython(site: Site):
    rows = data(site, "scores").rows
    lines = site.page("scores").select(".cy-score")
    assert [line.get_text() for line in lines] == [f"score {row.line.score}" for row in rows]
    assert rows[0].line.score > 0
    assert not site.page("comparison").select(".cy-score")


def test_a_refusal_shows_source_and_words(site: Site):
    refusal = data(site, "refusal")
    assert refusal.source == (SAMPLES / "refused/address.pyx").read_text()
    ((line, column, words),) = refusal.problems
    assert (line, column) == (5, 20)
    said = pick(site, "refusal", ".cy-line:nth-of-type(5) .cy-said").get_text()
    assert said == f"5:20 {words}"
    assert "Cython refuses this" in pick(site, "refusal", ".cy-badge").get_text()


def test_the_page_of_an_example_has_its_docstring_and_is_what_others_link_to(site: Site):
    page = site.page("example")
    assert (
        "The second paragraph is no part of the summary." in page.select_one("p").parent.get_text()
    )
    assert len(page.select(".cy-line")) == len((SAMPLES / "plain/add.pyx").read_text().splitlines())
    number = line_of("plain/add", "return a + b")
    link = f"example.html#add-L{number}"
    assert site.page("across").select_one(f'a[href="{link}"]')
    assert page.select_one(f"#add-L{number}")


def test_a_gallery_lists_the_pages_of_examples_with_their_summaries(site: Site):
    (entry,) = site.page("gallery").select("ul.cy-gallery > li")
    link = entry.select_one(".cy-name a")
    assert (link.get_text(), link["href"]) == ("plain/add", "example.html")
    assert "Adding, with nothing typed." in entry.get_text()
    assert "add" in [name.get_text() for name in entry.select(".cy-functions code")]


def test_a_variant_names_its_profile(site: Site):
    listing = data(site, "variant")
    assert (listing.origin.profile, listing.origin.invocation) == ("macro", "-O0 -DANSWER=42")
    assert pick(site, "variant", ".cy-title .cy-profile").get_text() == "macro"
    assert "-DANSWER=42" in pick(site, "variant", ".cy-foot").get_text()


@pytest.mark.parametrize("page", [p for p in DIRECTIVES if p != "comparison"])
def test_both_syntaxes_give_the_same_html(sites: dict[str, Site], page: str):
    ours = '[class^="cy-"], ul.cy-gallery'
    one, other = ([str(e) for e in s.page(page).select(ours)] for s in sites.values())
    assert one
    assert one == other


def test_both_syntaxes_give_the_same_comparison_but_for_what_is_measured(sites: dict[str, Site]):
    pages = []
    for site in sites.values():
        page = site.page("comparison")
        for element in page.select(".volatile"):
            element.decompose()
        pages.append(str(page.select_one(".cy-cmp")))
    assert pages[0] == pages[1]


# --- cells


def test_cells_import_examples_and_variants_and_their_output_is_on_the_page(sites):
    outputs = sites["md"].page("cells").select(".cell_output")
    assert outputs[0].get_text().strip() == "without 1 with 42"


def test_addresses_in_outputs_are_symbolic(sites):
    outputs = sites["md"].page("cells").select(".cell_output")
    assert outputs[1].get_text().strip() == "<object at 0x…>"


# --- what must not be there


def test_generated_names_are_not_in_the_search_index(site: Site):
    index = (site.root / "html/searchindex.js").read_text()
    assert "paragraph" in index, "the docstring of an example is"
    for word in ("pyx", "gotref", "memviewslice", "xdecref"):
        assert word not in index.lower()


def test_nothing_is_kept_in_the_pages_that_names_this_machines_folders(site: Site):
    for path in (site.root / "html").rglob("*"):
        if path.suffix in {".html", ".c", ".js"}:
            text = path.read_text(encoding="utf-8")
            assert str(site.root) not in text, path
            assert str(site.cache) not in text, path


# --- other builders


def test_plain_text_has_the_exact_c(sites: dict[str, Site]):
    site = sites["md"]
    site.passes(builder="text")

    def text(page: str) -> str:
        return (site.root / f"text/{page}.txt").read_text(encoding="utf-8")

    def block(c: str) -> str:
        # The text writer indents a block and leaves nothing at the ends of lines.
        return "\n".join(f"   {line}".rstrip() for line in c.rstrip("\n").split("\n"))

    shown = data(site, "excerpt")
    assert block(shown.excerpt.text) in text("excerpt")
    assert "0 calls into Python; 1 more if it fails" in text("excerpt").replace("\n", " ")
    for row in data(site, "comparison").rows:
        assert block(row.line.excerpt.text) in text("comparison")
        assert row.label in text("comparison")
    assert "cost 1.0 ×" in text("comparison")
    for definition in data(site, "utility").definitions:
        assert block(definition.text) in text("utility")
    listing = text("listing")
    lines = data(site, "listing").lines
    assert block("\n".join(line.source for line in lines)) in listing
    for line in lines:
        if line.excerpt and not line.header:
            c = line.excerpt.text.strip("\n")
            assert block(f"/* ways.pyx:{line.number}: {line.source.strip()} */\n{c}") in listing
    assert "__pyx_pw_" not in listing, "wrappers of functions are left out"
    assert data(site, "refusal").source.rstrip().split("\n")[-1] in text("refusal")
    assert "address.pyx:5:20: " in text("refusal")
    assert "plain/add" in text("gallery")
    for item in data(site, "assembly").loops[0].instructions:
        assert item.text in text("assembly")
    assert f"cython -a score {data(site, 'scores').rows[0].line.score}" in text("scores")


# What LaTeX calls the characters that mean something to it.
ESCAPES = {"us": "_", "am": "&", "lt": "<", "gt": ">", "sh": "#", "pc": "%", "dl": "$", "hy": "-"}
ESCAPES |= {"sq": "'", "dq": '"', "ti": "~", "bs": "\\", "ca": "^"}
ESCAPES |= {"ob": "\\PYGZob\0", "cb": "\\PYGZcb\0"}


def verbatim(tex: str) -> str:
    """What LaTeX would print of a document's verbatim blocks."""
    blocks = re.findall(r"\\begin\{sphinxVerbatim\}.*?\n(.*?)\\end\{sphinxVerbatim\}", tex, re.S)
    # Escaped braces last: those that are left by then are LaTeX's own.
    for name, character in ESCAPES.items():
        blocks = [block.replace(f"\\PYGZ{name}{{}}", character) for block in blocks]
    text = "".join(blocks)
    while (plain := re.sub(r"\\PYG\{[^{}]*\}\{([^{}]*)\}", r"\1", text)) != text:
        text = plain
    return text.replace("\\PYGZob\0", "{").replace("\\PYGZcb\0", "}")


def test_latex_has_the_exact_c(sites: dict[str, Site]):
    site = sites["md"]
    site.passes(builder="latex")
    (path,) = (site.root / "latex").glob("*.tex")
    printed = verbatim(path.read_text(encoding="utf-8"))
    assert data(site, "excerpt").excerpt.text in printed
    for row in data(site, "comparison").rows:
        assert row.line.excerpt.text in printed
    for definition in data(site, "utility").definitions:
        assert definition.text in printed


def test_what_other_builders_get_is_ordinary(sites: dict[str, Site]):
    site = sites["md"]
    site.passes(builder="xml")
    text = (site.root / "xml/excerpt.xml").read_text(encoding="utf-8")
    assert "<literal_block" in text
    assert "cython_" not in text
    assert isinstance(next(site.doctree("excerpt").findall(cython_node)), nodes.Element)


@pytest.mark.parametrize("builder", ["dirhtml", "singlehtml"])
def test_other_html_builders_link_to_files_that_are_there(sites: dict[str, Site], builder: str):
    site = sites["rst"]
    site.passes(builder=builder)
    for path in (site.root / builder).rglob("*.html"):
        if "_cython" in path.parts:
            continue
        page = site.page(path.relative_to(site.root / builder).with_suffix("").as_posix(), builder)
        for a in page.select(".cy-listing a[href], .cy-row a[href], .cy-excerpt a[href]"):
            target, _, anchor = a["href"].partition("#")
            there = (path.parent / target) if target else path
            there = there / "index.html" if there.is_dir() else there
            assert there.is_file(), (path, a)
            assert not anchor or f'id="{anchor}"' in there.read_text(encoding="utf-8"), (path, a)
