"""Artefacts on disk: there whole or not at all.

Every artefact is a folder named after the digest of all that went into it. It is made in a
temporary folder and renamed into place, and carries a manifest by which damage is found. Nothing
is ever changed in place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MANIFEST = "artefact.json"


class StoreError(Exception):
    """The cache cannot be written to; the text names the place and the reason."""


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn an error of the operating system into one that names what cannot be written.

    Raises:
        StoreError: The block raised OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        # It may be about a temporary file elsewhere.
        name = str(error.filename or "")
        where = f"the cache {place}" if name.startswith(str(place)) or not name else name
        raise StoreError(f"cannot write to {where}: {reason}") from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _seal(manifest: dict[str, Any]) -> str:
    """Return the digest of a manifest, by which damage to itself is found."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artefact.

    Raises:
        OSError: There is none.
        ValueError: It is damaged.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f"{folder / MANIFEST} is no manifest")
    return manifest


def is_intact(folder: Path) -> bool:
    """Tell whether an artefact is whole: the manifest is there and every file is as it says.

    A file of the same size and time is taken for the same. The content of another one is compared:
    a copy of the cache may have other times.
    """
    try:
        manifest = read_manifest(folder)
        if manifest.pop("seal") != _seal(manifest):
            return False
        return bool(manifest["files"]) and all(
            _is_same(folder / name, *facts) for name, facts in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_same(path: Path, digest: str, size: int, time: int) -> bool:
    status = path.stat()
    if status.st_size != size:
        return False
    if status.st_mtime_ns == time:
        return True
    if _sha256(path) != digest:
        return False
    with suppress(OSError):
        # Next time it need not be read.
        os.utime(path, ns=(status.st_atime_ns, time))
    return True


def seal(folder: Path, **facts: object) -> None:
    """Write the manifest of a finished artefact: digest, size and time of every file, and facts."""
    files = {
        path.relative_to(folder).as_posix(): (
            _sha256(path),
            path.stat().st_size,
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    # As it will be read: JSON has no tuples.
    manifest = json.loads(json.dumps({"files": files, **facts}))
    manifest["seal"] = _seal(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def clear(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill, sees the old or the new text and nothing else.

    Raises:
        StoreError: It cannot be written.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Give a folder to make an artefact in; what is not put into place is removed.

    Raises:
        StoreError: It cannot be made.
    """
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=parent, prefix=".tmp-"))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def put_into_place(work: Path, final: Path) -> None:
    """Rename a finished folder.

    If another process got there first with an intact artefact, its work is kept.

    Raises:
        StoreError: It cannot be done.
    """
    with writing(final.parent):
        work.chmod(0o755)
        for _ in range(3):
            try:
                os.replace(work, final)
                return
            except OSError:
                if is_intact(final):
                    return
                # Damaged: move it aside first, since removing it takes time and a rename does not.
                aside = Path(tempfile.mkdtemp(dir=final.parent, prefix=".tmp-"))
                with suppress(FileNotFoundError):
                    os.replace(final, aside / "damaged")
                shutil.rmtree(aside, ignore_errors=True)
        raise OSError(f"{final.name} cannot be put into place")


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``final`` when the block ends without an exception.

    Raises:
        StoreError: It cannot be written.
    """
    with temporary_folder(final.parent) as work:
        with writing(final.parent):
            yield work
        put_into_place(work, final)
