"""A loop over a view, without checks."""

cimport cython


@cython.boundscheck(False)
@cython.wraparound(False)
cdef double total(double[::1] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result
