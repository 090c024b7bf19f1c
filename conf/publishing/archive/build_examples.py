"""Build examples so that Python finds them from this folder.

python build_examples.py                           builds all of them
python build_examples.py four_ways view_items      builds these
python build_examples.py variants.plain.keeping    builds one with the settings of profiles.json
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def sources() -> dict[str, Path]:
    """Return all examples that compile, by the name of their module."""
    found = sorted(path.relative_to(HERE) for path in HERE.glob("*/*.pyx"))
    return {path.stem: path for path in found if path.parts[0] != "refused"}


def _extension(name: str) -> tuple[Any, dict[str, str]]:
    """Return what setuptools builds a module from, and the directives for Cython."""
    import numpy
    from setuptools import Extension

    stem = name.rpartition(".")[2]
    if stem not in sources():
        sys.exit(f"there is no example {stem!r} here; there are {', '.join(sources())}")
    settings: dict[str, Any] = {"flags": ["-O2"], "macros": [], "directives": {}}
    source = sources()[stem]
    if name.startswith("variants."):
        settings = json.loads((HERE / "profiles.json").read_text("utf-8"))[name.split(".")[1]]
        # A copy: the C of the same file built in another way would be taken for this one's.
        copy = Path("build", *name.split(".")).with_suffix(".pyx")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
        source = copy
    extension = Extension(
        name,
        [str(source)],
        include_dirs=[numpy.get_include()],
        define_macros=[(macro, value) for macro, value in settings["macros"]],
        # Microsoft's compiler optimises as much unasked, and knows none of these.
        extra_compile_args=[] if sys.platform == "win32" else settings["flags"],
        extra_link_args=[flag for flag in settings["flags"] if flag == "-fopenmp"],
    )
    return extension, settings["directives"]


def build(*names: str) -> None:
    """Build modules, all of them if none is named, unless they are up to date."""
    from Cython.Build import cythonize
    from setuptools import setup

    before = Path.cwd()
    os.chdir(HERE)  # or the names of all intermediate files would hold the whole path
    try:
        modules = []
        for name in names or tuple(sources()):
            extension, directives = _extension(name)
            modules += cythonize([extension], compiler_directives=directives, language_level=3)
        arguments = ["--quiet", "build_ext", "--build-lib", ".", "--build-temp", "build"]
        setup(name="examples", script_args=arguments, ext_modules=modules, packages=[])
    finally:
        os.chdir(before)
    find()


def find() -> None:
    """Let Python find what is built here, and what draws the pictures."""
    for folder in (HERE, HERE / "pictures"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def style() -> Any:
    """Return the colors of the pictures, for the last line of a notebook's cell."""
    from IPython.display import HTML

    return HTML(f"<style>{(HERE / 'pictures' / 'pictures.css').read_text('utf-8')}</style>")


if __name__ == "__main__":
    build(*sys.argv[1:])
