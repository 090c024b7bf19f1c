"""What a ``.pyx`` file is: its functions and its lines."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from sphinx_cython.core.example import Example, ExampleError, Examples

# --- lines


@pytest.fixture
def example(scan) -> Example:
    return scan(
        {
            "kinds/lines.pyx": """
                '''About lines,
                on two of them.

                More.
                '''
                def f(a):
                    x = 1
                    return a[0]  # the first

                def g(a):
                    x = 1
                    return a[1]
            """
        }
    )["kinds/lines"]


def test_a_line_is_found_by_its_text_whatever_its_indentation(example: Example):
    assert example.find_line("return a[1]") == 12
    assert example.find_line("   return a[1] ") == 12


def test_a_trailing_comment_may_be_left_out(example: Example):
    assert example.find_line("return a[0]") == 8
    assert example.find_line("return a[0]  # the first") == 8


def test_a_part_of_a_line_does_not_do(example: Example):
    with pytest.raises(ExampleError, match=r"no line 'return a' in kinds/lines.pyx"):
        example.find_line("return a")


def test_an_ambiguous_line_asks_for_the_function_and_is_found_in_it(example: Example):
    with pytest.raises(ExampleError, match=r"occurs 2 times .*\(lines 7, 11\); name the f"):
        example.find_line("x = 1")
    assert example.find_line("x = 1", "g") == 11


def test_a_missing_line_names_the_nearest_lines(example: Example):
    with pytest.raises(
        ExampleError,
        match=r"no line 'return a\[2\]' in g\(\) of kinds/lines.pyx; nearest: 'return a\[1\]'",
    ):
        example.find_line("return a[2]", "g")


def test_a_missing_function_names_the_nearest_functions(scan):
    found = scan({"m.pyx": "def from_view(a): return a\ndef other(): pass\n"})["m"]
    with pytest.raises(
        ExampleError, match=r"no function 'from_viev' in m.pyx; nearest: 'from_view'"
    ):
        found.function("from_viev")


def test_the_last_part_of_a_name_is_enough_where_only_one_function_has_it(scan):
    source = """
        class A:
            def m(self):
                def inner(): return 1
                return inner
            def n(self): pass
        class B:
            def n(self): pass
        def m(): pass
    """
    example = scan({"m.pyx": source})["m"]
    assert example.function("inner").name == "A.m.inner"
    assert example.function("m.inner").name == "A.m.inner"
    assert example.function("m").first == 8
    with pytest.raises(
        ExampleError, match=r"2 functions of m.pyx are called 'n'; write 'A.n' or 'B.n'"
    ):
        example.function("n")


def test_functions_of_one_name_are_told_apart_by_number(scan):
    example = scan({"m.pyx": "if A:\n    def f(): return 1\nelse:\n    def f(): return 2\n"})["m"]
    assert example.find_line("def f(): return 2", "f#2") == 4
    with pytest.raises(
        ExampleError, match=r"2 functions of m.pyx are called 'f'; write 'f#1' or 'f#2'"
    ):
        example.function("f")


def test_a_hash_in_a_string_begins_no_comment(scan):
    source = 'x = "a # b"\ny = f(  # why\n    1)  # so\nz = """\n# not\n"""\n'
    example = scan({"m.pyx": source})["m"]
    with pytest.raises(ExampleError, match="no line"):
        example.find_line('x = "a')
    assert example.find_line('x = "a # b"') == 1
    assert example.find_line("y = f(") == 2
    assert example.find_line("1)") == 3
    assert example.find_line("# not") == 5


ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ENDS)
def test_lines_are_split_as_cython_counts_them(scan, bom: bytes, end: str):
    text = "def f(a):\n    b = '\u2028\x85\x0b\x1c'\n\n    \x0creturn a\x0c\n"
    examples = scan({"m.pyx": ""})
    examples["m"].path.write_bytes(bom + text.replace("\n", ENDS[end]).encode())
    example = Examples.scan(examples.root)["m"]
    assert example.lines == text.split("\n")[:-1]
    assert example.source == text
    assert [(f.name, f.first, f.last) for f in example.functions.values()] == [("f", 1, 4)]


def test_a_source_is_decoded_as_it_declares(scan):
    examples = scan({"m.pyx": "", "n.pyx": "", "o.pyx": "", "p.pyx": ""})
    firsts = {
        "m": "# not decoded",
        "n": "# coding: latin-1",
        "o": "# coding: nonsense",
        "p": "# cython: c_string_encoding=ascii",  # of strings, not of the file
    }
    for name, first in firsts.items():
        encoding = "utf-8" if name == "p" else "latin-1"
        examples[name].path.write_bytes(f"{first}\ny = '\xe9'\ndef f(): pass\n".encode(encoding))
    read = {name: examples[name].lines[1] for name in firsts}
    assert read == {"m": "y = '\ufffd'", "n": "y = 'é'", "o": "y = '\ufffd'", "p": "y = 'é'"}
    assert all(list(example.functions) == ["f"] for example in examples)


