"""From C to a module that can be imported, with the assembly and what the preprocessor left."""

from __future__ import annotations

import json
import re
from pathlib import Path

from . import process
from .artefact import module_filename
from .config import Profile
from .dependencies import package_folder
from .example import Example
from .toolchain import Toolchain


def ranges(numbers: set[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def surviving_lines(preprocessed: str, c_name: str) -> set[int]:
    """Return the lines of a C file that are not empty after preprocessing.

    Args:
        preprocessed: The output of the preprocessor, with its line markers (``# 12 "file.c"``).
        c_name: The name of the C file in the markers.
    """
    marker = re.compile(r'# (\d+) "([^"]*)"')
    kept: set[int] = set()
    number, ours = 0, False
    for text in preprocessed.splitlines():
        if found := marker.match(text):
            number, ours = int(found[1]), found[2] == c_name
            continue
        if ours and text.strip():
            kept.add(number)
        number += 1
    return kept


def flags(profile: Profile, example: Example | None = None) -> list[str]:
    """Return the flags for the C compiler: those of a profile, and where an example has headers."""
    words = [*profile.flags]
    words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in profile.macros]
    if example is not None:
        words += [f"-I{example.path.parent}", f"-I{example.root}"]
    return words


def numpy_flags() -> list[str]:
    """Return the flags with which NumPy's headers are found, if NumPy is installed.

    They are always given, since they change nothing where no such header is read.
    """
    folder = Path(package_folder("numpy"))
    for include in (folder / "_core" / "include", folder / "core" / "include"):
        if (include / "numpy").is_dir():
            return [f"-I{include}", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION"]
    return []


def compile_module(
    module: str,
    profile: Profile,
    work: Path,
    toolchain: Toolchain,
    example: Example | None = None,
) -> None:
    """Compile ``<module>.c`` in a folder to an importable module beside it.

    The list of headers that the compiler read (``*.d``) is there too, even if it refused.

    Raises:
        CompileError: The C compiler or the linker refused.
    """
    words = flags(profile, example)
    if example is not None:
        words += numpy_flags()
    source, objects = f"{module}.c", f"{module}.o"
    # The preprocessed file tells which branch of every #if is in the module.
    keep = ("-save-temps=obj", "-MD")
    try:
        process.run_step(
            "the C compiler", toolchain.compile_command(source, objects, (*words, *keep)), work
        )
    except process.CompileError as error:
        error.c = (work / source).read_text(encoding="utf-8")
        raise
    process.run_step(
        "the C compiler",
        toolchain.link_command(objects, module_filename(module), profile.flags),
        work,
    )
    preprocessed, assembly = work / f"{module}.i", work / f"{module}.s"
    for step, kept in (("-E", preprocessed), ("-S", assembly)):
        if not kept.is_file():
            # zig cc leaves no temporary files behind.
            command = toolchain.compile_command(source, kept.name, tuple(words), step)
            process.run_step("the C compiler", command, work)
    lines = surviving_lines(preprocessed.read_text(errors="replace"), source)
    (work / "compiled-lines.json").write_text(json.dumps(ranges(lines)))
    for leftover in (*work.glob("*.i"), *work.glob("*.o"), *work.glob("*.bc")):
        leftover.unlink()
