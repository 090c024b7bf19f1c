"""The type of the elements is missing."""

from numpy cimport ndarray


def first(ndarray[ndim=1] a):
    return a[0]
