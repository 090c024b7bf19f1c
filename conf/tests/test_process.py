"""Child processes have a limit and a group of their own, and none outlives the build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import CONF

from sphinx_cython.core import process
from sphinx_cython.core.process import CompileError, StepError, run, run_step

posix = pytest.mark.skipif(os.name != "posix", reason="process groups are a matter of POSIX")
# A shell that starts another process and writes the numbers of both.
FAMILY = 'sleep 300 & echo $$ $! > "$1.part"; mv "$1.part" "$1"; '


def family(then: str, note: Path) -> list[str]:
    return ["sh", "-c", FAMILY + then, "sh", str(note)]


def numbers(note: Path) -> list[int]:
    """Wait until a family has written its numbers, and return them."""
    eventually(note.exists)
    return [int(number) for number in note.read_text().split()]


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(number: int) -> bool:
    """Tell whether a process has ended, even if its parent has not yet noticed."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def assert_gone(children: list[int]) -> None:
    eventually(lambda: all(is_gone(child) for child in children))


def python(code: str, **options: object) -> process.Completed:
    settings = {"step": "Python", "cwd": Path.cwd(), "timeout": 60} | options
    return run([sys.executable, "-c", code], **settings)


# --- what comes back


def test_exit_code_and_both_streams_come_back():
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert done.output == "out\nerr\n"
    assert done.end == "ended with exit code 3"


def test_a_signal_is_a_negative_exit_code():
    done = python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert done.returncode == -signal.SIGSEGV
    assert done.end == "was ended by SIGSEGV"


def test_input_is_utf8_and_may_be_left_unread():
    echo = "import sys; print(sys.stdin.read())"
    assert python(echo, input="größer").stdout == "größer\n"
    assert python("print(1)", input="x" * 1_000_000).stdout == "1\n"
    assert python(echo).stdout == "\n", "without input there is nothing to read"


def test_what_is_no_utf8_is_replaced():
    done = python(r"import sys; sys.stdout.buffer.write(b'a\xff\r\nb')")
    assert done.stdout == "a\N{REPLACEMENT CHARACTER}\nb"


def test_output_without_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(process, "OUTPUT_LIMIT", 1000)
    done = python("import sys\nfor _ in range(1000): print('x' * 999)\nprint('y', file=sys.stderr)")
    assert done.stdout.startswith(("x" * 999 + "\n") + "\n[more than 1,000 bytes")
    assert len(done.stdout) < 1100
    assert done.stderr == "y\n"


def test_a_step_that_is_rejected_tells_what_was_printed(tmp_path):
    command = ["sh", "-c", "echo said no; exit 1"]
    with pytest.raises(CompileError) as caught:
        run_step("Cython", command, tmp_path, timeout=60, subject="a@O3")
    assert (caught.value.step, caught.value.output) == ("Cython", "said no\n")
    assert str(caught.value) == "a@O3: Cython failed\nsaid no"


def test_a_compiler_that_a_signal_ended_has_not_rejected_its_source(tmp_path):
    with pytest.raises(StepError) as caught:
        run_step("the C compiler", ["sh", "-c", "kill -9 $$"], tmp_path, timeout=60, subject="a")
    assert not isinstance(caught.value, CompileError)
    assert str(caught.value) == "a: the C compiler was ended by SIGKILL"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "No such file or directory"),
        ("folder", "Permission denied"),
        ("not executable", "Permission denied"),
        ("no program", "Exec format error"),
        ("null", "embedded null byte"),
    ],
)
def test_what_cannot_be_started_is_named(tmp_path, kind: str, reason: str):
    program = tmp_path / "program"
    if kind == "folder":
        program.mkdir()
    elif kind != "missing":
        program.write_text("nothing")
        program.chmod(0o755 if kind == "no program" else 0o644)
    name = f"{program}\0" if kind == "null" else str(program)
    with pytest.raises(StepError) as caught:
        run([name], step="Cython", cwd=tmp_path, timeout=60, subject="a")
    assert str(caught.value) == f"a: Cython cannot be started: {name}: {reason}"


# --- limits and groups


