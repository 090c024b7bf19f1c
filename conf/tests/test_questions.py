"""The list of questions, on a small site: each leads to its answer, or is a warning."""

from __future__ import annotations

import pytest
from support import Site

from publishing.questions import short

ROW = """
[[questions]]
group = "First things"
question = "What is it?"
answer = "{answer}"
count = 3
links = ["https://github.com/owner/project/issues/12", "https://example.org/page"]
"""
PAGES = {
    "docs/index.md": "# Home\n\n```{toctree}\nasked\nguide/answers\n```\n",
    "docs/asked.md": "# Asked\n\n```{questions} asked.toml\n```\n",
    "docs/guide/answers.md": "# Answers\n\nText.\n\n(here)=\n## What it is\n\nText.\n",
}


@pytest.fixture
def asked(site: Site) -> Site:
    """A site with a page that answers a question, and a page that lists it."""
    site.configure(more='extensions.append("publishing.questions")\n')
    site.write({**PAGES, "docs/asked.toml": ROW.format(answer="guide/answers#here")})
    return site


def test_a_question_leads_to_its_answer_and_to_where_it_was_asked(asked: Site):
    asked.passes()
    page = asked.page("asked")
    assert page.select_one("section#first-things > h2").text.startswith("First things")
    item = page.select_one("#first-things li")
    links = {link.text: link["href"] for link in item.find_all("a")}
    assert links == {
        "What is it?": "guide/answers.html#here",
        "project#12": "https://github.com/owner/project/issues/12",
        "example.org": "https://example.org/page",
    }
    assert "Found 3 times:" in item.text
    assert "no-search" in item.parent["class"]


def test_a_changed_file_is_read_again(asked: Site):
    asked.passes()
    asked.write({"docs/asked.toml": ROW.format(answer="guide/answers").replace("= 3", "= 1")})
    asked.passes()
    item = asked.page("asked").select_one("#first-things li")
    assert item.a["href"] == "guide/answers.html"
    assert "Found once:" in item.text


@pytest.mark.parametrize("answer", ["guide/nowhere", "guide/answers#nothing"])
def test_an_answer_that_does_not_exist_is_a_warning(asked: Site, answer: str):
    asked.write({"docs/asked.toml": ROW.format(answer=answer)})
    assert f"no such answer: {answer}" in "\n".join(asked.fails().warnings)


def test_the_text_of_a_link():
    assert short("https://github.com/cython/cython/issues/12") == "cython#12"
    assert short("https://github.com/dask/distributed/pull/8") == "distributed#8"
    assert short("http://example.org/a/b") == "example.org"
