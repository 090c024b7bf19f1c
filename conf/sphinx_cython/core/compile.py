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
from .extension import Extension, is_cxx
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
    # Not splitlines: the preprocessor counts newlines only.
    for text in preprocessed.split("\n"):
        if found := marker.match(text):
            number, ours = int(found[1]), found[2] == c_name
            continue
        if ours and text.strip():
            kept.add(number)
        number += 1
    return kept


def flags(profile: Profile, example: Example | None = None) -> list[str]:
    """Return the flags for the C compiler: those of a profile, and where an example has headers.

    What the settings in the sources of an example add is not among them: see ``Extension``.
    """
    words = [*profile.flags]
    words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in profile.macros]
    if example is not None:
        words += [f"-I{example.path.parent}", f"-I{example.root}"]
    return words


def all_flags(profile: Profile, example: Example | None = None) -> list[str]:
    """Return the flags for the C compiler, with what the settings in the sources add."""
    words = flags(profile, example)
    if example is None:
        return words
    # Beside the source are the headers that its C would be compiled with; then come the folders
    # that it names.
    return [*words[:-1], *example.extension.compile_flags, words[-1]]


def numpy_flags() -> list[str]:
    """Return the flags with which NumPy's headers are found, if NumPy is installed.

    They are always given, since they change nothing where no such header is read. NumPy is not
    imported for that.
    """
    folder = Path(package_folder("numpy"))
    for include in (folder / "_core" / "include", folder / "core" / "include"):
        if (include / "numpy").is_dir():
            # Without the macro, the headers print a warning in each module.
            return [f"-I{include}", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION"]
    return []


def compile_module(
    module: str,
    profile: Profile,
    work: Path,
    toolchain: Toolchain,
    example: Example | None = None,
    *,
    subject: str = "",
    timeout: float = process.STEP_SECONDS,
) -> None:
    """Compile ``<module>.c`` or ``<module>.cpp`` in a folder to an importable module beside it.

    The list of headers that the compiler read (``*.d``) is there too, even if it refused.

    Args:
        module: The name of the C file without its suffix.
        profile: Flags and macros.
        work: The folder.
        toolchain: The compiler.
        example: What the C was made of.
        subject: What is compiled, for messages.
        timeout: The seconds that each step may take.

    Raises:
        CompileError: The C compiler or the linker refused.
        StepError: One of them could not do its work.
    """
    extension = example.extension if example else Extension()
    words = all_flags(profile, example)
    if example is not None:
        words += numpy_flags()
    language = extension.language
    suffix, preprocessed = (".cpp", ".ii") if language == "c++" else (".c", ".i")
    source, objects = f"{module}{suffix}", [f"{module}.o"]

    def run(command: list[str], makes: str, language: str = extension.language) -> None:
        step = f"the {language.upper()} compiler"
        process.run_step(
            step, command, work, timeout=timeout, subject=subject, scratch=work, makes=makes
        )

    # The preprocessed file tells which branch of every #if is in the module.
    keep = ("-save-temps=obj", "-MD")
    command = toolchain.compile_command(source, objects[0], (*words, *keep), language=language)
    try:
        run(command, objects[0])
    except process.CompileError as error:
        error.c = (work / source).read_text(encoding="utf-8")
        raise
    for number, other in enumerate(extension.sources, 1):
        objects.append(f"{module}-{number}.o")
        language = "c++" if is_cxx(other) else "c"
        command = toolchain.compile_command(other, objects[-1], (*words, "-MD"), language=language)
        run(command, objects[-1], language)
    command = toolchain.link_command(
        objects[0],
        module_filename(module),
        (*profile.flags, *objects[1:]),
        language="c++" if extension.links_cxx else "c",
        libraries=extension.link_flags,
    )
    run(command, module_filename(module))
    for option, kept in (("-E", f"{module}{preprocessed}"), ("-S", f"{module}.s")):
        if not (work / kept).is_file():
            # zig cc leaves no temporary files behind.
            command = toolchain.compile_command(
                source, kept, tuple(words), option, extension.language
            )
            run(command, kept)
    text = (work / f"{module}{preprocessed}").read_text(errors="replace")
    (work / "compiled-lines.json").write_text(json.dumps(ranges(surviving_lines(text, source))))
    for pattern in ("*.i", "*.ii", "*.o", "*.bc"):
        for leftover in work.glob(pattern):
            leftover.unlink()
