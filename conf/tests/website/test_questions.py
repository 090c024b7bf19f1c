"""The questions of docs/questions.toml: each answer exists, and the site's search leads to it."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest

from .conftest import ROOT, Tab, source
from .test_finding import leads_to, search

__all__ = ["search"]  # a fixture

FILE = ROOT / "docs" / "questions.toml"
QUESTIONS: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["questions"]
each = pytest.mark.parametrize("row", QUESTIONS, ids=[row["question"] for row in QUESTIONS])


def test_there_are_enough_distinct_questions() -> None:
    assert len(QUESTIONS) >= 80
    for part in ("question", "query"):
        twice = [text for text, n in Counter(row[part] for row in QUESTIONS).items() if n > 1]
        assert twice == []


@each
def test_a_question_says_where_it_was_asked(row: dict[str, Any]) -> None:
    assert set(row) == {"group", "question", "query", "answer", "count", "links"}
    assert row["question"].endswith("?")
    assert 1 <= len(set(row["links"])) == len(row["links"]) <= row["count"]
    assert all(link.startswith(("https://", "http://")) for link in row["links"])


@each
def test_the_answer_is_there(site: Any, row: dict[str, Any]) -> None:
    page, _, anchor = row["answer"].partition("#")
    assert (site / f"{page}.html").is_file()
    assert not anchor or anchor in source(f"{page}.html").ids


@each
def test_the_page_of_questions_links_to_the_answer(site: Any, row: dict[str, Any]) -> None:
    page, _, anchor = row["answer"].partition("#")
    address = f"{page}.html" + (anchor and f"#{anchor}")
    assert ("a", "href", address) in source("questions.html").refs


@each
def test_search_lists_the_answer_among_the_first(search: Any, row: dict[str, Any]) -> None:
    page = row["answer"].partition("#")[0]
    found = search(row["query"])
    assert any(leads_to(address, page) for address in found), found


def test_the_list_of_questions_does_not_hide_the_answers(search: Any) -> None:
    first = [search(row["query"])[0] for row in QUESTIONS]
    assert [address for address in first if leads_to(address, "questions")] == []


def test_links_of_the_page_say_where_they_lead(base: str, tab: Tab) -> None:
    tab.page.goto(f"{base}questions.html")
    texts = tab.page.locator("article li a.external").all_inner_texts()
    assert len(texts) >= len(QUESTIONS)
    assert all(texts)
