"""Builds the examples before pages are read, measures after, and connects the other handlers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sphinx.errors import ExtensionError
from sphinx.util import logging

from . import assets, domain, progress, report
from .core.builder import Builder
from .core.config import Config
from .core.example import ExampleError, Examples
from .core.measure import MeasureError, measure_all
from .core.process import StepError
from .core.results import Results
from .core.store import StoreError
from .core.toolchain import ToolchainError, find_toolchain, processor_name
from .domain import cython_domain, get_results, records

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config as SphinxConfig
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)


def configure(app: Sphinx, config: SphinxConfig) -> None:
    """Check the setting, and take over the execution of cells (``config-inited``)."""
    if not isinstance(config.cython, Config):
        raise ExtensionError("`cython` in conf.py must be a sphinx_cython.core.config.Config")
    if "myst_nb" in app.extensions:
        from . import notebook

        notebook.configure(app, config)


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
    results = Results(builder, outcomes, stage, helpers)
    cython_domain(app.env).results = results


def measure_costs(app: Sphinx, env: BuildEnvironment) -> None:
    """Measure what pages show the cost of (``env-updated``)."""
    results = get_results(env)
    groups = {key: group for page in records(env).values() for key, group in page.groups.items()}
    measured = measure_all(groups, results.stage, results.builder.cache, processor_name())
    for docname, page in records(env).items():
        for key, group in page.groups.items():
            measurement = measured[key]
            if isinstance(measurement, MeasureError):
                logger.warning(
                    "a measurement failed: %s",
                    measurement,
                    location=(docname, group.line),
                    type="cython",
                    subtype="measure",
                )
            else:
                results.costs[key] = measurement.costs()


def setup(app: Sphinx) -> None:
    """Register the setting, the style sheets, and the handlers in the order of a build."""
    app.add_config_value("cython", Config(), "env", types=frozenset({Config}))
    # What runs the cells: whatever changes their outputs has all pages read again.
    app.add_config_value("cython_execution", "", "env", types=frozenset({str}))
    # Before MyST-NB reads its own settings.
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", build_examples)
    domain.setup(app)
    report.setup(app)
    app.connect("env-updated", measure_costs)
    assets.setup(app)
    progress.setup(app)
