"""The number of dimensions is negative."""

from numpy cimport ndarray


def first(ndarray[double, ndim=-1] a):
    return a[0]
