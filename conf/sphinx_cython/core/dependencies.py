"""What a variant was made from, and whether that is still what is on disk.

No pattern over a source decides it. Cython's process reports which files it opened and which it
looked for, and the C compiler lists the headers it read (``-MD``). The record is kept in the
manifest of the artefact, which is current as long as the record holds.

The content of each file counts, with these exceptions: for what belongs to Cython, Python and
NumPy, the version counts, and for the headers in the folders that the C compiler searches by
itself, its version and their names. ``/usr/local/include`` is such a folder for many compilers,
but no version covers it, so the content of its files counts.

A new file may take the place of one that was read. Cython's searches are recorded one by one,
whether they found something or not. The C compiler does not list what it looked for, but a header
can only hide another one of the same name. So the record lists the files that have the name of a
header that was read, in the examples folder and in the include folders of the command; where the
C contains ``__has_include``, it lists all files there.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import os
import re
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from . import process
from .snapshot import Snapshot, is_below, plain, site_folders

_LOCAL_HEADERS = "/usr/local/include"
# These variables may be needed to run a compiler at all, so they are not dropped but count.
_VARIABLES = (
    "CCC_OVERRIDE_OPTIONS",
    "COMPILER_PATH",
    "DEVELOPER_DIR",
    "GCC_EXEC_PREFIX",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
    "ZIG_LIB_DIR",
)


def package_folder(name: str) -> str:
    """Return the folder of an installed package without importing it; empty if there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    return os.path.dirname(spec.origin) if spec and spec.origin else ""


