"""``y += alpha * x``, element by element, with views and with pointers.

A loop in which no element waits for the one before, so that it can show what a sum of doubles
hides: what strides and index checks cost once the C compiler handles several elements at a time.
``passes`` repeats it, so that one can measure the loop and not the acquiring of the views.
"""

cimport cython


def strided_checked(double alpha, double[:] x, double[:] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += alpha * x[i]


def contiguous_checked(double alpha, double[::1] x, double[::1] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += alpha * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def strided(double alpha, double[:] x, double[:] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += alpha * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def contiguous(double alpha, double[::1] x, double[::1] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += alpha * x[i]


def pointer(double alpha, double[::1] x, double[::1] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i, n = x.shape[0]
    if n == 0:
        return
    cdef double *p = &x[0]
    cdef double *q = &y[0]
    for _ in range(passes):
        for i in range(n):
            q[i] += alpha * p[i]


def untyped(double alpha, x, y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(len(x)):
            y[i] += alpha * x[i]


def total(double[::1] x):
    cdef double s = 0
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        s += x[i]
    return s


@cython.boundscheck(False)
@cython.wraparound(False)
def total_unchecked(double[::1] x):
    cdef double s = 0
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        s += x[i]
    return s
