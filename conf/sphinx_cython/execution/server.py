"""A process that has imported IPython and NumPy, and forks a child for the cells of each page.

It reads requests as lines of JSON and answers each with a line. It runs no code of a page itself,
so it can be relied on: it watches the limits, takes what the child writes, and ends the child
with all that the child has started, when it is done or when whoever sends the requests is gone.

``python -c "... serve()"`` is how ``client`` starts it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import gc
import importlib
import json
import marshal
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from nbclient import NotebookClient
from nbformat import ValidationError, v4

from .outputs import without_colors
from .recorder import add_to_path, prepare, prepare_children, recorded
from .request import (
    CellError,
    Execution,
    Request,
    cell_name,
    read_request,
    too_long,
    too_slow,
)
from .shell import GO_ON, HEADER, HIGH, STOP, Channel, run_cells

# What a page has to clean up behind itself when its cells have run.
_GRACE_SECONDS = 5.0
_CHUNK = 1 << 16
# Exit code of a child that could not even begin.
_BROKEN = 71
_WARM_MODULES = (
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.crashhandler",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "numpy",
)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def serve() -> None:
    """Serve requests until there are no more."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    alarm, wakeup = os.pipe()
    for end in (alarm, wakeup):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    warm_up()
    with os.fdopen(requests, "rb", buffering=0) as lines, os.fdopen(answers, "wb") as out:
        while line := lines.readline():
            with _Run(read_request(json.loads(line)), requests, alarm) as run:
                execution = run.supervise()
            out.write(json.dumps(asdict(execution)).encode() + b"\n")
            out.flush()


def warm_up() -> None:
    """Import what the first cell, the first error and most pages need."""
    for name in _WARM_MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(Exception):  # a matter of speed only
        from IPython.core.ultratb import AutoFormattedTB

        try:
            raise ValueError
        except ValueError:
            formatter = AutoFormattedTB(mode="Context", theme_name="linux")
            formatter.structured_traceback(*sys.exc_info())
    gc.collect()
    gc.freeze()  # so that no child copies what it does not change


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


# Of a message: more would hide the others.
_TEXT_LIMIT = 10_000


class _End(Exception):
    """The run is over because of what its text tells about the present cell."""


class _TooLong(_End):
    """The present cell wrote too much; none of it is kept."""


