"""``a[i]`` and ``a[i, j]`` on an untyped object.

``a`` has no declared type, so each access calls a function of the object's type.
"""

cimport cython


def item(a, Py_ssize_t i):
    return a[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def item_no_checks(a, Py_ssize_t i):
    return a[i]


def item_by_object(a, i):
    return a[i]


def item_2d(a, Py_ssize_t i, Py_ssize_t j):
    return a[i, j]


def sum_items(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_items_no_checks(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def sum_typed(double[:] a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        x = a[i]
        total += x
    return total
