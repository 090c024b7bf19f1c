"""The option is spelled ndim."""

from numpy cimport ndarray


def first(ndarray[double, ndims=1] a):
    return a[0]
