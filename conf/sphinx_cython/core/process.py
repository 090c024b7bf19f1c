"""Child processes: one way to run a step of a build with a limit, and to end all that it started.

A child is the leader of a process group of its own, and the group is what is ended: a compiler is
a driver that starts the real compiler, and a script may leave something running in the background.
The group is ended when the child has exited, when it exceeds its limit, when the build is
interrupted, and when the build itself is killed.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# The user's own settings must not leak into what is shown.
_DROPPED_VARIABLES = frozenset(
    (
        # Of the C compiler and the linker.
        "CFLAGS",
        "CPPFLAGS",
        "CXXFLAGS",
        "LDFLAGS",
        "CPATH",
        "C_INCLUDE_PATH",
        "CPLUS_INCLUDE_PATH",
        "OBJC_INCLUDE_PATH",
        "LIBRARY_PATH",
        "LD_RUN_PATH",
        "DEPENDENCIES_OUTPUT",
        "SUNPRO_DEPENDENCIES",
        "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
        # Of Cython.
        "CYTHON_CACHE_DIR",
        "CYTHON_FORCE_REGEN",
        # Of Python: what changes how a program runs or what it prints.
        "PYTHONBREAKPOINT",
        "PYTHONDEBUG",
        "PYTHONDEVMODE",
        "PYTHONDUMPREFS",
        "PYTHONINSPECT",
        "PYTHONIOENCODING",
        "PYTHONMALLOC",
        "PYTHONMALLOCSTATS",
        "PYTHONOPTIMIZE",
        "PYTHONPROFILEIMPORTTIME",
        "PYTHONSTARTUP",
        "PYTHONTRACEMALLOC",
        "PYTHONUNBUFFERED",
        "PYTHONVERBOSE",
        "PYTHONWARNDEFAULTENCODING",
        "PYTHONWARNINGS",
    )
)

# What a step may take unless the configuration says otherwise.
STEP_SECONDS = 300.0
# Of each stream; what a compiler prints beyond that helps no reader and could fill the memory.
OUTPUT_LIMIT = 1_000_000
# How long to wait for the rest of the output after a group was ended.
_GRACE_SECONDS = 1.0

_POSIX = os.name == "posix"


class StepError(Exception):
    """A step of a build could not be done; the text names the step, what it worked on, and why.

    Attributes:
        step: What was run, such as ``"Cython"``.
        reason: What went wrong, as a clause.
        subject: What it worked on, such as the key of a variant; may be empty.
        output: What it had printed.
        limit: The seconds it was allowed, if it took longer, else None.
    """

    def __init__(
        self,
        step: str,
        reason: str,
        *,
        subject: str = "",
        output: str = "",
        limit: float | None = None,
    ) -> None:
        super().__init__(f"{subject}: {step} {reason}" if subject else f"{step} {reason}")
        self.step = step
        self.reason = reason
        self.subject = subject
        self.output = output
        self.limit = limit


class CompileError(StepError):
    """A compiler rejected its source.

    Attributes:
        c: The generated C, if the C compiler rejected it.
    """

    def __init__(self, step: str, output: str, *, subject: str = "") -> None:
        super().__init__(step, f"failed\n{output}".rstrip(), subject=subject, output=output)
        self.c = ""


@dataclass(frozen=True)
class Completed:
    """A command that ended by itself.

    Attributes:
        returncode: Its exit code; negative if a signal ended it, as in ``subprocess``.
        stdout: What it printed, at most ``OUTPUT_LIMIT`` bytes of it.
        stderr: What it printed as errors, likewise.
    """

    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, one after the other."""
        return self.stdout + self.stderr

    @property
    def end(self) -> str:
        """How it ended, as a clause."""
        if self.returncode >= 0:
            return f"ended with exit code {self.returncode}"
        try:
            return f"was ended by {signal.Signals(-self.returncode).name}"
        except ValueError:
            return f"was ended by signal {-self.returncode}"


