"""From ``.pyx`` to C and to the page that ``cython -a`` writes."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import process
from .artefact import Variant
from .extension import ExtensionError
from .forks import AVAILABLE, SERVER, ServerEndedError, python_command
from .names import SHARED_MODULE as SHARED_MODULE

# What Cython read, in the folder of the artefact until its dependencies are known.
REPORT = "cython-report.json"
SECONDS = 300.0


def arguments(variant: Variant) -> list[str]:
    """Return what Cython is told to do with a variant, but for the language and the C file.

    Cython runs in the examples folder and gets relative paths, because they are written into the
    C file. ``-I .`` is where ``cythonize`` searches other modules as well.
    """
    profile, example = variant.profile, variant.example
    words = ["-3", "--annotate"]
    for folder in example.include_path:
        words += ["-I", folder]
    words += ["--module-name", example.qualified_name]
    if profile.shared:
        words += ["--shared", SHARED_MODULE]
    for name, value in profile.directives:
        words += ["-X", f"{name}={value}"]
    return [*words, f"{example.name}.pyx"]


def translate(variant: Variant, root: Path, work: Path) -> None:
    """Let Cython write the C file and its annotated page into a folder.

    A report of what Cython read is there too, also if it refused the source.

    Raises:
        CompileError: Cython refused the source.
    """
    example = variant.example
    try:
        language = example.extension.language
    except ExtensionError as error:
        raise process.CompileError("Cython", f"{example.name}.pyx:1:0: {error}") from error
    suffix = "cpp" if language == "c++" else "c"
    words = ["-o", str(work / f"{example.module}.{suffix}"), *arguments(variant)]
    if language == "c++":
        words.insert(0, "--cplus")
    run_cython(words, root, work / REPORT)


def generate_shared(work: Path) -> None:
    """Let Cython write the C file of the shared utility module into a folder.

    Raises:
        CompileError: Cython has no such command.
    """
    run_cython(["generate-shared", f"{SHARED_MODULE}.c"], work, work / REPORT)
    (work / REPORT).unlink(missing_ok=True)


def read_report(path: Path) -> dict[str, Any]:
    """Return what Cython read and looked for (see ``fork_server.Recorder``)."""
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def run_cython(words: Sequence[str], cwd: Path, report: Path, seconds: float = SECONDS) -> None:
    """Run Cython, in a fork of a warm process where there is such a thing.

    Args:
        words: What follows ``python -m cython``.
        cwd: The folder to run it in.
        report: The file for what it read.
        seconds: How long it may take.

    Raises:
        CompileError: It ended with another exit code than 0.
    """
    if AVAILABLE:
        try:
            run = SERVER.run(words, cwd, seconds)
        except ServerEndedError:
            # If Cython itself is the cause, a process of its own shows it.
            pass
        else:
            if run.report:
                report.write_text(json.dumps(run.report), encoding="utf-8")
            if run.returncode != 0:
                raise process.CompileError("Cython", run.output + _end(run.returncode, seconds))
            return
    process.run_step("Cython", python_command("run", str(report), str(cwd), *words), cwd)


def _end(returncode: int, seconds: float) -> str:
    if returncode >= 0:
        return ""
    if -returncode == signal.SIGALRM:
        return f"Cython took longer than {seconds:g} s and was ended\n"
    return f"Cython was ended by {signal.Signals(-returncode).name}\n"