@posix
def test_a_step_that_never_ends_is_ended_with_all_it_started(tmp_path):
    note = tmp_path / "note"
    command = family("echo half; wait", note)
    with pytest.raises(StepError) as caught:
        run(command, step="Cython", cwd=tmp_path, timeout=0.5, subject="a@O3")
    assert str(caught.value) == "a@O3: Cython took longer than 0.5 s and was ended"
    assert (caught.value.limit, caught.value.output) == (0.5, "half\n")
    assert_gone(numbers(note))


@posix
def test_what_ignores_signals_or_closes_its_streams_is_ended_too(tmp_path):
    note = tmp_path / "note"
    command = family("trap '' TERM INT HUP; exec >&- 2>&-; wait", note)
    with pytest.raises(StepError):
        run(command, step="Cython", cwd=tmp_path, timeout=0.5)
    assert_gone(numbers(note))


@posix
def test_a_process_left_behind_delays_nothing_and_is_ended(tmp_path):
    """It holds the pipes, so that waiting for their end would take as long as it lives."""
    note = tmp_path / "note"
    done = run(family("echo done; exit 4", note), step="Cython", cwd=tmp_path, timeout=250)
    assert (done.returncode, done.stdout) == (4, "done\n")
    assert_gone(numbers(note))


@posix
@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_the_children(tmp_path):
    note = tmp_path / "note"

    def interrupt() -> None:
        numbers(note)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run(family("wait", note), step="Cython", cwd=tmp_path, timeout=250)
    assert_gone(numbers(note))


@posix
def test_children_in_other_threads_can_be_ended(tmp_path):
    note = tmp_path / "note"
    ends: list[int] = []
    thread = threading.Thread(
        target=lambda: ends.append(
            run(family("wait", note), step="Cython", cwd=tmp_path, timeout=250).returncode
        )
    )
    thread.start()
    numbers(note)
    process.end_all()
    thread.join()
    assert ends == [-signal.SIGKILL]


PARENT = """
import os, sys, time
from pathlib import Path
from sphinx_cython.core.process import run
run(["true"], step="s", cwd=Path("/"), timeout=60)
if FORKS and os.fork() == 0:
    # As Sphinx's readers do, it lives on with all that was open in its parent.
    time.sleep(300)
run(sys.argv[1:], step="s", cwd=Path("/"), timeout=250)
"""


@posix
@pytest.mark.parametrize("forks", [False, True])
def test_a_killed_build_leaves_no_child(tmp_path, forks: bool):
    note = tmp_path / "note"
    build = subprocess.Popen(
        [sys.executable, "-c", f"FORKS = {forks}\n{PARENT}", *family("wait", note)],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        start_new_session=True,
    )
    children = numbers(note)
    try:
        assert not any(is_gone(child) for child in children)
        build.kill()
        build.wait()
        assert_gone(children)
    finally:
        process.end_group(build.pid)


# --- the environment of children


def test_children_speak_english_and_utf8_whatever_the_user_has_set(monkeypatch):
    for name in ("LANG", "LC_CTYPE", "PYTHONIOENCODING", "CFLAGS", "PYTHONOPTIMIZE"):
        monkeypatch.setenv(name, "latin-1")
    monkeypatch.setenv("LC_ALL", "de_DE.ISO-8859-1")
    environment = process.environment()
    assert environment["LC_ALL"] == "C"
    assert not {"PYTHONIOENCODING", "CFLAGS", "PYTHONOPTIMIZE"} & set(environment)
    code = (
        "import sys; print(sys.getfilesystemencoding(), sys.stdout.encoding, 'ü', open(0).encoding)"
    )
    assert python(code).stdout == "utf-8 utf-8 ü utf-8\n"


def test_temporary_files_go_where_the_build_puts_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    code = "import tempfile; print(tempfile.gettempdir())"
    assert python(code, env=process.environment(tmp_path)).stdout == f"{tmp_path}\n"


@pytest.mark.parametrize("name", ["with:colon", "ümläut %s #1", 'it\'s "quoted"', "two\nlines"])
def test_the_import_path_of_a_child_takes_any_folder(tmp_path, name: str):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "tool.py").write_text("import sys; print(sys.argv[1:], __name__)")
    # The working folder has a module that must not be taken.
    (tmp_path / "runpy.py").write_text("1 / 0")
    command = process.python_command("tool", "-x", "ä b", path=[str(folder), *sys.path])
    done = run(command, step="s", cwd=tmp_path, timeout=60)
    assert done.output == "['-x', 'ä b'] __main__\n"
