"""The C of a source line is the C of that line, to the character."""

from __future__ import annotations

import re

import pytest

from sphinx_cython.core.annotation import (
    AnnotationError,
    load_annotation,
    normalise,
    read_annotation,
)
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.translate import translate

# What Cython writes above the C of a line, and leaves out on its annotated page.
COMMENT = re.compile(r'[ \t]*/\* "[^"\n]+":\d+\n(?: ?\*.*\n)*?[ \t]*\*/\n')


def pieces(c: str) -> list[str]:
    """The C of a line in the runs that stand together in the C file."""
    return [piece for piece in c.split("/* \N{HORIZONTAL ELLIPSIS} */\n") if piece.strip()]


def test_the_c_of_every_line_is_in_the_c_file(samples: Builder):
    artefact = samples.build_all()["ways"]
    example = artefact.variant.example
    c = COMMENT.sub("", artefact.c_file.read_text())
    c_lines = set(c.split("\n"))
    functions = example.functions.values()
    headers = {number for f in functions for number in range(f.first, f.header + 1)}
    found = [line for line in load_annotation(artefact.html_file, example) if line.c.strip()]
    assert len(found) > 15
    for line in found:
        for piece in pieces(line.c):
            # Declarations come into the C of a header afterwards, and the annotated page has some
            # of them in another place, or not at all. All else is the same to the character.
            if line.number in headers:
                assert set(piece.split("\n")) <= c_lines, line.source
            else:
                assert piece in c, line.source


def test_the_c_of_a_line_stands_below_the_comment_that_names_it(samples: Builder):
    """The C file says of each run of C which line it is of: a second witness."""
    artefact = samples.build_all()["ways"]
    example = artefact.variant.example
    by_line: dict[int, str] = {}
    c = artefact.c_file.read_text()
    marks = list(re.finditer(r'/\* "ways\.pyx":(\d+)\n', c))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        number = int(mark[1])
        by_line[number] = (
            by_line.get(number, "") + c[mark.start() : following and following.start()]
        )
    lines = load_annotation(artefact.html_file, example)
    bodies = [n for f in example.functions.values() for n in range(f.header + 1, f.last + 1)]
    checked = 0
    for number in bodies:
        for piece in pieces(lines[number - 1].c):
            assert piece.rstrip() in by_line[number]
            checked += 1
    assert checked >= 11


def test_every_line_has_its_own_source_and_number(samples: Builder):
    artefact = samples.build_all()["ways"]
    example = artefact.variant.example
    lines = load_annotation(artefact.html_file, example)
    assert [line.source for line in lines] == example.lines
    assert [line.number for line in lines] == list(range(1, len(example.lines) + 1))


def test_the_score_is_that_of_cythons_own_page(samples: Builder):
    artefact = samples.build_all()["ways"]
    example = artefact.variant.example
    lines = load_annotation(artefact.html_file, example)
    scores = {
        name: lines[example.find_line("return a[i]", name) - 1].score
        for name in ("from_object", "from_view", "from_pointer")
    }
    assert scores["from_object"] > scores["from_view"] > scores["from_pointer"] == 0


def test_what_else_breaks_lines_does_not_shift_them(make_builder, tmp_path):
    breaks = "\f \v \x1c \x85 \u2028 \u2029"
    source = f"""
        '''{breaks}'''

        def f(a):
        \f
            b = "{breaks}"
            return a + b


        def g(a):  # {breaks}
            return a + 3

    """
    builder = make_builder({"odd.pyx": source})
    (variant,) = builder.variants()
    translate(variant, builder.examples.root, tmp_path)
    example = variant.example
    lines = load_annotation(tmp_path / "odd.html", example)
    assert [line.source for line in lines] == example.source.split("\n")[:-1]
    assert f"def g(a):  # {breaks}" in example.lines
    wrappers = [line.source[:8] for line in lines if line.c.startswith("/* Python wrapper */")]
    assert wrappers == ["def f(a)", "def g(a)"]
    assert "PyNumber_Add" in lines[example.find_line("return a + b") - 1].c
    assert "__Pyx_PyLong_AddObjC" in lines[example.find_line("return a + 3") - 1].c


def test_c_that_looks_like_html_comes_back_as_it_was(scan):
    example = scan({"m.pyx": "x = '<b> & &amp;'\n"})["m"]
    page = (
        '<pre class="cython line score-3" onclick="x">+1: x</pre>\n'
        "<pre class='cython code score-3 '>  y = <span class='py_c_api'>f</span>"
        "(&quot;&lt;b&gt; &amp; &amp;amp;&quot;);\n</pre>"
    )
    (line,) = read_annotation(page, example)
    assert line.c == '  y = f("<b> & &amp;");\n'
    assert (line.source, line.score) == ("x = '<b> & &amp;'", 3)


def test_a_page_with_too_few_lines_is_not_believed(scan):
    example = scan({"m.pyx": "x = 1\ny = 2\n"})["m"]
    with pytest.raises(AnnotationError, match=r"page of m.pyx has 1 lines, the source 2"):
        read_annotation('<pre class="cython line score-0">1: x</pre>', example)


def test_normalised_c_is_equal_for_two_translations_of_one_line():
    one = (
        "__pyx_t_5 = f(__pyx_t_2); if (x) __PYX_ERR(0, 7, __pyx_L1_error)  \n goto __pyx_L12_end;\n"
    )
    other = "__pyx_t_1 = f(__pyx_t_9); if (x) __PYX_ERR(1, 99, __pyx_L3_error)\n goto __pyx_L0_end;"
    assert normalise(one) == normalise(other)
    assert normalise("__pyx_t_1 = __pyx_t_2") != normalise("__pyx_t_1 = __pyx_t_1")
    assert normalise("__pyx_t_1 = 1") != normalise("__pyx_t_1 = 2")