@dataclass(frozen=True)
class Dependencies:
    """The record of what a variant was made from.

    Attributes:
        files: By label, the digest of the content of each file that was read.
        versions: Of the packages of which something was read.
        probed: By label, whether there was something that Cython looked for and did not read.
        listed: By pattern, what Cython found below the examples folder.
        headers: The names of all files that the C compiler read, in lower case; empty if every
            name counts.
        folders: The labels of the folders where a header can hide another one.
        homonyms: The labels of the files in these folders that have such a name.
    """

    files: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)
    probed: Mapping[str, bool] = field(default_factory=dict)
    listed: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Sequence[str] = ()
    folders: Sequence[str] = ()
    homonyms: Sequence[str] = ()

    @classmethod
    def from_json(cls, data: Any) -> Dependencies:
        """Return the record that was written as JSON.

        Raises:
            TypeError: The data has another form.
        """
        record = cls(**data)
        for name in ("files", "versions", "probed", "listed"):
            if not isinstance(getattr(record, name), dict):
                raise TypeError(name)
        for name in ("headers", "folders", "homonyms"):
            if not isinstance(getattr(record, name), list):
                raise TypeError(name)
        return record

    def to_json(self) -> dict[str, Any]:
        """Return the record as data for JSON."""
        return dict(vars(self))

    def digest(self, key: str) -> str:
        """Return the digest of an artefact: of its key, and of all it was made from."""
        text = json.dumps([key, self.to_json()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def holds(self, snapshot: Snapshot) -> bool:
        """Tell whether all is as it was when the record was made."""
        return (
            all(snapshot.content(label) == digest for label, digest in self.files.items())
            and all(snapshot.exists(label) is there for label, there in self.probed.items())
            and all(snapshot.matches(pattern) == names for pattern, names in self.listed.items())
            and homonyms(snapshot, self.folders, self.headers) == list(self.homonyms)
            and all(installed_version(name) == known for name, known in self.versions.items())
        )


@cache
def installed_version(package: str) -> str:
    """Return the version of an installed package; empty if there is none."""
    try:
        text = distribution(package).read_text("METADATA") or ""
    except PackageNotFoundError:
        return ""
    # importlib.metadata.version reads it as an email, which takes longer than all else here.
    line = re.search(r"^Version:\s*(.+?)\s*$", text, re.M)
    return line[1] if line else version(package)


def variables() -> dict[str, str]:
    """Return the environment variables that change what compilers make."""
    environment = process.environment()
    return {name: environment[name] for name in _VARIABLES if name in environment}


def homonyms(snapshot: Snapshot, folders: Iterable[str], headers: Sequence[str]) -> list[str]:
    """Return the labels of the files in some folders that have one of some names.

    Args:
        snapshot: The files.
        folders: Labels.
        headers: Names in lower case; every name if there are none.
    """
    wanted = set(headers)
    return sorted(
        {
            label
            for folder in folders
            for name, labels in snapshot.names(folder).items()
            if not wanted or name in wanted
            for label in labels
        }
    )


@cache
def _covered_folders() -> dict[str, str]:
    """Return the folders whose files a version covers, each with its package.

    The versions of Cython and Python are part of every digest; their package is empty.
    """
    cython = package_folder("Cython")
    folders = {os.path.join(cython, "Includes", "numpy"): "numpy", cython: ""}
    if numpy := package_folder("numpy"):
        folders[numpy] = "numpy"
    for name in ("include", "platinclude", "stdlib", "platstdlib"):
        folders.setdefault(sysconfig.get_path(name), "")
    return {plain(folder): package for folder, package in folders.items()}


def _covering_package(path: str) -> str | None:
    """Return the package whose version covers a file, or None if its content counts."""
    for folder, package in _covered_folders().items():
        if is_below(path, folder):
            # Installed packages lie below the standard library.
            installed = any(is_below(path, f) and is_below(f, folder) for f in site_folders())
            return None if installed else package
    return None


class Collector:
    """Makes the record of a variant from what the steps of its build read.

    Args:
        snapshot: The files.
        work: The folder in which the steps work; what they write there is no input.
    """

    def __init__(self, snapshot: Snapshot, work: Path) -> None:
        self._snapshot = snapshot
        self._root = str(snapshot.root)
        self._work = snapshot.place(work)
        self._files: set[str] = set()
        self._versions: set[str] = set()
        self._searches: dict[str, Any] = {}

    def add_cython(self, report: Mapping[str, Any]) -> None:
        """Add what Cython read and looked for (see ``fork_server.Recorder``)."""
        label, place = self._snapshot.label, self._snapshot.place
        for path in map(place, report["opened"]):
            # Modules that Python imports are code, not input.
            if self._is_example(path) or not path.endswith((".py", ".pyc", ".so", ".pyd")):
                self.add_file(path)
        self._searches["probed"] = {
            label(path): there
            for path, there in sorted(report["probed"].items())
            if self._is_example(place(path)) and label(path) not in self._files
        }
        listed = {}
        for pattern, paths in sorted(report["listed"].items()):
            # The folder is escaped in it, unless the pattern was relative to it.
            for root in (self._root, glob.escape(self._root)):
                if place(pattern).startswith(root + os.sep):
                    inner = place(pattern).removeprefix(root + os.sep)
                    listed[inner] = [label(path) for path in paths]
                    break
        self._searches["listed"] = listed

    def add_compiler(
        self,
        read: Iterable[str],
        flags: Sequence[str],
        system: Sequence[str],
        sources: Iterable[str],
        failed: bool = False,
    ) -> None:
        """Add what the C compiler read and what could hide it.

        Args:
            read: The files, relative to the folder it worked in.
            flags: Its flags.
            system: The folders it searches by itself.
            sources: The texts it compiled.
            failed: Whether it failed: then it may have missed a header, of any name.
        """
        label, place = self._snapshot.label, self._snapshot.place
        paths = [place(os.path.join(self._work, name)) for name in read]
        folders = [place(os.path.join(self._work, name)) for name in include_folders(flags)]
        folders = [f for f in folders if not self._is_covered(f) and not _is_in(f, system)]
        for path in paths:
            if _is_in(path, folders) or not _is_in(path, system):
                self.add_file(path)
        texts = [*sources, *(read_text(self._snapshot.path(label)) for label in self._files)]
        if failed or any("__has_include" in text or "__has_embed" in text for text in texts):
            headers = []
        else:
            headers = sorted({os.path.basename(path).lower() for path in paths})
        watched = sorted({label(f) for f in folders if not _is_in(f, set(folders) - {f})})
        self._searches |= {
            "headers": headers,
            "folders": watched,
            "homonyms": homonyms(self._snapshot, watched, headers),
        }

    def add_named(self, flags: Sequence[str]) -> None:
        """Add the files and the libraries that flags name with their folder."""
        folders = [word[2:] for word in flags if word.startswith("-L")]
        libraries = [word[2:] for word in flags if word.startswith("-l")]
        words = [
            part for word in flags for part in (word, word.lstrip("@"), word.partition("=")[2])
        ]
        paths = [word for word in words if os.path.isabs(word) and os.path.isfile(word)]
        for folder in map(glob.escape, folders):
            for name in map(glob.escape, libraries):
                paths += glob.glob(f"{folder}/lib{name}.*") + glob.glob(f"{folder}/{name}.lib")
        for path in paths:
            self.add_file(path)

    def add_file(self, path: str | Path) -> None:
        """Add a file, unless a version covers it."""
        path = self._snapshot.place(path)
        if not self._is_covered(path):
            self._files.add(self._snapshot.label(path))
        elif not is_below(path, self._work):
            self._versions |= {_covering_package(path) or ""} - {""}

    def add_examples(self) -> None:
        """Add all files of the examples folder, for when it is not known what was read."""
        self._files.update(self._snapshot.all_files())

    def record(self) -> Dependencies:
        """Return the record."""
        read = self._snapshot.content_read
        return Dependencies(
            files={label: read(label) for label in sorted(self._files)},
            versions={name: installed_version(name) for name in sorted(self._versions)},
            **self._searches,
        )

    def _is_example(self, path: str) -> bool:
        return is_below(path, self._root) and not is_below(path, self._work)

    def _is_covered(self, path: str) -> bool:
        if is_below(path, self._work):
            return True
        return not is_below(path, self._root) and _covering_package(path) is not None


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


def read_text(path: str | Path) -> str:
    """Return the text of a file of unknown encoding; nothing if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def include_folders(flags: Sequence[str]) -> list[str]:
    """Return the folders that flags add to those where headers are searched for."""
    folders = []
    words = iter(flags)
    for word in words:
        for option in ("-I", "-iquote", "-isystem", "-idirafter"):
            if word == option:
                folders.append(next(words, ""))
            elif word.startswith(option):
                folders.append(word.removeprefix(option))
            else:
                continue
            break
    return [folder for folder in folders if folder]


def read_depfile(text: str) -> list[str]:
    """Return the files that a rule for ``make`` names, as ``-MD`` writes it."""
    _, _, names = text.replace("\\\r\n", " ").replace("\\\n", " ").partition(": ")
    return [
        re.sub(r"\\([ \t#])", r"\1", word).replace("$$", "$")
        for word in re.findall(r"(?:\\.|[^\s\\])+", names)
    ]


@cache
def system_folders(command: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Return the folders in which a compiler searches for headers by itself.

    If that cannot be found out, there are none: then all headers count by their content.

    Args:
        command: How the compiler is called.
        language: As its option ``-x`` has it.
    """
    words = [*command, "-E", "-v", "-x", language, os.devnull]
    try:
        done = process.run(words, step="the compiler", cwd=Path(os.sep), timeout=60)
    except process.StepError:
        return ()
    listing = done.stderr.partition("search starts here:")[2].partition("End of search list")[0]
    lines = [line.strip().removesuffix(" (framework directory)") for line in listing.splitlines()]
    folders = [plain(line) for line in lines if os.path.isabs(line)]
    return tuple(folder for folder in folders if not is_below(folder, _LOCAL_HEADERS))
