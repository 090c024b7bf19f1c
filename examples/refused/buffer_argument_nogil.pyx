"""A buffer cannot be passed to a function that runs without the GIL."""

cimport numpy as cnp


cdef double second(cnp.ndarray[double, ndim=1] a) noexcept nogil:
    return a[1]
