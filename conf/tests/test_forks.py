"""Cython in forks of a warm process: the same files, each time, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from support import CONF, write

from sphinx_cython.core import fork_server, forks, process
from sphinx_cython.core import translate as translating
from sphinx_cython.core.artefact import Variant
from sphinx_cython.core.config import Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.translate import REPORT, SHARED_MODULE, generate_shared, translate

SITE = Examples.scan(CONF.parent / "examples")
PROFILES = {"shared": Profile("default", shared=True), "plain": Profile("default")}
needs_fork = pytest.mark.skipif(not forks.AVAILABLE, reason="there is no fork here")
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed in /proc")


def outcome(make: Callable[[Path], object], work: Path) -> dict[str, bytes]:
    """Return what a translation wrote and printed."""
    work.mkdir(parents=True)
    printed = ""
    try:
        make(work)
    except process.CompileError as error:
        printed = error.output
    (work / REPORT).unlink(missing_ok=True)
    return {path.name: path.read_bytes() for path in work.iterdir()} | {"printed": printed.encode()}


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize("kind", PROFILES)
def test_each_example_is_translated_as_in_a_process_of_its_own(kind: str, tmp_path: Path):
    variants = [Variant(example, PROFILES[kind]) for example in SITE]
    assert len(variants) >= 50

    def compare(variant: Variant) -> list[str]:
        ours = tmp_path / "forked" / variant.example.name
        theirs = tmp_path / "fresh" / variant.example.name
        suffix, more = (
            ("cpp", ["--cplus"]) if variant.example.extension.language == "c++" else ("c", [])
        )
        command = [sys.executable, "-m", "cython", "-3", "--annotate", *more]
        command += ["--module-name", variant.example.module]
        command += ["--shared", SHARED_MODULE] if variant.profile.shared else []
        target = theirs / f"{variant.example.module}.{suffix}"
        command += ["-o", str(target), f"{variant.example.name}.pyx"]
        forked = outcome(lambda work: translate(variant, SITE.root, work), ours)
        alone = outcome(lambda work: process.run_step("Cython", command, SITE.root), theirs)
        names = sorted(forked | alone)
        return [f"{variant.key}: {name}" for name in names if forked.get(name) != alone.get(name)]

    with ThreadPoolExecutor(2) as pool:
        assert [name for names in pool.map(compare, variants) for name in names] == []


@needs_fork
def test_the_shared_module_is_generated_as_in_a_process_of_its_own(tmp_path: Path):
    command = [sys.executable, "-m", "cython", "generate-shared", f"{SHARED_MODULE}.c"]
    alone = outcome(lambda work: process.run_step("Cython", command, work), tmp_path / "fresh")
    assert outcome(generate_shared, tmp_path / "forked") == alone
    assert len(alone[f"{SHARED_MODULE}.c"]) > 500_000


WORDS = """
    \"\"\"Größe, Fläche und Maß.\"\"\"

    class Ä:
        übergröße = {"a", "b", "c", "ß"}

    def straße(double[:] ö):
        return ö[0] + len("日本")
