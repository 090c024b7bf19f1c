"""What it takes to build a module: its steps, tried with NumPy in reach and out of reach."""

from __future__ import annotations

import importlib.machinery
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tables import Table

from sphinx_cython.core.process import environment
from sphinx_cython.core.toolchain import Toolchain, find_toolchain

EXAMPLES = Path(__file__).parents[2] / "examples"
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
# As on a machine where it is not installed: whoever imports it gets an ImportError.
WITHOUT_NUMPY = "import sys; sys.modules['numpy'] = None; "
TRANSLATE = (
    "import runpy; sys.argv = ['cython', '-3', sys.argv[1]]; "
    "runpy.run_module('cython', run_name='__main__')"
)
IMPORT = "import importlib; importlib.import_module(sys.argv[1])"


STEPS = (
    "Cython, without NumPy",
    "C compiler, without NumPy's headers",
    "C compiler, with them",
    "import, without NumPy",
)


def building(examples: Mapping[str, str]) -> Table:
    """Build each example and tell step by step what happened.

    Args:
        examples: The name of each example, by the type to show above its column.
    """
    toolchain = find_toolchain()
    columns = [_steps(name, toolchain) for name in examples.values()]
    header = ["step", *(f"`{title}`" for title in examples)]
    return Table(header, zip(STEPS, *columns, strict=True))


def _steps(name: str, toolchain: Toolchain) -> list[str]:
    import numpy

    source = EXAMPLES / f"{name}.pyx"
    with TemporaryDirectory() as folder:
        work = Path(folder)
        (work / source.name).write_bytes(source.read_bytes())
        c, binary = source.with_suffix(".c").name, source.stem + SUFFIX

        def run(command: list[str]) -> str:
            done = subprocess.run(
                command, cwd=work, env=environment(), capture_output=True, encoding="utf-8"
            )
            return "works" if done.returncode == 0 else _reason(done.stderr)

        def python(code: str, argument: str) -> str:
            return run([sys.executable, "-c", WITHOUT_NUMPY + code, argument])

        def compiled(*flags: str) -> str:
            return run(toolchain.compile_command(c, "module.o", ("-O0", *flags)))

        translated = python(TRANSLATE, source.name)
        without, with_headers = compiled(), compiled(f"-I{numpy.get_include()}")
        linked = run(toolchain.link_command("module.o", binary, ()))
        imported = python(IMPORT, source.stem) if linked == "works" else linked
    return [translated, without, with_headers, imported]


def _reason(said: str) -> str:
    """Return the first error that a compiler complains of, or the last line of a traceback."""
    error = re.search(r"error: (.*)", said)
    last = said.strip().splitlines()[-1] if said.strip() else "failed"
    return error[1] if error else re.sub(r" \(.*", "", last)