class _Run:
    """One page: a child process, and all that is there for it.

    Args:
        request: What to run.
        lifeline: The file that ends when whoever has sent the request is gone.
        alarm: A pipe that has something to read when a child may have ended.
    """

    def __init__(self, request: Request, lifeline: int, alarm: int) -> None:
        self.request = request
        self.lifeline = lifeline
        self.alarm = alarm
        cells = [v4.new_code_cell(cell.source) for cell in request.cells]
        # It knows how outputs, their updates and widgets become part of a notebook.
        self.client = NotebookClient(v4.new_notebook(cells=cells))
        self.cells = cells
        self.current = 0
        self.written = 0
        self.done = False
        self.error: CellError | None = None
        self.deadline = self._deadline()
        self.texts = {"stdout": bytearray(), "stderr": bytearray()}
        self.messages = bytearray()
        self.child = 0
        self.ended: int | None = None

    def __enter__(self) -> _Run:
        """Make folders and pipes, and fork."""
        self.folder = Path(tempfile.mkdtemp(prefix="sphinx-cython-"))
        for name in ("work", "ipython", "site"):
            (self.folder / name).mkdir()
        self.record = self.folder / "opened"
        paths = [str(self.folder / name) for name in ("messages", "answers")]
        for path in paths:
            os.mkfifo(path)
        # Open for both reading and writing: neither side then waits for the other, or sees an end.
        self.pipe, self.answers = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in paths)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self.streams = {out: "stdout", err: "stderr"}
        for end in (out, err):
            os.set_blocking(end, False)
        server = os.getpid()
        with warnings.catch_warnings():
            # Of threads in this process: those of a library that cares for forks (OpenBLAS).
            warnings.simplefilter("ignore", DeprecationWarning)
            self.child = os.fork()
        if not self.child:
            try:
                self._become_child(server, out_end, err_end, *paths)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(_BROKEN)
        os.close(out_end)
        os.close(err_end)
        return self

    def __exit__(self, *exception: object) -> None:
        """End the child with all that it has started, and remove its folders."""
        self._end_all()
        for descriptor in (self.pipe, self.answers, *self.streams):
            os.close(descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _become_child(
        self, server: int, out: int, err: int, messages: str, answers: str
    ) -> NoReturn:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(_BROKEN)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, 256)
        folders, record = [*self.request.folders], str(self.record)
        variables = {
            "IPYTHONDIR": str(self.folder / "ipython"),
            "MPLBACKEND": os.environ.get("MPLBACKEND", "module://matplotlib_inline.backend_inline"),
        }
        if os.pathsep not in str(self.folder):
            variables |= prepare_children(self.folder / "site", folders, record)
        os.environ |= variables
        os.chdir(self.folder / "work")
        crash = os.open(self.folder / "crash", os.O_CREAT | os.O_WRONLY)
        faulthandler.enable(fcntl.fcntl(crash, fcntl.F_DUPFD_CLOEXEC, HIGH))
        os.close(crash)
        prepare(folders, record)
        add_to_path([""])
        sources = [(n, cell.source) for n, cell in enumerate(self.request.cells)]
        run_cells(sources, Channel(messages, answers))
        raise AssertionError("it ends the process")

    def supervise(self) -> Execution:
        """Wait until the cells have run, and return what came of them."""
        poll = select.poll()
        for descriptor in (self.lifeline, self.alarm, self.pipe, *self.streams):
            poll.register(descriptor, select.POLLIN)
        try:
            while not self._has_ended():
                left = None if self.deadline is None else self.deadline - time.monotonic()
                if left is not None and left <= 0:
                    for descriptor in self.streams:
                        self._take(descriptor)
                    raise _End("" if self.done else too_slow(self.request.timeout or 0))
                ready = {fd for fd, _ in poll.poll(None if left is None else left * 1000 + 1)}
                if self.lifeline in ready:
                    self.__exit__()
                    os._exit(0)
                if self.alarm in ready:
                    os.read(self.alarm, _CHUNK)
                for descriptor in ready & {*self.streams}:
                    self._take(descriptor, drain=False)
                if self.pipe in ready:
                    self._take_messages()
            self._take_messages()
            if not self.done:
                raise _End(self._how_it_ended())
        except _TooLong as end:
            self.error = CellError(self.current, str(end))
            self.cells[self.current].outputs = []
            self.texts = {name: bytearray() for name in self.texts}
        except _End as end:
            if str(end):
                self.error = self.error or CellError(self.current, str(end))
        self._end_all()
        for name in () if self.done else self.texts:
            self._flush(name, take=False)
        self.client.set_widgets_metadata()
        return Execution(
            [cell.outputs for cell in self.cells],
            recorded(self.record),
            self.client.nb.metadata.get("widgets", {}),
            self.error,
        )

    def _deadline(self) -> float | None:
        limit = self.request.timeout
        return None if limit is None else time.monotonic() + limit

    # --- what the child sends

    def _count(self, size: int) -> None:
        self.written += size
        if self.written > self.request.output_limit and not self.done:
            raise _TooLong(too_long(self.request.output_limit))

    def _take(self, descriptor: int, drain: bool = True) -> None:
        """Take what was written to a stream: what is there, or all there is."""
        text = self.texts[self.streams[descriptor]]
        with suppress(BlockingIOError):
            while chunk := os.read(descriptor, _CHUNK):
                if not self.done:
                    text += chunk
                self._count(len(chunk))
                if not drain:
                    return

    def _flush(self, name: str, take: bool = True) -> None:
        """Make what was written to a stream an output."""
        for descriptor, stream in self.streams.items():
            if stream == name and take:
                self._take(descriptor)
        text = self.texts[name].decode("utf-8", "replace")
        self.texts[name].clear()
        if text:
            self._process("stream", {"name": name, "text": text})

    def _process(self, kind: str, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        header = {"msg_type": kind}
        message = {"msg_type": kind, "header": header, "content": content, "buffers": [*buffers]}
        message |= {"parent_header": {}, "metadata": {}}
        try:
            self.client.process_message(message, self.cells[self.current], self.current)
        except ValidationError as error:
            raise _End(f"displayed what no notebook can hold: {error.message}") from None

    def _take_messages(self) -> None:
        with suppress(BlockingIOError):
            while chunk := os.read(self.pipe, _CHUNK):
                self.messages += chunk
                self._count(len(chunk))
        while len(self.messages) >= HEADER.size:
            (size,) = HEADER.unpack_from(self.messages)
            if size > self.request.output_limit:
                raise _TooLong(too_long(self.request.output_limit))
            if len(self.messages) < HEADER.size + size:
                return
            message = marshal.loads(bytes(self.messages[HEADER.size : HEADER.size + size]))
            del self.messages[: HEADER.size + size]
            self._handle(*message)

    def _handle(self, kind: str, *content: Any) -> None:
        if self.done:
            if kind == "flush":
                os.write(self.answers, GO_ON)
        elif kind == "start":
            (self.current,) = content
            self.written = 0
            self.deadline = self._deadline()
            self.client.clear_before_next_output = False
        elif kind == "message":
            name, text, buffers = content
            self._process(name, json.loads(text), buffers)
        elif kind == "flush":
            self._flush(*content)
            os.write(self.answers, GO_ON)
        elif kind == "end":
            (error,) = content
            for name in self.texts:
                self._flush(name)
            if error and not self.request.cells[self.current].may_raise:
                name, text, traceback = error
                lines = without_colors("\n".join(traceback)).strip()
                told = f"raised {name}: {text}\n{lines}"
                self.error = CellError(self.current, told[:_TEXT_LIMIT])
            os.write(self.answers, STOP if self.error else GO_ON)
        elif kind == "done":
            if self.current < len(self.cells) - 1 and not self.error:
                self.error = CellError(self.current, "ended the shell")
            self.done = True
            self.deadline = time.monotonic() + _GRACE_SECONDS

    # --- how the child ends

    def _has_ended(self) -> bool:
        if self.ended is None:
            child, status = os.waitpid(self.child, os.WNOHANG)
            if child:
                self.ended = os.waitstatus_to_exitcode(status)
        return self.ended is not None

    def _how_it_ended(self) -> str:
        assert self.ended is not None
        how = f"exit code {self.ended}"
        if self.ended < 0:
            with suppress(ValueError):
                how = signal.Signals(-self.ended).name
            if line := self._line_of_crash():
                how += f", in line {line}"
        for descriptor in self.streams:
            self._take(descriptor)
        words = self.texts["stderr"].decode("utf-8", "replace")[-_TEXT_LIMIT:].strip()
        return f"ended its process ({how})\n{words}".strip()

    def _line_of_crash(self) -> str:
        try:
            report = (self.folder / "crash").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        name = re.escape(cell_name(self.current + 1))
        frame = re.search(rf'^Current thread(?:.*\n)+?  File "{name}", line (\d+)', report, re.M)
        return frame[1] if frame else ""

    def _end_all(self) -> None:
        """End the child and all its descendants, also those that have left its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, signal.SIGKILL)
        if self.ended is None:
            with suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
            _, status = os.waitpid(self.child, 0)
            self.ended = os.waitstatus_to_exitcode(status)
        # This process inherits those whose parent is gone (on Linux).
        while children := _children():
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(child, 0)


def _children() -> list[int]:
    """Return the children of this process, as far as the system tells."""
    try:
        threads = os.listdir("/proc/self/task")
        texts = [Path("/proc/self/task", name, "children").read_text() for name in threads]
    except OSError:
        return []
    return [int(number) for text in texts for number in text.split()]
