"""Fixtures for the claims: built examples, and the C of their lines. No Sphinx is involved."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "conf" / "pictures")]

from sphinx_cython.core.artefact import Artefact, Outcome  # noqa: E402
from sphinx_cython.core.builder import Builder  # noqa: E402
from sphinx_cython.core.config import Config  # noqa: E402
from sphinx_cython.core.cparts import Excerpt  # noqa: E402
from sphinx_cython.core.example import Examples  # noqa: E402
from sphinx_cython.core.results import Results  # noqa: E402
from sphinx_cython.core.toolchain import find_toolchain  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "claim(page, sentence): the sentence of a page in docs/ that the test checks"
    )


def _words(text: str) -> str:
    """Reduce text to its words, so that line breaks and markup do not matter."""
    text = re.sub(r"\{term\}`([^`<]*[^`<\s])(?:\s*<[^`]*>)?`", r"\1", text)  # links to the glossary
    return re.sub(r"[^\w.,;:=\[\]()-]+", " ", re.sub(r"[`*_]", "", text)).strip()


@pytest.fixture(autouse=True)
def sentence_stands_in_page(request: pytest.FixtureRequest) -> None:
    """A claim whose sentence is no longer in its page is a claim about nothing."""
    for marker in request.node.iter_markers("claim"):
        page, sentence = marker.args
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert _words(sentence) in _words(text), f"{page} no longer says: {sentence}"


@pytest.fixture(scope="session")
def builder() -> Builder:
    """The builder, with the profiles and the cache of the site."""
    conf = ROOT / "conf"
    config = runpy.run_path(str(conf / "conf.py"))["cython"]
    assert isinstance(config, Config)
    examples = Examples.scan(config.folder(config.examples, conf), config.refused)
    cache = config.folder(config.cache, conf)
    return Builder(examples, config, cache, find_toolchain(), os.cpu_count() or 1, print)


@pytest.fixture(scope="session")
def outcomes(builder: Builder) -> dict[str, Outcome]:
    """What became of every variant."""
    return builder.build_all()


@pytest.fixture(scope="session")
def built(outcomes: dict[str, Outcome]) -> Callable[[str], Artefact]:
    """Return the artefact of a variant such as ``objects/object_items@plain``."""

    def get(key: str) -> Artefact:
        outcome = outcomes[key]
        assert isinstance(outcome, Artefact), outcome.summary
        return outcome

    return get


@pytest.fixture(scope="session")
def load(builder: Builder, outcomes: dict[str, Outcome]) -> Callable[[str], ModuleType]:
    """Import a built example by its import name."""
    sys.path.insert(0, str(builder.stage(outcomes)))
    return importlib.import_module


@pytest.fixture(scope="session")
def c_of(
    builder: Builder, outcomes: dict[str, Outcome], built: Callable[[str], Artefact]
) -> Callable[..., Excerpt]:
    """Return the C of a line: ``c_of("indexing/view_items", "strided", "x = a[i]")``."""
    results = Results(builder, outcomes, builder.stage(outcomes), ())

    def get(key: str, function: str, line: str) -> Excerpt:
        artefact = built(key)
        number = artefact.variant.example.find_line(line, function)
        return results.excerpt(artefact, results.lines(artefact)[number - 1])

    return get


@pytest.fixture(scope="session")
def c_file(built: Callable[[str], Artefact]) -> Callable[[str], str]:
    """Return the whole generated C of a variant."""
    return lambda key: built(key).c_file.read_text(encoding="utf-8")
