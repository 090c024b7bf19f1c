"""Loops that show something else than ``y += alpha * x`` does.

A histogram and a stencil, whose speed depends on more than vectorizing, a sum of integers, and
views in attributes. ``passes`` repeats each loop, so that one can measure it and not the
acquiring of the views.
"""

cimport cython


def histogram_checked(Py_ssize_t[::1] bins, Py_ssize_t[::1] counts, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(bins.shape[0]):
            counts[bins[i]] += 1


@cython.boundscheck(False)
@cython.wraparound(False)
def histogram_strided(Py_ssize_t[:] bins, Py_ssize_t[:] counts, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(bins.shape[0]):
            counts[bins[i]] += 1


@cython.boundscheck(False)
@cython.wraparound(False)
def histogram(Py_ssize_t[::1] bins, Py_ssize_t[::1] counts, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(bins.shape[0]):
            counts[bins[i]] += 1


def histogram_pointer(Py_ssize_t[::1] bins, Py_ssize_t[::1] counts, Py_ssize_t passes=1):
    cdef Py_ssize_t i, n = bins.shape[0]
    if n == 0:
        return
    cdef Py_ssize_t *b = &bins[0]
    cdef Py_ssize_t *c = &counts[0]
    for _ in range(passes):
        for i in range(n):
            c[b[i]] += 1


def smooth_checked(double[::1] x, double[::1] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(1, x.shape[0] - 1):
            y[i] = x[i - 1] + x[i] + x[i + 1]


@cython.boundscheck(False)
@cython.wraparound(False)
def smooth(double[::1] x, double[::1] y, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(1, x.shape[0] - 1):
            y[i] = x[i - 1] + x[i] + x[i + 1]


@cython.boundscheck(False)
@cython.wraparound(False)
def integer_sum_strided(Py_ssize_t[:] a, Py_ssize_t passes=1):
    cdef Py_ssize_t i, s = 0
    for _ in range(passes):
        for i in range(a.shape[0]):
            s += a[i]
    return s


@cython.boundscheck(False)
@cython.wraparound(False)
def integer_sum(Py_ssize_t[::1] a, Py_ssize_t passes=1):
    cdef Py_ssize_t i, s = 0
    for _ in range(passes):
        for i in range(a.shape[0]):
            s += a[i]
    return s


@cython.boundscheck(False)
@cython.wraparound(False)
def float_sum_strided(double[:] a, Py_ssize_t passes=1):
    cdef double s = 0
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(a.shape[0]):
            s += a[i]
    return s


@cython.boundscheck(False)
@cython.wraparound(False)
def float_sum(double[::1] a, Py_ssize_t passes=1):
    cdef double s = 0
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(a.shape[0]):
            s += a[i]
    return s


cdef class Pair:
    cdef double[::1] x, y

    def __init__(self, x, y):
        self.x = x
        self.y = y

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def in_attributes(self, Py_ssize_t passes=1):
        cdef Py_ssize_t i
        for _ in range(passes):
            for i in range(self.x.shape[0]):
                self.y[i] += 0.5 * self.x[i]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def in_attributes_uninitialized(self, Py_ssize_t passes=1):
        cdef Py_ssize_t i
        for _ in range(passes):
            for i in range(self.x.shape[0]):
                self.y[i] += 0.5 * self.x[i]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def in_locals(self, Py_ssize_t passes=1):
        cdef double[::1] x = self.x, y = self.y
        cdef Py_ssize_t i
        for _ in range(passes):
            for i in range(x.shape[0]):
                y[i] += 0.5 * x[i]


cdef class Pixels:
    """The same with bytes, through which C code may change any memory."""

    cdef unsigned char[::1] x, y

    def __init__(self, x, y):
        self.x = x
        self.y = y

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def invert_in_attributes(self, Py_ssize_t passes=1):
        cdef Py_ssize_t i
        for _ in range(passes):
            for i in range(self.x.shape[0]):
                self.y[i] = 255 - self.x[i]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.initializedcheck(False)
    def invert_in_locals(self, Py_ssize_t passes=1):
        cdef unsigned char[::1] x = self.x, y = self.y
        cdef Py_ssize_t i
        for _ in range(passes):
            for i in range(x.shape[0]):
                y[i] = 255 - x[i]
