"""What Cython and the C compiler complain about, and the places in the examples it belongs to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .artefact import Failure, Problem, Variant
from .example import Example
from .process import CompileError, StepError

_CYTHON_PROBLEM = re.compile(
    r"^(?:warning: )?(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<col>\d+): (?P<msg>.*)$", re.M
)
_C_PROBLEM = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<col>\d+): (?:fatal )?error: (?P<msg>.*)$", re.M
)


def _problems(
    pattern: re.Pattern[str], output: str, example: Example, c: str
) -> tuple[Problem, ...]:
    found = (
        _placed(Problem(m["file"], int(m["line"]), int(m["col"]), m["msg"].strip()), example, c)
        for m in pattern.finditer(output)
        if not m[0].startswith("warning:")
    )
    # Cython says some things twice.
    return tuple(dict.fromkeys(found))


def _placed(problem: Problem, example: Example, c: str) -> Problem:
    """Name the place in the examples folder that a place in C belongs to, since the C is gone.

    C that stands in the source is found by its text; above generated C there is a comment with
    file and line of what it was made of.
    """
    path = Path(problem.file)
    if path.is_absolute() and path.is_relative_to(example.root):
        return replace(problem, file=path.relative_to(example.root).as_posix())
    lines = c.split("\n")[: problem.line]
    if problem.file not in (f"{example.module}.c", f"{example.module}.cpp") or not c:
        return problem
    text = lines[-1].strip()
    header = re.match(r'#include ["<](.+)[">]', text)
    verbatim = [
        number
        for number, line in enumerate(example.lines, 1)
        if line.strip() == text or (header and re.search(rf'from "<?{re.escape(header[1])}', line))
    ]
    if text and len(verbatim) == 1:
        return replace(problem, file=f"{example.name}.pyx", line=verbatim[0])
    problem = replace(problem, message=f"{problem.message}, in the C: {text}")
    for line in reversed(lines):
        if "/* #### Code section" in line:
            break
        if made_of := re.match(r'\s*/\* "([^"]+)":(\d+)$', line):
            # Cython leaves out the folders of a source that is in no package.
            own = made_of[1] == example.path.name
            file = f"{example.name}.pyx" if own else made_of[1]
            return replace(problem, file=file, line=int(made_of[2]), column=0)
    return problem


def failure(variant: Variant, digest: str, error: StepError) -> Failure:
    """Describe what went wrong in a step with a variant."""
    if not isinstance(error, CompileError):
        return unbuilt(variant, digest, error.step, f"{error.step} {error.reason}", error.output)
    pattern = _CYTHON_PROBLEM if error.step == "Cython" else _C_PROBLEM
    problems = _problems(pattern, error.output, variant.example, error.c)
    return Failure(variant, digest, error.step, problems, error.output)


def unbuilt(variant: Variant, digest: str, step: str, reason: str, output: str = "") -> Failure:
    """Describe why a variant was not built, if no compiler has rejected its source."""
    place = Problem(f"{variant.example.name}.pyx", 1, 0, reason)
    return Failure(variant, digest, step, (place,), output, rejected=False)
