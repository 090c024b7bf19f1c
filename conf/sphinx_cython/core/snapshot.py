"""The files of the examples folder as they are during one build: names and contents.

Files are *labelled* by their path relative to the examples folder, so that what is recorded of
them does not depend on where the checkout is.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

# In place of the digest of a file that was written while it was read: it is never current.
CHANGED = "changed during the build"
_SITE = "{site-packages}/"


def is_below(path: str, folder: str) -> bool:
    """Tell whether an absolute path is a folder or something below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def plain(path: str | Path) -> str:
    """Return an absolute path without ``..``, which must not be dropped after a symbolic link."""
    text = str(path)
    return os.path.realpath(text) if ".." in text.split(os.sep) else os.path.abspath(text)


@cache
def site_folders() -> tuple[str, ...]:
    """Return the folders of installed packages."""
    return tuple(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))


class Snapshot:
    """The files of the examples folder, and others they need, as they are during one build.

    Each is read once, however many variants use it.

    Attributes:
        root: The examples folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)
        self._real_root = os.path.realpath(root)
        self._parent = str(root.parent)
        self._states: dict[str, tuple[int, ...]] = {}
        self._names: dict[str, dict[str, list[str]]] = {}
        self._contents: dict[str, str] = {}
        self._exists: dict[str, bool] = {}
        self._matches: dict[str, list[str]] = {}
        self._listings: dict[str, list[str]] = {}
        # Before anything is built, so that a change during the build is noticed.
        self.names(".")

    def place(self, path: str | Path) -> str:
        """Return the one absolute path of a file or folder.

        If the examples folder is reached by a link, programs that run in it see its real path.
        """
        text = plain(path)
        if is_below(text, self._real_root):
            text = self._root + text[len(self._real_root) :]
        return text

    def label(self, path: str | Path) -> str:
        """Return the label of a file or folder."""
        text = self.place(path)
        if is_below(text, self._root):
            label = os.path.relpath(text, self._root)
        elif site := next((f for f in site_folders() if is_below(text, f)), ""):
            label = _SITE + os.path.relpath(text, site)
        elif self._parent != os.path.dirname(self._parent) and is_below(text, self._parent):
            label = os.path.relpath(text, self._root)
        else:
            label = text
        return label.replace(os.sep, "/")

    def path(self, label: str) -> str:
        """Return where the file or folder with a label is."""
        if label.startswith(_SITE):
            rest = label.removeprefix(_SITE)
            places = [os.path.join(folder, rest) for folder in site_folders()]
            return next(filter(os.path.exists, places), places[0])
        return os.path.normpath(os.path.join(self._root, label))

    def content(self, label: str) -> str:
        """Return the digest of a file's content; empty if it cannot be read."""
        if label not in self._contents:
            self._contents[label] = ""
            path = self.path(label)
            # Anything else, such as a named pipe, could be read for ever.
            if os.path.isfile(path):
                with suppress(OSError), open(path, "rb") as stream:
                    self._contents[label] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._contents[label]

    def content_read(self, label: str) -> str:
        """Return the digest of the content that a step of this build has read.

        It is that of a file as it is now, unless it is an example that was changed meanwhile.
        """
        path = self.path(label)
        if self._states.get(path, _state(path)) != _state(path):
            return CHANGED
        return self.content(label)

    def exists(self, label: str) -> bool:
        """Tell whether there is something with a label."""
        if label not in self._exists:
            self._exists[label] = os.path.exists(self.path(label))
        return self._exists[label]

    def matches(self, pattern: str) -> list[str]:
        """Return the labels of what matches a pattern below the examples folder."""
        if pattern not in self._matches:
            folder, name = os.path.split(pattern)
            begin = re.split(r"[*?[]", name)[0]
            # Few patterns match anything, and to look for their beginning is faster.
            if glob.has_magic(folder) or any(n.startswith(begin) for n in self._listing(folder)):
                labels = glob.glob(pattern, root_dir=self._root)
            else:
                labels = []
            self._matches[pattern] = sorted(label.replace(os.sep, "/") for label in labels)
        return self._matches[pattern]

    def _listing(self, folder: str) -> list[str]:
        if folder not in self._listings:
            try:
                self._listings[folder] = os.listdir(self.path(folder))
            except OSError:
                self._listings[folder] = []
        return self._listings[folder]

    def names(self, folder: str) -> Mapping[str, list[str]]:
        """Return the labels of all files below a folder by their last part in lower case.

        A file system may ignore case. Folders whose name begins with a dot are left out.

        Args:
            folder: Its label.
        """
        if folder not in self._names:
            by_name: dict[str, list[str]] = {}
            for entry in _walk(self.path(folder)):
                by_name.setdefault(entry.name.lower(), []).append(self.label(entry.path))
                if folder == ".":
                    self._states[entry.path] = _state(entry.path)
            self._names[folder] = by_name
        return self._names[folder]

    def all_files(self) -> list[str]:
        """Return the labels of all files of the examples folder."""
        return sorted(label for labels in self.names(".").values() for label in labels)


def _state(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _walk(folder: str, seen: set[tuple[int, int]] | None = None) -> Iterator[os.DirEntry[str]]:
    """Yield all files below a folder, each folder once: links to folders may form a circle."""
    seen = set() if seen is None else seen
    try:
        status = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if not entry.is_dir():
            yield entry
        elif not entry.name.startswith(".") and entry.name != "__pycache__":
            yield from _walk(entry.path, seen)
