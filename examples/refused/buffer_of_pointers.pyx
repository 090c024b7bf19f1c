"""Pointers are no elements of a buffer."""

from numpy cimport ndarray


def first(ndarray[double *] a):
    return a[0]
