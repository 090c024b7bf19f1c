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

MANIFEST = "artefact.json"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_intact(folder: Path) -> bool:
    """Tell whether an artefact is whole: the manifest is there and every file is as it says."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return bool(manifest["files"]) and all(
            _sha256(folder / name) == digest for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def seal(folder: Path, **facts: object) -> None:
    """Write the manifest of a finished artefact."""
    files = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / MANIFEST).write_text(json.dumps({"files": files, **facts}, indent=1))


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill, sees the old or the new text and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(name, path)


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``final`` when the block ends without an exception.

    If another process got there first with an intact artefact, its work is kept.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=final.parent, prefix=".tmp-"))
    try:
        yield work
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
        raise OSError(f"cannot put {final} into place")
    finally:
        shutil.rmtree(work, ignore_errors=True)
