"""Which C compiler is used, and with which flags.

``python -m sphinx_cython.toolchain`` names the compiler that would be used. It exits with 3 if no
compiler works and with 4 if Python's headers are missing.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NO_COMPILER, NO_HEADERS = 3, 4

# What any extension module needs, whatever its profile: Python's own build sets -fwrapv and
# NDEBUG too; position-independent code is needed in a shared library. -g1 writes the line table
# by which instructions are traced to C; it changes no instruction, and is stripped on linking.
BASE_FLAGS = ("-fPIC", "-fwrapv", "-DNDEBUG", "-g1")

# The name of a compiler may have a target in front of it and a version behind it.
_C_COMPILER = re.compile(
    r"(?P<before>(?:.*-)?)(?P<name>clang|gcc|cc)(?P<after>(?:-[\d.]+)?(?:\.exe)?)"
)
_CXX_COMPILERS = {"clang": "clang++", "gcc": "g++", "cc": "c++"}

# zig compiles for the very machine it runs on and puts traps where C is undefined; neither is
# what a reader's own compiler would do.
ZIG_FLAGS = ("-mcpu=baseline", "-fno-sanitize=undefined")

HEADER_REMEDY = """\
Python.h was not found in {include}.
Python's headers are a package of their own on many systems. To install them:
  Debian, Ubuntu   apt-get install python3-dev
  Fedora           dnf install python3-devel
  macOS            the Python from python.org or from Homebrew contains them
  Windows          the Python from python.org contains them"""

COMPILER_REMEDY = """\
No C compiler works. Tried:
{tried}
To install one:
  Debian, Ubuntu   apt-get install gcc libc6-dev
  Fedora           dnf install gcc
  macOS            xcode-select --install
  Windows, others  pip install ziglang"""


class ToolchainError(RuntimeError):
    """No module can be compiled here; the text says what was tried and what to install."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Toolchain:
    """A C compiler that was seen to work.

    Attributes:
        command: How it is called.
        version: The first line of what ``--version`` prints.
        origin: Where the command was found, for people.
        rejected: What was tried before it and did not work, one clause each.
    """

    command: tuple[str, ...]
    version: str
    origin: str
    rejected: tuple[str, ...] = ()

    @property
    def is_zig(self) -> bool:
        """Whether this is the compiler of the ziglang package."""
        return "ziglang" in self.command

    @property
    def name(self) -> str:
        """A short name with version for captions, such as ``gcc 12.2.0``."""
        words = self.version.replace("(", " ").replace(")", " ").split()
        numbers = (re.match(r"\d+(?:\.\d+)+", word) for word in words)
        number = next((found[0] for found in numbers if found), "")
        kind = next((kind for kind in ("clang", "gcc") if kind in self.version.lower()), words[0])
        if self.is_zig:
            kind = "zig cc, clang"
        return f"{kind} {number}".strip()

    def compile_command(
        self,
        source: str,
        output: str,
        flags: tuple[str, ...],
        step: str = "-c",
        language: str = "c",
    ) -> list[str]:
        """Return the command that makes an object file.

        Args:
            source: The C file.
            output: The object file.
            flags: Those of the profile, and include folders.
            step: How far to go; ``-E`` stops after the preprocessor, ``-S`` before the assembler.
            language: ``"c"`` or ``"c++"``.
        """
        own = ZIG_FLAGS if self.is_zig else ()
        include = f"-I{sysconfig.get_path('include')}"
        command = self.command_for(language)
        return [*command, *BASE_FLAGS, *own, *flags, include, step, source, "-o", output]

    def command_for(self, language: str) -> tuple[str, ...]:
        """Return how the compiler of a language is called, ``"c"`` or ``"c++"``.

        The C++ compiler is the one that belongs to the C compiler: ``g++-13`` to ``gcc-13``. If it
        is not known by such a name, the C compiler is given C++, and tells if it cannot compile it.
        """
        if language == "c":
            return self.command
        if self.is_zig:
            return (*self.command[:-1], "c++")
        for number, word in enumerate(self.command):
            folder, name = os.path.split(word)
            if match := _C_COMPILER.fullmatch(name):
                name = f"{match['before']}{_CXX_COMPILERS[match['name']]}{match['after']}"
                if shutil.which(os.path.join(folder, name)):
                    word = os.path.join(folder, name)
                    return (*self.command[:number], word, *self.command[number + 1 :])
        return self.command

    def accepts(self, flag: str) -> bool:
        """Tell whether a module that includes ``Python.h`` can be made with a flag."""
        # zig has no OpenMP library; whether it says so depends on its version.
        if self.is_zig and flag == "-fopenmp":
            return False
        return not _try(self, os.environ, (flag,))

    def link_command(
        self,
        source: str,
        output: str,
        flags: tuple[str, ...],
        language: str = "c",
        libraries: tuple[str, ...] = (),
    ) -> list[str]:
        """Return the command that makes an extension module of an object file.

        Args:
            source: The object file.
            output: The module.
            flags: Those of the profile, and more object files.
            language: ``"c++"`` if one of the objects was C++.
            libraries: Flags that follow the objects.
        """
        own = ZIG_FLAGS if self.is_zig else ()
        if sys.platform == "darwin":
            shared: tuple[str, ...] = ("-bundle", "-undefined", "dynamic_lookup")
        elif sys.platform == "win32":
            version = f"{sys.version_info.major}{sys.version_info.minor}"
            shared = ("-shared", f"-L{Path(sys.base_prefix) / 'libs'}", f"-lpython{version}")
        else:
            shared = ("-shared",)
        command = self.command_for(language)
        if language == "c++" and command == self.command:
            libraries = (*libraries, "-lc++" if sys.platform == "darwin" else "-lstdc++")
        return [*command, *own, *flags, source, "-o", output, *shared, "-Wl,-S", *libraries]


