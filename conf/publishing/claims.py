"""Claims: sentences of pages, each with a check that ran and passed in this build.

A claim is a sentence in a page, ``[Indexing a view needs no object.]{#claim-no-object}``, and a
test in ``examples/tests/``, marked ``@pytest.mark.claim("guide/view-items.md", "no-object")``.
The tests run after the pages are read, and again only when something that they depend on has
changed. A claim without a check, a check without a claim and a check that fails are warnings.

A mark behind the sentence leads to the check, on a page that shows the file of tests; the
directive ``claims`` lists all claims.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from sphinx_cython.core.process import StepError, environment, python_command, run
from sphinx_cython.domain import get_results

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.builders.html import StandaloneHTMLBuilder
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

PREFIX = "claim-"
PAGES = "_checks"  # folder of the pages that show the tests
TIME_LIMIT = 900.0  # seconds for all checks together, on however busy a machine
FILE = "claims.json"


@dataclass
class Check:
    """A test that checks a claim.

    Attributes:
        file: Its file, below ``examples/tests/``, without the ending.
        function: Its name.
        outcome: "passed", "failed" or "skipped"; of several runs with parameters, the worst.
        reason: Why it failed or was skipped, in one line.
    """

    file: str
    function: str
    outcome: str
    reason: str = ""

    @property
    def page(self) -> str:
        """Name of the page that shows it."""
        return f"{PAGES}/{self.file}"


@dataclass
class Claims:
    """What the last run of the checks found.

    Attributes:
        digest: Digest of all that the outcome depends on.
        checks: The checks of each claim, by page and name: ``guide/gil#claim-counted``.
    """

    digest: str = ""
    checks: dict[str, list[Check]] = field(default_factory=dict)


class ClaimCollector(EnvironmentCollector):
    """Keeps the claims of each page: its sentences by the id of the claim."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Forget those of a page."""
        claims_of(env).pop(docname, None)

    def merge_other(
        self, app: Sphinx, env: BuildEnvironment, docnames: Set[str], other: BuildEnvironment
    ) -> None:
        """Take over what a parallel reader collected."""
        claims_of(env).update({name: claims_of(other).get(name, {}) for name in docnames})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Collect those of a page."""
        sentences = {node["ids"][0]: node.astext() for node in claim_nodes(doctree)}
        claims_of(app.env)[app.env.current_document.docname] = sentences


def claims_of(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """Return the sentences of all claims, by page and id."""
    if not hasattr(env, "site_claims"):
        env.site_claims = {}  # type: ignore[attr-defined]
    claims: dict[str, dict[str, str]] = env.site_claims  # type: ignore[attr-defined]
    return claims


def claim_nodes(doctree: nodes.Node) -> Iterator[nodes.inline]:
    """Return the claims in a page."""
    for node in doctree.findall(nodes.inline):
        if node["ids"] and node["ids"][0].startswith(PREFIX):
            yield node


def digest_of_checks(app: Sphinx) -> str:
    """Return the digest of all that the outcomes depend on: tests, built examples, our code."""
    results = get_results(app.env)
    digest = hashlib.sha256()
    for key, outcome in sorted(results.outcomes.items()):
        digest.update(f"{key} {outcome.digest}\n".encode())
    root = Path(app.confdir).parent
    for folder in ("examples", "conf/pictures", "conf/sphinx_cython/core"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".so", ".c"):
                digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def read_outcomes(text: str) -> dict[str, list[Check]]:
    """Return the checks that a run of the tests wrote down (``examples/tests/conftest.py``)."""
    return {key: [Check(**check) for check in checks] for key, checks in json.loads(text).items()}


def run_checks(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Run the checks if something has changed (``env-updated``).

    Returns:
        The pages whose marks are other than before, to write them anew.
    """
    if "sphinx_cython" not in app.extensions or not any(claims_of(env).values()):
        return []
    kept = Path(app.doctreedir) / FILE
    digest = digest_of_checks(app)
    claims = Claims()
    if kept.is_file():
        stored = json.loads(kept.read_text("utf-8"))
        claims = Claims(stored["digest"], read_outcomes(json.dumps(stored["checks"])))
    if claims.digest != digest or any(
        check.outcome == "failed" for checks in claims.checks.values() for check in checks
    ):
        logger.info("checking the claims ... ", nonl=True)
        claims = Claims(digest, _run_pytest(app))
        logger.info("%d claims", len(claims.checks))
        if claims.checks:
            kept.write_text(json.dumps(asdict(claims)), "utf-8")
    app.site_checks = claims.checks  # type: ignore[attr-defined]
    _report(env, claims.checks)
    return _changed_pages(env, claims.checks)


