"""The option cast is True or False."""

from numpy cimport ndarray


def first(ndarray[double, cast=1] a):
    return a[0]