def candidates(environ: Mapping[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """Return the commands to try, each with where it comes from, in order of preference."""
    found: list[tuple[tuple[str, ...], str]] = []
    if environ.get("CC"):
        found.append((tuple(shlex.split(environ["CC"])), "$CC"))
    if configured := sysconfig.get_config_var("CC"):
        found.append((tuple(shlex.split(configured)), "Python's own configuration"))
    found += [((name,), "PATH") for name in ("cc", "gcc", "clang")]
    if importlib.util.find_spec("ziglang"):
        found.append(((sys.executable, "-P", "-m", "ziglang", "cc"), "the ziglang package"))
    return found


def _try(toolchain: Toolchain, environ: Mapping[str, str], flags: tuple[str, ...] = ()) -> str:
    """Compile and link a module that includes Python.h; return what went wrong, if anything did."""
    with tempfile.TemporaryDirectory(prefix="sphinx-cython-") as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <Python.h>\nPyObject *probe(void) { Py_RETURN_NONE; }\n")
        for step in (
            toolchain.compile_command("probe.c", "probe.o", flags),
            toolchain.link_command("probe.o", "probe.so", flags),
        ):
            done = subprocess.run(
                step, cwd=folder, capture_output=True, text=True, timeout=300, env=dict(environ)
            )
            if done.returncode != 0:
                return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
    return ""


def _probe(command: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    """Compile and link a module that includes Python.h; return (version, what went wrong)."""
    program = shutil.which(command[0], path=environ.get("PATH", os.defpath))
    if program is None:
        return "", "not found"
    try:
        asked = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=120, env=dict(environ)
        )
        version = (asked.stdout.splitlines() or [""])[0]
        problem = _try(Toolchain(command, version, ""), environ)
    except (OSError, subprocess.SubprocessError) as error:
        return "", str(error)
    return ("", problem) if problem else (version, "")


def find_toolchain(environ: Mapping[str, str] | None = None) -> Toolchain:
    """Find the first compiler that makes a module of a file that includes ``Python.h``.

    The order is ``$CC``, what Python was configured with, ``cc``, ``gcc``, ``clang``, and last
    the ``ziglang`` package from PyPI, if it is installed.

    Args:
        environ: The environment to look in; that of the process unless given.

    Raises:
        ToolchainError: ``Python.h`` is missing, or no compiler works.
    """
    environ = os.environ if environ is None else environ
    include = sysconfig.get_path("include")
    if not Path(include, "Python.h").is_file():
        raise ToolchainError(HEADER_REMEDY.format(include=include), NO_HEADERS)
    rejected: list[str] = []
    for command, origin in candidates(environ):
        version, problem = _probe(command, environ)
        if not problem:
            return Toolchain(command, version, origin, tuple(rejected))
        clause = f"{shlex.join(command)} (from {origin}): {problem}"
        if not any(known.startswith(f"{shlex.join(command)} (") for known in rejected):
            rejected.append(clause)
    tried = "\n".join(f"  {clause}" for clause in rejected)
    raise ToolchainError(COMPILER_REMEDY.format(tried=tried), NO_COMPILER)


def machine() -> str:
    """Return the name of the processor, for the caption of a measurement."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main() -> int:
    """Print the compiler that would be used."""
    try:
        toolchain = find_toolchain()
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for clause in toolchain.rejected:
        print(f"does not work: {clause}")
    print(
        f"C compiler: {toolchain.name} ({shlex.join(toolchain.command)}, from {toolchain.origin})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
