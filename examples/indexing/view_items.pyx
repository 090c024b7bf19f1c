"""``a[i]`` and ``a[i, j]`` on typed memoryviews: strided and contiguous, checked and not.

Each of the first functions is one access, so that the C of one can be laid beside the C of
another. The loops at the end are for measuring.
"""

cimport cython


def strided(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def contiguous(double[::1] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.boundscheck(False)
def no_boundscheck(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.wraparound(False)
def no_wraparound(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def no_checks(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def no_checks_contiguous(double[::1] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def unsigned_index(double[:] a, size_t i):
    cdef double x = a[i]
    return x


def strided_2d(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def no_checks_2d(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def no_checks_c_order(double[:, ::1] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def no_checks_f_order(double[::1, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def store(double[:] a, Py_ssize_t i, double value):
    a[i] = value


def sum_strided(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_contiguous(double[::1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_no_checks(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_object(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total
