"""When things happen in a run of Sphinx: building first, pages then, measuring last."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sphinx.errors import ExtensionError
from sphinx.util import logging

from . import execution
from .core.artefact import Artefact, Failure, Outcome
from .core.builder import Builder
from .core.config import Config
from .core.example import ExampleError, Examples
from .core.measure import MeasureError, measure
from .core.process import StepError
from .core.store import StoreError
from .core.toolchain import ToolchainError, find_toolchain, processor_name
from .directives import _folder
from .state import State, get_state, records, set_state

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config as SphinxConfig
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

_UNFINISHED = "unfinished-builds"


def configure(app: Sphinx, config: SphinxConfig) -> None:
    """Check the setting, take over execution from MyST-NB, and drop what a broken build left.

    A marker lies beside the pickled environment from the start of a build until it has ended
    without a warning. If there is one, an earlier build was killed or had something to complain
    about: its pages are read and written again, so that no half-written page stays and no
    complaint is ever lost.
    """
    if not isinstance(config.cython, Config):
        raise ExtensionError("`cython` in conf.py must be a sphinx_cython.core.config.Config")
    if "myst_nb" in app.extensions:
        config.nb_execution_mode = "off"
        config.nb_custom_formats = {".md": ["sphinx_cython.execution.read_page", {}, False]}
    config.cython_extension = extension_digest()
    markers = Path(app.doctreedir, _UNFINISHED)
    if markers.is_dir() and any(markers.iterdir()):
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)
        for marker in markers.iterdir():
            marker.unlink(missing_ok=True)
    markers.mkdir(parents=True, exist_ok=True)
    (markers / str(os.getpid())).touch()


def extension_digest() -> str:
    """Return a digest of this extension's own files: when they change, every page is made anew."""
    hasher = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".css", ".js"):
            hasher.update(path.name.encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()[:20]


def _stop(message: str) -> NoReturn:
    """End the build with an error message.

    Whatever exception Sphinx catches, it prints a traceback and asks to report it as a bug.
    """
    logger.error(message)
    raise SystemExit(2)


def build_examples(app: Sphinx) -> None:
    """Compile whatever has changed and make it importable (``builder-inited``)."""
    config: Config = app.config.cython
    confdir = Path(app.confdir)
    started = time.perf_counter()
    cache = config.folder(config.cache, confdir)
    try:
        toolchain = find_toolchain(memory=cache)
        examples = Examples.scan(config.folder(config.examples, confdir), config.refused)
    except (ToolchainError, ExampleError) as error:
        _stop(str(error))
    for clause in toolchain.rejected:
        logger.info("C compiler does not work: %s", clause)
    logger.info("C compiler: %s, from %s", toolchain.name, toolchain.origin)
    builder = Builder(
        examples,
        config,
        cache,
        toolchain,
        max(app.parallel, 1),
        logger.info,
    )
    try:
        outcomes = builder.build_all()
        stage = builder.stage(outcomes)
    except (StepError, StoreError) as error:
        _stop(str(error))
    helpers = tuple(config.folder(name, confdir) for name in config.helpers)
    state = State(builder, outcomes, stage, helpers, app.builder.format)
    state.seconds["examples"] = time.perf_counter() - started
    state.seconds["_pages"] = time.perf_counter()
    set_state(app, state)


def outdated_pages(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Return the pages that show or import something that is not what it was."""
    state = get_state(app)
    digests = state.digests()
    for page in records(env).values():
        page.seconds = 0.0
    return [
        docname
        for docname, page in records(env).items()
        if any(digests.get(key) != digest for key, digest in page.uses.items())
        or any(
            execution.helper_digest(state, name) != digest for name, digest in page.helpers.items()
        )
    ]


def purge_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page was made from."""
    records(env).pop(docname, None)


def merge_pages(
    app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment
) -> None:
    """Take over what a parallel reader found out."""
    found = records(other)
    records(env).update({name: found[name] for name in docnames if name in found})


def _pages_using(env: BuildEnvironment, key: str) -> str:
    pages = sorted(docname for docname, page in records(env).items() if key in page.uses)
    return ", ".join(pages) or "no page"


def finish_reading(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Report what did not compile, and measure what pages show the cost of (``env-updated``).

    Returns:
        The pages that must be written again because of what other pages now are.
    """
    state = get_state(app)
    for failure in state.failures():
        what = f"does not compile ({failure.step})" if failure.rejected else "was not built"
        logger.warning(
            "%s %s. Used by: %s\n%s",
            failure.variant.key,
            what,
            _pages_using(env, failure.variant.key),
            failure.summary,
            location=_place(failure),
            type="cython",
            subtype="compile",
        )
    for key, outcome in state.outcomes.items():
        if isinstance(outcome, Artefact) and outcome.variant.example.refused:
            logger.warning(
                "%s must not compile, and does. Used by: %s",
                key,
                _pages_using(env, key),
                location=f"{outcome.variant.example.path}:1",
                type="cython",
                subtype="refused",
            )
    for example in state.builder.examples:
        if not example.refused and not any(
            example.name in page.examples for page in records(env).values()
        ):
            logger.info("example %s has no page of its own", example.name)
    started = time.perf_counter()
    state.seconds["pages"] = started - state.seconds.pop("_pages", started)
    for docname, page in records(env).items():
        for key, group in page.groups.items():
            try:
                state.costs[key] = measure(
                    group, state.stage, state.builder.cache, processor_name()
                )
            except MeasureError as error:
                logger.warning(
                    "a measurement failed: %s",
                    error,
                    location=docname,
                    type="cython",
                    subtype="measure",
                )
    state.seconds["measuring"] = time.perf_counter() - started
    state.seconds["_writing"] = time.perf_counter()
    return _affected_pages(env, state)


def _affected_pages(env: BuildEnvironment, state: State) -> list[str]:
    """Return the pages that must link to an example's page, or list examples, in another way."""
    pages = records(env)
    own = {name: docname for docname, page in pages.items() for name in page.examples}
    examples = [
        (e.name, e.summary, list(e.functions), own.get(e.name)) for e in state.builder.examples
    ]
    users = [(name, env.titles[name].astext(), sorted(page.uses)) for name, page in pages.items()]
    listed = repr((examples, sorted(users)))
    keys = sorted(docname for docname, page in pages.items() if page.key)
    affected = []
    for docname, page in pages.items():
        links = sorted((key, own.get(key.partition("@")[0])) for key in page.uses)
        others = repr((links, keys)) + (listed if page.gallery else "")
        if others != page.others:
            page.others = others
            affected.append(docname)
    return affected


def _place(failure: Failure) -> str:
    """Return file and line of the first complaint, if it is about a file of the examples."""
    example = failure.variant.example
    for problem in failure.problems[:1]:
        if (example.root / problem.file).is_file():
            return f"{example.root / problem.file}:{problem.line}"
    # Sphinx takes a place without a colon for the name of a page.
    return f"{example.path}:1"


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Publish the files of the examples, say where the time went, take the marker away."""
    try:
        state = get_state(app)
    except KeyError:
        return
    if exception is None:
        if app.builder.format == "html":
            publish(Path(app.outdir), state.outcomes)
        _report_times(app, state)
    # Sphinx keeps the count of warnings for itself; conf/tests notice if that changes.
    if exception is None and app._warncount == 0:
        Path(app.doctreedir, _UNFINISHED, str(os.getpid())).unlink(missing_ok=True)


def publish(outdir: Path, outcomes: dict[str, Outcome]) -> None:
    """Copy source, C and Cython's own annotated page of every artefact into the site."""
    wanted = set()
    for outcome in outcomes.values():
        if not isinstance(outcome, Artefact) or outcome.variant.example.refused:
            continue
        target = outdir / _folder(outcome.variant)
        target.mkdir(parents=True, exist_ok=True)
        wanted.add(target.name)
        module = outcome.variant.example.module
        for source in (outcome.variant.example.path, outcome.c_file, outcome.html_file):
            copy = target / (module + source.suffix)
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                shutil.copyfile(source, copy)
    folder = outdir / "_cython"
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.name not in wanted:
            shutil.rmtree(old)


def _report_times(app: Sphinx, state: State) -> None:
    """Log a table of where the time went."""
    seconds = state.seconds
    writing = time.perf_counter() - seconds.pop("_writing", time.perf_counter())
    fresh = [o for o in state.outcomes.values() if isinstance(o, Artefact) and o.fresh]
    rows = [
        (f"examples: {len(fresh)} of {len(state.outcomes)} built", seconds.get("examples", 0.0)),
        *((f"    {o.variant.key} ({step})", t) for o in fresh for step, t in o.seconds.items()),
        ("reading pages, cells included", seconds.get("pages", 0.0)),
        *(
            (f"    {name}: {len(page.cells)} cells executed", page.seconds)
            for name, page in sorted(records(app.env).items())
            if page.seconds
        ),
        ("measuring", seconds.get("measuring", 0.0)),
        ("writing", writing),
    ]
    logger.info("\nWhere the time went:")
    for words, took in rows:
        logger.info("  %-58s %7.1f s", words, took)


def setup(app: Sphinx) -> None:
    """Register the setting, the handlers and the style sheet."""
    app.add_config_value("cython", Config(), "env", types=frozenset({Config}))
    app.add_config_value("cython_extension", "", "env", types=frozenset({str}))
    # Before MyST-NB reads its own settings.
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", build_examples)
    app.connect("source-read", execution.note_page)
    app.connect("doctree-read", execution.keep_from_search)
    app.connect("env-get-outdated", outdated_pages)
    app.connect("env-purge-doc", purge_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("env-updated", finish_reading)
    app.connect("build-finished", finish)
    app.add_css_file("cython-colours.css")
    app.add_css_file("cython.css")
    app.add_js_file("cython.js", loading_method="defer")
    app.connect("builder-inited", _static_path)


def _static_path(app: Sphinx) -> None:
    app.config.html_static_path.append(str(Path(__file__).parent / "static"))
