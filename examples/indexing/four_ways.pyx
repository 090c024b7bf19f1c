"""One line, ``return a[i]``, on four kinds of ``a``.

The four functions differ in the type of their first argument and in nothing else. Below them
is a loop over each kind of access, to measure its cost. The untyped loop takes
the number out of the object before it adds: ``total += a[i]`` would add objects instead.
"""

cimport numpy as cnp


cdef double from_object(a, Py_ssize_t i):
    return a[i]


cdef double from_buffer(cnp.ndarray[double, ndim=1] a, Py_ssize_t i):
    return a[i]


cdef double from_view(double[:] a, Py_ssize_t i):
    return a[i]


cdef double from_pointer(double *a, Py_ssize_t i):
    return a[i]


def sum_object(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def sum_buffer(cnp.ndarray[double, ndim=1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_view(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_pointer(double[::1] a):
    cdef double total = 0
    cdef Py_ssize_t i, n = a.shape[0]
    cdef double *p = &a[0] if n else NULL
    for i in range(n):
        total += p[i]
    return total


def item(a, Py_ssize_t i):
    """Return ``a[i]`` in all four ways, which must agree."""
    cdef double[::1] view = a
    return from_object(a, i), from_buffer(a, i), from_view(a, i), from_pointer(&view[0], i)
