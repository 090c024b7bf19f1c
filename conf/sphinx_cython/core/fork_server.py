"""A program that runs Cython in forks of itself: a process in which everything is imported already.

To start Cython takes most of a second, and to translate a small module a twentieth of that. The
server imports Cython, reads its files of utility code, and forks a child for each translation,
so that no translation sees what another one left in memory. ``forks`` is its client.

``multiprocessing`` has a fork server too, but its children import the main module of the program
that uses it (here, all of Sphinx), its hash seed and environment cannot be chosen, and its
children outlive a parent that is killed.

The file is run by its path, with nothing but the standard library and Cython:

``fork_server.py serve FD``
    Serve the socket with that number. It ends, with all its children, as soon as the other end
    of the socket is closed, or after some seconds without a request.
``fork_server.py run REPORT CWD ARGUMENT...``
    Run Cython once, where there is no ``fork``.
"""

from __future__ import annotations

import gc
import glob
import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, NoReturn

# How long a server without work stays: it holds 150 MB, and starts within a second.
IDLE_SECONDS = 20.0

HEADER = struct.Struct("!I")
_WRITING = os.O_WRONLY | os.O_RDWR


class Recorder:
    """Notes what a run of Cython reads and looks for.

    Attributes:
        opened: Files that were opened for reading.
        probed: Paths that were looked for, and whether there was something.
        listed: Patterns of file names that were looked for, and what matched.
    """

    def __init__(self) -> None:
        self.opened: dict[str, None] = {}
        self.probed: dict[str, bool] = {}
        self.listed: dict[str, list[str]] = {}

    def start(self) -> None:
        """Begin; there is no end, since the process is used for one run."""
        sys.addaudithook(self._hear)
        # Every search of Cython for a file goes through one of these two functions.
        exists, matches = os.path.exists, glob.glob

        def probe(path: Any) -> bool:
            there = exists(path)
            if isinstance(path, str):
                self.probed[os.path.abspath(path)] = there
            return there

        def listing(pattern: Any, **how: Any) -> list[Any]:
            names = matches(pattern, **how)
            if isinstance(pattern, str):
                self.listed[os.path.abspath(pattern)] = sorted(map(os.path.abspath, names))
            return names

        os.path.exists = probe
        glob.glob = listing  # type: ignore[assignment]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path, mode, flags = arguments
        writes = mode.strip("bt") != "r" if isinstance(mode, str) else flags & _WRITING
        if isinstance(path, str) and not writes:
            self.opened[os.path.abspath(path)] = None

    def report(self) -> dict[str, Any]:
        """Return what was noted as data for JSON."""
        return {"opened": list(self.opened), "probed": self.probed, "listed": self.listed}


def run_cython(arguments: list[str], recorder: Recorder) -> int:
    """Run Cython as ``python -m cython`` does; return the exit code."""
    sys.argv = ["cython", *arguments]
    code = 0
    try:
        from Cython.Compiler.Main import main as cython

        recorder.start()
        cython(command_line=1)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return code


def warm_up() -> None:
    """Load what every translation needs and none changes: modules, and the text of utility code."""
    from Cython.Compiler import (  # noqa: F401
        AnalysedTreeTransforms,
        Annotate,
        AutoDocTransforms,
        Code,
        CodeGeneration,
        FlowControl,
        ModuleNode,
        Optimize,
        ParseTreeTransforms,
        Pipeline,
        TypeInference,
    )

    # All the rest is only a matter of speed.
    with suppress(Exception):
        for name in sorted(os.listdir(Code.get_utility_dir())):
            if name.endswith((".c", ".cpp", ".pyx")):
                Code.UtilityCode.load_utilities_from_file(name)
    with suppress(Exception):
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import CppLexer, CythonLexer

        for lexer in (CppLexer, CythonLexer):
            highlight("x", lexer(), HtmlFormatter())


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, where it can (Linux)."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Server:
    """Takes requests from a socket and forks a child for each.

    A request is a header with the length of a JSON text, the text, and two file descriptors: one
    for all that Cython prints, and a pipe for the report. The answer is the number of the child.
    The child writes its report to the pipe as one line; when it has ended, the server adds a
    line with its exit code (negative if a signal ended it) and closes the pipe.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.reports: dict[int, int] = {}
        self.alarm, wakeup = socket.socketpair()
        for end in (self.alarm, wakeup):
            end.setblocking(False)
        self.wakeup = wakeup
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Serve until the client is gone or needs nothing for some time."""
        import select

        while True:
            waiting = [self.connection, self.alarm]
            ready, _, _ = select.select(waiting, [], [], IDLE_SECONDS)
            if not ready and not self.reports:
                return
            if self.alarm in ready:
                with suppress(BlockingIOError):
                    self.alarm.recv(4096)
                self.reap()
            if self.connection in ready and not self.take_request():
                return

    def take_request(self) -> bool:
        """Fork a child for the next request; return whether there was one."""
        data, descriptors, _, _ = socket.recv_fds(self.connection, HEADER.size, 2)
        size = HEADER.size
        if len(data) == HEADER.size:
            size += HEADER.unpack(data)[0]
        while data and len(data) < size:
            more = self.connection.recv(size - len(data))
            data = data + more if more else b""
        if not data:
            return False
        output, report = descriptors
        server = os.getpid()
        child = os.fork()
        if child == 0:
            self.become_child(server, json.loads(data[HEADER.size :]), output, report)
        os.close(output)
        self.reports[child] = report
        self.connection.sendall(HEADER.pack(child))
        return True

    def become_child(
        self, server: int, request: dict[str, Any], output: int, report: int
    ) -> NoReturn:
        """Run Cython, and end."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.connection.close()
            self.alarm.close()
            self.wakeup.close()
            # A copy that stays open would keep the reader of another report waiting.
            for other in self.reports.values():
                os.close(other)
            end_with_parent(server)
            # The default action of this signal ends the process, whatever it is doing.
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            os.chdir(request["cwd"])
            # The process is too short-lived to need it.
            gc.disable()
            recorder = Recorder()
            code = run_cython(request["arguments"], recorder)
            with os.fdopen(report, "wb") as stream:
                stream.write(json.dumps(recorder.report()).encode() + b"\n")
        finally:
            os._exit(code)

    def reap(self) -> None:
        """Report the exit codes of the children that have ended."""
        while self.reports:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            report = self.reports.pop(child)
            with suppress(OSError):
                os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(report)


def serve(descriptor: int) -> NoReturn:
    """Serve the socket with a number, and end with all children."""
    os.chdir(os.sep)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        warm_up()
        # Neither collect nor copy in a child what the parent holds anyway.
        gc.collect()
        gc.freeze()
        with socket.socket(fileno=descriptor) as connection:
            Server(connection).serve()
    finally:
        # The server leads a group of its own, in which its children are.
        os.killpg(0, signal.SIGKILL)
        os._exit(1)


def run_once(report: str, cwd: str, arguments: list[str]) -> NoReturn:
    """Run Cython in this process, write the report to a file, and end."""
    report = os.path.abspath(report)
    os.chdir(cwd)
    recorder = Recorder()
    code = run_cython(arguments, recorder)
    with open(report, "w", encoding="utf-8") as stream:
        json.dump(recorder.report(), stream)
    sys.exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    run_once(sys.argv[2], sys.argv[3], sys.argv[4:])
