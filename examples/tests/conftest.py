"""Fixtures for the claims: built examples, and the C of their lines. No Sphinx is involved."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from collections.abc import Callable, Generator
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--claims", help="write which checks of claims passed to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "claim(page, name): the claim in a page below docs/ that the test checks"
    )
    config.stash[OUTCOMES] = {}


# By the claim, then by the test: how bad it was, and why.
Outcomes = dict[str, dict[tuple[str, str], tuple[str, str]]]
OUTCOMES = pytest.StashKey[Outcomes]()
WORSE = ("passed", "skipped", "failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how the checks of claims end; of runs with several parameters, the worst."""
    report = yield
    for marker in item.iter_markers("claim"):
        page, name = marker.args
        checks = item.config.stash[OUTCOMES].setdefault(
            f"{page.removesuffix('.md')}#claim-{name}", {}
        )
        function = getattr(item, "originalname", item.name)
        before, reason = checks.get((item.path.stem, function), ("passed", ""))
        if WORSE.index(report.outcome) > WORSE.index(before):
            reason = str(call.excinfo.value) if call.excinfo else ""
        outcome = max(before, report.outcome, key=WORSE.index)
        checks[item.path.stem, function] = (outcome, reason.partition("\n")[0])
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes for the build of the site (``publishing.claims``)."""
    if path := session.config.getoption("--claims"):
        outcomes = {
            claim: [
                {"file": file, "function": function, "outcome": outcome, "reason": reason}
                for (file, function), (outcome, reason) in checks.items()
            ]
            for claim, checks in session.config.stash[OUTCOMES].items()
        }
        Path(path).write_text(json.dumps(outcomes), encoding="utf-8")


@pytest.fixture(autouse=True)
def claim_is_in_its_page(request: pytest.FixtureRequest) -> None:
    """A check of a claim that is in no page is a check of nothing."""
    for marker in request.node.iter_markers("claim"):
        page, name = marker.args
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert text.count(f"]{{#claim-{name}}}") == 1, f"{page} has no claim {name}"


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
