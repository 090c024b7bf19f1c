"""When things go wrong, by real builds: a message, repeated until the fault is fixed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support import CONF, SAMPLES, Run, Site

from sphinx_cython.core.toolchain import Toolchain

EXCERPT = "```{cython-excerpt} plain/add\n:function: add\n:line: return a + b\n```\n"
FINE = f"# Fine\n\n{EXCERPT}"


def complaints(site: Site, run: Run) -> list[str]:
    """The complaints of a build, with places relative to the site, sorted."""
    return sorted(line.replace(f"{site.root}/", "") for line in run.warnings)


def fails_twice(site: Site) -> Run:
    """Build twice without a change in between, the second time in parallel, and compare."""
    first, second = site.fails(fork=False), site.fails("-j", "2")
    assert complaints(site, first) == complaints(site, second)
    assert sorted(first.err.splitlines()) == sorted(second.err.splitlines())
    return first


def page(title: str, *cells: str) -> str:
    return f"# {title}\n\n" + "\n".join(f"```{{code-cell}}\n{cell}\n```\n" for cell in cells)


# --- an example does not compile


def test_examples_that_do_not_compile_and_one_that_does_and_must_not(site: Site):
    broken = {
        "examples/bad_cython.pyx": "def f():\n    return nothing\n",
        "examples/bad_c.pyx": 'cdef extern from *:\n    """\n    int broken;;;!\n    """\n',
        "examples/refused/fine.pyx": "x = 1\n",
    }
    fixed = {
        "examples/bad_cython.pyx": "print('fixed')\n",
        "examples/bad_c.pyx": "x = 1\n",
        "examples/refused/fine.pyx": "nothing\n",
    }
    site.write(
        {
            "docs/index.md": FINE + "\n```{toctree}\n:glob:\n*\n```\n",
            "docs/user.md": "# User\n\n```{cython-listing} bad_cython\n```\n",
            "docs/other.rst": "Other\n=====\n\n.. cython-listing:: bad_c\n",
            "docs/refused.md": "# Refused\n\n```{cython-refusal} refused/fine\n```\n",
            "docs/cells.md": page("Cells", "import bad_cython"),
        }
    )
    site.write(broken)
    run = fails_twice(site)
    c, cython, refused = complaints(site, run)
    assert cython == (
        "examples/bad_cython.pyx:2: WARNING: bad_cython does not compile (Cython). "
        "Used by: cells, user"
    )
    assert c == (
        "examples/bad_c.pyx:3: WARNING: bad_c does not compile (the C compiler). Used by: other"
    )
    assert refused.startswith(
        "examples/refused/fine.pyx:1: WARNING: refused/fine must not compile, and does. "
        "Used by: refused"
    )
    assert "cell 1 of cells" not in run.err, "which only suffers from it"
    assert "bad_cython.pyx:2:11: undeclared name not builtin: nothing" in run.err
    assert re.search(r"^bad_c.pyx:3:\d+: expected ", run.err, re.M)
    assert "did not compile" in site.page("user").get_text()
    assert site.page("index").select(".cy-c"), "everything else is still built"

    site.write(fixed)
    site.passes()
    assert site.page("user").select(".cy-c")
    assert "undeclared name not builtin: nothing" in site.page("refused").get_text()
    assert site.page("cells").select_one(".cell_output").get_text().strip() == "fixed"


# --- a directive names what there is not

WRONG_MD = """
    # Wrong

    ```{cython-listing} plain/ad
    ```

    Some text.

    ```{cython-excerpt} plain/add
    :function: ad
    :line: return a + b
    ```

    ```{code-cell}
    1 + 1
    ```

    ```{cython-excerpt} plain/add
    :function: add
    :line: return a + c
    ```

    ```{cython-listing} plain/add
    :profile: macros
    ```

    ```{cython-listing} plain/add
    :profile: macro
    ```

    ```{cython-listing} plain/add
    :func: add
    ```

    ```{cython-utility} plain/add
    __Pyx_AddTracebak
    ```

    ```{cython-comparison} return a + b
    :example: plain/add

    add | Two
    add_thee | Three
    ```

    ```{cython-refusal} plain/add
    ```

    ```{cython-excerpt} plain/add
    :function: add_three
    ```

    ```{cython-listing} refused/address
    ```

    ```{cython-gallery} plain plane
    ```
