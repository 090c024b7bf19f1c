"""Templates: usable without Sphinx, and replaceable by a project or a theme."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
import zipfile
from textwrap import dedent

import pytest
from support import CONF, Site
from test_builders import EPUB
from test_directives import md

from sphinx_cython.rendering import PREFIX, TEMPLATES, make_environment

PAGE = md("cython-listing", "plain/add", {}, "")


@pytest.fixture
def project(site: Site) -> Site:
    site.configure(more=f"{EPUB}templates_path = ['templates']\n")
    site.write({"docs/index.md": f"# Index\n\n{PAGE}"})
    return site


def test_a_box_is_rendered_without_sphinx():
    code = """
        import sys
        sys.modules["sphinx"] = sys.modules["docutils"] = None
        from types import SimpleNamespace as Data
        from sphinx_cython.core.cparts import read_excerpt
        from sphinx_cython.rendering import render

        c = "  x = PyNumber_Add(a, b); if (unlikely(!x)) __PYX_ERR(0, 1, __pyx_L1)\\n"
        origin = Data(example="x", module="x", profile="default", suffix=".c", summary="")
        line = dict(number=1, source="return a + b", excerpt=read_excerpt(c), score=7)
        excerpt = Data(origin=origin, signature="def f(a, b)", **line)
        listing = Data(origin=origin, source=line["source"], lines=[Data(**line)], anchor="x",
                       made_by="Cython")
        print("<all>", render("excerpt.html", {"data": excerpt}))
        print(render("listing.html", {"data": listing}), "</all>")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(CONF), "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    page = ET.fromstring(done.stdout)
    assert not page.findall(".//a[@href='']")
    assert [e.text for e in page.iter("span") if e.get("class") == "cy-call"] == [
        "PyNumber_Add",
        "PyNumber_Add",
    ]
    assert len(page.findall(".//li[@id='x-L1']")) == 1


def test_every_template_can_be_loaded_and_none_is_left_over():
    environment = make_environment()
    names = {path.name for path in TEMPLATES.iterdir()}
    texts = [path.read_text() for path in (CONF / "sphinx_cython/components").glob("*.py")]
    texts += [path.read_text() for path in TEMPLATES.iterdir()]
    for name in names:
        environment.get_template(f"{PREFIX}/{name}")
        assert any(f'{name}"' in text for text in texts), f"no component uses {name}"


def test_line_breaks_beside_tags_are_layout_and_others_are_spaces():
    template = """
        <p>
          one
          {{ 1 }}
          {{ 2 }} and
          more
          {% if true %}
            <b
              id="x">c</b>
          {% endif %}
        </p>
    """
    html = make_environment().from_string(dedent(template)).render()
    assert html == '<p>one 12 and more<b id="x">c</b></p>'


@pytest.mark.parametrize("builder", ["html", "dirhtml", "singlehtml", "epub", "json"])
def test_a_project_replaces_a_template_and_extends_it(project: Site, builder: str):
    project.write(
        {
            "docs/templates/cython/listing.html": """
                {% extends "!cython/listing.html" %}
                {% block foot %}
                  <p class="own">{{ data.origin.example }} &amp; more</p>
                {% endblock %}
                """
        }
    )
    project.passes(builder=builder)
    if builder == "epub":
        (book,) = (project.root / "epub").glob("*.epub")
        text = zipfile.ZipFile(book).read("index.xhtml").decode()
    else:
        (path,) = (project.root / builder).glob("index.[hf]*")
        text = path.read_text(encoding="utf-8").replace('\\"', '"')
    assert '<p class="own">plain/add &amp; more</p></div>' in text
    assert 'class="cy-foot"' not in text
    assert "__Pyx_PyNumber_Add" in text or "PyNumber_Add" in text


def test_a_theme_replaces_a_template_and_the_project_comes_first(project: Site):
    project.configure(
        more="templates_path = ['templates']\nhtml_theme, html_theme_path = 'own', ['themes']\n"
    )
    project.write(
        {
            "docs/themes/own/theme.toml": '[theme]\ninherit = "basic"\n',
            "docs/themes/own/cython/listing.html": "<i>of the theme</i>",
            "docs/themes/own/cython/excerpt.html": "<i>of the theme</i>",
            "docs/templates/cython/excerpt.html": "<i>of the project</i>",
            "docs/index.md": "# Index\n\n"
            + PAGE
            + md("cython-excerpt", "plain/add", {"function": "add", "line": "return a + b"}, ""),
        }
    )
    project.passes()
    assert [e.get_text() for e in project.page("index").select("i")] == [
        "of the theme",
        "of the project",
    ]


def test_a_page_is_written_again_when_a_template_that_it_uses_changes(project: Site):
    template = project.root / "docs/templates/cython/listing.html"
    project.write({"docs/templates/cython/listing.html": "<i>one</i>"})
    project.passes()
    template.write_text("<i>two</i>")
    later = time.time() + 10
    os.utime(template, (later, later))
    project.passes()
    assert project.page("index").select_one("i").get_text() == "two"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% if %}", "Expected an expression"),
        ('{% extends "cython/nothing.html" %}', "cython/nothing.html"),
        ("\n{{ data.nothing.more }}", "has no attribute 'nothing'"),
    ],
)
def test_a_template_that_does_not_work_is_named(project: Site, text: str, reason: str):
    project.write({"docs/templates/cython/listing.html": text})
    run = project.build()
    assert run.code == 2
    assert "cython/listing.html" in run.err
    assert reason in run.err
    assert "Theme error" in run.err, "and not a bug of Sphinx"
