"""Translate the ``.pyx`` and compile its C; the rest is in ``pyproject.toml``."""

from Cython.Build import cythonize
from setuptools import setup

# Without py_modules, setuptools also installs the Python files that it finds beside this one.
setup(ext_modules=cythonize("average.pyx"), py_modules=[])