def _run_pytest(app: Sphinx) -> dict[str, list[Check]]:
    root = Path(app.confdir).parent
    result = Path(app.doctreedir).resolve() / f".{FILE}"
    result.unlink(missing_ok=True)
    # As many at once as pages are read.
    jobs = ("-n", str(app.parallel)) if app.parallel > 1 else ()
    arguments = ("examples/tests", "-q", "-m", "claim", *jobs, f"--claims={result}")
    command = python_command("pytest", *arguments)
    step = "the run of the checks"
    try:
        done = run(command, step=step, cwd=root, timeout=TIME_LIMIT, env=environment())
    except StepError as error:
        logger.error("%s", error, type="claims")
        return {}
    if done.returncode not in (0, 1) or not result.is_file():  # 1: a test failed
        logger.error("%s %s and left no result:\n%s", step, done.end, done.output, type="claims")
        return {}
    outcomes = read_outcomes(result.read_text("utf-8"))
    result.unlink()
    return outcomes


def _report(env: BuildEnvironment, checks: dict[str, list[Check]]) -> None:
    """Warn of claims and checks that do not fit together."""
    claims = {
        f"{docname}#{name}": docname for docname, names in claims_of(env).items() for name in names
    }
    for key, docname in sorted(claims.items()):
        if key not in checks:
            logger.warning("no check for the claim %s", key, location=docname, type="claims")
        for check in checks.get(key, ()):
            if check.outcome == "failed":
                logger.warning(
                    "the claim %s failed its check %s: %s",
                    key,
                    check.function,
                    check.reason,
                    location=docname,
                    type="claims",
                )
    for key in sorted(checks.keys() - claims.keys()):
        names = ", ".join(check.function for check in checks[key])
        logger.warning("%s checks %s, which is in no page", names, key, type="claims")


def _changed_pages(env: BuildEnvironment, checks: dict[str, list[Check]]) -> list[str]:
    """Return the pages whose marks are other than when they were written last."""
    marks = {
        docname: repr([checks.get(f"{docname}#{name}") for name in names])
        for docname, names in claims_of(env).items()
        if names
    }
    everything = repr(sorted(claims_of(env).items())) + repr(sorted(marks.items()))
    for docname in env.metadata:
        if "claims" in env.metadata[docname]:
            marks[docname] = hashlib.sha256(everything.encode()).hexdigest()
    before = getattr(env, "site_claim_marks", {})
    env.site_claim_marks = marks  # type: ignore[attr-defined]
    return [docname for docname, mark in marks.items() if before.get(docname) != mark]


class claims_list(nodes.General, nodes.Element):
    """The place of the list of all claims."""


class ClaimsDirective(SphinxDirective):
    """``claims``: a table of all claims of the site, with their checks."""

    def run(self) -> list[Node]:
        """Leave a place that is filled when all pages are read."""
        self.env.metadata[self.env.docname]["claims"] = True
        return [claims_list()]


