# cython: always_allow_keywords=False
"""``None`` where a typed memoryview is expected: let through, checked, refused.

The functions differ in how the argument is declared, or in the directives.
The directive for the file makes functions of one argument take no keywords, so that the C by which
they take it is short enough to be read.
"""

cimport cython

from typing import Optional


def maybe(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def never(double[:] a not None, Py_ssize_t i):
    cdef double x = a[i]
    return x


def first(double[:] a not None):
    return a[0]


@cython.nonecheck(True)
def each_time(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.boundscheck(False)
def without_check(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def annotated(a: cython.double[:], i: cython.Py_ssize_t):
    x: cython.double = a[i]
    return x


def annotated_optional(a: Optional[cython.double[:]], i: cython.Py_ssize_t):
    x: cython.double = a[i]
    return x


def total(double[:] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result


def total_or_none(double[:] a=None):
    if a is None:
        return None
    return total(a)


def rest(double[:] a):
    return a[1:]


def copied(double[:] a):
    return a.copy()


def fill(double[:] a, double value):
    a[:] = value


def size(double[:] a):
    return a.size


def iterate(double[:] a):
    return [x for x in a]


def first_row(double[:, :] a):
    return a[0]


def annotated_default(a: cython.double[:] = None):
    return a is None


@cython.nonecheck(True)
def length_with_nonecheck(double[:] a):
    return a.shape[0]


@cython.nonecheck(True)
def rest_with_nonecheck(double[:] a):
    return a[1:]


@cython.nonecheck(True)
def len_with_nonecheck(double[:] a):
    return len(a)


def annotated_union(a: cython.double[:] | None):
    return a is None
