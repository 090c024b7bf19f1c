"""Which C compiler is used, and with which flags.

``python -m sphinx_cython.core.toolchain`` names the compiler that would be used. It exits with 3 if
no compiler works, with 4 if Python's headers are missing, and with 5 if the compiler that ``$CC``
names cannot be used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import process
from .artefact import module_filename
from .cache import mark_used

NO_COMPILER, NO_HEADERS, BAD_CC = 3, 4, 5

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

CC_REMEDY = """\
The C compiler that $CC names cannot be used: CC={given}: {problem}. \
Correct CC, or unset it to have a compiler looked for."""

# How long a compiler may take to make the smallest module: the first link of zig takes ten seconds
# on an idle machine.
PROBE_SECONDS = 120.0

# A module that includes Python.h and can be imported.
PROBE = """\
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "probe"};
PyMODINIT_FUNC PyInit_probe(void) { return PyModuleDef_Init(&definition); }
"""
# The variables that decide what a compiler does and which parts of it are found.
_COMPILER_VARIABLES = re.compile(
    r"PATH|PATHEXT|COMPILER_PATH|GCC_\w+|SDKROOT|DEVELOPER_DIR|MACOSX_DEPLOYMENT_TARGET"
    r"|CCACHE_\w+|NIX_\w+|ZIG_\w+|INCLUDE|LIB"
)
# Digests of what was seen to work, by this process.
_remembered: set[str] = set()


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
        memory: A folder in which it is remembered what was seen to work, if it should be.
        timeout: The seconds it may take to try something.
    """

    command: tuple[str, ...]
    version: str
    origin: str
    rejected: tuple[str, ...] = ()
    memory: Path | None = field(default=None, compare=False)
    timeout: float = field(default=PROBE_SECONDS, compare=False)

    @property
    def is_zig(self) -> bool:
        """Whether this is the compiler of the ziglang package."""
        return "ziglang" in self.command

    @property
    def name(self) -> str:
        """A short name with version for captions, such as ``gcc 12.2.0``."""
        words = re.split(r"[\s(),]+", self.version)
        numbers = (re.match(r"\d+(?:\.\d+)+", word) for word in words)
        number = next((match[0] for match in numbers if match), "")
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
        return not _problem(self, (flag,), os.environ)

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


