"""What draws the pictures: one way to write SVG, and tables."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest
from support import CONF

sys.path.insert(0, str(CONF / "pictures"))

from svg import Drawing, numbers, wide_and_tall
from tables import Table


def test_a_drawing_is_an_image_with_a_description():
    svg = Drawing('Rows & "columns"').svg(10, 20)
    words = "Rows &amp; &quot;columns&quot;"
    assert svg == f'<svg viewBox="0 0 10 20" role="img" aria-label="{words}"></svg>'


def test_what_is_drawn_later_lies_on_top():
    drawing = Drawing("A box")
    drawing.rect(1, 2, 3, 4, hit=True)
    drawing.text(5, 6.5, "a < b", "note", "end")
    drawing.path("M0 0 H5", "grid")
    drawing.circle(1, 2, 3, "curve")
    svg = ElementTree.fromstring(drawing.svg(10, 20))
    assert [(part.tag, part.attrib) for part in svg] == [
        ("rect", {"x": "1", "y": "2", "width": "3", "height": "4", "class": "hit"}),
        ("text", {"x": "5", "y": "6.5", "class": "note", "text-anchor": "end"}),
        ("path", {"d": "M0 0 H5", "class": "grid"}),
        ("circle", {"cx": "1", "cy": "2", "r": "3", "class": "curve"}),
    ]
    assert svg[1].text == "a < b"


def head_of(svg: str) -> str:
    (identifier,) = set(re.findall(r'<marker id="([^"]+)"', svg))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) == {identifier}
    return identifier


def arrow(description: str, variant: object = "") -> str:
    drawing = Drawing(description, variant)
    drawing.arrow("M0 0 H5")
    return head_of(drawing.svg(10, 20))


def test_an_arrow_has_the_head_of_its_own_picture():
    """An id is for the whole page, and there may be several pictures on it."""
    assert arrow("A chain") == arrow("A chain")
    heads = {arrow("A chain"), arrow("A strip"), arrow("A chain", "wide"), arrow("A chain", "tall")}
    assert len(heads) == 4
    drawing = Drawing("Text with url(#head) and {head}")
    drawing.text(0, 0, "{head}")
    drawing.arrow("M0 0")
    assert ">{head}</text>" in drawing.svg(1, 1)


def test_a_picture_of_two_forms_has_a_class_for_each():
    assert wide_and_tall("<svg/>", "<svg></svg>", "plot") == (
        '<div class="picture plot picture-wide"><svg/></div>'
        '<div class="picture plot picture-tall"><svg></svg></div>'
    )


def test_numbers_have_a_minus_sign():
    assert numbers([-8, 0, 16]) == "−8, 0, 16"


def test_a_table_has_a_heading_for_each_row_and_column():
    table = Table(["step", "`a`"], [["one", "<x>"], ["`two`", "y"]])
    html = ElementTree.fromstring(table._repr_html_())
    assert [cell.get("scope") for cell in html.iter("th")] == ["col", "col", "row", "row"]
    assert ["".join(cell.itertext()) for cell in html.iter("td")] == ["<x>", "y"]
    assert ["".join(code.itertext()) for code in html.iter("code")] == ["a", "two"]
    assert repr(table) == "step | `a`\none | <x>\n`two` | y"


@pytest.mark.parametrize(
    "name", ["counts", "pointers", "memory_strip", "slice_chain", "break_even"]
)
def test_pictures_write_no_svg_of_their_own(name: str):
    source = (CONF / "pictures" / f"{name}.py").read_text("utf-8")
    assert not re.findall(r"<(?:svg|rect|text|path|marker|circle)\b", source)