"""


def translated(scan: Callable[..., Examples], work: Path, name: str = "m") -> dict[str, bytes]:
    examples = Examples.scan(scan({}).root)
    variant = Variant(examples[name], PROFILES["shared"])
    return outcome(lambda work: translate(variant, examples.root, work), work)


def test_without_fork_the_same_files_and_the_same_report_come_out(scan, tmp_path, monkeypatch):
    examples = scan({"sub/m.pyx": "from defs cimport N\n" + textwrap.dedent(WORDS), "defs.pxd": ""})
    (examples.root / "defs.pxd").write_text("cdef enum:\n    N = 1\n")
    variant = Variant(examples["sub/m"], PROFILES["plain"])
    results = []
    for available in (forks.AVAILABLE, False):
        monkeypatch.setattr(translating, "AVAILABLE", available)
        work = tmp_path / str(len(results))
        work.mkdir()
        translate(variant, examples.root, work)
        report = translating.read_report(work / REPORT)
        of_examples = {
            part: sorted(name for name in report[part] if name.startswith(str(examples.root)))
            for part in ("opened", "probed", "listed")
        }
        files = [(work / f"m.{suffix}").read_bytes() for suffix in ("c", "html")]
        results.append((files, of_examples))
    assert results[0] == results[1]
    assert {Path(name).name for name in results[0][1]["opened"]} == {"m.pyx", "defs.pxd"}


@pytest.mark.parametrize("forked", [True, False])
def test_the_locale_and_modules_beside_the_examples_do_not_matter(
    scan, tmp_path, monkeypatch, forked: bool
):
    """``copy`` and ``types`` are modules that Cython itself imports."""
    scan({"m.pyx": WORDS, "straße/bad.pyx": "ä = ö\n"})
    expected = translated(scan, tmp_path / "before")
    monkeypatch.setattr(translating, "AVAILABLE", forked and forks.AVAILABLE)
    for name in ("LANG", "LC_ALL", "PYTHONIOENCODING", "PYTHONUTF8"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C")
    scan({f"{name}.py": "raise SystemExit(7)" for name in ("copy", "types", "cython", "re")})
    assert translated(scan, tmp_path / "after") == expected
    printed = translated(scan, tmp_path / "bad", "bad")["printed"].decode()
    assert "straße/bad.pyx:1:4: undeclared name not builtin: ö" in printed


# --- what does not end well


@pytest.fixture
def endless(scan, tmp_path) -> Iterator[Examples]:
    """An example that Cython waits for, for ever: it includes a pipe that gives nothing."""
    examples = scan({"m.pyx": 'include "pipe.pxi"\nx = 1\n', "fine.pyx": "x = 1\n"})
    os.mkfifo(examples.root / "pipe.pxi")
    return examples


def command(examples: Examples) -> list[str]:
    return translating.arguments(Variant(examples["m"], PROFILES["shared"]))


@needs_fork
def test_a_translation_that_takes_too_long_is_ended_and_reported(endless, tmp_path):
    with pytest.raises(process.StepError, match=r"Cython took longer than 0.3 s and was ended"):
        translating.run_cython(command(endless), endless.root, tmp_path / REPORT, seconds=0.3)
    work = tmp_path / "work"
    work.mkdir()
    translate(Variant(endless["fine"], PROFILES["shared"]), endless.root, work)


@needs_fork
def test_a_translation_that_crashes_is_reported(scan, tmp_path):
    examples = scan({"m.pyx": f"x = {'(' * 50_000}1{')' * 50_000}\n", "fine.pyx": "x = 1\n"})
    with pytest.raises(process.StepError, match="Cython was ended by SIGSEGV"):
        translate(Variant(examples["m"], PROFILES["shared"]), examples.root, tmp_path)
    translate(Variant(examples["fine"], PROFILES["shared"]), examples.root, tmp_path)


@needs_fork
def test_an_error_in_the_arguments_is_reported(scan, tmp_path):
    examples = scan({"m.pyx": "x = 1\n"})
    with pytest.raises(process.CompileError, match="unknown option --no-such"):
        translating.run_cython(["--no-such", "m.pyx"], examples.root, tmp_path / REPORT)


@needs_fork
def test_a_server_that_was_killed_is_replaced(scan, tmp_path):
    examples = scan({"m.pyx": "x = 1\n"})
    server = forks.ForkServer()
    arguments = ["-o", str(tmp_path / "m.c"), *command(examples)]
    assert server.run(arguments, examples.root, 60).returncode == 0
    assert server._program is not None
    os.killpg(server._program.pid, signal.SIGKILL)
    assert server.run(arguments, examples.root, 60).returncode == 0
    server.stop()


@needs_fork
def test_when_no_server_starts_a_process_of_its_own_does_it(scan, tmp_path, monkeypatch):
    examples = scan({"m.pyx": "x = 1\n"})
    monkeypatch.setattr(translating, "SERVER", forks.ForkServer())
    broken = tmp_path / "broken.py"
    broken.write_text("import sys\nsys.exit(1)\n")
    real = forks.python_command

    def python_command(*arguments: str) -> list[str]:
        if arguments[0] == "serve":
            return [sys.executable, str(broken)]
        return real(*arguments)

    monkeypatch.setattr(forks, "python_command", python_command)
    translate(Variant(examples["m"], PROFILES["shared"]), examples.root, tmp_path)
    assert (tmp_path / "m.html").is_file()
    assert translating.read_report(tmp_path / REPORT)["opened"]


@needs_fork
def test_several_translations_run_at_once(endless, tmp_path):
    """While one waits, others are done, and each gets what is its own."""
    server = forks.ForkServer()
    others = [f"m{n}" for n in range(6)]
    write(endless.root, {f"{name}.pyx": f"{name} = undefined_{name}\n" for name in others})
    with ThreadPoolExecutor(8) as pool:
        waiting = pool.submit(server.run, command(endless), endless.root, 60.0)

        def run(name: str) -> forks.Run:
            words = ["-3", "-o", str(tmp_path / f"{name}.c"), f"{name}.pyx"]
            return server.run(words, endless.root, 60.0)

        for name, done in zip(others, pool.map(run, others), strict=True):
            assert done.returncode == 1
            assert f"undeclared name not builtin: undefined_{name}" in done.output
            assert done.report["opened"][-1].endswith((".pxd", ".c", f"{name}.pyx"))
            assert not any(
                f"{other}.pyx" in path
                for path in done.report["opened"]
                for other in others
                if other != name
            )
        assert not waiting.done()
        with (endless.root / "pipe.pxi").open("w") as pipe:
            pipe.write("y = 2\n")
        assert "not seekable" in waiting.result().output
    server.stop()


@needs_fork
def test_a_server_has_the_environment_of_the_moment(scan, tmp_path, monkeypatch):
    examples = scan({"m.pyx": "from elsewhere cimport N\nx = N\n"})
    work = tmp_path / "one"
    variant = Variant(examples["m"], PROFILES["shared"])
    assert (
        b"'elsewhere.pxd' not found"
        in outcome(lambda work: translate(variant, examples.root, work), work)["printed"]
    )
    write(tmp_path / "lib", {"elsewhere.pxd": "cdef enum:\n    N = 1\n"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    work = tmp_path / "two"
    assert not outcome(lambda work: translate(variant, examples.root, work), work)["printed"]


@needs_fork
def test_an_idle_server_ends_and_is_started_again(scan, tmp_path, monkeypatch):
    examples = scan({"m.pyx": "x = 1\n"})
    program = tmp_path / "server.py"
    text = Path(fork_server.__file__).read_text()
    assert text.count("IDLE_SECONDS = 20.0") == 1
    program.write_text(text.replace("IDLE_SECONDS = 20.0", "IDLE_SECONDS = 0.1"))
    monkeypatch.setattr(forks, "PROGRAM", program)
    server = forks.ForkServer()
    arguments = ["-o", str(tmp_path / "m.c"), *command(examples)]
    for _ in range(2):
        assert server.run(arguments, examples.root, 60).returncode == 0
        assert server._program is not None
        server._program.wait(timeout=30)
    server.stop()


# --- nothing is left behind

KILLED = """
import os, sys, threading, time
from pathlib import Path
from sphinx_cython.core import forks
words = ["-3", "-o", "/dev/null", "m.pyx"]
for _ in range(2):
    threading.Thread(target=forks.SERVER.run, args=(words, Path(sys.argv[1]), 600)).start()