def environment(
    scratch: Path | None = None, given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment in which children run: the same for every user.

    Messages are in English, Python reads and writes UTF-8 whatever the locale, and nothing
    depends on the order of hashes.

    Args:
        scratch: A folder for temporary files, if they should go where the child works.
        given: The variables to start from; those of this process unless given.
    """
    given = os.environ if given is None else given
    variables = {k: v for k, v in given.items() if k not in _DROPPED_VARIABLES}
    variables |= {"LC_ALL": "C", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    if scratch is not None:
        variables |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    return variables


def python_command(module: str, *arguments: str, path: Sequence[str] | None = None) -> list[str]:
    """Return the command that runs a module as ``python -m`` does, with a given ``sys.path``.

    The path is set in the child: ``PYTHONPATH`` would split a folder with a colon in its name,
    and a relative entry of the user's would point elsewhere.

    Args:
        module: The module.
        arguments: Its arguments.
        path: What to import from; what this process imports from unless given.
    """
    folders = [os.path.abspath(name) for name in (sys.path if path is None else path)]
    code = (
        "import runpy, sys; "
        f"sys.path[:] = {folders!a}; "
        f"runpy.run_module({module!a}, run_name='__main__', alter_sys=True)"
    )
    # -P: neither the working folder nor that of a script comes first.
    return [sys.executable, "-P", "-c", code, *arguments]


def run(
    command: Sequence[str],
    *,
    step: str,
    cwd: Path,
    timeout: float,
    subject: str = "",
    env: Mapping[str, str] | None = None,
    input: str | None = None,
) -> Completed:
    """Run a command to its end, with a limit, and end whatever it leaves behind.

    Args:
        command: Program and arguments.
        step: What this is, for messages: ``"Cython"``, ``"the C compiler"``.
        cwd: The folder to run it in.
        timeout: The seconds it may take.
        subject: What it works on, for messages: the key of a variant.
        env: The variables; those of ``environment`` unless given.
        input: What it can read, as UTF-8; nothing unless given.

    Returns:
        How it ended and what it printed. Any exit code is returned, not raised.

    Raises:
        StepError: The command cannot be started or took longer than it may.
    """
    _start_watcher()
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment() if env is None else dict(env),
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=_POSIX,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except (OSError, ValueError) as error:
        # ValueError: a null character in a name.
        reason = f"cannot be started: {command[0]}: {getattr(error, 'strerror', None) or error}"
        raise StepError(step, reason, subject=subject) from error
    deadline = time.monotonic() + timeout
    with guarded(child.pid):
        streams = [_Stream(child.stdout), _Stream(child.stderr)]
        if child.stdin is not None:
            threading.Thread(
                target=_feed, args=(child.stdin, (input or "").encode()), daemon=True
            ).start()
        in_time = _await_end(child, streams, deadline)
    # The group is gone, and with it whatever held the streams, unless it left the group.
    for stream in streams:
        stream.join(_GRACE_SECONDS)
    out, err = (stream.text() for stream in streams)
    if not in_time:
        child.wait()
        raise too_long(step, timeout, subject=subject, output=out + err)
    return Completed(child.wait(), out, err)


def run_step(
    step: str,
    command: Sequence[str],
    cwd: Path,
    *,
    timeout: float = STEP_SECONDS,
    subject: str = "",
    scratch: Path | None = None,
    makes: str = "",
) -> None:
    """Run a compiler.

    Args:
        step: What this is, for messages.
        command: Program and arguments.
        cwd: The folder.
        timeout: The seconds it may take.
        subject: What it works on, for messages.
        scratch: The folder for its temporary files.
        makes: The file it has to write, relative to the folder.

    Raises:
        CompileError: It rejected its source: it ended with another exit code than 0.
        StepError: It cannot be started, took too long, was ended by a signal or did not write the
            file, which tells nothing of the source.
    """
    variables = environment(scratch)
    done = run(command, step=step, cwd=cwd, timeout=timeout, subject=subject, env=variables)
    check(step, done, subject=subject)
    if makes and not Path(cwd, makes).is_file():
        reason = f"{done.end} and did not write {makes}"
        raise StepError(step, reason, subject=subject, output=done.output)


def check(step: str, done: Completed, *, subject: str = "") -> None:
    """Tell by the exit code whether a compiler has done its work.

    Raises:
        CompileError: It rejected its source.
        StepError: It was ended by a signal, which tells nothing of the source.
    """
    if done.returncode < 0:
        raise StepError(step, done.end, subject=subject, output=done.output)
    if done.returncode != 0:
        raise CompileError(step, done.output or done.end, subject=subject)


def too_long(step: str, limit: float, *, subject: str = "", output: str = "") -> StepError:
    """Return the error of a step that took longer than it may."""
    reason = f"took longer than {limit:g} s and was ended"
    return StepError(step, reason, subject=subject, output=output, limit=limit)


class _Stream:
    """Reads all that a child prints, so that it never waits, and keeps the beginning."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._pipe = pipe
        self._kept = bytearray()
        self._cut = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.join = self._thread.join
        self.is_open = self._thread.is_alive

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 1 << 16):
                room = OUTPUT_LIMIT - len(self._kept)
                self._cut = self._cut or len(chunk) > room
                self._kept += chunk[:room]

    def text(self) -> str:
        """Return what was kept, with a note if there was more."""
        text = bytes(self._kept).decode("utf-8", "replace").replace("\r\n", "\n")
        if self._cut:
            text += f"\n[more than {OUTPUT_LIMIT:,} bytes; the rest is left out]\n"
        return text


