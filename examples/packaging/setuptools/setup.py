"""Translate the ``.pyx`` and compile its C; the rest stands in ``pyproject.toml``."""

from Cython.Build import cythonize
from setuptools import setup

setup(ext_modules=cythonize("average.pyx"))
