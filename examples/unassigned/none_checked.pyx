# cython: nonecheck=True
"""With the directive ``nonecheck``, a view or buffer that is ``None`` raises wherever it is used.

Each function uses its argument in another way.
"""

from numpy cimport ndarray


def item(double[:] a):
    return a[0]


def sliced(double[:] a):
    return a[1:]


def filled(double[:] a):
    a[:] = 0


def transposed(double[:, :] a):
    return a.T


def length(double[:] a):
    return a.shape[0]


def item_of_buffer(ndarray[double] a):
    return a[0]
