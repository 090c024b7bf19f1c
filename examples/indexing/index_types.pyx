"""Other indices than a ``Py_ssize_t``, a view as an attribute, and two pairs of brackets.

Each function is one access, so that its C can be compared with that of ``view_items``.
"""

cimport cython


def one_bracket(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


def two_brackets(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i][j]
    return x


def named_row(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double[:] row = a[i]
    cdef double x = row[j]
    return x


def element_of_block(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[1:][i][j]
    return x


def item(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def object_index(double[:] a, i):
    cdef double x = a[i]
    return x


def object_result(double[:] a, Py_ssize_t i):
    return a[i]


def before(double[:] a, Py_ssize_t i):
    cdef double x = a[i - 1]
    return x


def before_unsigned(double[:] a, size_t i):
    cdef double x = a[i - 1]
    return x


cdef class Kept:
    """Keeps a view as an attribute."""

    cdef double[:] a

    def __init__(self, a):
        self.a = a

    def item(self, Py_ssize_t i):
        cdef double x = self.a[i]
        return x

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def item_unchecked(self, Py_ssize_t i):
        cdef double x = self.a[i]
        return x
