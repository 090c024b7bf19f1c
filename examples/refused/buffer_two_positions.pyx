"""Only the type of the elements may stand without a name."""

from numpy cimport ndarray


def first(ndarray[double, 1] a):
    return a[0]
