"""What takes time and is not needed is not done. No test here measures a time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from benchmarks import builds
from benchmarks.sites import BARE, OURS, Site

from sphinx_cython.core import process

# How the process is started that ends all others if the build is killed.
WATCHER = {process._WATCH}
# Runs Sphinx and reports which packages it imported and which processes it started.
OBSERVE = """
import json, sys
from pathlib import Path

started = []

def hook(event, arguments):
    if event == "subprocess.Popen":
        started.append([str(word) for word in arguments[1]])
    elif event in ("os.fork", "os.forkpty", "os.posix_spawn"):
        started.append([event])

sys.addaudithook(hook)
from sphinx.cmd.build import main

code = main(sys.argv[2:])
Path(sys.argv[1]).write_text(json.dumps({"modules": sorted(sys.modules), "started": started}))
sys.exit(code)
"""


@dataclass(frozen=True)
class Observed:
    """What a build did.

    Attributes:
        packages: The installed packages that it imported, those of Python itself left out.
        modules: All modules that it imported.
        started: The processes that it started.
    """

    packages: set[str]
    modules: set[str]
    started: list[list[str]]


def observe(site: Site) -> Observed:
    """Build a site once more in one process."""
    report = site.root / "observed.json"
    options = ("-q", "-b", "html", "-d", "doctrees", "docs", "html")
    command = [sys.executable, "-c", OBSERVE, str(report), *options]
    subprocess.run(command, cwd=site.root, env=builds.variables(site), check=True)
    told = json.loads(report.read_text("utf-8"))
    tops = {name.partition(".")[0] for name in told["modules"]}
    return Observed(tops - sys.stdlib_module_names, set(told["modules"]), told["started"])


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Site]:
    made = {}
    for way in (BARE, OURS):
        made[way] = builds.new_site(tmp_path_factory.mktemp("speed") / way, way, 2)
        builds.build(made[way])
    return made


# What only a build that compiles, runs or measures something needs.
UNNEEDED = {"Cython.Compiler.Main", "IPython.core.interactiveshell", "ipykernel.kernelapp", "numpy"}


def test_a_build_without_a_change_imports_nothing_but_the_extension(built: dict[str, Site]):
    bare, ours = observe(built[BARE]), observe(built[OURS])
    assert ours.packages - bare.packages == {"sphinx_cython"}
    assert (ours.modules - bare.modules) & UNNEEDED == set()


def test_an_edit_of_prose_imports_only_what_reads_a_source_besides(built: dict[str, Site]):
    for site in built.values():
        site.edit_prose(0)
    bare, ours = observe(built[BARE]), observe(built[OURS])
    # Cython's own modules are there under two names.
    reader = {"Cython", "cython", "_shared"}
    assert ours.packages - bare.packages <= {"sphinx_cython"} | reader
    assert (ours.modules - bare.modules) & UNNEEDED == set()


@pytest.mark.parametrize("edit", [lambda site: None, lambda site: site.edit_prose(1)])
def test_a_build_that_compiles_nothing_starts_nothing_but_the_compiler_for_its_version(
    built: dict[str, Site], edit
):
    edit(built[OURS])
    # More often than anything unused is kept in the cache.
    for _ in range(7):
        started = observe(built[OURS]).started
        # The compiler may have several words: ``python -m ziglang cc``.
        others = [command for command in started if WATCHER.isdisjoint(command)]
        assert [command[-1] for command in others] == ["--version"], others
