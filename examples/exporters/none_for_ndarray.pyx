"""``None`` where an ``np.ndarray[...]`` is declared: taken, and then an error, a crash or garbage.

The functions differ in what they do with the argument. Those that read the C struct of the array
end the process for ``None``, so call them in a process of their own.
"""

cimport cython
cimport numpy as cnp


def item(cnp.ndarray[double, ndim=1] a):
    return a[0]


@cython.boundscheck(False)
def item_unchecked(cnp.ndarray[double, ndim=1] a):
    return a[0]


def length(cnp.ndarray[double, ndim=1] a):
    return a.shape[0]


def method(cnp.ndarray[double, ndim=1] a):
    return a.sum()


def is_none(cnp.ndarray[double, ndim=1] a):
    return a is None


def length_of_not_none(cnp.ndarray[double, ndim=1] a not None):
    return a.shape[0]


def length_of_view(double[:] a):
    return a.shape[0]


def length_of_plain(cnp.ndarray a):
    return a.shape[0]
