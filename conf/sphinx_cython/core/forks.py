"""Runs Cython in forks of one warm process, which is started when it is first needed.

The process is not this one: it has threads, which do not survive a fork, much memory, and modules
that could be in the way. ``fork_server`` is the program it runs.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import fork_server, process

# Windows has no fork; on macOS it exists but system libraries do not survive it.
AVAILABLE = sys.platform not in ("win32", "darwin") and hasattr(os, "fork")
PROGRAM = Path(fork_server.__file__)
# How long the server may take to fork; first it imports Cython, which takes a second.
ANSWER_SECONDS = 60.0
# What is kept of all that a run prints.
OUTPUT_LIMIT = 1_000_000


class ServerEndedError(Exception):
    """The server could not be started, or ended before it gave an answer."""


@dataclass(frozen=True)
class Run:
    """A run of Cython that has ended.

    Attributes:
        returncode: Its exit code; negative if a signal ended it, as in ``subprocess``.
        output: All it printed, errors included.
        report: What it read, as ``fork_server.Recorder`` notes it; empty if it was ended.
    """

    returncode: int
    output: str
    report: dict[str, Any]

    @property
    def timed_out(self) -> bool:
        """Whether it took longer than it may."""
        return self.returncode == -signal.SIGALRM


def python_command(*arguments: str) -> list[str]:
    """Return the command that runs the program of the server.

    -P keeps the working folder and that of the program off ``sys.path``: a file beside the
    examples that is named like a standard module must not be taken for it.
    """
    return [sys.executable, "-P", str(PROGRAM), *arguments]


def _environment() -> dict[str, str]:
    return process.environment() | {"PYTHONUTF8": "1"}


class ForkServer:
    """The client's end of a server; its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    def _start(self) -> socket.socket:
        self._environment = _environment()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._program = subprocess.Popen(
                    python_command("serve", str(theirs.fileno())),
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise ServerEndedError(str(error)) from error
        # A server that does not answer is replaced.
        ours.settimeout(ANSWER_SECONDS)
        self._connection = ours
        return ours

    def stop(self) -> None:
        """End the server and all its children."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._program is not None:
            # It is not reaped yet, so the number is still its own, and that of its group.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._program.pid, signal.SIGKILL)
            self._program.wait()
            self._program = None

    def forget(self) -> None:
        """After a fork of this process: the server belongs to the parent.

        A copy of the connection would keep the server from noticing that the parent has ended.
        """
        self._lock = threading.Lock()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._program = None

    def run(self, arguments: Sequence[str], cwd: Path, seconds: float) -> Run:
        """Run Cython in a fork of the server.

        Args:
            arguments: What follows ``python -m cython``.
            cwd: The folder to run it in.
            seconds: How long it may take; it is ended by SIGALRM then.

        Raises:
            ServerEndedError: There is no server, or it was ended.
        """
        request = {"arguments": list(arguments), "cwd": os.path.abspath(cwd), "seconds": seconds}
        with tempfile.TemporaryFile() as output:
            ours, theirs = os.pipe()
            with os.fdopen(ours, "rb") as pipe:
                try:
                    self._request(json.dumps(request).encode(), [output.fileno(), theirs])
                finally:
                    os.close(theirs)
                *reports, end = pipe.read().split(b"\n")[:-1] or [b""]
            output.seek(0)
            text = output.read(OUTPUT_LIMIT).decode("utf-8", "replace")
        try:
            code = int(end)
        except ValueError:
            raise ServerEndedError("the server was ended") from None
        return Run(code, text, json.loads(reports[0]) if reports else {})

    def _request(self, text: bytes, descriptors: list[int]) -> None:
        message = fork_server.HEADER.pack(len(text)) + text
        with self._lock:
            if self._environment != _environment():
                self._stop()
            # A server that was idle may end at the very moment that it gets a request.
            for _ in range(2):
                connection = self._connection or self._start()
                with suppress(OSError):
                    sent = socket.send_fds(connection, [message], descriptors)
                    connection.sendall(message[sent:])
                    if connection.recv(fork_server.HEADER.size):
                        return
                self._stop()
        raise ServerEndedError("the server gave no answer")


SERVER = ForkServer()
atexit.register(SERVER.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SERVER.forget)
