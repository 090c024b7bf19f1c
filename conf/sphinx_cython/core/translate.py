"""From ``.pyx`` to C and to the page that ``cython -a`` writes."""

from __future__ import annotations

import json
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


def translate(
    variant: Variant, root: Path, work: Path, seconds: float = process.STEP_SECONDS
) -> None:
    """Let Cython write the C file and its annotated page into a folder.

    A report of what Cython read is there too, also if it refused the source.

    Args:
        variant: What to translate.
        root: The examples folder.
        work: The folder to write into.
        seconds: How long it may take.

    Raises:
        CompileError: Cython refused the source.
        StepError: It took too long, was ended by a signal or wrote nothing.
    """
    example = variant.example
    try:
        language = example.extension.language
    except ExtensionError as error:
        raise process.CompileError("Cython", f"{example.name}.pyx:1:0: {error}") from error
    suffix = "cpp" if language == "c++" else "c"
    words = ["-o", str((work / f"{example.module}.{suffix}").absolute()), *arguments(variant)]
    if language == "c++":
        words.insert(0, "--cplus")
    run_cython(words, root, work / REPORT, seconds, variant.key)
    for name in (f"{example.module}.{suffix}", f"{example.module}.html"):
        _check_written(work / name, variant.key)


def generate_shared(work: Path, seconds: float = process.STEP_SECONDS) -> None:
    """Let Cython write the C file of the shared utility module into a folder.

    Args:
        work: The folder.
        seconds: How long it may take.

    Raises:
        CompileError: Cython has no such command.
        StepError: It took too long, was ended by a signal or wrote nothing.
    """
    subject = "the shared utility module"
    run_cython(["generate-shared", f"{SHARED_MODULE}.c"], work, work / REPORT, seconds, subject)
    _check_written(work / f"{SHARED_MODULE}.c", subject)
    (work / REPORT).unlink(missing_ok=True)


def _check_written(path: Path, subject: str) -> None:
    if not path.is_file():
        reason = f"ended with exit code 0 and did not write {path.name}"
        raise process.StepError("Cython", reason, subject=subject)


def read_report(path: Path) -> dict[str, Any]:
    """Return what Cython read and looked for (see ``fork_server.Recorder``)."""
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def run_cython(
    words: Sequence[str],
    cwd: Path,
    report: Path,
    seconds: float = process.STEP_SECONDS,
    subject: str = "",
) -> None:
    """Run Cython, in a fork of a warm process where there is such a thing.

    Args:
        words: What follows ``python -m cython``.
        cwd: The folder to run it in.
        report: The file for what it read.
        seconds: How long it may take.
        subject: What it works on, for messages.

    Raises:
        CompileError: It ended with another exit code than 0.
        StepError: It took too long or was ended by a signal, which tells nothing of the source.
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
            if run.timed_out:
                raise process.too_long("Cython", seconds, subject=subject, output=run.output)
            process.check(
                "Cython", process.Completed(run.returncode, run.output, ""), subject=subject
            )
            return
    command = python_command("run", str(report.absolute()), str(cwd.absolute()), *words)
    process.run_step("Cython", command, report.parent, timeout=seconds, subject=subject)
