"""An extension type is no type of elements."""

from numpy cimport ndarray


cdef class Element:
    pass


def first(ndarray[Element] a):
    return a[0]