time.sleep(1)
while not forks.SERVER._program:
    time.sleep(0.01)
if os.fork() == 0:
    # A copy of this process that lives on must keep nothing alive.
    time.sleep(600)
print(forks.SERVER._program.pid, flush=True)
time.sleep(600)
"""


def processes_of_group(group: int) -> set[int]:
    """Return the processes of a group that have not ended."""
    members = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, number = path.read_text().rpartition(")")[2].split()[:3]
            if int(number) == group and state != "Z":
                members.add(int(path.parent.name))
    return members


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def running(endless: Examples) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that waits for two translations, and the group of its server."""
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(endless.root)],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    wait_for(lambda: len(processes_of_group(group)) == 3)
    yield parent, group
    os.killpg(parent.pid, signal.SIGKILL)
    parent.communicate()


@needs_proc
def test_when_the_build_is_killed_its_translations_end(running):
    parent, group = running
    parent.kill()
    wait_for(lambda: not processes_of_group(group))


@needs_proc
def test_when_the_server_is_killed_its_translations_end(running):
    _, group = running
    os.kill(group, signal.SIGKILL)
    wait_for(lambda: not processes_of_group(group))


@needs_fork
def test_a_fork_of_the_build_leaves_the_server_to_it(scan, tmp_path):
    examples = scan({"m.pyx": "x = 1\n"})
    variant = Variant(examples["m"], PROFILES["shared"])
    translate(variant, examples.root, tmp_path)
    program = forks.SERVER._program
    assert program is not None
    if (child := os.fork()) == 0:
        code = 1
        try:
            assert forks.SERVER._connection is None
            translate(variant, examples.root, tmp_path)
            forks.SERVER.stop()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert program.poll() is None
    translate(variant, examples.root, tmp_path)
    assert forks.SERVER._program is program