@pytest.mark.parametrize(
    ("source", "docstring"),
    [
        ('# a comment\n\n"""First\nparagraph.\n\nSecond.\n"""\n', "First\nparagraph.\n\nSecond."),
        ("'''In\n'single' quotes.'''\n", "In\n'single' quotes."),
        ("'One line.'; x = 1\n", ""),
        ("'One line.';\n", "One line."),
        ('"One " \\\n  "line."\n', "One line."),
        ('r"""A \\d."""\n', "A \\d."),
        ('u"A \\u00e9."\n', "A é."),
        ('"""Ends in \\"quotes\\""""\n', 'Ends in "quotes"'),
        ('"""\n    Indented\n      by four.\n    """\n', "Indented\n  by four."),
        ('\ufeff"""After a mark."""\n', "After a mark."),
        ('f"""Not {one}."""\n', ""),
        ('b"""Nor this."""\n', ""),
        ("x = '''no docstring'''\n", ""),
        ("'''not''' + closed\n", ""),
        ('"""not closed', ""),
        ("# nothing else", ""),
        ("", ""),
    ],
)
def test_docstring(scan, source: str, docstring: str):
    assert scan({"m.pyx": source})["m"].docstring == docstring


def test_the_summary_is_the_first_paragraph_of_the_docstring(example: Example):
    assert example.summary == "About lines, on two of them."


# --- a folder of examples


def test_an_example_goes_by_its_path_or_by_its_module(scan):
    found = scan({"a/one.pyx": "", "two.pyx": ""})
    assert found["a/one"] is found["one"]
    assert [example.name for example in found] == ["a/one", "two"]
    assert Example("a/one", found.root).module == "one"


def test_an_unknown_example_names_the_nearest_ones(scan):
    found = scan({"a/four_ways.pyx": "", "other.pyx": ""})
    with pytest.raises(ExampleError, match=r"no example 'a/for_ways'; nearest: 'a/four_ways'"):
        found["a/for_ways"]


def test_a_name_that_two_examples_have_is_refused(scan):
    found = scan({"a/same.pyx": "", "b/same.pyx": "", "refused/other.pyx": "", "c/other.pyx": ""})
    assert found["a/same"].name == found["a.same"].name == "a/same"
    with pytest.raises(
        ExampleError, match=r"2 examples are called 'same'; write 'a/same' or 'b/same'"
    ):
        found["same"]
    with pytest.raises(ExampleError, match=r"write 'c/other' or 'refused/other'"):
        found["other"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ExampleError, match="no examples folder"):
        Examples.scan(tmp_path / "nowhere")


def test_what_is_no_example_is_left_out(scan):
    files = {"m.pyx": "", "folder.pyx/n.pyx": "", ".hidden/o.pyx": "", "sub/.#p.pyx": ""}
    assert [example.name for example in scan(files)] == ["folder.pyx/n", "m"]


UNREADABLE = {
    "a link to nothing": "cannot be read: No such file or directory (it is a symbolic link)",
    "a link to itself": "cannot be read: Too many levels of symbolic links (it is a symbolic link)",
    "a named pipe": "is not a file",
    "no permission": "cannot be read: Permission denied",
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_a_problem_of_one_example(scan, monkeypatch, kind: str):
    path = scan({"m.pyx": ""}).root / "n.pyx"
    if kind == "a link to nothing":
        path.symlink_to("gone.pyx")
    elif kind == "a link to itself":
        path.symlink_to("n.pyx")
    elif kind == "a named pipe":
        os.mkfifo(path)
    else:
        path.write_text("x = 1\n")
        deny(path, monkeypatch)
    found = Examples.scan(path.parent)
    assert {example.name: example.problem for example in found} == {
        "m": "",
        "n": f"it {UNREADABLE[kind]}",
    }
    assert found["n"].source == ""


def deny(denied: Path, monkeypatch) -> None:
    """Take the permission to read a file, also from root."""
    real = io.open

    def refuse(path: object, *rest: object, **more: object) -> object:
        if str(path) == str(denied):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(io, "open", refuse)


def test_the_folder_of_refused_examples_is_known(scan):
    found = scan({"refused/bad.pyx": "", "refused_not.pyx": ""})
    assert found["refused/bad"].refused
    assert not found["refused_not"].refused
