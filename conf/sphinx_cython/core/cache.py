"""The folder that artefacts are kept in: who is using it, and what is removed from it.

Every build claims the cache for as long as it runs. A build that starts while no other one is
running removes what killed builds have left, and what none of the last builds has used.

``.users``
    A file for each build that is running, locked by it. The system takes the lock away when the
    build ends, however it ends, so a file that can be locked is that of a build that has ended.
``.users/gate``
    Locked while a build claims the cache and removes things, so that no other one starts to use
    what is about to be removed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# An artefact, stage or shared module is removed when none of so many builds has used it.
KEPT_BUILDS = 5
# Results of cells and of measurements have no such limit: a page that is not read does not look
# them up. Of each of the two kinds, so much is kept.
RESULT_BYTES = 64_000_000
RESULTS = ("executed", "measured")
# How long another build may take to remove things before this one starts without a claim.
GATE_SECONDS = 30.0

_USERS = ".users"
_GATE = "gate"
_BUILDS = "builds.json"
# Nothing but what builds have made is removed, in case the cache is put where there is more.
_ARTEFACT = re.compile(r".+-[0-9a-f]{20}")
_RESULT = re.compile(r"[0-9a-f]{20}\.json")
_COMPILER = re.compile(r"[0-9a-f]{20}")
_TEMPORARY = re.compile(r"\.tmp-[a-z0-9_]{8}")


def mark_used(path: Path) -> None:
    """Note that an artefact or a result is used by this build."""
    # Its time of change; in a cache that cannot be written to, nothing is removed either.
    with suppress(OSError):
        os.utime(path)


class Claim:
    """A build's use of a cache, until it is released or the process ends.

    Attributes:
        started: When it began, in the time of the file system; 0 if the cache could not be claimed.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._process = os.getpid()
        self._mark: Path | None = None
        self._descriptor = -1
        self.started = 0.0

    def finish(self) -> None:
        """Note that the build has used all that it needs, so that it counts as one of the last."""
        if not self.started:
            return
        times = [*_build_times(self._cache), self.started]
        with suppress(OSError):
            path = self._cache / _USERS / _BUILDS
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(sorted(times)[-KEPT_BUILDS:], stream)
            os.replace(name, path)

    def release(self) -> None:
        """Let others remove things again."""
        if self._mark is None or self._process != os.getpid():
            return
        # A fork may hold a copy of the descriptor, and the lock with it.
        with suppress(OSError):
            self._mark.unlink()
        os.close(self._descriptor)
        self._mark = None

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def _take(self) -> None:
        """Claim the cache; if no other build uses it, remove what is not needed.

        Raises:
            OSError: The cache cannot be written to, or the system has no locks for it.
        """
        users = self._cache / _USERS
        users.mkdir(parents=True, exist_ok=True)
        trash: list[Path] = []
        gate = os.open(users / _GATE, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            deadline = time.monotonic() + GATE_SECONDS
            while not _lock(gate):
                if time.monotonic() > deadline:
                    return
                time.sleep(0.01)
            alone = not _others(users)
            self._descriptor, name = tempfile.mkstemp(dir=users, prefix="build-")
            self._mark = Path(name)
            if not _lock(self._descriptor):
                raise OSError("a new file is locked")
            self.started = os.fstat(self._descriptor).st_mtime
            if alone:
                trash = _set_aside(self._cache)
        finally:
            os.close(gate)
        for folder in trash:
            shutil.rmtree(folder, ignore_errors=True)


def claim(cache: Path) -> Claim:
    """Claim a cache for a build; remove what is not needed, unless another build uses it.

    If it cannot be claimed, nothing is removed; whether it can be written to is found out by those
    who write.
    """
    held = Claim(cache)
    with suppress(OSError):
        held._take()
    return held


def _lock(descriptor: int) -> bool:
    """Lock a file for this process and its forks, and return whether it could be locked."""
    if fcntl is None:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _others(users: Path) -> bool:
    """Tell whether another build runs, and remove the marks of those that do not."""
    running = False
    for mark in users.glob("build-*"):
        with suppress(FileNotFoundError):
            descriptor = os.open(mark, os.O_RDWR)
            try:
                free = _lock(descriptor)
            finally:
                os.close(descriptor)
            if free:
                mark.unlink()
            running = running or not free
    return running


def _build_times(cache: Path) -> list[float]:
    """Return when the last builds began; an empty list if that is not known."""
    try:
        times = json.loads((cache / _USERS / _BUILDS).read_text(encoding="utf-8"))
        return [float(when) for when in times]
    except (OSError, ValueError, TypeError):
        return []


def _set_aside(cache: Path) -> list[Path]:
    """Rename what is not needed, which is fast; return the folders that can be removed."""
    unneeded = [*_temporary(cache), *_unused(cache)]
    for name in RESULTS:
        unneeded += _beyond_limit(cache / name)
    if not unneeded:
        return []
    trash = Path(tempfile.mkdtemp(dir=cache, prefix=".tmp-"))
    for number, path in enumerate(unneeded):
        with suppress(OSError):
            os.replace(path, trash / str(number))
    return [trash]


def _matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if pattern.fullmatch(entry.name))


def _temporary(cache: Path) -> Iterator[Path]:
    """Yield what builds were making when they were killed."""
    for folder in (cache, cache / _USERS, *(cache / name for name in RESULTS)):
        yield from (Path(entry.path) for entry in _matching(folder, _TEMPORARY))


def _unused(cache: Path) -> Iterator[Path]:
    """Yield what none of the last builds has used."""
    times = _build_times(cache)
    if len(times) < KEPT_BUILDS:
        return
    entries = [*_matching(cache, _ARTEFACT), *_matching(cache / "compilers", _COMPILER)]
    for entry in entries:
        with suppress(FileNotFoundError):
            if entry.stat(follow_symlinks=False).st_mtime < min(times):
                yield Path(entry.path)


def _beyond_limit(folder: Path) -> Iterator[Path]:
    """Yield the results that have not been used for longest, as far as there are too many."""
    results = [(e.stat().st_mtime, e.stat().st_size, e.path) for e in _matching(folder, _RESULT)]
    total = 0
    for _, size, path in sorted(results, reverse=True):
        total += size
        if total > RESULT_BYTES:
            yield Path(path)
