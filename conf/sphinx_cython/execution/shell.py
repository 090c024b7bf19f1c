"""The process in which the cells of one page run: an IPython shell without a kernel around it.

It is the shell of a kernel, from ``ipykernel``, so that magics, tracebacks and rich output are
those of a kernel. Only the messages go to the server that forked this process, by way of two
named pipes: one for messages, and one by which the server lets the shell go on, when the order
of what was written and of what was displayed depends on it. Both are opened for each message, so
that a page that closes its files does no harm.
"""

from __future__ import annotations

import asyncio
import atexit
import builtins
import ctypes
import errno
import fcntl
import getpass
import io
import json
import marshal
import os
import signal
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import comm
from comm.base_comm import BaseComm
from ipykernel.eventloops import enable_gui
from ipykernel.kernelbase import Kernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import _asyncio_runner
from jupyter_client.jsonutil import json_clean, json_default
from jupyter_client.session import Session
from traitlets.config import Config

from .request import cell_name

# In front of each message, its length.
HEADER = struct.Struct("!Q")
# What the server answers.
GO_ON, STOP = b"g", b"s"
# From here on, numbers of files are not given to another file when the page has closed them.
HIGH = 100
# Bound here, so that a page that replaces them in their modules does not reach them.
_open, _write, _read, _close, _getpid = os.open, os.write, os.read, os.close, os.getpid
_dumps, _lock, _exit = marshal.dumps, fcntl.flock, os._exit
_encode = json.JSONEncoder(default=json_default, allow_nan=False).encode
_flush_text, _libc = io.TextIOWrapper.flush, ctypes.CDLL(None)


class Channel:
    """Tells the server what happens.

    Args:
        messages: The named pipe that the server reads.
        answers: The named pipe to which it writes.
    """

    def __init__(self, messages: str, answers: str) -> None:
        self.messages = messages
        self.answers = answers
        self.owner = _getpid()
        self.lock = threading.RLock()

    def send(self, *message: Any) -> None:
        """Send a message."""
        data = _dumps(message)
        view = memoryview(HEADER.pack(len(data)) + data)
        with self.lock:
            pipe = _open(self.messages, os.O_WRONLY)
            try:
                _lock(pipe, fcntl.LOCK_EX)  # forks of this process may send, too
                while view:
                    view = view[_write(pipe, view) :]
            finally:
                _close(pipe)

    def ask(self, *message: Any) -> bool:
        """Send a message and wait for the answer; return whether to go on."""
        with self.lock:
            self.send(*message)
            pipe = _open(self.answers, os.O_RDONLY)
            try:
                return _read(pipe, 1) == GO_ON
            finally:
                _close(pipe)


class _Descriptor(io.RawIOBase):
    """A copy of a standard stream, or that stream itself when the page has closed the copy."""

    def __init__(self, name: str, original: int) -> None:
        self.name = name
        self.copy = fcntl.fcntl(original, fcntl.F_DUPFD_CLOEXEC, HIGH)
        self.original = original

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.copy

    def write(self, data: Any) -> int:
        try:
            return _write(self.copy, data)
        except OSError:
            return _write(self.original, data)


class Stream(io.TextIOWrapper):
    """``sys.stdout`` or ``sys.stderr`` of the cells.

    What is written goes through the same pipe as what C code and child processes write, so that
    their order is kept. As in a kernel, the order of the two streams is that of their flushing.
    """

    def __init__(self, name: str, original: int, channel: Channel) -> None:
        buffer = io.BufferedWriter(_Descriptor(name, original))
        super().__init__(buffer, "UTF-8", "backslashreplace", "\n", line_buffering=True)
        self.channel = channel

    def flush(self) -> None:
        """Write what is left, and let the server take what was written so far."""
        super().flush()
        if _getpid() == self.channel.owner:
            self.channel.ask("flush", self.name)


class _Messages(Session):
    """Stands in for the session of a kernel."""

    channel: Channel

    def send(
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        **unused: Any,
    ) -> Any:
        """Send a message to the server."""
        if isinstance(msg_or_type, dict):
            msg_or_type, content = msg_or_type["header"]["msg_type"], msg_or_type["content"]
        buffers = [bytes(buffer) for buffer in buffers or ()]
        self.channel.send("message", msg_or_type, _json(content), buffers)
        return {}


def _json(content: Any) -> str:
    """Return the content of a message as a kernel encodes it: bytes as base64, for instance."""
    try:
        return _encode(content)
    except (TypeError, ValueError):
        return _encode(json_clean(content))


