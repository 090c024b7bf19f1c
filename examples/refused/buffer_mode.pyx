"""A buffer has no mode of this name."""

from numpy cimport ndarray


def first(ndarray[double, mode="C"] a):
    return a[0]