def show_claims(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a mark behind each claim, and fill the list of claims (``doctree-resolved``)."""
    checks: dict[str, list[Check]] = getattr(app, "site_checks", {})
    for place in doctree.findall(claims_list):
        place.replace_self(_table(app, docname, checks))
    if app.builder.name not in ("html", "dirhtml"):
        return
    for node in claim_nodes(doctree):
        for check in checks.get(f"{docname}#{node['ids'][0]}", [])[:1]:
            node["classes"].append("claim")
            node.append(nodes.raw("", _mark(app, docname, check), format="html"))


def _mark(app: Sphinx, docname: str, check: Check) -> str:
    address = app.builder.get_relative_uri(docname, check.page) + f"#{check.function}"
    title, text = {
        "passed": (f"Checked in this build: {words_of(check.function)}", "✓"),
        "skipped": (f"Not checked in this build: {check.reason}", "not run here"),
        "failed": (f"Failed in this build: {check.reason}", "check failed"),
    }[check.outcome]
    return f'<a class="claim-check" href="{address}" title="{escape(title)}">{text}</a>'


def words_of(function: str) -> str:
    """Return the name of a test as words."""
    return function.removeprefix("test_").replace("_", " ")


def _table(app: Sphinx, docname: str, checks: dict[str, list[Check]]) -> list[Node]:
    """Return a section for each page with its claims: sentence, checks, outcome."""
    sections: list[Node] = []
    for page in sorted(claims_of(app.env)):
        sentences = claims_of(app.env)[page]
        if not sentences:
            continue
        title = app.env.titles[page].astext()
        # In the search index each sentence would lead here and not to its page.
        section = nodes.section(ids=[nodes.make_id(page)], classes=["no-search"])
        section += nodes.title(title, title)
        items = nodes.bullet_list(classes=["claims"])
        for name, sentence in sentences.items():
            paragraph = nodes.paragraph()
            address = app.builder.get_relative_uri(docname, page) + f"#{name}"
            paragraph += nodes.reference("", sentence, internal=True, refuri=address)
            for check in checks.get(f"{page}#{name}", ()):
                where = app.builder.get_relative_uri(docname, check.page) + f"#{check.function}"
                paragraph += nodes.Text(" ")
                link = nodes.reference("", words_of(check.function), internal=True, refuri=where)
                paragraph += nodes.inline("", "", link, classes=[f"claim-{check.outcome}"])
                if check.outcome == "skipped":
                    paragraph += nodes.Text(f" (not run here: {check.reason})")
            items += nodes.list_item("", paragraph)
        section += items
        sections.append(section)
    return sections


def check_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Make a page of each file of tests (``html-collect-pages``)."""
    checks: dict[str, list[Check]] = getattr(app, "site_checks", {})
    files: dict[str, dict[str, list[str]]] = {}
    for key, several in checks.items():
        for check in several:
            files.setdefault(check.file, {}).setdefault(check.function, []).append(key)
    folder = Path(app.confdir).parent / "examples" / "tests"
    for file, functions in sorted(files.items()):
        source = (folder / f"{file}.py").read_text("utf-8")
        body = f"<h1>Checks: {escape(words_of(file))}</h1>\n"
        body += "".join(_blocks(app, f"{PAGES}/{file}", source, functions))
        context = {"title": f"Checks: {words_of(file)}", "body": body}
        yield f"{PAGES}/{file}", context, "page.html"


def _blocks(
    app: Sphinx, pagename: str, source: str, functions: dict[str, list[str]]
) -> Iterator[str]:
    """Return the HTML of a file of tests, each check below a heading with its claims."""
    builder: StandaloneHTMLBuilder = app.builder  # type: ignore[assignment]
    lines = source.splitlines(keepends=True)
    done = 0

    def code(start: int, end: int) -> str:
        text = "".join(lines[start:end]).strip("\n")
        return builder.highlighter.highlight_block(text, "python") if text else ""

    for node in ast.parse(source).body:
        if not (isinstance(node, ast.FunctionDef) and node.name in functions):
            continue
        start = min([node.lineno, *(entry.lineno for entry in node.decorator_list)]) - 1
        yield code(done, start)
        yield f'<section id="{node.name}"><h2>{escape(words_of(node.name).capitalize())}'
        yield f'<a class="headerlink" href="#{node.name}" title="Link to this heading">¶</a></h2>'
        for key in functions[node.name]:
            page, _, name = key.partition("#")
            sentence = claims_of(app.env).get(page, {}).get(name, "")
            address = builder.get_relative_uri(pagename, page) + f"#{name}"
            yield f'<p class="claim-checked"><a href="{address}">{escape(sentence)}</a></p>'
        done = node.end_lineno or start
        yield code(start, done) + "</section>\n"
    yield code(done, len(lines))


def setup(app: Sphinx) -> None:
    """Register the collector, the directive and the event handlers."""
    app.add_node(claims_list)
    app.add_directive("claims", ClaimsDirective)
    app.add_env_collector(ClaimCollector)
    # Before the costs are measured: that is to happen on a quiet machine.
    app.connect("env-updated", run_checks, priority=400)
    app.connect("doctree-resolved", show_claims)
    app.connect("html-collect-pages", check_pages)
