"""One access, in every way that the tests ask about."""

cimport cython
cimport numpy as cnp

ctypedef fused number:
    int
    double


cdef double from_object(a, Py_ssize_t i):
    return a[i]


cdef double from_buffer(cnp.ndarray[double, ndim=1] a, Py_ssize_t i):
    return a[i]


cdef double from_view(double[:] a, Py_ssize_t i):
    return a[i]


cdef double from_pointer(double *a, Py_ssize_t i):
    return a[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def unchecked(double[:, ::1] a, Py_ssize_t i, Py_ssize_t j):
    return a[i, j]


def store(double[:] a, Py_ssize_t i, double value):
    a[i] = value


def add(a, b):
    return a + b


def either(number value):
    return value + 1


def item(a, Py_ssize_t i):
    """Return ``a[i]`` in all four ways."""
    cdef double[::1] view = a
    return from_object(a, i), from_buffer(a, i), from_view(a, i), from_pointer(&view[0], i)


def total(double[::1] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result