def candidates(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the commands to try, each with where it comes from, in order of preference.

    What ``$CC`` names is the only one: another compiler is not what the user wants.
    """
    if environ.get("CC", "").strip():
        return [(environ["CC"].strip(), "$CC")]
    commands: list[tuple[str, str]] = []
    if configured := sysconfig.get_config_var("CC"):
        commands.append((configured, "Python's own configuration"))
    commands += [(name, "PATH") for name in ("cc", "gcc", "clang")]
    if importlib.util.find_spec("ziglang"):
        # -P: a module that is compiled in the working folder must not be taken for one of Python's.
        zig = (sys.executable, "-P", "-m", "ziglang", "cc")
        commands.append((shlex.join(zig), "the ziglang package"))
    return commands


def _split(text: str, search: str) -> tuple[str, ...]:
    """Split a command into words, the first of which can be run from any folder.

    Args:
        text: As in ``$CC``: quoted as in a shell, or the path of a program as it is.
        search: Where to look for programs, as in ``$PATH``.

    Raises:
        ValueError: It names no program; the text is the reason.
    """
    words = [text] if os.path.isfile(text) else shlex.split(text)
    if not words or not words[0]:
        raise ValueError("it names no program")
    program = words[0]
    if os.path.dirname(program):
        words[0] = os.path.abspath(program)
        if os.path.isdir(program):
            raise ValueError(f"{program} is a folder")
        if not os.path.exists(program) and not shutil.which(program):
            raise ValueError(f"{program} does not exist")
        if not shutil.which(program):
            raise ValueError(f"{program} is not executable")
    elif (path := shutil.which(program, path=search)) is None:
        raise ValueError(f"there is no program {program!r} on PATH")
    elif not os.path.isabs(path):
        words[0] = os.path.abspath(path)
    return tuple(words)


def _programs(command: tuple[str, ...], search: str) -> list[str]:
    """Return the files that a command names; besides the first, a wrapper names a compiler."""
    paths = (shutil.which(word, path=search) for word in command if not word.startswith("-"))
    return [path for path in paths if path]


def _run(
    command: list[str], folder: Path, environ: Mapping[str, str], timeout: float
) -> process.Completed:
    variables = process.environment(folder, environ)
    return process.run(command, step="it", cwd=folder, timeout=timeout, env=variables, subject="")


def _version(
    command: tuple[str, ...], folder: Path, environ: Mapping[str, str], timeout: float
) -> str:
    """Return the first line that a compiler prints about its version.

    If it does not tell, what identifies it is the program itself.

    Raises:
        StepError: It cannot be started or does not end.
    """
    answer = _run([*command, "--version"], folder, environ, timeout)
    lines = [line.strip() for line in answer.output.splitlines() if line.strip()]
    if lines and answer.returncode == 0:
        return lines[0]
    hasher = hashlib.sha256()
    for path in _programs(command, environ.get("PATH", os.defpath)):
        hasher.update(Path(path).read_bytes())
    return f"{Path(command[0]).name}, SHA-256 {hasher.hexdigest()[:16]}"


def _try(tools: Toolchain, flags: tuple[str, ...], folder: Path, environ: Mapping[str, str]) -> str:
    """Make and load a module that includes Python.h; return what went wrong, if anything did."""
    module = module_filename("probe")
    (folder / "probe.c").write_text(PROBE)
    load = f"import sys; sys.path.insert(0, {str(folder)!a}); import probe"
    steps = {
        "probe.o": tools.compile_command("probe.c", "probe.o", flags),
        module: tools.link_command("probe.o", module, flags),
        "": [sys.executable, "-P", "-c", load],
    }
    for output, command in steps.items():
        try:
            done = _run(command, folder, environ, tools.timeout)
        except process.StepError as error:
            return error.reason
        if done.returncode != 0:
            lines = [line.strip() for line in done.output.splitlines() if line.strip()]
            errors = [line for line in lines if "error" in line.lower()] or lines or [done.end]
            return errors[0] if output else f"Python cannot load the module it made: {errors[-1]}"
        if output and not (folder / output).is_file():
            return f"{done.end} and wrote no {output}"
        if output and not (folder / output).stat().st_size:
            return f"{done.end} and wrote an empty {output}"
    return ""


def _problem(tools: Toolchain, flags: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Return what goes wrong with a compiler and some flags, if anything does.

    That it works is remembered as long as nothing changes. That it does not is not: what was
    missing may be installed by now.
    """
    include = Path(sysconfig.get_path("include"))
    search = environ.get("PATH", os.defpath)
    files = [*map(Path, _programs(tools.command, search)), include / "Python.h"]
    variables = process.environment(given=environ).items()
    parts = [
        PROBE,
        sys.version,
        module_filename("probe"),
        tools.version,
        tools.compile_command("probe.c", "probe.o", flags),
        tools.link_command("probe.o", "probe", flags),
        [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files],
        sorted(pair for pair in variables if _COMPILER_VARIABLES.fullmatch(pair[0])),
    ]
    key = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:20]
    mark = tools.memory / "compilers" / key if tools.memory else None
    if mark and mark.is_file():
        # What is not used is removed from the cache before long.
        mark_used(mark)
        return ""
    if key in _remembered:
        return ""
    with tempfile.TemporaryDirectory(prefix="sphinx-cython-") as folder:
        problem = _try(tools, flags, Path(folder), environ)
    if not problem:
        _remembered.add(key)
        if mark:
            # Whether the folder can be written to is a matter of those who keep artefacts in it.
            with suppress(OSError):
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.touch()
    return problem


def find_toolchain(
    environ: Mapping[str, str] | None = None,
    *,
    memory: Path | None = None,
    timeout: float = PROBE_SECONDS,
) -> Toolchain:
    """Find the first compiler that makes a module of a file that includes ``Python.h``.

    If ``$CC`` names one, it is that or none. Otherwise the order is what Python was configured
    with, ``cc``, ``gcc``, ``clang``, and last the ``ziglang`` package from PyPI, if installed.

    Args:
        environ: The environment to look in; that of the process unless given.
        memory: A folder in which it is remembered what was seen to work.
        timeout: The seconds that a compiler may take for each step of a trial.

    Raises:
        ToolchainError: ``Python.h`` is missing, what ``$CC`` names cannot be used, or no compiler
            works.
    """
    environ = os.environ if environ is None else environ
    include = sysconfig.get_path("include")
    if not Path(include, "Python.h").is_file():
        raise ToolchainError(HEADER_REMEDY.format(include=include), NO_HEADERS)
    rejected: list[str] = []
    for given, origin in candidates(environ):
        try:
            command = _split(given, environ.get("PATH", os.defpath))
            with tempfile.TemporaryDirectory(prefix="sphinx-cython-") as folder:
                version = _version(command, Path(folder), environ, timeout)
            tools = Toolchain(command, version, origin, tuple(rejected), memory, timeout)
            problem = _problem(tools, (), environ)
        except process.StepError as error:
            problem = error.reason
        except (OSError, ValueError) as error:
            problem = str(error)
        if not problem:
            return tools
        if origin == "$CC":
            raise ToolchainError(CC_REMEDY.format(given=given, problem=problem), BAD_CC)
        clause = f"{given} (from {origin}): {problem}"
        if not any(known.startswith(f"{given} (") for known in rejected):
            rejected.append(clause)
    tried = "\n".join(f"  {clause}" for clause in rejected)
    raise ToolchainError(COMPILER_REMEDY.format(tried=tried), NO_COMPILER)


def processor_name() -> str:
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
