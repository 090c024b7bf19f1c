"""A view cannot be a private variable of a ``prange`` loop."""

from cython.parallel cimport prange


def sum_first_column(double[:, ::1] a):
    cdef double[::1] row
    cdef double total = 0
    cdef Py_ssize_t i
    for i in prange(a.shape[0], nogil=True):
        row = a[i]
        total += row[0]
    return total
