"""What the checks prevent: the same lines with and without them.

Do not import this into a process that you need.
"""

cimport cython


@cython.boundscheck(False)
def item(double[:] a, Py_ssize_t i):
    return a[i]


@cython.boundscheck(False)
def item_not_none(double[:] a not None, Py_ssize_t i):
    return a[i]


def item_checked(double[:] a, Py_ssize_t i):
    return a[i]


@cython.boundscheck(False)
def store(double[:] a, Py_ssize_t i, double x):
    a[i] = x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_forward(double[:] a, Py_ssize_t i):
    return a[i]


@cython.wraparound(False)
def item_forward_checked(double[:] a, Py_ssize_t i):
    return a[i]


@cython.boundscheck(False)
def steps(double[:] a):
    """The loop ends one late: the last step needs an element behind the last one."""
    cdef double[:] out = a.copy()
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        out[i] = a[i + 1] - a[i]
    return out


def steps_checked(double[:] a):
    """The same loop, checked."""
    cdef double[:] out = a.copy()
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        out[i] = a[i + 1] - a[i]
    return out
