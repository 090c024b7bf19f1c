"""The programs that measure how fast something is: that they run, and tell what they measured."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from support import VARIABLES, Site

COMPARISON = """
    # Index

    ```{cython-comparison} return a + b
    :example: plain/add

    add | One | add(1, 2)
    add | Two | add(1, 10**30)
    ```
"""


def run(site: Site, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs in the folder of a site."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(
        command, cwd=site.root, env=os.environ | VARIABLES, capture_output=True, text=True
    )


def test_comparisons_are_measured_anew(site: Site):
    site.write({"docs/index.md": COMPARISON})
    site.passes()
    arguments = ("comparisons", "doctrees", "--conf", "docs", "--repeat", "2")
    done = run(site, *arguments, "index")
    assert done.returncode == 0, done.stderr
    head, rows = done.stdout.split("\n\n")
    assert head.endswith("2 runs")
    page, *statements = rows.strip().split("\n")
    assert page == "index"
    lines = [re.fullmatch(r" *([\d.]+) × to ([\d.]+) × +(add\(1, .+\))", s) for s in statements]
    assert [line and line[3] for line in lines] == ["add(1, 2)", "add(1, 10**30)"]
    assert all(line and 1 <= float(line[1]) <= float(line[2]) for line in lines)
    assert 1.0 in [line and float(line[1]) for line in lines], "one of them is the fastest"

    unknown = run(site, *arguments, "nothing")
    assert unknown.returncode == 2
    assert "no such page: nothing" in unknown.stderr
