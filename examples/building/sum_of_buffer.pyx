"""The sum of some doubles, typed as an ``ndarray`` buffer: the type comes from NumPy."""

cimport numpy as cnp


def total(cnp.ndarray[double, ndim=1] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result
