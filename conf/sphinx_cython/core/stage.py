"""The folder from which all built modules are imported, each under one name.

Modules of the default profile are at its top, those of the profile ``p`` in ``variants/p``. With a
module of a package comes the package: its ``__init__.py``, its other plain files, and, where not
all of it is built under a profile, the modules of the default one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from . import variants
from .artefact import Artefact, Failure, Variant, module_filename
from .config import DEFAULT_PROFILE
from .names import SHARED_MODULE, VARIANTS_PACKAGE
from .store import atomic_folder, is_intact, seal

# Of which variant, or of which plain file of a package, each file is; and the digests of both.
_ORIGINS, _DIGESTS = "origins.json", "digests.json"
# What Python and Cython import from a package besides modules that are built.
_PLAIN = (".py", ".pxd", ".pxi")


class _File(NamedTuple):
    """A file of a stage: what it is a copy of, the key of its origin, and the digest of that."""

    copied: Path
    origin: str
    digest: str


def make_stage(
    artefacts: Iterable[Artefact],
    shared: Path | None,
    cache: Path,
    failures: Iterable[Failure] = (),
) -> Path:
    """Return a folder from which modules can be imported.

    It is named after what is in it, so that two builds never change it under each other.

    Args:
        artefacts: The modules.
        shared: The folder with the shared utility module, if one of them needs it.
        cache: Where to make it.
        failures: What was not built. An import of it raises an error of its own, so that the page
            that imports it need not be reported too.

    Raises:
        StoreError: It cannot be made.
    """
    files = _files(list(artefacts))
    missing = {
        _place(failure.variant).with_name(f"{failure.variant.import_name.split('.')[-1]}.py"): (
            f"raise ImportError({failure.import_error!a})\n"
        )
        for failure in failures
        if not failure.variant.example.problem
    }
    key = hashlib.sha256(
        repr(
            [_sha256(Path(variants.__file__)), str(shared), *sorted(_listed(files)), *missing]
        ).encode()
    ).hexdigest()[:20]
    folder = cache / f"stage-{key}"
    if is_intact(folder):
        return folder
    with atomic_folder(folder) as work:
        for place, file in files.items():
            (work / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.copied, work / place)
        for place, text in missing.items():
            (work / place).parent.mkdir(parents=True, exist_ok=True)
            if not (work / place).exists():
                (work / place).write_text(text)
        if any(place.parts[0] == VARIANTS_PACKAGE for place in (*files, *missing)):
            shutil.copyfile(variants.__file__, work / VARIANTS_PACKAGE / "__init__.py")
        if shared:
            shutil.copy2(shared / module_filename(SHARED_MODULE), work)
        origins = {str(place): file.origin for place, file in files.items()}
        digests = {file.origin: file.digest for file in files.values()}
        (work / _ORIGINS).write_text(json.dumps(origins, indent=1))
        (work / _DIGESTS).write_text(json.dumps(digests, indent=1))
        seal(work)
    return folder


def read_digests(stage: Path) -> dict[str, str]:
    """Return the digests of what a stage was made of.

    Returns:
        By the key of a variant, or by the path of a plain file of a package, with its suffix.
    """
    digests: dict[str, str] = json.loads((stage / _DIGESTS).read_text(encoding="utf-8"))
    return digests


def used_origins(stage: Path, files: Iterable[str]) -> dict[str, str]:
    """Return what was imported from a stage.

    Args:
        stage: The stage.
        files: The files of all modules that were imported, from wherever.

    Returns:
        The digests of those that are in the stage, by key as for ``read_digests``.
    """
    origins = json.loads((stage / _ORIGINS).read_text(encoding="utf-8"))
    digests = read_digests(stage)
    used = {}
    for file in files:
        path = Path(file)
        if path.is_relative_to(stage):
            origin = origins.get(path.relative_to(stage).as_posix())
            if origin:
                used[origin] = digests[origin]
    return used


def _files(artefacts: list[Artefact]) -> dict[PurePosixPath, _File]:
    """Return the files of a stage by their places in it."""
    files = {}
    # The packages that are in the stage, and where in it.
    packages: dict[PurePosixPath, Path] = {}
    for artefact in artefacts:
        example, place = artefact.variant.example, _place(artefact.variant)
        files[place] = _File(artefact.module_file, artefact.variant.key, artefact.digest)
        if example.package:
            depth = len(example.path.absolute().relative_to(example.package).parts)
            packages[PurePosixPath(*place.parts[:-depth])] = example.package
    for place, package in packages.items():
        top = PurePosixPath(*place.parts[2:]) if place.parts[0] == VARIANTS_PACKAGE else place
        for inner, text in _plain_files(package):
            file = _File(package / inner, str(top / inner), hashlib.sha256(text).hexdigest()[:20])
            files.setdefault(place / inner, file)
        for artefact in artefacts:
            if artefact.variant.profile.name == DEFAULT_PROFILE:
                default = _place(artefact.variant)
                if default.is_relative_to(top):
                    file = _File(artefact.module_file, artefact.variant.key, artefact.digest)
                    files.setdefault(place / default.relative_to(top), file)
    return files


def _place(variant: Variant) -> PurePosixPath:
    """Return where the module of a variant is in a stage."""
    parts = variant.import_name.split(".")
    if variant.example.qualified_name != variant.example.import_name:
        parts.append("__init__")
    return PurePosixPath(*parts[:-1], module_filename(parts[-1]))


def _plain_files(package: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the plain files of a package, by their places in it, with what is in them."""
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in _PLAIN and path.is_file():
                yield PurePosixPath(path.relative_to(package).as_posix()), path.read_bytes()


def _listed(files: dict[PurePosixPath, _File]) -> Iterator[tuple[str, str, str]]:
    for place, file in files.items():
        yield str(place), file.origin, file.digest


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
