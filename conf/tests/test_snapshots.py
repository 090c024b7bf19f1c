"""What each directive yields, to read: its doctree, its plain form and its HTML.

``snapshots/<component>/page.md`` is a page with one directive. Beside it are ``doctree.txt`` (the
page as Sphinx keeps it, with the data of our node), ``plain.txt`` (the ordinary nodes that builders
without HTML get) and ``page.html``. After a change that you mean, write them again, read the diff
and commit it::

    UPDATE_SNAPSHOTS=1 python -m pytest conf/tests/test_snapshots.py

The idea is that of sphinx-design. Its plugin, pytest-regressions, would be one more locked
dependency for what is a comparison of two strings here.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from difflib import unified_diff
from importlib.metadata import version
from pathlib import Path

import pytest
from docutils import nodes
from support import Site

from sphinx_cython import components
from sphinx_cython.components.base import cython_node
from sphinx_cython.core.toolchain import Toolchain, processor_name

SNAPSHOTS = Path(__file__).parent / "snapshots"
LOCK = Path(__file__).parents[1] / "locks" / "tests.txt"
PAGES = sorted(path.parent.name for path in SNAPSHOTS.glob("*/page.md"))
UPDATE = "UPDATE_SNAPSHOTS"

# Instructions depend on compiler and processor, so those of a loop are given here.
GIVEN_LOOP = """
from sphinx_cython.components import assembly
from sphinx_cython.core.assembly import Instruction, Loop

LOOP = Loop("__pyx_f_4loop_total", (
    Instruction("addsd (%rax), %xmm0", ".L3", 12),
    Instruction("addq $8, %rax", "", 11),
    Instruction("cmpq %rdx, %rax", "", 11),
    Instruction("jne .L3", "", 11),
))
assembly.find_loops = lambda *given: [LOOP]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Site:
    """The pages, as HTML and lowered."""
    site = Site(tmp_path_factory.mktemp("snapshots"), cache)
    shutil.copytree(SNAPSHOTS / "examples", site.root / "examples")
    site.configure(more=GIVEN_LOOP)
    site.write({"docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n"})
    for name in PAGES:
        shutil.copy(SNAPSHOTS / name / "page.md", site.root / "docs" / f"{name}.md")
    site.passes(builder="pseudoxml")
    site.passes()
    return site


def outline(value: object) -> Iterator[str]:
    """The lines that show some data: what does not fit on one has a line for each part of it."""
    named: list[tuple[str, object]]
    if len(repr(value)) > 80 and is_dataclass(value):
        yield type(value).__name__
        named = [(f"{field.name}:", getattr(value, field.name)) for field in fields(value)]
    elif len(repr(value)) > 80 and isinstance(value, tuple):
        yield ""
        named = [("-", item) for item in value]
    else:
        yield repr(value)
        return
    for name, item in named:
        first, *rest = outline(item)
        yield f"  {name} {first}".rstrip()
        yield from (f"  {line}" for line in rest)


def doctree(site: Site, name: str) -> str:
    """The nodes of a page as it was read, and below a node of ours what it carries."""
    (section,) = site.doctree(name).children
    for node in section.findall(cython_node):
        if node["data"] is not None:
            node += nodes.Text("\n".join(outline(node["data"])))
            node["data"] = type(node["data"]).__name__
    return section.pformat()


def plain(site: Site, name: str) -> str:
    """The nodes of a page as a builder without HTML gets them."""
    text = (site.root / "pseudoxml" / f"{name}.pseudoxml").read_text(encoding="utf-8")
    return re.sub(r"^<document .*>\n", "", text)


def html(site: Site, name: str) -> str:
    """The HTML of a page, with a line break before each block. Theme and menus are left out."""
    section = str(site.page(name).select_one('[role="main"] section'))
    return re.sub(r"\n*(?=<(?:div|section|details|summary|[ou]l|li|p)\b)", "\n", section).strip()


FORMS: dict[str, Callable[[Site, str], str]] = {
    "doctree.txt": doctree,
    "plain.txt": plain,
    "page.html": html,
}


def normalize(text: str, compiler: str) -> str:
    """Replace what depends on the machine, on versions and on time."""
    for value, word in (
        (f"CPython {platform.python_version()}", "CPython VERSION"),
        (f"Cython {version('cython')}", "Cython VERSION"),
        (compiler, "COMPILER"),
        (processor_name(), "PROCESSOR"),
        (platform.machine(), "MACHINE"),
    ):
        text = text.replace(value, word)
    # The digest of a measurement, a cost, the length of its bar.
    text = re.sub(r"\b[0-9a-f]{20,}\b", "DIGEST", text)
    text = re.sub(r"\d+(?:\.\d+)? ×", "COST ×", text)
    text = re.sub(r"(max\(4px),[\d.]+%", r"\1,COST%", text)
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


@pytest.mark.skipif(
    f"cython=={version('cython')} " not in LOCK.read_text("utf-8"),
    reason="the snapshots show the C of the Cython that is locked",
)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_yields_its_snapshot(built: Site, toolchain: Toolchain, name: str, form: str):
    text = normalize(FORMS[form](built, name), toolchain.name)
    path = SNAPSHOTS / name / form
    if UPDATE in os.environ:
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text != kept:
        lines = kept.splitlines(), text.splitlines()
        diff = "\n".join(unified_diff(*lines, "kept", "yielded", lineterm=""))
        pytest.fail(f"{name}/{form} is not as it was; {UPDATE}=1 writes it\n{diff}", pytrace=False)


def test_each_directive_has_a_snapshot():
    directives = []

    class Recorder:
        def __getattr__(self, name: str) -> object:
            return lambda *args, **options: None

        def add_directive(self, name: str, directive: type) -> None:
            directives.append(name)

    components.setup(Recorder())
    assert [name.removeprefix("cython-") for name in sorted(directives)] == PAGES
    for name in PAGES:
        page = (SNAPSHOTS / name / "page.md").read_text(encoding="utf-8")
        assert f"{{cython-{name}}}" in page
