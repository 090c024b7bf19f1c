"""In Python syntax, const belongs to the elements and not to the view."""

import cython


def first(a: cython.const[cython.double[:]]):
    return a[0]
