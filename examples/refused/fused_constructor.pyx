"""A constructor with an argument of a fused type: Cython takes it, and the C compiler does not."""

cimport cython


cdef class Holder:
    def __init__(self, cython.floating[:] a):
        pass
