"""Tests of the built site.

A package, so that its ``conftest`` is not taken for the one of the folder above, and not called
``site``, which is a module of Python's own.
"""
