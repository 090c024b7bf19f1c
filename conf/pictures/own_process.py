"""Run code that may crash in a process of its own, and print what it printed and how it ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sphinx_cython.core import process

# An exception that ends the code is printed as one line, as `ask` does on other pages.
_PREPARE = """
import sys
def report(kind, error, _):
    print(f"{kind.__name__}: {error}", file=sys.stderr)
sys.excepthook = report
"""


def run(code: str) -> process.Completed:
    """Run Python code in a new process, which imports from where this one does.

    Args:
        code: The code.

    Returns:
        How it ended and what it printed.
    """
    path = os.pathsep.join(os.path.abspath(name) for name in sys.path)
    return process.run(
        # -u: what was printed before a crash is not lost.
        [sys.executable, "-P", "-u", "-c", _PREPARE + code],
        step="the code",
        cwd=Path.cwd(),
        timeout=50,
        env={**process.environment(), "PYTHONPATH": path},
    )


def show(code: str) -> None:
    """Run code in a new process, and print what it printed and, if it crashed, how it ended."""
    done = run(code)
    if done.output.strip():
        print(done.output.rstrip())
    if done.returncode < 0:
        print(f"The process {done.end}.")
