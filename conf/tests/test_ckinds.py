"""Every row of the table holds for its sample, and every name that Cython calls has a row."""

from __future__ import annotations

import re

import pytest
from c_corpus import Corpus

from sphinx_cython.core import ckinds, cparts
from sphinx_cython.core.ckinds import CALL, MACROS, OWN, PLAIN, REFCOUNT, TABLE, Macro, Rule
from sphinx_cython.core.cparts import read_spans
from sphinx_cython.core.ctokens import tokenize

ROWS = [
    pytest.param(subject, row, id=f"{subject}: {row.meaning}")
    for subject, rows in TABLE.items()
    for row in rows
]
# What holds the rows, and who reads them.
TUPLES = {
    "statement": (cparts, "STATEMENTS"),
    "condition": (cparts, "CONDITIONS"),
    "label": (cparts, "LABELS"),
    "element": (cparts, "ELEMENTS"),
    "called name": (ckinds, "CALLED"),
}


@pytest.fixture(autouse=True)
def no_remembered_rows():
    """Forget the rows of names, before and after a test that removes a row."""
    ckinds.called.cache_clear()
    yield
    ckinds.called.cache_clear()


def pieces(c: str, kind: str) -> list[str]:
    """The pieces of some C that are of a kind; of the kind own, what starts with such a name."""
    reading = read_spans(c)
    if kind == OWN:
        return [c[a:b] for a, b in reading.essential if ckinds.called(c[a:b].split("(")[0])]
    return [c[span.start : span.end] for span in reading.spans if span.kind == kind]


def names(c: str) -> list[str]:
    """The names that are called."""
    tokens = tokenize(c)
    end = len(tokens)
    return [
        word
        for position, word in enumerate(tokens.words)
        if tokens.kinds[position] == "name"
        and (after := tokens.skip_trivia(position + 1, end)) < end
        and tokens.words[after] == "("
    ]


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_the_sample_of_a_row_is_of_its_kind(subject: str, row: Rule):
    if row.kind == PLAIN:
        assert not row.marked
        assert pieces(row.c, CALL) == pieces(row.c, REFCOUNT) == []
        assert any(ckinds.called(name) is row for name in names(row.c))
    elif row.kind == OWN:
        assert pieces(row.c, OWN) == ["__pyx_f_1m_total(a, 0)"]
    else:
        assert pieces(row.c, row.kind) == row.marked != []


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_what_only_looks_like_it_is_not(subject: str, row: Rule):
    if row.kind == PLAIN:
        assert pieces(row.counter, CALL), "what looks like plain C is a call"
    else:
        assert pieces(row.counter, row.kind) == []


@pytest.mark.parametrize(("subject", "row"), ROWS)
def test_no_row_is_idle(subject: str, row: Rule, monkeypatch):
    module, name = TUPLES[subject]
    monkeypatch.setattr(module, name, tuple(other for other in TABLE[subject] if other is not row))
    ckinds.called.cache_clear()
    if row.kind == PLAIN:
        # Without its row, plain C would be a call, or something that no row knows.
        rules = [ckinds.called(name) for name in names(row.c)]
        assert None in rules or pieces(row.c, CALL)
    else:
        assert pieces(row.c, row.kind) != row.marked or row.kind == OWN
        assert row.kind != OWN or not pieces(row.c, OWN)


def test_a_meaning_is_the_rest_of_a_sentence():
    for rows in TABLE.values():
        for row in rows:
            assert re.match(r"[a-z]+s\b", row.meaning), row.meaning
            assert not row.meaning.endswith(".")


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.sample)
def test_a_macro_without_a_semicolon_ends_its_statement(macro: Macro):
    c = f"x = 1; {macro.sample} Py_DECREF(y); {macro.sample}; z = 1;"
    counted = pieces(c, REFCOUNT)
    assert "Py_DECREF(y);" in " ".join(counted)
    assert not any("z = 1" in piece for piece in counted)


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.sample)
def test_cython_knows_the_macros(macro: Macro, corpus: Corpus):
    assert any(
        re.search(rf"^\s*#\s*define\s+{macro.name}\b", c, re.M) for c in corpus.files.values()
    ) or (macro.sample.startswith("Py_"))


def test_every_name_that_cython_calls_has_a_row(corpus: Corpus):
    """Names of Python and of Cython; others are those of C functions, which the source names."""
    called = {name for c in corpus.lines for name in names(c)}
    assert len(called) > 700
    of_cython = {name for name in called if re.match(r"_*py", name, re.I)}
    types = {"PyObject", "Py_ssize_t", "PyCFunction", "PyTypeObject"}
    assert {name for name in of_cython - types if ckinds.called(name) is None} == set()
