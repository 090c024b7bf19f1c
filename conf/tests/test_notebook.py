"""The settings of MyST-NB: each is honored, or refused by its name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import VARIABLES, Run, Site

INDEX = "# Index\n\n```{toctree}\n:glob:\n*\n```\n"
PLUS = "import add\nadd.add(20, 1)"
FAILS = "1 / 0"


def page(title: str, *cells: str, front: str = "") -> str:
    front = f"---\n{front}\n---\n" if front else ""
    return f"{front}# {title}\n\n" + "\n".join(f"```{{code-cell}}\n{cell}\n```\n" for cell in cells)


def notebook(source: str, outputs: tuple[object, ...] = (), name: str = "python3") -> str:
    """A notebook file with one cell."""
    language = "python" if name.startswith("python") else "other"
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "one",
        "metadata": {},
        "outputs": outputs,
        "source": source,
    }
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Notebook"}
    kernel = {"name": name, "display_name": name, "language": language}
    metadata = {"kernelspec": kernel, "language_info": {"name": language}}
    return json.dumps(
        {"cells": [title, cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


OLD = {"name": "stdout", "output_type": "stream", "text": "as it was saved\n"}


def outputs(site: Site, name: str) -> list[str]:
    """The text of each output of a page."""
    found = site.page(name).select(".cell_output .output")
    return [element.get_text().rstrip("\n") for element in found]


def told(site: Site, run: Run) -> list[str]:
    """The warnings of a build, with places relative to the site."""
    return sorted(line.replace(f"{site.root}/", "") for line in run.warnings)


def prepared(site: Site, more: str, pages: dict[str, str]) -> Site:
    site = site.with_own_cache()
    site.configure(more=more)
    site.write({f"docs/{name}": text for name, text in ({"index.md": INDEX} | pages).items()})
    return site


# --- which pages are executed


@pytest.mark.parametrize(
    ("mode", "saved"), [("auto", "as it was saved"), ("cache", "21"), ("force", "21")]
)
def test_notebook_files_are_executed_as_the_mode_demands(site: Site, mode: str, saved: str):
    pages = {"new.ipynb": notebook(PLUS), "saved.ipynb": notebook(PLUS, [OLD])}
    site = prepared(site, f"nb_execution_mode = {mode!r}", pages)
    site.passes()
    assert (outputs(site, "new"), outputs(site, "saved")) == (["21"], [saved])
    # They follow the modules that they import.
    example = site.root / "examples/plain/add.pyx"
    example.write_text(example.read_text().replace("return a + b\n", "return a + b + 21\n", 1))
    site.passes()
    assert outputs(site, "new") == ["42"]


def test_a_failing_cell_of_a_notebook_file_fails_the_build(site: Site):
    site = prepared(site, "nb_execution_mode = 'force'", {"fails.ipynb": notebook(FAILS)})
    for _ in range(2):
        assert told(site, site.fails()) == [
            "docs/fails.ipynb: WARNING: cell 1 of fails raised ZeroDivisionError: division by zero"
        ]


def test_nothing_is_executed_if_the_mode_is_off(site: Site):
    site = prepared(site, "nb_execution_mode = 'off'", {"cells.md": page("Cells", PLUS)})
    assert site.passes().executed == set()
    assert "add.add" in site.page("cells").get_text()


def test_pages_can_be_excluded_by_settings_and_by_themselves(site: Site):
    off = "mystnb:\n  execution_mode: 'off'"
    pages = {
        "excluded.md": page("Cells", FAILS),
        "notebook.ipynb": notebook(FAILS),
        "off.md": page("Cells", FAILS, front=off),
        "runs.md": page("Cells", PLUS),
    }
    more = "nb_execution_excludepatterns = ['*/excluded.md', '*.ipynb']"
    site = prepared(site, more, pages)
    assert site.passes().executed == {"runs"}


def test_in_the_mode_force_a_page_is_executed_whenever_it_is_read(site: Site):
    site = prepared(site, "nb_execution_mode = 'force'", {"cells.md": page("Cells", PLUS)})
    assert site.passes().executed == {"cells"}
    site.write({"docs/cells.md": page("Other title", PLUS)})
    assert site.passes().executed == {"cells"}
    assert site.passes().executed == set()


# --- how they are executed


def test_a_time_limit_holds_for_a_page_or_for_all(site: Site):
    slow = "import time\ntime.sleep(3)"
    pages = {
        "more.md": page("More", slow, front="mystnb:\n  execution_timeout: 60"),
        "none.md": page("None", slow, front="mystnb:\n  execution_timeout: -1"),
        "slow.md": page("Slow", slow),
    }
    site = prepared(site, "nb_execution_timeout = 1", pages)
    assert told(site, site.fails()) == [
        "docs/slow.md:3: WARNING: cell 1 of slow ran longer than 1 s [cython.cell]"
    ]


def test_errors_can_be_allowed_on_a_page(site: Site):
    pages = {
        "allowed.md": page("A", FAILS, "2 + 2", front="mystnb:\n  execution_allow_errors: true"),
        "fails.md": page("F", "len(1)", "2 + 2"),
    }
    site = prepared(site, "", pages)
    (line,) = told(site, site.fails())
    assert line.startswith("docs/fails.md:3: WARNING: cell 1 of fails raised TypeError")
    assert outputs(site, "allowed") == ["ZeroDivisionError: division by zero", "4"]
    assert "4" not in outputs(site, "fails")


def test_errors_can_be_allowed_everywhere(site: Site):
    site = prepared(site, "nb_execution_allow_errors = True", {"a.md": page("A", FAILS, "2 + 2")})
    site.passes()
    assert outputs(site, "a") == ["ZeroDivisionError: division by zero", "4"]


def test_an_error_can_end_the_build(site: Site):
    site = prepared(site, "nb_execution_raise_on_error = True", {"a.md": page("A", FAILS)})
    run = site.build(fork=False)
    assert run.code == 2
    assert "cell 1 of a raised ZeroDivisionError: division by zero" in run.err


def test_tags_of_cells_are_honored(site: Site):
    cells = (
        ":tags: [skip-execution]\n1 / 0",
        ":tags: [raises-exception]\n1 / 0",
        ":tags: [remove-input]\n'only the output'",
        ":tags: [remove-output]\n'only the code'",
        ":tags: [remove-cell]\nkept = 'removed'",
        ":tags: [hide-output, remove-stderr]\nprint(kept)\nimport sys\nprint(1, file=sys.stderr)",
        "In[-1][:5], len(In)",
    )
    site = prepared(site, "", {"cells.md": page("Cells", *cells)})
    site.passes()
    text = site.page("cells").get_text()
    assert outputs(site, "cells") == [
        "ZeroDivisionError: division by zero",
        "'only the output'",
        "removed",
        "('In[-1', 7)",
    ]
    assert ("'only the code'" in text, "kept =" in text) == (True, False)


def test_what_is_glued_can_be_pasted_and_statistics_are_kept(site: Site):
    glued = "import myst_nb\nmyst_nb.glue('answer', 42, display=False)"
    text = page("Cells", glued) + "\n{glue:text}`answer`\n\n```{nb-exec-table}\n```\n"
    site = prepared(site, "", {"cells.md": text})
    site.passes()
    shown = site.page("cells").select_one("div.body")
    assert "42" in shown.get_text()
    assert "✅" in shown.select_one("table").get_text()


# --- who reads them

OWN_READER = """
from nbformat import v4