"""
WRONG_RST = """
    Wrong
    =====

    .. cython-listing:: plain/ad

    Some text.

    .. cython-excerpt:: plain/add
       :function: ad
       :line: return a + b

    .. cython-excerpt:: plain/add
       :function: add
       :line: return a + c

    .. cython-listing:: plain/add
       :profile: macros

    .. cython-listing:: plain/add
       :func: add

    .. cython-comparison:: return a + b
       :example: plain/add

       add | Two
       add_thee | Three
"""
COSTS = """
    # Costs

    ```{cython-comparison} return a + b
    :example: plain/add

    add | One | add(1, 2)
    add | Two | add(1)
    ```
"""
EXAMPLE = "no example 'plain/ad'; nearest: 'plain/add', 'plain/answer'"
FUNCTION = "no function 'ad' in plain/add.pyx; nearest: 'add'"
LINE = "no line 'return a + c' in add() of plain/add.pyx; nearest: 'return a + b'"
PROFILE = "no profile 'macros'; nearest: 'default'"
ROW = "no function 'add_thee' in plain/add.pyx; nearest: 'add_three', 'add'"
# In the order of the directives above.
SAID_MD = [
    EXAMPLE,
    FUNCTION,
    LINE,
    PROFILE,
    "plain/add is not built under the profile 'macro' (its profiles: default); "
    "add it to the profile's examples in conf.py",
    "'cython-listing': Unknown option key: 'func' (allowed: ['function', 'name', 'profile'])",
    "no definition of '__Pyx_AddTracebak' in the C of plain/add; nearest: '__Pyx_AddTraceback', ",
    ROW,
    "plain/add is not among the examples that must not compile",
    "cython-excerpt needs the option 'line'",
    "refused/address must not compile; show it with cython-refusal",
    "no folder 'plane' of examples; nearest: 'plain'",
]
SAID_RST = [EXAMPLE, FUNCTION, LINE, PROFILE, 'Error in "cython-listing" directive:', ROW]


def test_directives_that_name_what_there_is_not(site: Site):
    site.configure("QUICK, Profile('macro', macros=(('A', '1'),), examples=('*/answer',)),")
    for name in ("plain/answer", "refused/address"):
        site.write({f"examples/{name}.pyx": (SAMPLES / f"{name}.pyx").read_text()})
    site.write(
        {
            "docs/index.md": FINE + "\n```{toctree}\n:glob:\n*\n```\n",
            "docs/costs.md": COSTS,
            "docs/myst.md": WRONG_MD,
            "docs/rest.rst": WRONG_RST,
        }
    )
    run = fails_twice(site)
    found = [re.match(r"docs/(\S+):(\d+): \w+: (.*)", line) for line in complaints(site, run)[1:]]
    for page, start, expected in (
        ("myst.md", "```{cython-", SAID_MD),
        ("rest.rst", ".. cython-", SAID_RST),
    ):
        lines = (site.root / "docs" / page).read_text().splitlines()
        wrong = [number for number, line in enumerate(lines, 1) if line.startswith(start)]
        # MyST names the very line of a misspelt option.
        wrong = [n + (page == "myst.md" and ":func:" in lines[n]) for n in wrong]
        said = {int(match[2]): match[3] for match in found if match[1] == page}
        assert sorted(said) == wrong
        for number, words in zip(wrong, expected, strict=True):
            assert said[number].startswith(words)
    assert "unknown option: \"func\" (nearest: 'function'" in run.err
    assert complaints(site, run)[0].startswith(
        "docs/costs.md:3: WARNING: a measurement failed: return a + b: 'add(1)' raised "
        "TypeError: add() takes exactly 2 positional arguments (1 given)"
    )
    assert "Some text." in site.page("myst").get_text(), "the rest of the page is there"

    site.write({"docs/myst.md": "# Right\n", "docs/rest.rst": "Right\n=====\n"})
    site.write({"docs/costs.md": COSTS.replace("add(1)", "add(1, 3)")})
    site.passes()


def test_a_folder_that_is_not_there(site: Site):
    site.configure(examples="../elsewhere")
    site.write({"docs/index.md": "# Index\n"})
    run = site.build(fork=False)
    assert run.code == 2
    assert f"there is no examples folder {site.root / 'elsewhere'}" in run.err


# --- a cell fails


MAY_RAISE = ':tags: ["raises-exception"]\nlen(1)'


def test_a_cell_that_fails(site: Site):
    site.configure(more="nb_execution_timeout = 2")
    name = site.root / "process"
    note_process = (
        f"import os\nfile = open({str(name)!r}, 'w')\nfile.write(str(os.getpid()))\nfile.close()"
    )
    site.write(
        {
            "docs/index.md": page("Fine", "import add\nadd.add(1, 2)", MAY_RAISE)
            + "\n```{toctree}\n:glob:\n*\n```\n",
            "docs/raises.md": page("Raises", "x = 1", "def f():\n    return 1 / 0\nf()", "x"),
            "docs/hangs.md": page("Hangs", note_process, "while True:\n    pass"),
            "docs/exits.md": page("Exits", "import sys\nsys.exit(3)"),
            "docs/leaves.md": page("Leaves", "exit", "1"),
            "docs/dies.md": page("Dies", "x = 1", "x = 2", "import os\nos._exit(1)"),
            "docs/crashes.md": page("Crashes", "import ctypes\n\nctypes.string_at(0)"),
        }
    )
    run = fails_twice(site)
    found = complaints(site, run)
    assert [line.split(" WARNING: ")[0] for line in found] == [
        "docs/crashes.md:3:",
        "docs/dies.md:11:",
        "docs/exits.md:3:",
        "docs/hangs.md:10:",
        "docs/leaves.md:3:",
        "docs/raises.md:7:",
    ]
    crashes, dies, exits, hangs, leaves, raises = (line.split(" WARNING: ")[1] for line in found)
    assert raises == "cell 2 of raises raised ZeroDivisionError: division by zero"
    assert hangs == "cell 2 of hangs ran longer than 2 s [cython.cell]"
    assert dies == "cell 3 of dies ended its process (exit code 1) [cython.cell]"
    assert crashes == "cell 1 of crashes ended its process (SIGSEGV, in line 3) [cython.cell]"
    assert exits.startswith("cell 1 of exits raised SystemExit: 3")
    assert leaves == "cell 1 of leaves ended the shell [cython.cell]"
    assert not Path("/proc", name.read_text()).exists(), "the process is gone"
    traceback = run.err.replace("\x1b", "")
    assert "----> 3 f()" in traceback
    assert "return 1 / 0" in traceback
    assert site.page("index").select_one(".cell_output").get_text().strip() == "3"
    assert "TypeError" in site.page("index").get_text(), "which is what that page says it does"
    assert run.executed == {"index", "raises", "hangs", "exits", "leaves", "dies", "crashes"}

    for name in ("raises", "hangs", "exits", "leaves", "crashes"):
        site.write({f"docs/{name}.md": f"# {name}\n"})
    site.write({"docs/dies.md": page("Lives", "2 * 21")})
    site.passes()
    assert site.page("dies").select_one(".cell_output").get_text().strip() == "42"


def test_a_cell_that_ends_the_process_that_runs_cells(site: Site):
    ends = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nsignal.pause()"
    site.write({"docs/index.md": FINE + "\n```{toctree}\n:glob:\n*\n```\n"})
    site.write({"docs/ends.md": page("Ends", ends), "docs/other.md": page("Other", "2 * 21")})
    assert complaints(site, fails_twice(site)) == [
        "docs/ends.md:3: WARNING: cell 1 of ends ended the process that runs cells [cython.cell]"
    ]
    assert site.page("other").select_one(".cell_output").get_text().strip() == "42"


# --- no compiler

HIDE = """
import sys, sysconfig
sysconfig.get_config_vars()["CC"] = "pythons-cc"
sys.modules["ziglang"] = None
"""
NO_HEADERS = """
import sysconfig
real = sysconfig.get_path
sysconfig.get_path = lambda name, *a, **k: "/nowhere" if name == "include" else real(name, *a, **k)
"""


def python_that(site: Site, sitecustomize: str) -> str:
    """A PYTHONPATH with which Python runs some code when it starts."""
    site.write({"custom/sitecustomize.py": sitecustomize})
    return f"{site.root / 'custom'}:{CONF}"


def test_no_compiler_at_all(site: Site):
    site.write({"docs/index.md": FINE})
    env = {"PYTHONPATH": python_that(site, HIDE), "PATH": "/nowhere", "CC": ""}
    run = site.build(env=env)
    assert run.code == 2
    text = re.sub(r"\x1b\[[\d;]*m", "", run.err)
    assert text.count("No C compiler works. Tried:") == 1
    for tried in (
        "pythons-cc (from Python",
        "cc (",
        "gcc (",
        "clang (",
    ):
        assert f"  {tried}" in text
    for system in ("Debian", "Fedora", "macOS", "Windows"):
        assert system in text


def test_no_headers_of_python(site: Site):
    site.write({"docs/index.md": FINE})
    run = site.build(env={"PYTHONPATH": python_that(site, NO_HEADERS)})
    assert run.code == 2
    assert "Python.h was not found in /nowhere." in run.err
    assert "python3-dev" in run.err


@pytest.mark.parametrize("cc", ["nonsense", "/bin/true", "'unbalanced"])
def test_a_cc_that_cannot_be_used_stops_the_build_with_one_sentence(site: Site, cc: str):
    site.write({"docs/index.md": FINE})
    run = site.build(env={"CC": cc})
    text = re.sub(r"\x1b\[[\d;]*m", "", run.err)
    assert run.code == 2
    assert text.count(f"The C compiler that $CC names cannot be used: CC={cc}: ") == 1
    assert "Traceback" not in text
    assert "report" not in text


# --- a failed page is read again until it is fixed, and no other page is


def test_a_warning_of_another_extension_makes_no_page_outdated(site: Site):
    site.write(
        {
            "docs/index.md": FINE + "\n```{toctree}\nlabel\n```\n",
            "docs/label.rst": "Label\n=====\n\n:ref:`nowhere`\n",
        }
    )
    (line,) = complaints(site, site.fails())
    assert "undefined label: 'nowhere'" in line
    # Sphinx itself repeats a warning only when it reads or writes the page again.
    assert site.passes().read == set()


def test_only_pages_that_failed_are_read_again(site: Site):
    site.write(
        {
            "docs/index.md": FINE + "\n```{toctree}\n:glob:\n*\n```\n",
            "docs/cells.md": page("Cells", "1 / 0"),
            "docs/fine.md": page("Fine", "1"),
            "docs/label.rst": "Label\n=====\n\n:ref:`nowhere`\n",
            "docs/misspelt.rst": "Misspelt\n========\n\n.. cython-listing:: add\n   :func: add\n",
            "docs/myst.md": "# MyST\n\n```{cython-listing} add\n:func: add\n```\n",
            "docs/missing.md": "# Missing\n\n```{cython-listing} ad\n```\n",
        }
    )
    first = complaints(site, site.fails())
    second = site.fails()
    assert second.read == {"cells", "missing", "misspelt", "myst"}
    assert complaints(site, second) == [line for line in first if "undefined label" not in line]
    assert len(second.warnings) == 4
    site.write({"docs/cells.md": page("Cells", "1"), "docs/misspelt.rst": "Fine\n====\n"})
    third = site.fails("-j", "2")
    assert complaints(site, third) == [line for line in first if re.search("myst|missing", line)]
    site.write({"docs/myst.md": "# Fine\n", "docs/missing.md": "# Fine\n"})
    assert site.passes().read == {"myst", "missing"}
    assert site.passes().read == set()


def test_what_the_c_compiler_says_of_no_line_of_a_refused_example_is_shown_below_it(site: Site):
    """The C that compares the fields of a data class is made of no line of the file."""
    source = "from cython.dataclasses cimport dataclass\n\n"
    source += "@dataclass\ncdef class Held:\n    cdef double[:] values\n"
    site.write(
        {
            "docs/index.md": "# Index\n\n```{cython-refusal} refused/held\n```\n",
            "examples/refused/held.pyx": source,
        }
    )
    site.passes()
    refusal = site.page("index").select_one(".cy-refusal")
    assert (
        "invalid operands to binary" in refusal.find(class_="cy-said", recursive=False).get_text()
    )
    assert not refusal.select(".cy-line .cy-said")


SUPPRESSED = {
    "missing": "```{cython-listing} new\n```\n",
    "function": "```{cython-listing} plain/add\n:function: new\n```\n",
    "row": "```{cython-comparison} return 1\n:example: plain/add\n\nnew | New\n```\n",
    "utility": "```{cython-utility} new\n__Pyx_AddTraceback\n```\n",
    "profile": "```{cython-listing} plain/add\n:profile: new\n```\n",
    "folder": "```{cython-gallery} fresh\n```\n",
    "refusal": "```{cython-refusal} refused/newer\n```\n",
    "broken": "```{cython-listing} broken\n```\n",
    "cells": "```{code-cell}\nimport new\nnew.new()\n```\n",
}


def test_what_was_missing_is_shown_once_it_is_there_though_warnings_are_suppressed(site: Site):
    suppress = "suppress_warnings = ['cython']\n"
    site.configure(more=suppress)
    source = (site.root / "examples/plain/add.pyx").read_text()
    site.write({f"docs/{name}.md": f"# {name}\n\n{text}" for name, text in SUPPRESSED.items()})
    site.write(
        {
            "docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
            "docs/fine.md": f"# Fine\n\n{EXCERPT}",
            "examples/broken.pyx": "def f():\n    return nothing\n",
        }
    )
    site.passes()
    site.write(
        {
            "examples/new.pyx": "def new():\n    return 1\n",
            "examples/fresh/other.pyx": "x = 1\n",
            "examples/refused/newer.pyx": "nothing\n",
            "examples/broken.pyx": "def f():\n    return 1\n",
            "examples/plain/add.pyx": f"{source}\n\ndef new():\n    return 1\n",
        }
    )
    site.configure("QUICK, Profile('new', flags=('-O0', '-DNEW'), examples=('*/add',)),", suppress)
    site.write({"docs/fresh.md": "# Fresh\n\n```{cython-example} fresh/other\n```\n"})
    site.passes()
    for name in SUPPRESSED:
        text = site.page(name).select_one("div.body")
        assert text.select(".cy-listing, .cy-cmp, .cy-excerpt, .cy-gallery, .cell_output"), name
        assert "did not compile" not in text.get_text(), name


@pytest.mark.parametrize("suppressed", [False, True])
def test_a_compiler_that_fails_once_leaves_no_trace(
    site: Site, toolchain: Toolchain, suppressed: bool
):
    """The example is the same, and so is its digest; only what became of it is another."""
    site.configure(more="suppress_warnings = ['cython']\n" if suppressed else "")
    fails = site.root / "fails"
    compiler = site.root / "compiler"
    name = f"once_{suppressed}"  # compiled by no other test
    site.write(
        {
            f"examples/{name}.pyx": "x = 1\n",
            "docs/index.md": f"# Fails once\n\n```{{cython-listing}} {name}\n```\n",
            "fails": "",
            "compiler": f"""
                #!/bin/sh
                case "$*" in *{name}.c*) if test -e {fails}; then exit 1; fi;; esac
                exec {shlex.join(toolchain.command)} "$@"
            """,
        }
    )
    compiler.chmod(0o755)
    env = {"CC": str(compiler)}
    run = site.build(env=env)
    assert run.code == (0 if suppressed else 1)
    assert "did not compile" in site.page("index").get_text()
    fails.unlink()
    site.passes(env=env)
    assert site.page("index").select(".cy-c")
