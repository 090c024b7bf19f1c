"""C in tokens: a literal, comment or preprocessor line is one, and brackets have partners."""

from __future__ import annotations

import re

import pytest

from sphinx_cython.core.ctokens import INACTIVE, condition, directive_word, tokenize


def of_kind(c: str, kind: str) -> list[str]:
    tokens = tokenize(c)
    assert "".join(tokens.words) == c
    assert [c[start:] for start in tokens.starts[:-1]] == [
        "".join(tokens.words[n:]) for n in range(len(tokens))
    ]
    return [word for word, k in zip(tokens.words, tokens.kinds, strict=True) if k == kind]


@pytest.mark.parametrize(
    ("c", "comments"),
    [
        ("a /* b */ c // d\ne", ["/* b */", "// d"]),
        ("/* a /* b */ c */", ["/* a /* b */"]),
        ('"/* a */" /**/ \'"\' /* " */', ["/**/", '/* " */']),
        ("/* a\n * b\n */ c", ["/* a\n * b\n */"]),
        ("a / * b */ c", []),
        ('"\\"/*" // "', ['// "']),
    ],
)
def test_comments_are_found_and_what_looks_like_one_is_not(c: str, comments: list[str]):
    assert of_kind(c, "comment") == comments


@pytest.mark.parametrize(
    ("c", "strings"),
    [
        ("f(\"a;{\" , '}')", ['"a;{"', "'}'"]),
        ('"a\\"b" "c"', ['"a\\"b"', '"c"']),
        ('"a\\\nb" c', ['"a\\\nb"']),
        ("'\\'' '\\\\'", ["'\\''", "'\\\\'"]),
        ('L"wide" u8"text"', ['"wide"', '"text"']),
        ('"unfinished\n"b"', ['"b"']),
    ],
)
def test_strings_go_on_behind_what_is_escaped(c: str, strings: list[str]):
    assert of_kind(c, "string") == strings


@pytest.mark.parametrize(
    ("c", "directives"),
    [
        ("a\n#if X\nb", ["#if X"]),
        ("  #  define A \\\n  B \\\n  C\nd", ["  #  define A \\\n  B \\\n  C"]),
        ("#define A /* a\n b */ 1\nc", ["#define A /* a\n b */ 1"]),
        ('#define A "/*"\nb /* c */', ['#define A "/*"']),
        ("#define A 1 // see /* here\nb /* c */", ["#define A 1 // see /* here"]),
        ("#error don't\nb 'c'", ["#error don't"]),
        ("a # b", []),
    ],
)
def test_a_preprocessor_line_has_its_continuation_lines(c: str, directives: list[str]):
    assert of_kind(c, "directive") == directives


@pytest.mark.parametrize(
    ("line", "word"),
    [("#if A", "if"), (" # ifdef A", "ifdef"), ("#else", "else"), ("#elseif", ""), ("if", "")],
)
def test_the_word_of_a_preprocessor_line(line: str, word: str):
    assert directive_word(line) == word


def test_a_condition_is_the_same_however_it_is_written():
    assert condition("#if  A  && \\\n   B") == condition("  # if A && B") == "if A && B"


def partners(c: str) -> dict[str, str]:
    """What is from each opening bracket up to its partner, by the word before it."""
    tokens = tokenize(c)
    return {
        re.findall(r"#?\w+", tokens.slice(0, position))[-1]: (
            tokens.slice(position, close) if close <= len(tokens) else ""
        )
        for position, close in enumerate(tokens.closing)
        if close
    }


def test_brackets_have_partners():
    assert partners("a (b [c] d {e} )") == {"a": "(b [c] d {e} )", "b": "[c]", "d": "{e}"}
    assert partners("a ( b [ ] ) )") == {"a": "( b [ ] )", "b": "[ ]"}
    assert partners("a ( b {") == {"a": "", "b": ""}


def test_branches_of_a_condition_are_alternatives_for_brackets():
    c = "#if A\nf {\n#else\ng {\n#endif\nx; } y"
    assert partners(c) == {"f": "{\n#else\ng {\n#endif\nx; }", "g": "{\n#endif\nx; }"}
    c = "f {\n#if A\n}\n#else\nx; }\n#endif\ny"
    assert partners(c) == {"f": "{\n#if A\n}\n#else\nx; }"}
    c = "f (a,\n#if A\nb)\n#else\nc)\n#endif\n{ d }"
    assert partners(c)["#endif"] == "{ d }"


def test_a_branch_that_was_not_compiled_is_one_token():
    c = "a\n#if A\nb {\n#if B\nc\n#endif\n#else\nd\n#endif\ne"
    tokens = tokenize(c, {"if A": False})
    assert "".join(tokens.words) == c
    inactive = [w for w, k in zip(tokens.words, tokens.kinds, strict=True) if k == INACTIVE]
    assert inactive == ["\nb {\n#if B\nc\n#endif\n"]
    assert not any(tokens.closing)
