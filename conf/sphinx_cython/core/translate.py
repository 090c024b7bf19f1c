"""From ``.pyx`` to C and to the page that ``cython -a`` writes."""

from __future__ import annotations

import sys
from pathlib import Path

from . import process
from .artefact import Variant
from .extension import ExtensionError
from .names import SHARED_MODULE as SHARED_MODULE


def translate(variant: Variant, root: Path, work: Path) -> None:
    """Let Cython write the C file and its annotated page into a folder.

    Cython runs in the examples folder with a relative path, because the path it is given
    is written into the C file. It does not import anything from there (``-P``).

    Raises:
        CompileError: Cython refused the source.
    """
    profile, example = variant.profile, variant.example
    try:
        language = example.extension.language
    except ExtensionError as error:
        raise process.CompileError("Cython", f"{example.name}.pyx:1:0: {error}") from error
    command = [sys.executable, "-P", "-m", "cython", "-3", "--annotate"]
    command += ["--module-name", example.qualified_name]
    for folder in example.include_path:
        command += ["-I", folder]
    if language == "c++":
        command.append("--cplus")
    if profile.shared:
        command += ["--shared", SHARED_MODULE]
    for name, value in profile.directives:
        command += ["-X", f"{name}={value}"]
    suffix = "cpp" if language == "c++" else "c"
    command += ["-o", str(work / f"{example.module}.{suffix}")]
    command.append(f"{example.name}.pyx")
    process.run_step("Cython", command, root)
