"""Dimensions before an indirect one must be indexed."""

from cython cimport view


def first_column(int[:, ::view.indirect] a):
    return a[:, 0]
