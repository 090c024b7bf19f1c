"""``prange`` over the rows of a view, indexed and sliced.

Compiled without ``-fopenmp`` this runs in one thread and gives the same results.
"""

cimport cython
from cython.parallel cimport prange
from libc.math cimport sin

cdef extern from *:
    """
    #ifdef _OPENMP
    #define WITH_OPENMP 1
    #else
    #define WITH_OPENMP 0
    #endif
    """
    bint WITH_OPENMP


def with_openmp():
    """Tell whether the C compiler was told to use OpenMP."""
    return WITH_OPENMP


cdef double row_work(double[:, ::1] a, Py_ssize_t i) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t j
    for j in range(a.shape[1]):
        total += sin(a[i, j])
    return total


def rows_serial(double[:, ::1] a, double[::1] out):
    cdef Py_ssize_t i
    with nogil:
        for i in range(a.shape[0]):
            out[i] = row_work(a, i)


def rows_parallel(double[:, ::1] a, double[::1] out):
    cdef Py_ssize_t i
    for i in prange(a.shape[0], nogil=True, schedule="dynamic", chunksize=10):
        out[i] = row_work(a, i)


@cython.boundscheck(False)
@cython.wraparound(False)
cdef inline double corner(double[:, ::1] a, Py_ssize_t i) noexcept nogil:
    return a[i, 0] + a[i, 1]


@cython.boundscheck(False)
@cython.wraparound(False)
cdef inline double corner_of_row(double[::1] row) noexcept nogil:
    return row[0] + row[1]


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_indexed(double[:, ::1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in prange(a.shape[0], nogil=True):
        total += corner(a, i)
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_sliced(double[:, ::1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in prange(a.shape[0], nogil=True):
        total += corner_of_row(a[i])
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_sliced_serial(double[:, ::1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    with nogil:
        for i in range(a.shape[0]):
            total += corner_of_row(a[i])
    return total
