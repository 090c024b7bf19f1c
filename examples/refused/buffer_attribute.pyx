"""A buffer cannot be an attribute of an object; its type may only stand inside a function."""

cimport numpy as cnp


cdef class Holder:
    cdef cnp.ndarray[double, ndim=1] data