def _feed(pipe: IO[bytes], data: bytes) -> None:
    # A child need not read what it is given.
    with suppress(OSError), pipe:
        pipe.write(data)


def _await_end(child: subprocess.Popen[bytes], streams: list[_Stream], deadline: float) -> bool:
    """Wait until a child has exited; tell whether it did so in time.

    Its streams end with it as a rule, and waiting for them costs nothing. A process that it left
    behind may hold them, so look for its exit now and then.
    """
    while True:
        left = deadline - time.monotonic()
        waiting = next((stream for stream in streams if stream.is_open()), None)
        if waiting is not None:
            waiting.join(max(0.0, min(left, 0.1)))
            if child.poll() is not None:
                return True
        else:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, left))
                return True
        if left <= 0:
            return False


# --- process groups

_running: set[int] = set()
_lock = threading.Lock()
_watcher: subprocess.Popen[bytes] | None = None

# Reads the groups that start and end, one signed number a line, until the build closes the pipe,
# which happens even if it is killed; then ends those that are left. That reaches a whole group on
# every POSIX system, which Linux's PR_SET_PDEATHSIG does not: it ends the driver of a compiler
# and not the compiler, and when the thread that started it ends, not the process.
_WATCH = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    number = int(line)
    (groups.add if number > 0 else groups.discard)(abs(number))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


@contextmanager
def guarded(leader: int) -> Iterator[None]:
    """End a child and its process group when the block ends, or when this process does.

    Args:
        leader: The number of a child that leads a group (or is about to, as after a fork).
    """
    _start_watcher()
    with _lock:
        _running.add(leader)
        _note(leader)
    try:
        yield
    finally:
        end_group(leader)
        with _lock:
            _running.discard(leader)
            _note(-leader)


def end_group(leader: int) -> None:
    """End a child and all in its process group, at once."""
    if sys.platform == "win32":
        # The tree as far as it can be seen: Windows forgets who started a process that is orphaned.
        command = ["taskkill", "/T", "/F", "/PID", str(leader)]
        subprocess.run(command, capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def end_all() -> None:
    """End every child that is running, in whatever thread."""
    with _lock:
        leaders = [*_running]
    for leader in leaders:
        end_group(leader)


def _start_watcher() -> None:
    """Start the process that outlives this one, unless it is there already."""
    global _watcher
    # There is none on Windows: when the build is killed there, its children finish their work.
    with _lock:
        if _watcher is None and _POSIX:
            _watcher = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WATCH],
                cwd="/",
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


def _note(number: int) -> None:
    """Tell the watcher that a group has started, or has ended if the number is negative."""
    if _watcher is not None and _watcher.stdin is not None:
        with suppress(BrokenPipeError):
            _watcher.stdin.write(b"%d\n" % number)


@atexit.register
def _stop_watcher() -> None:
    global _watcher
    if _watcher is not None and _watcher.stdin is not None:
        _watcher.stdin.close()
        _watcher.wait()
        _watcher = None


def _forget_parent() -> None:
    """After a fork: the children and the watcher belong to the parent.

    A copy of the pipe would keep the watcher from noticing that the parent has ended.
    """
    global _watcher, _lock
    _lock = threading.Lock()
    _running.clear()
    if _watcher is not None and _watcher.stdin is not None:
        _watcher.stdin.close()
        _watcher.returncode = 0  # it is not this process that waits for it
    _watcher = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
