"""Runs the cells of pages: in forks of a server that is started when the first page needs it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from ..core.process import environment
from .outputs import normalized
from .request import CellError, Execution, Request, read_execution, too_slow

# Without it, each page gets a kernel. The libraries of macOS do not work in forks.
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"

_START = (
    "import sys; path = [name for name in sys.path if name]; sys.path.insert(0, {home!r}); "
    "from sphinx_cython.execution.server import serve; sys.path[:] = path; serve()"
)
# What a server may take beyond the limits of the cells, before it counts as gone.
_SLACK_SECONDS = 60.0


class ServerError(Exception):
    """The server has ended or does not answer; the text tells what it printed."""


class _Server:
    """A running server."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (until close)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START.format(home=str(Path(__file__).parents[2]))],
            cwd=os.sep,
            env=_variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.printed,
            # Ctrl-C is for the build; the server notices when that has ended.
            start_new_session=True,
        )

    def execute(self, request: Request) -> Execution:
        """Run the cells of a page.

        Raises:
            ServerError: The server has ended, or did not answer in time.
        """
        assert self.process.stdin
        assert self.process.stdout
        deadline = None
        if request.timeout is not None:
            deadline = time.monotonic() + len(request.cells) * request.timeout + _SLACK_SECONDS
        try:
            self.process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise ServerError(self._end()) from None
        answers = self.process.stdout.fileno()
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([answers], [], [], left)
            chunk = os.read(answers, 1 << 16) if ready else b""
            if not chunk:
                raise ServerError(self._end() if ready else too_slow(request.timeout or 0))
            answer += chunk
        return read_execution(json.loads(answer))

    def close(self) -> None:
        """Let it end, with the page that it runs, if any."""
        assert self.process.stdin
        assert self.process.stdout
        with suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.printed.close()
        if self.owner == os.getpid():
            self.process.wait()
        else:
            self.process.returncode = 0  # someone else's child

    def _end(self) -> str:
        self.process.kill()
        self.process.wait()
        self.printed.seek(0)
        return self.printed.read().decode("utf-8", "replace").strip()


_server: _Server | None = None


def execute(request: Request) -> Execution:
    """Run the cells of a page, and return what came of them, the same in every run.

    Args:
        request: What to run.
    """
    execution = _execute_in_fork(request) if CAN_FORK else _execute_in_kernel(request)
    for position, cell in enumerate(request.cells):
        outputs = execution.outputs[position]
        execution.outputs[position] = normalized(outputs, cell.may_raise)
    return execution


def close() -> None:
    """End the server, if there is one; the next page starts another."""
    global _server
    if _server:
        _server.close()
        _server = None


def _execute_in_fork(request: Request) -> Execution:
    global _server
    if _server and _server.owner != os.getpid():
        close()  # it belongs to the process that this one is a fork of
    _server = _server or _Server()
    try:
        return _server.execute(request)
    except ServerError as error:
        close()
        text = f"ended the process that runs cells\n{error}".strip()
        return Execution([[] for _ in request.cells], error=CellError(0, text))


def _execute_in_kernel(request: Request) -> Execution:
    from .kernel import execute_in_kernel

    return execute_in_kernel(request, _variables())


def _variables() -> dict[str, str]:
    """Return the environment of the cells: the same for every user."""
    variables = environment() | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
    }
    variables.pop("PYTHONPATH", None)
    return variables
