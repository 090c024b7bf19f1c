"""The type of the elements is given by position and by name."""

from numpy cimport ndarray


def first(ndarray[double, dtype=double] a):
    return a[0]
