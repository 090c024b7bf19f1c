"""A buffer is indexed through a variable."""

from numpy cimport ndarray


def first(ndarray[double] a, ndarray[double] b, bint which):
    return (a if which else b)[0]