def read(text):
    title, *lines = text.splitlines()
    cells = [v4.new_markdown_cell("# " + title), *map(v4.new_code_cell, lines)]
    return v4.new_notebook(cells=cells)
"""


def test_formats_of_the_project_are_kept_and_executed(site: Site):
    more = "import sys; sys.path.insert(0, '.')\nnb_custom_formats = {'.cells': 'own.read'}\n"
    pages = {
        "own.cells": "Own\nimport add\nadd.add(20, 1)",
        "fails.cells": "Fails\n1 / 0",
        "cells.md": page("Cells", PLUS),
    }
    site = prepared(site, more, pages)
    site.write({"own.py": OWN_READER})
    assert told(site, site.fails()) == [
        "docs/fails.cells: WARNING: cell 1 of fails raised ZeroDivisionError: division by zero"
    ]
    assert (outputs(site, "own"), outputs(site, "cells")) == (["21"], ["21"])


def test_the_project_may_read_markdown_itself(site: Site):
    more = "import sys; sys.path.insert(0, '.')\nnb_custom_formats = {'.md': 'own.read'}\n"
    site.configure(more=more)
    site.write({"own.py": OWN_READER, "docs/index.md": "Own\nimport add\nadd.add(20, 1)"})
    site.passes()
    assert outputs(site, "index") == ["21"]


# --- what is not done here


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ("nb_execution_mode = 'inline'", "nb_execution_mode = 'inline'"),
        ("jupyter_execute_notebooks = 'inline'", "jupyter_execute_notebooks = 'inline'"),
        ("nb_execution_cache_path = '/tmp/c'", "nb_execution_cache_path"),
        ("jupyter_cache = '/tmp/c'", "jupyter_cache"),
    ],
)
def test_a_setting_that_contradicts_is_refused_by_its_name(site: Site, more: str, name: str):
    run = prepared(site, more, {"cells.md": page("Cells", PLUS)}).build(fork=False)
    assert run.code == 2
    assert f"ExtensionError: {name}" in re.sub(r"\x1b\[[\d;]*m", "", run.err)


def test_a_page_that_contradicts_is_refused_by_the_name_of_its_setting(site: Site):
    pages = {
        "cache.md": page("C", PLUS, front="mystnb:\n  execution_cache_path: /tmp/c"),
        "folder.md": page("F", PLUS, front="mystnb:\n  execution_in_temp: false"),
        "inline.md": page("I", PLUS, front="mystnb:\n  execution_mode: inline"),
        "kernel.md": page("K", PLUS, front="kernelspec:\n  name: ir\n  language: R"),
        "other.ipynb": notebook(PLUS, name="ir"),
    }
    site = prepared(site, "", pages)
    run = site.fails()
    assert run.executed == set()
    # Besides, MyST-NB has no lexer for cells in some language.
    for line, (name, word) in zip(
        [line for line in told(site, run) if "[cython.cell]" in line],
        {
            "cache.md": "execution_cache_path has no effect",
            "folder.md": "execution_in_temp = False is not supported",
            "inline.md": "execution_mode = 'inline' is not supported",
            "kernel.md": "the kernelspec 'ir' is not supported",
            "other.ipynb": "the kernelspec 'ir' is not supported",
        }.items(),
        strict=True,
    ):
        assert line.startswith(f"docs/{name}: WARNING: {word}")


def test_a_kernel_can_have_an_alias(site: Site):
    pages = {"cells.md": page("C", PLUS, front="kernelspec:\n  name: mine\n  display_name: M")}
    site = prepared(site, "nb_kernel_rgx_aliases = {'mi.*': 'python3'}", pages)
    site.passes()
    assert outputs(site, "cells") == ["21"]


# --- without MyST-NB


def environment_with(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with some installed packages and what they need.

    Returns:
        Its Python.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    waiting, done = [*packages], set[str]()
    while waiting:
        name = waiting.pop().lower()
        if name in done:
            continue
        done.add(name)
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # needed elsewhere
        for file in package.files or ():
            top = site_packages / file.parts[0]
            if not top.exists() and file.parts[0] != "..":
                top.symlink_to(Path(str(package.locate_file(""))) / file.parts[0])
        needs = map(Requirement, package.requires or ())
        waiting += [n.name for n in needs if not n.marker or n.marker.evaluate({"extra": ""})]
    return folder / "bin" / "python"


EXCERPT = ".. cython-excerpt:: plain/add\n   :function: add\n   :line: return a + b\n"


def test_a_site_without_myst_nb_and_numpy(site: Site, tmp_path: Path):
    site.configure(more="extensions = ['sphinx_cython']\nroot_doc = 'index'\n")
    site.write({"docs/index.rst": f"Index\n=====\n\n{EXCERPT}\n.. cython-example:: plain/add\n"})
    python = environment_with(tmp_path / "venv", "sphinx", "cython")
    blocked = "import myst_nb, numpy, IPython, nbformat, nbclient, myst_parser"
    assert subprocess.run([python, "-c", blocked], capture_output=True).returncode == 1
    done = subprocess.run(
        [python, "-m", "sphinx", *Site.arguments("-j", "2")],
        cwd=site.root,
        env=os.environ | VARIABLES,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert site.page("index").select(".cy-c")
