"""A buffer cannot be sliced without the GIL."""

cimport numpy as cnp


def without_gil(cnp.ndarray[double, ndim=1] a):
    cdef cnp.ndarray[double, ndim=1] rest
    with nogil:
        rest = a[1:]
    return rest[1]