class _Compiler(CachingCompiler):
    """Names code after its cell; a kernel names it after its process and a hash."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return cell_name(number)


def make_shell(channel: Channel) -> ZMQInteractiveShell:
    """Make the shell, in the state in which it is in a kernel before the first cell."""
    session = _Messages()
    session.channel = channel
    # What a kernel is to its shell and to code that it runs.
    kernel = SimpleNamespace(eventloop=None, _allow_stdin=False, session=session)
    config = Config()
    config.HistoryManager.enabled = False  # no file; In, Out and %history need none
    shell = ZMQInteractiveShell.instance(
        config=config, user_ns={}, kernel=kernel, compiler_class=_Compiler
    )
    kernel.shell = shell
    shell.enable_gui = lambda gui=None: enable_gui(gui, kernel)
    shell.displayhook.session = shell.display_pub.session = session
    shell.displayhook.pub_socket = shell.display_pub.pub_socket = channel
    shell.extension_manager.load_extension("storemagic")
    builtins.input = Kernel.raw_input.__get__(kernel)
    getpass.getpass = Kernel.getpass.__get__(kernel)

    class Comm(BaseComm):
        """A channel to a widget."""

        def publish_msg(
            self,
            msg_type: str,
            data: Any = None,
            metadata: Any = None,
            buffers: Any = None,
            **keys: Any,
        ) -> None:
            content = {"data": data or {}, "comm_id": self.comm_id, **keys}
            session.send(channel, msg_type, content, buffers=buffers)

    comm.create_comm = Comm
    shell.user_ns_hidden.update(shell.user_ns)
    return shell


def run_cells(cells: Sequence[tuple[int, str]], channel: Channel) -> None:
    """Run the cells of a page, and end the process.

    Args:
        cells: The number of each cell to run, and its code.
        channel: To the server.
    """
    sys.stdout, sys.stderr = Stream("stdout", 1, channel), Stream("stderr", 2, channel)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (for the life of the process)
    sys.argv = [""]
    for name in [*sys.modules]:
        if name.split(".")[0] == __name__.split(".")[0]:
            del sys.modules[name]  # those that the page may import are its own
    signal.signal(signal.SIGINT, signal.default_int_handler)
    shell = make_shell(channel)
    streams = sys.stdout, sys.stderr
    remaining = iter(cells)
    while True:
        # A kernel runs in an event loop, which is there for all cells.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(_run(shell, remaining, channel, streams))
            break
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            # The page has closed the files of the loop.
    channel.send("done")
    atexit._run_exitfuncs()
    _exit(0)


async def _run(
    shell: ZMQInteractiveShell,
    cells: Iterator[tuple[int, str]],
    channel: Channel,
    streams: tuple[Any, Any],
) -> None:
    sleep = asyncio.sleep
    for number, source in cells:
        channel.send("start", number)
        error = await _run_cell(shell, source)
        for stream in streams:
            _flush(stream)
        _libc.fflush(None)
        go_on = channel.ask("end", error)
        if not go_on or shell.exit_now:
            return
        await sleep(0)  # for tasks that a cell has started


def _flush(stream: Any) -> None:
    with suppress(OSError, ValueError):  # the page may have closed it
        _flush_text(stream)


async def _run_cell(shell: ZMQInteractiveShell, source: str) -> tuple[str, str, list[str]] | None:
    """Run a cell as ``IPythonKernel.do_execute`` does.

    Returns:
        Name, message and traceback of the exception that ended it, or None.
    """
    problem = None
    try:
        transformed = shell.transform_cell(source)
    except Exception:
        transformed, problem = source, sys.exc_info()
    if shell.loop_runner is _asyncio_runner and shell.should_run_async(
        source, transformed_cell=transformed, preprocessing_exc_tuple=problem
    ):
        shell._last_traceback = None
        result = None
        try:
            result = await shell.run_cell_async(
                source,
                store_history=True,
                transformed_cell=transformed,
                preprocessing_exc_tuple=problem,
            )
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=True)
    shell.payload_manager.clear_payload()
    failed_display = getattr(shell, "_last_traceback_during_displayhook", False)
    if result.success and not failed_display:
        return None
    error = result.error_before_exec or result.error_in_exec
    try:
        message = str(error)
    except Exception as second:
        message = f"<{type(second).__name__} when its message was made>"
    return type(error).__name__, message, [*map(str, shell._last_traceback or ())]
