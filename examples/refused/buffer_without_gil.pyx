"""What an ndarray buffer cannot do without the GIL: be an argument, be assigned, be sliced."""

cimport numpy as cnp


cdef double first(cnp.ndarray[double, ndim=1] a) nogil:
    return a[0]


def assigned_and_sliced(cnp.ndarray[double, ndim=1] a):
    cdef cnp.ndarray[double, ndim=1] b
    with nogil:
        b = a
        b = a[1:]
