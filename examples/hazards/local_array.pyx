"""A view of a local C array: it compiles, and is returned."""

from cython cimport view


def of_local_array():
    cdef double numbers[4000]
    cdef double[:] a = numbers
    a[:] = 1
    return a


def of_own_array():
    cdef view.array owner = view.array((4000,), sizeof(double), "d")
    cdef double[:] a = owner
    a[:] = 1
    return a


def other_work():
    """Work with local variables of its own, as most functions do."""
    cdef double numbers[8000]
    cdef double[:] a = numbers
    a[:] = -1
    return a[4000]


def read_of_local_array():
    """Read the array in Cython, after its function has returned."""
    cdef double[:] a = of_local_array()
    return a[2000]
