"""A histogram by threads that add to the same elements, and by threads that do not.

Compiled without ``-fopenmp`` this runs in one thread, and nothing is lost.
"""

from cython.parallel cimport prange, threadid

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
    """Tell whether the C compiler was asked for OpenMP."""
    return WITH_OPENMP


def count_shared(const unsigned char[::1] bins, long long[::1] counts):
    cdef Py_ssize_t i
    for i in prange(bins.shape[0], nogil=True, num_threads=4):
        counts[bins[i]] += 1


def count_by_thread(const unsigned char[::1] bins, long long[:, ::1] counts):
    """Count in a row for each of four threads."""
    cdef Py_ssize_t i
    for i in prange(bins.shape[0], nogil=True, num_threads=4):
        counts[threadid(), bins[i]] += 1
