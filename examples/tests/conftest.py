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
    # With xdist, the process that collects the reports of the others writes them.
    if (path := config.getoption("--claims")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the report, which may cross processes, what was checked, and how it ended."""
    report = yield
    for marker in item.iter_markers("claim"):
        page, name = marker.args
        check = {
            "file": item.path.stem,
            "function": getattr(item, "originalname", item.name),
            "outcome": report.outcome,
            "reason": str(call.excinfo.value).partition("\n")[0] if call.excinfo else "",
        }
        report.user_properties.append((f"{page.removesuffix('.md')}#claim-{name}", check))
    return report


class Outcomes:
    """Writes how the checks of claims ended, for the build of the site (``publishing.claims``).

    Args:
        path: The file to write.
    """

    WORSE = ("passed", "skipped", "failed")

    def __init__(self, path: Path) -> None:
        self.path = path
        # By the claim, then by the test; of its runs and their phases, the worst.
        self.checks: dict[str, dict[tuple[str, str], dict[str, str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report adds."""
        for claim, check in report.user_properties:
            checks = self.checks.setdefault(claim, {})
            test = (check["file"], check["function"])
            worst = checks.setdefault(test, check)
            if self.WORSE.index(check["outcome"]) > self.WORSE.index(worst["outcome"]):
                checks[test] = check

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        outcomes = {claim: list(checks.values()) for claim, checks in self.checks.items()}
        self.path.write_text(json.dumps(outcomes), encoding="utf-8")


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
