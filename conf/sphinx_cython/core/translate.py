"""From ``.pyx`` to C and to the page that ``cython -a`` writes."""

from __future__ import annotations

import sys
from pathlib import Path

from . import process
from .artefact import Variant

SHARED_MODULE = "_cyutility"


def translate(variant: Variant, root: Path, work: Path) -> None:
    """Let Cython write the C file and its annotated page into a folder.

    Cython runs in the examples folder with a relative path, because the path it is given
    stands in the C file.

    Raises:
        CompileError: Cython refused the source.
    """
    profile = variant.profile
    command = [sys.executable, "-m", "cython", "-3", "--annotate"]
    command += ["--module-name", variant.example.module]
    if profile.shared:
        command += ["--shared", SHARED_MODULE]
    for name, value in profile.directives:
        command += ["-X", f"{name}={value}"]
    command += ["-o", str(work / f"{variant.example.module}.c")]
    command.append(f"{variant.example.name}.pyx")
    process.run_step("Cython", command, root)
