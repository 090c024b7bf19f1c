"""The package ``variants`` beside the modules of the default profile, with a folder for each other.

This file is its ``__init__.py``. Cython enters a module into ``sys.modules`` under the name it was
compiled with, too. A variant has the same such name as the module of the default profile, which
would then be taken for imported. So that one is imported first.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class Loader(ExtensionFileLoader):
    """Loads a variant, and leaves what is imported under the name it was compiled with as it is."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module of the default profile, then make this one."""
        # Whatever goes wrong there is told where a page imports that module itself.
        with suppress(Exception):
            importlib.import_module(self._compiled)
        return super().create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        super().exec_module(module)
        if sys.modules.get(self._compiled) is module:
            del sys.modules[self._compiled]

    @property
    def _compiled(self) -> str:
        return self.name.split(".", 2)[2]


class Finder(PathFinder):
    """Finds the variants."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find a module below this package."""
        if not fullname.startswith(f"{__name__}."):
            return None
        spec = super().find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, ExtensionFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


if __name__ == "variants":
    sys.meta_path.insert(0, Finder)
