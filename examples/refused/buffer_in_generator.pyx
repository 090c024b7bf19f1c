"""A buffer can be kept neither in a generator nor in a closure."""

cimport numpy as cnp


def generator(x):
    cdef cnp.ndarray[double, ndim=1] a = x
    yield a[0]


def closure(cnp.ndarray[double, ndim=1] b):
    def inner():
        return b[0]
    return inner
