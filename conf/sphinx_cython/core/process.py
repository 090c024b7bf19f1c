"""Child processes: the steps of a build, in an environment that is the same for everybody."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# The user's own settings must not leak into what is shown.
_DROPPED_VARIABLES = (
    "CFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "CYTHON_CACHE_DIR",
    "CPATH",
    "C_INCLUDE_PATH",
)


class CompileError(Exception):
    """A compiler refused; carries the step, its output, and the C if it got so far."""

    def __init__(self, step: str, output: str) -> None:
        super().__init__(output)
        self.step = step
        self.output = output
        self.c = ""


def environment() -> dict[str, str]:
    """Return the environment in which compilers run."""
    kept = {k: v for k, v in os.environ.items() if k not in _DROPPED_VARIABLES}
    return kept | {"LC_ALL": "C", "PYTHONHASHSEED": "0"}


def run_step(step: str, command: list[str], cwd: Path) -> None:
    """Run one step of a build.

    Raises:
        CompileError: It ended with another exit code than 0.
    """
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, errors="replace", env=environment()
    )
    if done.returncode != 0:
        raise CompileError(step, done.stdout + done.stderr)
